"""Saved prompts: versions, shelves, search, results, and using one with its slots."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generations.models import Generation, Prompt
from generations.services import quota
from generations.services.library import prompts, slots
from generations.services.library.prompts import PromptProblem, Wording
from tests import world
from tests.pages import text, url

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\"'&{{"


def body(saved: Prompt, **more: Any) -> dict[str, Any]:
    begun = {"prompt": saved.text, "engine": world.ENGINE, "size": "2048x2048", "scale": "0.5"}
    asked = {"output": "single", "count": "1", "form_token": "t", **begun}
    return asked | {"prompt_version": f"{saved.public_id}.1", **more}


# --- Writing ------------------------------------------------------------------------------------


def test_only_another_text_makes_another_version(team: world.Team) -> None:
    prompt = world.prompt(team)
    prompts.change(prompt=prompt, user=team.editor, wording=Wording("Kitten", prompt.text, ["a"]))
    assert prompt.versions.count() == 1
    prompts.change(prompt=prompt, user=team.editor, wording=Wording("Kitten", "two cats"))
    prompt.refresh_from_db()
    assert [each.number for each in prompt.versions.all()] == [2, 1]
    assert (prompt.title, prompt.text, prompt.tags) == ("Kitten", "two cats", [])


def test_every_problem_is_said_and_nothing_typed_is_lost(team: world.Team, owner: Client) -> None:
    with pytest.raises(PromptProblem) as problem:
        prompts.clean(Wording(" ", "{", ["x" * 31, *map(str, range(11))]))
    assert [each.field for each in problem.value.errors] == ["title", "tags", "tags", "text"]
    typed = {"title": "\0", "text": "a { b", "tags": "one，two"}
    for address in (url(team, "prompt-new"), url(team, "prompt", world.prompt(team).public_id)):
        answer = owner.post(address, typed)
        assert answer.status_code == 422
        assert "Give the prompt a title." in text(answer)
        assert "a { b" in text(answer)
    huge = owner.post(url(team, "prompt-new"), {"title": "x" * 10_000, "text": "\0"})
    assert huge.status_code == 422


def test_hostile_markup_is_shown_as_typed(team: world.Team, owner: Client) -> None:
    form = {"title": HOSTILE, "text": HOSTILE + "{a=<b>}", "tags": "<i>"}
    answer = owner.post(url(team, "prompt-new"), form, follow=True)
    assert answer.status_code == 200
    prompt = Prompt.objects.get()
    pages = [url(team, "prompts"), url(team, "prompt", prompt.public_id), url(team, "prompt-menu")]
    pages += [
        url(team, "prompt-insert", prompt.public_id),
        url(team, "studio") + f"?prompt={prompt.public_id}",
    ]
    for page in pages:
        html = owner.get(page).content.decode()
        assert "<script>alert" not in html
        assert "<i>" not in html
        assert "<b>}" not in html


def test_hidden_is_off_the_shelf_until_it_is_undone(team: world.Team, owner: Client) -> None:
    prompt = world.prompt(team)
    address = url(team, "prompt", prompt.public_id)
    off = owner.post(address, {"hide": "1"}, follow=True)
    assert "is off the shelf" in text(off)
    assert not prompts.page(shelf=Prompt.objects.all()).prompts
    owner.post(address, {"show": "1"})
    assert prompts.page(shelf=Prompt.objects.all()).prompts == [prompt]


def test_only_who_wrote_it_takes_it_to_their_own_shelf(team: world.Team, owner: Client) -> None:
    prompt = world.prompt(team)
    address = url(team, "prompt", prompt.public_id)
    other = Client()
    other.force_login(team.editor)
    assert other.post(address, {"move": "1"}).status_code == 403
    owner.post(address, {"move": "1"})
    assert other.get(address).status_code == 404
    owner.post(address, {"move": "1"})
    prompt.refresh_from_db()
    assert prompt.project == team.project


# --- Reading ------------------------------------------------------------------------------------


def test_search_finds_title_text_and_tag_in_both_languages(team: world.Team) -> None:
    found = prompts.create(
        user=team.owner, project=team.project, wording=Wording("柯基", "草地上", ["水彩"])
    )
    world.prompt(team)
    for q in ("柯", "草地", "水彩"):
        assert prompts.page(shelf=Prompt.objects.all(), q=q).prompts == [found]
    assert prompts.page(shelf=Prompt.objects.all(), q="%").prompts == []


def test_pages_follow_each_other_and_queries_stay(team: world.Team, owner: Client) -> None:
    asked = []
    owner.get(url(team, "prompts"))
    for count in (5, 40):
        for _n in range(count):
            world.prompt(team)
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert owner.get(url(team, "prompts")).status_code == 200
        asked.append(len(queries))
    assert asked[0] == asked[1]
    first = prompts.page(shelf=Prompt.objects.all())
    second = prompts.page(shelf=Prompt.objects.all(), after=first.next)
    assert (len(first.prompts), len(second.prompts), second.next) == (24, 21, None)
    assert not {each.pk for each in first.prompts} & {each.pk for each in second.prompts}


def test_the_best_results_come_first(team: world.Team, owner: Client) -> None:
    prompt = world.prompt(team)
    for rating in (None, 5, 3):
        made = world.generation(team.project, team.editor)
        made.prompt_version = prompt.versions.get()
        made.save()
        made.assets.update(rating=rating)
    found = prompts.results(prompt=prompt, user=team.viewer)
    assert [each.rating for each in found] == [5, 3, None]
    assert not prompts.results(prompt=prompt, user=world.team("rivals").owner)
    assert "5 / 5" in text(owner.get(url(team, "prompt", prompt.public_id)))


# --- Using --------------------------------------------------------------------------------------


def test_the_panel_opens_with_text_and_slots(team: world.Team, owner: Client) -> None:
    prompt = world.prompt(team)
    html = owner.get(url(team, "studio"), {"prompt": str(prompt.public_id)}).content.decode()
    assert "a {colour:red|blue} cat</textarea>" in html
    assert '<option value="red" selected>red</option>' in html
    assert f'value="{prompt.public_id}.1"' in html


def test_a_run_carries_the_filled_text_and_the_wording(team: world.Team, owner: Client) -> None:
    prompt = world.prompt(team)
    form = body(prompt, slot_name_0="colour", slot_0="blue")
    for _press in range(2):  # a double click
        assert owner.post(url(team, "compose"), form).status_code == 302
    made = Generation.objects.get(prompt_version=prompt.versions.get())
    assert made.prompt == "a blue cat"
    prompt.refresh_from_db()
    assert prompt.uses == 1


def test_four_values_make_four_runs_in_one_press(team: world.Team, owner: Client) -> None:
    prompt = world.prompt(team, "a {colour} cat")
    form = body(prompt, slot_name_0="colour", slot_0="red|blue|green|grey")
    answer = owner.post(url(team, "compose"), form, headers={"HX-Request": "true"})
    assert answer.status_code == 200
    made = Generation.objects.filter(prompt_version=prompt.versions.get()).order_by("id")
    assert [each.prompt for each in made] == [
        f"a {c} cat" for c in ("red", "blue", "green", "grey")
    ]
    html = answer.content.decode()
    assert all(str(each.public_id) in html for each in made)
    assert "4 runs are queued." in html
    assert 'value="red|blue|green|grey"' in html


def test_a_slot_without_a_value_says_so_there(team: world.Team, owner: Client) -> None:
    prompt = world.prompt(team, "a {colour} cat, {mood=calm}")
    before = Generation.objects.count()
    form = body(prompt, slot_name_0="colour", slot_0=" ", slot_name_1="mood", slot_1="wild")
    for headers in ({}, {"HX-Request": "true"}):
        answer = owner.post(url(team, "compose"), form, headers=headers)
        assert answer.status_code == 422
        html = answer.content.decode()
        assert 'id="slot-0-error"' in html
        assert "Give “colour” a value." in html
        assert 'value="wild"' in html
    broken = owner.post(url(team, "compose"), form | {"prompt": "a { cat"})
    assert broken.status_code == 422
    assert 'id="prompt-error"' in broken.content.decode()
    assert Generation.objects.count() == before


def test_text_edited_by_hand_is_sent_as_it_stands(team: world.Team, owner: Client) -> None:
    prompt = world.prompt(team)
    assert owner.post(url(team, "compose"), body(prompt, prompt="a dog")).status_code == 302
    assert Generation.objects.get(prompt_version=prompt.versions.get()).prompt == "a dog"


def test_the_allowance_may_end_in_the_middle(
    team: world.Team, owner: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    prompt = world.prompt(team, "a {colour} cat")
    form = body(prompt, slot_name_0="colour", slot_0="red|blue|green")
    real, left = quota.reserve, [2]

    def spent(**fields: Any) -> None:
        left[0] -= 1
        if left[0] < 0:
            raise quota.OverLimit("Nothing is left.")
        real(**fields)

    with monkeypatch.context() as patched:
        patched.setattr(quota, "reserve", spent)
        answer = owner.post(url(team, "compose"), form)
    assert answer.status_code == 422
    assert "2 of 3 runs were made. Nothing is left." in text(answer)
    owner.post(url(team, "compose"), form)
    made = Generation.objects.filter(prompt_version=prompt.versions.get())
    assert sorted(each.prompt for each in made) == ["a blue cat", "a green cat", "a red cat"]


def test_a_result_becomes_a_prompt_with_its_settings(team: world.Team, owner: Client) -> None:
    Generation.objects.filter(pk=team.generation.pk).update(prompt="a {cat}")
    begun = owner.get(url(team, "prompt-new"), {"from": str(team.generation.public_id)})
    assert "a {{cat}}" in text(begun)
    form = {"from": str(team.generation.public_id), "title": "Cat", "text": "a {{cat}}"}
    owner.post(url(team, "prompt-new"), form | {"keep": "1"})
    prompt = Prompt.objects.get()
    assert (prompt.engine, prompt.example) == (world.ENGINE, team.asset)
    assert prompt.settings == team.generation.recipe["settings"]
    owner.post(url(team, "prompt-new"), form)
    assert Prompt.objects.latest("pk").engine == ""
    draft = owner.post(url(team, "prompt-new"), {"draft": "1", "prompt": "typed {so}"})
    assert "typed {{so}}" in text(draft)


def test_ones_own_last_prompts_each_once(team: world.Team, owner: Client) -> None:
    for words in ("one", "two", "one"):
        world.generation(team.project, team.owner, prompt=words)
    world.generation(team.project, team.editor, prompt="not mine")
    assert owner.get(url(team, "prompt-history")).json() == {"prompts": ["one", "two"]}


def test_the_menu_filters_and_knows_no_hidden_ones(team: world.Team, owner: Client) -> None:
    world.prompt(team, title="Dog")
    prompts.hide(prompt=world.prompt(team, title="Dogfish"))
    world.prompt(team)
    html = owner.get(url(team, "prompt-menu"), {"q": "dog"}).content.decode()
    assert html.count("<li") == 1
    assert "Dog" in html


@pytest.mark.parametrize(("language", "title"), [("en", "Portrait"), ("zh-hans", "人像")])
def test_an_empty_shelf_begins_with_the_set_of_ones_language(
    team: world.Team, owner: Client, language: str, title: str
) -> None:
    for _press in range(2):
        owner.post(url(team, "prompt-starters"), headers={"accept-language": language})
    assert Prompt.objects.count() >= 12
    assert Prompt.objects.filter(title=title).exists()
    assert all(slots.parse(each.text) for each in Prompt.objects.all())
