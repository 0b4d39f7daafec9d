"""Presets and the usual model of a project."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from generations.models import Preset
from generations.services.library import presets
from generations.services.library.prompts import PromptProblem
from tests import world
from tests.pages import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> world.Team:
    return world.team("acme")


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.owner)
    return client


FORM = {
    "engine": world.ENGINE,
    "size": "2048x2048",
    "scale": "0.7",
    "output": "single",
    "count": "3",
}


def test_settings_are_kept_used_and_deleted(team: world.Team, browser: Client) -> None:
    new = reverse("preset-new", args=[team.project.public_id])
    page = browser.post(new, FORM | {"preset_name": "<b>Wide", "prompt": "x"}, follow=True)
    preset = Preset.objects.get()
    assert "<b>Wide" not in page.content.decode()
    assert (preset.count, preset.settings["size"]) == (3, "2048x2048")
    html = page.content.decode()
    assert 'id="count" name="count" min="1" max="8" step="1" inputmode="numeric" value="3"' in html
    drop = reverse("preset-delete", args=[team.project.public_id, preset.public_id])
    assert "is deleted" in text(browser.post(drop, follow=True))
    assert not Preset.objects.exists()


def test_a_name_is_needed_and_the_settings_wait(team: world.Team, browser: Client) -> None:
    new = reverse("preset-new", args=[team.project.public_id])
    answer = browser.post(new, FORM | {"preset_name": " \0", "shelf": "mine"})
    assert answer.status_code == 422
    assert '<input type="hidden" name="size" value="2048x2048">' in answer.content.decode()
    assert browser.post(new, FORM | {"preset_name": "x" * 10_000}).status_code == 422
    assert browser.post(new, FORM | {"preset_name": "a", "size": "9x9"}).status_code == 422
    assert browser.post(new, FORM | {"preset_name": "a", "engine": "gone"}).status_code == 422


def test_the_same_name_is_written_over_and_there_is_an_end(
    team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert world.preset(team).pk == world.preset(team).pk
    assert world.preset(team, own=True).pk != world.preset(team).pk
    monkeypatch.setattr(presets, "MOST", 1)
    with pytest.raises(PromptProblem, match="Delete one first"):
        world.preset(team, "Tall")
    world.preset(team)


def test_ones_own_are_nobody_elses(team: world.Team) -> None:
    mine, ours = world.preset(team, own=True), world.preset(team, "Ours")
    assert presets.on_offer(user=team.owner, project=team.project) == [ours, mine]
    assert presets.on_offer(user=team.editor, project=team.project) == [ours]


def test_owners_choose_the_usual_model(team: world.Team, browser: Client) -> None:
    page = reverse("project-settings", args=[team.project.public_id])
    assert browser.post(page, {"default_engine": world.ENGINE}).status_code == 302
    team.project.refresh_from_db()
    assert team.project.default_engine == world.ENGINE
    assert browser.get(reverse("studio", args=[team.project.public_id])).status_code == 200
    assert browser.post(page, {"default_engine": "gone"}).status_code == 422
    editor = Client()
    editor.force_login(team.editor)
    assert editor.post(page, {"default_engine": ""}).status_code == 403
