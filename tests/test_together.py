"""One press for several models: a run each, tied together, all of them or none."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.http import QueryDict
from django.test import Client

from generations.forms import ComposeForm
from generations.models import (
    Allowance,
    Asset,
    CustomEngine,
    Generation,
    Job,
    JobState,
    Reference,
)
from generations.providers import catalog
from generations.services import compose, engines, gallery, quota
from generations.services.library.references import Chosen
from tests import world
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db
OTHERS = ("jimeng-image-4.6", "jimeng-video-3.0")


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.editor)
    return client


def body(**changed: object) -> dict[str, object]:
    usual: dict[str, object] = {
        "prompt": "一只柯基在草地上",
        "engine": world.ENGINE,
        "also": list(OTHERS),
        "size": "2560x1440",
        "scale": "0.5",
        "output": "single",
        "count": "2",
        "form_token": uuid4().hex,
    }
    return usual | changed


def asks(*slugs: str, count: int = 1) -> list[compose.Ask]:
    return [compose.Ask(slug, {}, count) for slug in slugs]


def tied(team: world.Team) -> list[Generation]:
    return list(team.project.generations.exclude(together=None).order_by("id"))


# --- Carrying settings over -----------------------------------------------------------------------


@pytest.mark.parametrize("first", catalog.ENGINES)
def test_settings_are_good_on_every_other_model_and_the_shape_is_near(first: str) -> None:
    here = catalog.ENGINES[first]
    raw: dict[str, object] = {}
    if any(isinstance(param, catalog.SizeParam) for param in here.params):
        raw = {"size": "custom", "width": 2560, "height": 1440}
    try:
        settings = catalog.clean_settings(here, raw)
    except catalog.SettingsError:
        settings = catalog.defaults(here)
    shape = catalog.aspect(here, settings)
    for there in catalog.ENGINES.values():
        found = catalog.carried(there, settings, shape, 0)
        assert catalog.clean_settings(there, found) == found
        came = catalog.aspect(there, found)
        if found.get("size") and settings.get("size") and there.slug == first:
            assert found["size"] == settings["size"]
        if shape and came:
            assert shape[0] / shape[1] == pytest.approx(came[0] / came[1], rel=0.1)


def test_a_size_that_the_other_model_takes_is_kept_and_another_is_the_nearest() -> None:
    small = {"size": "1024x1024"}
    four, newer = catalog.get_engine("seedream-4.0"), catalog.get_engine("seedream-4.5")
    assert catalog.carried(four, small, (1024, 1024), 0)["size"] == "1024x1024"
    assert catalog.carried(newer, small, (1024, 1024), 0)["size"] == "2048x2048"
    large = {"size": "4096x4096"}
    assert catalog.carried(newer, large, (4096, 4096), 0)["size"] == "4096x4096"


def test_beside_a_first_frame_the_shape_stays_automatic() -> None:
    pro = catalog.get_engine("jimeng-video-3.0-pro")
    assert catalog.carried(pro, {}, (1600, 900), 0)["aspect_ratio"] == "16:9"
    assert catalog.carried(pro, {}, (1600, 900), 1)["aspect_ratio"] == "auto"


# --- Submitting -----------------------------------------------------------------------------------


def test_one_press_makes_a_run_for_each_model_and_shows_them_in_one_row(
    browser: Client, team: world.Team
) -> None:
    answer = browser.post(url(team, "compose"), body(), headers=HTMX)
    runs = tied(team)
    assert [run.engine for run in runs] == [world.ENGINE, *OTHERS]
    assert len({run.together for run in runs}) == 1
    assert [run.count for run in runs] == [2, 2, 1]
    assert {run.prompt for run in runs} == {"一只柯基在草地上"}
    assert runs[1].recipe["settings"]["size"] == "2560x1440"
    assert runs[2].recipe["settings"]["aspect_ratio"] == "16:9"
    page = text(answer)
    assert page.count('class="together"') == 1
    assert f"/compare/{runs[0].together}/" in page
    assert page.count('name="also"') == page.count('type="checkbox"')
    assert page.count("checked") >= 2  # the next press asks the same models
    feed = text(browser.get(url(team, "studio")))
    assert feed.count('class="together"') == 1


def test_a_repeated_press_makes_nothing_and_finds_all_of_them(team: world.Team) -> None:
    def press() -> list[Generation]:
        return compose.submit_together(
            project=team.project,
            user=team.editor,
            prompt="a",
            asks=asks(world.ENGINE, *OTHERS),
            form_token="once",
        )

    first, again = press(), press()
    assert [run.pk for run in again] == [run.pk for run in first]
    assert all(run.repeated for run in again)
    assert not any(run.repeated for run in first)
    assert Job.objects.filter(generation__in=first).count() == 3


def test_a_press_repeated_with_one_more_model_adds_that_one(team: world.Team) -> None:
    """The first answer was lost on its way, and the person changed their mind meanwhile."""

    def press(*slugs: str) -> list[Generation]:
        return compose.submit_together(
            project=team.project,
            user=team.editor,
            prompt="a",
            asks=asks(*slugs),
            form_token="once",
        )

    (first,) = press(world.ENGINE)
    both = press(world.ENGINE, OTHERS[0])
    assert [run.pk == first.pk for run in both] == [True, False]
    three = press(world.ENGINE, OTHERS[1], OTHERS[0])
    assert [run.engine for run in three] == [world.ENGINE, OTHERS[1], OTHERS[0]]
    assert [run.repeated for run in three] == [True, False, True]
    assert len({run.together for run in tied(team)}) == 1
    assert Job.objects.filter(generation__in=tied(team)).count() == 3


def test_two_presses_stay_two_however_long_the_name_of_a_further_model_is(
    team: world.Team,
) -> None:
    """A token is cut to its column: the name of a clone must not take the room of what tells presses apart."""
    slug = "a-model-of-ours-" + "x" * 44
    CustomEngine.objects.create(
        slug=slug, parent="jimeng-image-4.6", req_key="k", label_en="Ours", label_zh="自有"
    )
    engines.forget()
    runs = [
        compose.submit_together(
            project=team.project,
            user=team.editor,
            prompt="a",
            asks=asks(world.ENGINE, slug),
            form_token=token,
        )
        for token in ("press-one", "press-two")
    ]
    assert not any(run.repeated for press in runs for run in press)
    assert len({run.pk for press in runs for run in press}) == 4


def test_a_model_that_is_gone_refuses_the_whole_press(browser: Client, team: world.Team) -> None:
    before = Generation.objects.count()
    answer = browser.post(url(team, "compose"), body(also=["no-such-model"]), headers=HTMX)
    assert answer.status_code == 422
    assert "There is no model called “no-such-model”." in text(answer)
    assert Generation.objects.count() == before


def test_what_does_not_fit_the_allowance_as_a_whole_is_not_begun(
    team: world.Team, browser: Client
) -> None:
    before = Generation.objects.count(), Job.objects.count()
    Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=4)
    answer = browser.post(url(team, "compose"), body(), headers=HTMX)  # two, two and one
    assert answer.status_code == 422
    assert (Generation.objects.count(), Job.objects.count()) == before
    assert quota.discrepancies() == []
    page = text(answer)
    assert "一只柯基在草地上" in page
    for slug in OTHERS:
        assert f'value="{slug}" checked' in page


@pytest.mark.parametrize("names", [(*OTHERS, "jimeng-image-3.1", "jimeng-video-3.0-pro")])
def test_at_most_four_models_at_once(
    browser: Client, team: world.Team, names: tuple[str, ...]
) -> None:
    before = Generation.objects.count()
    answer = browser.post(url(team, "compose"), body(also=list(names)), headers=HTMX)
    assert answer.status_code == 422
    assert "Choose at most 4 models." in text(answer)
    assert Generation.objects.count() == before


def test_what_is_no_model_and_the_first_one_again_are_left_out(team: world.Team) -> None:
    data = QueryDict(mutable=True)
    data.update({"engine": world.ENGINE, "count": "1"})
    data.setlist("also", [world.ENGINE, "no-such", "jimeng-image-4.6", "jimeng-image-4.6", "\0"])
    world.account()
    assert ComposeForm(data).others == ["jimeng-image-4.6"]


def test_the_problem_of_another_model_names_it_and_keeps_what_was_typed(
    browser: Client, team: world.Team
) -> None:
    before = Generation.objects.count()
    answer = browser.post(url(team, "compose"), body(also=["jimeng-video-3.0-first"]), headers=HTMX)
    assert answer.status_code == 422
    page = text(answer)
    assert "Jimeng Video 3.0, first frame: This model starts from a picture" in page
    assert 'value="jimeng-video-3.0-first" checked' in page
    assert "一只柯基在草地上" in page
    assert Generation.objects.count() == before


def test_the_pictures_are_used_by_every_run(team: world.Team) -> None:
    reference: Reference = world.reference(team)
    runs = compose.submit_together(
        project=team.project,
        user=team.editor,
        prompt="a",
        asks=asks("jimeng-image-4.0", "jimeng-video-3.0-first"),
        references=[Chosen(reference, "")],
    )
    assert [run.uses.get().reference for run in runs] == [reference, reference]


# --- The row and the comparison -------------------------------------------------------------------


def test_a_row_is_never_split_between_two_pages(team: world.Team) -> None:
    for _each in range(4):
        compose.submit_together(
            project=team.project, user=team.editor, prompt="a", asks=asks(world.ENGINE, *OTHERS)
        )
    seen: list[int] = []
    after = None
    for _page in range(20):
        page = gallery.cards(project=team.project, after=after, limit=2)
        for row in {card.together for card in page.cards if card.together}:
            assert sum(card.together == row for card in page.cards) == 3
        seen += [card.pk for card in page.cards]
        after = page.next
        if after is None:
            break
    assert len(seen) == len(set(seen)) == team.project.generations.count()


def test_compared_is_the_first_picture_of_each_that_is_there(
    browser: Client, team: world.Team
) -> None:
    runs = [
        world.generation(team.project, team.editor, states=(JobState.SUCCEEDED,) * 2)
        for _each in range(3)
    ]
    tie = uuid4()
    Generation.objects.filter(pk__in=[run.pk for run in runs]).update(together=tie)
    first = [run.assets.order_by("job__position")[0] for run in runs]
    Asset.objects.filter(pk=first[1].pk).update(trashed_at=first[1].created_at)
    wanted = [first[0], runs[1].assets.order_by("job__position")[1], first[2]]
    where: Any = browser.get(f"/compare/{tie}/")
    pairs = zip("abc", wanted, strict=True)
    assert where["Location"].endswith("?" + "&".join(f"{x}={y.public_id}" for x, y in pairs))


def test_before_anything_has_come_it_says_so(browser: Client, team: world.Team) -> None:
    runs = compose.submit_together(
        project=team.project, user=team.editor, prompt="a", asks=asks(world.ENGINE, *OTHERS)
    )
    answer = browser.get(f"/compare/{runs[0].together}/", follow=True)
    assert "Nothing has come yet" in text(answer)
