"""The compose panel drawn again: for another model, and with a picture moved, without scripts too; kept as a prompt."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from fractions import Fraction
from itertools import permutations
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from generations.models import Generation, Prompt
from generations.providers import catalog
from generations.services.library import picks
from generations.services.library.picks import Pick
from tests import world
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db
OTHER = "other-1.0"


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.editor)
    return client


@pytest.fixture
def two_models(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second model, which takes long pictures whole and knows no strength above a half."""
    first = catalog.ENGINES[world.ENGINE]
    params = tuple(
        replace(each, maximum=each.maximum / 2) if isinstance(each, catalog.NumberParam) else each
        for each in first.params
    )
    wide = replace(first.references, max_ratio=Fraction(16), maximum=3)
    other = replace(first, slug=OTHER, label="Other", params=params, references=wide)
    monkeypatch.setitem(catalog.ENGINES, OTHER, other)


def asked(team: world.Team, *tokens: str, **more: str) -> dict[str, Any]:
    body = {"prompt": "一只柯基 {x}", "engine": world.ENGINE, "size": "2304x1728", "scale": "0.5"}
    return body | {"output": "set", "count": "3", "form_token": "t", "reference": tokens} | more


def test_what_is_cut_of_a_picture_follows_the_model(
    browser: Client, team: world.Team, two_models: None
) -> None:
    token = str(world.reference(team, data=world.picture(size=(900, 100))).public_id)
    body = asked(team, token, **{f"role-{token}": "style"})
    before = text(browser.post(url(team, "compose-panel"), body, headers=HTMX))
    body["engine"] = OTHER
    after = text(browser.post(url(team, "compose-panel"), body, headers=HTMX))
    assert "Only the middle is sent, 300 × 100" in before
    assert "Only the middle is sent" not in after
    assert "1 / 10" in before
    assert "1 / 3" in after
    for page in (before, after):
        assert "一只柯基 {x}</textarea>" in page
        assert '<option value="style" selected>' in page
        assert 'value="2304x1728" data-shape="4:3" data-shown="2304 × 1728" checked' in page
        assert 'value="set" checked' in page
        assert 'name="count"' in page and 'inputmode="numeric" value="3"' in page
    assert f'value="{OTHER}" checked' in after
    assert not Generation.objects.filter(prompt__contains="一只柯基 {x}").exists()


def test_a_setting_the_other_model_refuses_becomes_its_usual_one(
    browser: Client, team: world.Team, two_models: None
) -> None:
    body = asked(team, engine=OTHER, scale="0.9")
    answer = browser.post(url(team, "compose-panel"), body, headers=HTMX)
    assert answer.status_code == 200
    assert 'name="scale"' in text(answer)
    assert 'value="0.9"' not in text(answer)
    assert 'value="2304x1728" data-shape="4:3" data-shown="2304 × 1728" checked' in text(answer)


@pytest.mark.parametrize(("asked_for", "most"), [("4", 8), ("15", 30)])
def test_the_footer_says_how_many_a_set_may_have(
    browser: Client, team: world.Team, asked_for: str, most: int
) -> None:
    """At most what was asked for, and what the references leave."""
    body = asked(team, engine="seedream-4.0", max_images=asked_for, count="2", size="2048x2048")
    body.pop("scale")
    page = text(browser.post(url(team, "compose-panel"), body, headers=HTMX))
    shown = re.search(r'data-mode="set" data-count="2">.*?</span>', page, re.DOTALL)
    assert shown
    assert f'data-total="15" data-limit="max_images">{most}</b>' in shown[0]


def test_sizes_stand_from_small_to_large(browser: Client, team: world.Team) -> None:
    body = asked(team, engine="seedream-5.0-pro", size="2048x2048")
    page = text(browser.post(url(team, "compose-panel"), body, headers=HTMX))
    assert re.findall(r'name="tier" value="([^"]+)"', page) == ["1K", "1.5K", "2K", "custom"]


def test_without_scripts_a_button_moves_a_picture(browser: Client, team: world.Team) -> None:
    pictures = [world.picture((30 * n, 2, 3)) for n in range(3)]
    a, b, c = (str(world.reference(team, data=each).public_id) for each in pictures)
    body = asked(team, a, b, c, move=f"-1.{c}", scale="nonsense", **{f"role-{c}": "style"})
    answer = browser.post(url(team, "compose-panel"), body)
    page = text(answer)
    assert answer.status_code == 200
    assert f'formaction="{url(team, "compose-panel")}#refs"' in page
    places = [page.index(f'name="reference" value="{each}"') for each in (a, c, b)]
    assert places == sorted(places)
    assert '<option value="style" selected>' in page
    assert "nonsense" in page


def test_a_run_made_again_still_says_so(browser: Client, team: world.Team) -> None:
    made = Generation.objects.filter(project=team.project)[0]
    body = asked(team, rerun_of=str(made.public_id))
    assert f'name="rerun_of" value="{made.public_id}"' in text(
        browser.post(url(team, "compose-panel"), body)
    )


def test_a_draft_may_keep_the_model_and_settings_of_the_panel(
    team: world.Team, browser: Client
) -> None:
    panel = {"prompt": "typed", "engine": world.ENGINE, "size": "custom", "count": "3"}
    panel |= {"width": "1600", "height": "1200", "scale": "0.25", "output": "set"}
    page = text(browser.post(url(team, "prompt-new"), panel | {"draft": "1"}))
    carried = html.unescape(re.findall(r'name="settings" value="([^"]*)"', page)[0])
    form = {"title": "T", "text": "typed", "engine": world.ENGINE, "settings": carried}
    assert re.search(r'name="keep" value="1" autocomplete', page)
    browser.post(url(team, "prompt-new"), form)
    assert Prompt.objects.latest("pk").engine == ""
    refused = text(browser.post(url(team, "prompt-new"), form | {"keep": "1", "title": ""}))
    assert html.escape(carried) in refused
    assert 'name="keep" value="1" checked' in refused
    browser.post(url(team, "prompt-new"), form | {"keep": "1"})
    made = Prompt.objects.latest("pk")
    assert made.engine == world.ENGINE
    studio = text(browser.get(url(team), {"prompt": made.public_id}))
    for shown in ('value="1600"', 'value="1200"', 'value="0.25"', 'value="set" checked'):
        assert shown in studio
    answer = browser.post(url(team, "prompt-new"), form | {"keep": "1", "settings": "{"})
    assert answer.status_code == 422
    assert "The settings are no JSON object" in text(answer)


@given(st.sampled_from(list(permutations("abcd"))), st.sampled_from("abcdx"), st.text(max_size=3))
def test_moving_never_loses_one(order: tuple[str, ...], token: str, step: str) -> None:
    held = [Pick(each, "", None) for each in order]  # type: ignore[arg-type]
    for each in ("1", "-1", step):
        after = picks.moved(held, f"{each}.{token}")
        assert sorted(pick.token for pick in after) == ["a", "b", "c", "d"]
    there = picks.moved(held, f"1.{token}")
    if token in order[:-1]:
        assert picks.moved(there, f"-1.{token}") == held
