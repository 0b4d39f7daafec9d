"""Models of an administrator's own in the admin: cloned, corrected, taken off offer, and every bad value."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.admin.models import LogEntry
from django.test import Client
from django.urls import reverse
from django.utils import translation

from generations.models import CustomEngine, Generation, JobState, Project
from generations.providers import catalog, clones
from generations.services import compose, engines
from tests import world
from tests.clones import ID, SLUG, clone
from tests.pages import text
from tests.people import client_of

pytestmark = pytest.mark.django_db
PARENT = catalog.get_engine(world.ENGINE)
ADD, LIST = "admin:generations_customengine_add", "admin:generations_customengine_changelist"
FIRST = "jimeng-video-3.0-pro"  # it may begin with a frame, which then decides the shape


@pytest.fixture
def desk() -> Client:
    return client_of(world.person("boss", is_staff=True, is_superuser=True))


def add_url(parent: str = world.ENGINE) -> str:
    return f"{reverse(ADD)}?parent={parent}"


def change_url(row: CustomEngine, name: str = "change") -> str:
    return reverse(f"admin:generations_customengine_{name}", args=[row.pk])


def typed(parent: str = world.ENGINE, **more: Any) -> dict[str, Any]:
    """The form as it opens, filled in."""
    engine = catalog.get_engine(parent)
    settings = {
        f"offered_{each.name}": list(clones.values_of(each)) for each in clones.narrowable(engine)
    }
    names = {"label_en": "House Image 5", "label_zh": "自家图片 5"}
    return {"slug": SLUG, "req_key": ID, **names, "enabled": "on", **settings, **more}


def test_a_model_is_chosen_cloned_and_on_offer(desk: Client) -> None:
    first = text(desk.get(reverse(ADD)))
    assert [slug for slug in catalog.ENGINES if f"?parent={slug}" not in first] == []
    page = desk.get(add_url())
    assert "unsafe" not in page["Content-Security-Policy"]
    assert "<script>" not in text(page)
    sizes = ["2048x2048", "auto-2k"]
    made = desk.post(
        add_url(), typed(offered_size=sizes, count_max=4, references_max=2, good_for_en="Ours")
    )
    assert made.status_code == 302, text(made)
    engine = engines.find(SLUG)
    assert engine
    assert (engine.req_key, engine.count_max, engine.references.maximum) == (ID, 4, 2)
    row = CustomEngine.objects.get()
    assert (row.parent, row.offered) == (world.ENGINE, {"size": ["auto-2k", "2048x2048"]})
    assert LogEntry.objects.filter(object_id=str(row.pk)).count() == 1
    listed = text(desk.get(reverse(LIST)))
    assert "House Image 5" in listed
    assert PARENT.label in listed
    # Opened and saved as it is, nothing changes; with every size, none is fixed.
    again = text(desk.get(change_url(row)))
    assert again.count("checked") == 3
    assert 'name="slug"' not in again
    assert desk.post(change_url(row), typed(slug="other", label_en="House 5b")).status_code == 302
    row.refresh_from_db()
    assert (row.slug, row.label_en, row.offered, row.count_max) == (SLUG, "House 5b", {}, None)


@pytest.mark.parametrize(
    ("parent", "field", "value", "said"),
    [
        (world.ENGINE, "slug", "", "required"),
        (world.ENGINE, "slug", "has space", "Use letters, digits, dots and dashes"),
        (world.ENGINE, "slug", "under_score", "Use letters, digits, dots and dashes"),
        (world.ENGINE, "slug", "-x", "Use letters, digits, dots and dashes"),
        (world.ENGINE, "slug", "模型", "Use letters, digits, dots and dashes"),
        (world.ENGINE, "slug", "../x", "Use letters, digits, dots and dashes"),
        (world.ENGINE, "slug", "x" * 61, "at most 60"),
        (world.ENGINE, "slug", "a\0b", "Null characters"),
        (world.ENGINE, "slug", world.ENGINE, "of this short name already"),
        (world.ENGINE, "slug", "Jimeng-Image-4.0", "of this short name already"),
        (world.ENGINE, "slug", "general-2.0", "of this short name already"),
        (world.ENGINE, "slug", "House-Two", "of this short name already"),
        (world.ENGINE, "req_key", "", "required"),
        (world.ENGINE, "req_key", "two words", "without spaces"),
        (world.ENGINE, "req_key", "“quoted”", "without spaces"),
        (world.ENGINE, "req_key", "x" * 121, "at most 120"),
        (world.ENGINE, "req_key", "ep-20261101000000-abcde", "an id of Ark"),
        (world.ENGINE, "req_key", "doubao-seedream-6", "an id of Ark"),
        ("seedream-4.5", "req_key", "jimeng_t2i_v50", "an id of Jimeng"),
        (world.ENGINE, "label_en", "  ", "required"),
        (world.ENGINE, "label_zh", "", "required"),
        (world.ENGINE, "label_en", "x" * 61, "at most 60"),
        (world.ENGINE, "label_en", "jimeng  image 4.0", "has this name already"),
        (world.ENGINE, "label_zh", "二号", "has this name already"),
        (world.ENGINE, "good_for_en", "x" * 201, "at most 200"),
        (world.ENGINE, "count_max", "0", "from 1 to 8"),
        (world.ENGINE, "count_max", "9", "from 1 to 8"),
        (world.ENGINE, "count_max", "-1", "greater than or equal to 0"),
        (world.ENGINE, "count_max", "1.5", "whole number"),
        (world.ENGINE, "count_max", "9" * 30, "errorlist"),
        (world.ENGINE, "references_max", "11", "from 0 to 10"),
        (world.ENGINE, "references_max", "many", "whole number"),
        (world.ENGINE, "offered_size", [], "required"),
        (world.ENGINE, "offered_size", ["9x9"], "9x9 is not one of the available choices"),
        (FIRST, "offered_frames", ["120"], "not one of the available choices"),
        (FIRST, "offered_aspect_ratio", ["16:9"], "has to stay"),
    ],
)
def test_every_bad_value_is_said_and_nothing_is_lost(
    desk: Client, parent: str, field: str, value: Any, said: str
) -> None:
    clone("house-two", req_key="x", label_en="Two", label_zh="二号")
    answer = desk.post(add_url(parent), typed(parent, good_for_zh="留着") | {field: value})
    assert answer.status_code == 200
    page = text(answer)
    assert said in page
    assert "留着" in page
    assert CustomEngine.objects.count() == 1


def test_an_id_is_corrected_but_not_under_a_run(desk: Client, team: world.Team) -> None:
    row = clone()
    run = compose.submit(
        project=team.project, user=team.editor, engine=SLUG, prompt="x", settings={}, count=1
    )
    run.jobs.update(state=JobState.RUNNING, remote_id="7")
    right = typed(req_key="jimeng_t2i_v51")
    refused = desk.post(change_url(row), right)
    assert "Runs are at the provider under the old id" in text(refused)
    run.jobs.update(state=JobState.FAILED)
    assert desk.post(change_url(row), right).status_code == 302
    assert engines.known(SLUG).req_key == "jimeng_t2i_v51"


def test_only_what_nothing_was_made_with_is_deleted(desk: Client, team: world.Team) -> None:
    row = clone()
    Project.objects.filter(pk=team.project.pk).update(default_engine=SLUG)
    made = Generation.objects.filter(pk=team.generation.pk)
    made.update(engine=SLUG)
    for send in (desk.get, lambda url: desk.post(url, {"post": "yes"})):
        answer = send(change_url(row, "delete"))
        assert answer.status_code == 302
        assert "Take it off offer instead" in text(desk.get(answer["Location"]))
    assert "delete_selected" not in text(desk.get(reverse(LIST)))
    with pytest.raises(engines.EngineProblem):
        engines.remove(row=row)
    assert CustomEngine.objects.count() == 1
    made.update(engine=world.ENGINE)
    assert desk.post(change_url(row, "delete"), {"post": "yes"}).status_code == 302
    assert (CustomEngine.objects.count(), engines.known(SLUG)) == (0, None)
    team.project.refresh_from_db()
    assert team.project.default_engine == ""


def test_who_may_not_make_one_is_not_asked_which(desk: Client) -> None:
    staff = client_of(world.person("clerk", is_staff=True))
    assert {staff.get(reverse(ADD)).status_code, staff.get(add_url()).status_code} == {403}
    assert desk.get(f"{reverse(ADD)}?parent=no-such").status_code == 200


def test_a_clone_of_what_left_the_catalogue_can_still_be_renamed(desk: Client) -> None:
    row = clone(parent="gone-1.0", count_max=3)
    assert "gone-1.0" in text(desk.get(reverse(LIST)))
    names = {"label_en": "Old", "label_zh": "旧", "req_key": ID}
    assert desk.post(change_url(row), names).status_code == 302
    row.refresh_from_db()
    assert (row.label_en, row.enabled) == ("Old", False)


def test_the_models_of_a_project_in_the_admin(desk: Client, team: world.Team) -> None:
    clone()
    page = reverse("admin:generations_project_change", args=[team.project.pk])
    members = {
        f"{rows}-{name}_FORMS": 0
        for rows in ("memberships", "label_policy")
        for name in ("TOTAL", "INITIAL")
    }
    fields = {"name": "Acme", "slug": "acme", **members}
    every = list(engines.on_offer())
    shown = text(desk.get(page))
    assert shown.count("checked") == len(every)

    def saved(chosen: list[str], usual: str = "") -> tuple[int, list[str]]:
        told = {**fields, "engines": chosen, "default_engine": usual}
        status = desk.post(page, told).status_code
        team.project.refresh_from_db()
        return status, team.project.engines

    assert saved([SLUG], SLUG) == (302, [SLUG])
    assert team.project.default_engine == SLUG
    assert saved([SLUG], world.ENGINE) == (200, [SLUG])
    assert saved([]) == (200, [SLUG])
    clone(enabled=False)  # it is not asked about, and stays
    assert saved([world.ENGINE]) == (302, [world.ENGINE, SLUG])
    clone()
    assert saved(every) == (302, [])


def test_the_pages_are_there_in_chinese(desk: Client) -> None:
    """Names of the models, at least: the catalogue's are translated."""
    page = desk.get(reverse(ADD), headers={"Accept-Language": "zh-hans"})
    with translation.override("zh-hans"):
        assert translation.gettext(PARENT.good_for) in text(page)
