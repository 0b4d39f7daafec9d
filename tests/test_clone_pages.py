"""Models of an administrator's own, and switches of projects, on pages and for programs."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from django.urls import reverse

from generations.models import Generation
from generations.services import accounts, compose
from tests import tokens, world
from tests.clones import SLUG, clone, only
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db


def ask(team: world.Team, engine: str) -> Generation:
    return compose.submit(
        project=team.project,
        user=team.editor,
        engine=engine,
        prompt="一只柯基",
        settings={},
        count=1,
    )


def offered(page: str) -> list[str]:
    return re.findall(r'name="engine" value="([^"]+)"', page)


def test_the_picker_shows_it_and_what_the_project_may_use(team: world.Team, writer: Client) -> None:
    clone(good_for_en="Our own look", count_max=2, offered={"size": ["2048x2048"]})
    page = text(writer.get(url(team)))
    assert SLUG in offered(page)
    assert "Our own look" in page
    panel = writer.post(
        url(team, "compose-panel"), {"engine": SLUG, "prompt": "x", "count": 4}, headers=HTMX
    )
    shown = text(panel)
    assert 'max="2"' in shown
    assert re.findall(r'name="size" value="([^"]+)"', shown) == ["2048x2048"]
    assert "size-width" not in shown
    assert re.search(r'id="count"[^>]* value="2"', shown)
    assert "Generate 2" in shown
    only(team.project, SLUG)
    page = text(writer.get(url(team)))
    assert offered(page) == [SLUG]
    assert re.search(rf'value="{SLUG}" checked', page)
    assert offered(text(writer.get(url(team, "batch-new")))) == [SLUG]


def test_what_was_made_with_it_says_so_and_running_it_again_says_it_is_gone(
    team: world.Team, writer: Client
) -> None:
    made = ask(team, clone().slug)
    clone(enabled=False)
    assert "House Image 5" in text(writer.get(url(team)))
    assert f'<option value="{SLUG}"' in text(writer.get(url(team, "gallery")))
    assert "House Image 5" in text(writer.get(url(team, "gallery") + f"?engine={SLUG}"))
    again = text(writer.get(url(team) + f"?recipe={made.public_id}"))
    assert "Its model is not on offer any more; another one is chosen." in again
    assert SLUG not in offered(again)
    clone(enabled=True)
    only(team.project, world.ENGINE)
    again = text(writer.get(url(team) + f"?recipe={made.public_id}"))
    assert "Its model is not switched on for this project" in again
    assert re.search(rf'value="{world.ENGINE}" checked', again)
    assert made.prompt in again


def test_running_it_again_says_what_it_does_not_take_any_more(
    team: world.Team, writer: Client
) -> None:
    made = ask(team, clone().slug)
    assert "are the same" in text(writer.get(url(team) + f"?recipe={made.public_id}"))
    clone(offered={"size": ["4096x4096"]})
    again = text(writer.get(url(team) + f"?recipe={made.public_id}"))
    assert "Its value for “Size” is not on offer any more" in again
    assert "are the same" not in again
    assert re.search(r'value="4096x4096"[^>]* checked', again)


def test_presets_and_the_usual_model_follow_the_switches(team: world.Team, owner: Client) -> None:
    row = world.preset(team)
    team.project.default_engine = world.ENGINE
    team.project.save()
    clone()
    page = url(team, "project-settings")
    every = {each.slug for each in accounts.offered()}
    assert (
        owner.post(page, {"models": "1", "model": sorted(every - {world.ENGINE})}).status_code
        == 302
    )
    team.project.refresh_from_db()
    assert team.project.default_engine == ""
    assert set(team.project.engines) == every - {world.ENGINE}
    studio = text(owner.get(url(team)))
    assert f"preset={row.public_id}" not in studio
    by_address = text(owner.get(url(team) + f"?preset={row.public_id}"))
    assert world.ENGINE not in offered(by_address)
    refused = owner.post(page, {"default_engine": world.ENGINE})
    assert refused.status_code == 422
    kept = {"engine": world.ENGINE, "preset_name": "A", "shelf": "project", "count": 1}
    assert "not switched on" in text(owner.post(url(team, "preset-new"), kept))
    # With all of them on, those to come are on as well.
    assert owner.post(page, {"models": "1", "model": sorted(every)}).status_code == 302
    team.project.refresh_from_db()
    assert team.project.engines == []


@pytest.mark.parametrize(
    ("chosen", "said"),
    [([], "Leave at least one model on."), (["no-such"], "Choose models of the list.")],
)
def test_a_wrong_choice_of_models_is_said(
    team: world.Team, owner: Client, chosen: list[str], said: str
) -> None:
    answer = owner.post(url(team, "project-settings"), {"models": "1", "model": chosen})
    assert answer.status_code == 422
    assert said in text(answer)
    team.project.refresh_from_db()
    assert team.project.engines == []


def test_programs_hear_of_clones_and_switches(team: world.Team) -> None:
    clone(count_max=2, offered={"size": ["2048x2048"]})
    only(team.project, SLUG)
    program = tokens.bearer(tokens.token(team.editor))
    listed = {each["slug"]: each for each in program.get(reverse("api-engines")).json()["engines"]}
    assert (listed[SLUG]["count_max"], listed[world.ENGINE]["count_max"]) == (2, 8)
    assert listed[SLUG]["settings"]["properties"]["size"]["enum"] == ["2048x2048"]
    (project,) = program.get(reverse("api-projects")).json()["projects"]
    assert project["engines"] == [SLUG]
    schema = program.get(reverse("api-openapi")).json()
    body = schema["components"]["schemas"]["NewGeneration"]["properties"]
    assert SLUG in body["engine"]["enum"]
