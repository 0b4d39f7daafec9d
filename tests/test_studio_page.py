"""The studio page: composing, refusals with everything kept, running a recipe again."""

from __future__ import annotations

import re
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client

from generations.models import (
    Allowance,
    Generation,
    JobState,
    LedgerEntry,
)
from generations.services.library import prompts
from tests import world
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db
S = JobState


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.editor)
    return client


def body(**changed: str) -> dict[str, str]:
    usual = {
        "prompt": "一只柯基在草地上",
        "engine": world.ENGINE,
        "size": "2048x2048",
        "scale": "0.5",
        "output": "single",
        "count": "2",
        "form_token": uuid4().hex,
    }
    return usual | changed


def post(browser: Client, team: world.Team, *, htmx: bool = True, **changed: str) -> Any:
    headers = HTMX if htmx else {}
    return browser.post(url(team, "compose"), body(**changed), headers=headers)


def newest(team: world.Team) -> Generation:
    return team.project.generations.latest("id")


# --- Composing ------------------------------------------------------------------------------------


def test_generate_answers_with_a_fresh_panel_and_the_new_card(
    browser: Client, team: world.Team
) -> None:
    sent = body()
    answer = browser.post(url(team, "compose"), sent, headers=HTMX)
    made = newest(team)
    page = text(answer)
    assert answer.status_code == 200
    assert answer["HX-Trigger"] == "composed"
    assert (made.count, made.prompt, made.jobs.count()) == (2, sent["prompt"], 2)
    card = page.partition("<hx-partial")[2].partition("</hx-partial>")[0]
    assert f'id="g-{made.public_id}"' in card
    assert card.count("<job-progress") == 2
    assert 'id="quota"' in page
    token = re.search(r'name="form_token"[^>]*value="([^"]+)"', page)
    assert token
    assert token[1] != sent["form_token"]
    assert sent["prompt"] in page.partition("<textarea")[2].partition("</textarea>")[0]


def test_generate_without_scripts_comes_back_to_the_studio(
    browser: Client, team: world.Team
) -> None:
    answer = post(browser, team, htmx=False)
    assert answer["Location"] == url(team)
    page = text(browser.get(url(team)))
    assert f'id="g-{newest(team).public_id}"' in page


def test_the_same_form_sent_twice_is_one_generation(browser: Client, team: world.Team) -> None:
    before = team.project.generations.count()
    for _ in range(2):
        assert post(browser, team, form_token="one-time").status_code == 200
    assert team.project.generations.count() == before + 1


BAD: list[tuple[dict[str, str], str, str]] = [
    ({"prompt": ""}, "prompt", "Write what the picture should show."),
    ({"prompt": " \u200b\n"}, "prompt", "Write what the picture should show."),
    ({"prompt": "字" * 801}, "prompt", "801 characters"),
    ({"prompt": "a\0b"}, "prompt", "cannot be sent"),
    ({"engine": "no-such-model"}, "engine", "no-such-model"),
    ({"count": "0"}, "count", "from 1 to 8"),
    ({"count": "9"}, "count", "from 1 to 8"),
    ({"count": "many"}, "count", "from 1 to 8"),
    ({"size": "custom", "width": "2048"}, "height", "both width and height"),
    ({"size": "custom", "width": "512", "height": "512"}, "size", "262,144 pixels"),
    ({"size": "custom", "width": "8192", "height": "1024"}, "size", "outside the ratios"),
    ({"size": "huge"}, "size", "is not a size"),
    ({"scale": "2"}, "scale", "from 0 to 1"),
    ({"output": "both"}, "output", "Choose"),
    ({"min_ratio": "2", "max_ratio": "1"}, "max_ratio", "must not be below"),
]


@pytest.mark.parametrize(("changed", "field", "said"), BAD, ids=[str(each[0])[:40] for each in BAD])
@pytest.mark.parametrize("htmx", [True, False], ids=["fragment", "page"])
def test_bad_input_is_said_at_its_field_and_kept(
    browser: Client, team: world.Team, changed: dict[str, str], field: str, said: str, htmx: bool
) -> None:
    before = team.project.generations.count()
    answer = post(browser, team, htmx=htmx, **changed)
    page = text(answer)
    assert answer.status_code == 422
    assert page.startswith("<!doctype") is not htmx
    assert said in page
    form = answer.context["form"]
    assert field in form.errors
    assert all(form.typed(name) == value for name, value in changed.items())
    assert team.project.generations.count() == before
    assert not LedgerEntry.objects.exists()


def test_the_first_bad_field_gets_the_focus(browser: Client, team: world.Team) -> None:
    page = text(post(browser, team, prompt="", count="0"))
    assert page.count("autofocus") == 1
    assert re.search(r'<textarea id="prompt"[^>]*aria-invalid="true" autofocus', page)
    assert 'id="prompt-error"' in page


def test_a_spent_allowance_is_one_sentence_at_the_button(browser: Client, team: world.Team) -> None:
    Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=3)
    page = text(browser.get(url(team)))
    assert "0 / 3 images" in page
    assert "3 left" in page
    answer = post(browser, team, count="4")
    assert answer.status_code == 422
    assert "This needs 4 images, but you have 3 left today." in text(answer)
    assert "0 / 3" in text(browser.get(url(team)))
    post(browser, team, count="3")
    assert "3 / 3 images" in text(browser.get(url(team)))


def test_full_width_digits_and_the_unused_custom_size_do_no_harm(
    browser: Client, team: world.Team
) -> None:
    answer = post(browser, team, count="２", width="99", height="1", scale="0.50")
    assert answer.status_code == 200
    assert newest(team).recipe["settings"]["scale"] == "0.5"
    assert newest(team).count == 2


def test_a_viewer_looks_and_has_nothing_to_press(team: world.Team) -> None:
    client = Client()
    client.force_login(team.viewer)
    page = text(client.get(url(team)))
    assert 'id="compose"' not in page
    assert "hx-post" not in page
    assert f'id="g-{team.generation.public_id}"' in page


# --- Running again --------------------------------------------------------------------------------


def test_run_again_opens_with_the_same_recipe(browser: Client, team: world.Team) -> None:
    source = world.generation(
        team.project, team.editor, prompt="雨夜", size="1600x1200", output="set", scale="0.8"
    )
    answer = browser.get(url(team), {"recipe": str(source.public_id)})
    form = answer.context["form"]
    expected = {
        "prompt": "雨夜",
        "size": "custom",
        "width": "1600",
        "height": "1200",
        "output": "set",
        "scale": "0.8",
        "count": "1",
        "rerun_of": str(source.public_id),
    }
    assert {name: form.typed(name) for name in expected} == expected
    assert "The same recipe as" in text(answer)
    sent = {name: form.typed(name) for name in form.fields}
    assert browser.post(url(team, "compose"), sent, headers=HTMX).status_code == 200
    assert newest(team).rerun_of == source
    assert newest(team).recipe_sha256 == source.recipe_sha256


def test_a_preset_comes_back_as_that_preset(browser: Client, team: world.Team) -> None:
    source = world.generation(team.project, team.editor, size="2304x1728")
    page = browser.get(url(team), {"recipe": str(source.public_id)})
    assert page.context["form"].typed("size") == "2304x1728"
    checked = r'value="2304x1728" data-shape="4:3" data-shown="2304 × 1728" checked'
    assert re.search(checked, text(page))


@pytest.mark.parametrize("recipe", ["garbage", "00000000-0000-4000-8000-000000000000"])
def test_a_recipe_that_is_none_is_not_found(browser: Client, team: world.Team, recipe: str) -> None:
    assert browser.get(url(team), {"recipe": recipe}).status_code == 404
    assert post(browser, team, rerun_of=recipe).status_code == 404


def test_an_engine_that_left_the_catalogue_leaves_the_prompt(
    browser: Client, team: world.Team
) -> None:
    source = world.generation(team.project, team.editor, prompt="旧模型")
    Generation.objects.filter(pk=source.pk).update(engine="retired-1.0")
    page = browser.get(url(team), {"recipe": str(source.public_id)})
    assert page.context["form"].typed("prompt") == "旧模型"
    assert "retired-1.0" in text(page)


def test_the_page_carries_what_htmx_and_the_policy_need(browser: Client, team: world.Team) -> None:
    answer = browser.get(url(team))
    page = text(answer)
    assert re.search(r"<body [^>]*hx-headers:inherited='{\"X-CSRFToken\": \"\w+\"}'", page)
    assert f'hx-sse:connect="{url(team, "events")}?after=' in page
    assert not re.search(r"<[^>]+ (style|on\w+|hx-on[^=]*)=", page)
    assert "<script>" not in page
    assert "script-src 'self'" in answer["Content-Security-Policy"]


@pytest.mark.parametrize("begun", [False, True])
def test_what_the_address_puts_into_the_panel_opens_it_on_a_phone(
    team: world.Team, browser: Client, begun: bool
) -> None:
    prompt = prompts.create(
        project=team.project, user=team.editor, wording=prompts.Wording("Cat", "a {colour} cat")
    )
    page = browser.get(url(team, "studio"), {"prompt": prompt.public_id} if begun else {})
    box = re.search(r'<input type="checkbox" id="sheet"[^>]*>', text(page))
    assert box
    assert (" checked" in box[0]) is begun
