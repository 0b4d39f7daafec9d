"""References on the page: bringing them in, the panel that holds them, the shelf, and who may see what."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generations.models import Generation, Reference
from generations.services.library.references import hide
from tests import world
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> world.Team:
    world.account()
    return world.team("acme")


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.editor)
    return client


def file(name: str = "a.jpg", data: bytes | None = None) -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data or world.picture(), content_type="image/jpeg")


def bring(client: Client, team: world.Team, *files: SimpleUploadedFile, **more: str) -> Any:
    body = {"file": list(files), **more}
    return client.post(url(team, "reference-upload"), body, headers=HTMX)


def ask(client: Client, team: world.Team, *tokens: str, **more: object) -> Any:
    body = {
        "prompt": "一只柯基",
        "engine": world.ENGINE,
        "size": "2048x2048",
        "count": "1",
        "form_token": uuid4().hex,
        "reference": list(tokens),
        **more,
    }
    return client.post(url(team, "compose"), body)


def test_good_files_stay_and_each_bad_one_has_its_sentence(
    browser: Client, team: world.Team
) -> None:
    hostile = file("<img src=x onerror=alert(1)>.png", b"<svg onload=alert(1)>")
    answer = bring(browser, team, file(), hostile, file("empty.jpg", b"GIF89a"))
    page = text(answer)
    assert answer.status_code == 200
    assert page.count('name="reference"') == 1
    assert page.count('class="problem"') == 2
    assert "<img src=x" not in page
    assert "&lt;img src=x" in page
    assert Reference.objects.get().project == team.project


def test_only_bad_files_are_422_and_nothing_is_kept(browser: Client, team: world.Team) -> None:
    answer = bring(browser, team, file("a.pdf", b"%PDF-1.7"))
    assert answer.status_code == 422
    assert not Reference.objects.exists()
    assert bring(browser, team).status_code == 422


def test_without_scripts_an_upload_leads_to_the_shelf(browser: Client, team: world.Team) -> None:
    body = {"file": [file(), file("b.txt", b"text")], "shelf": "mine"}
    answer = browser.post(url(team, "reference-upload"), body, follow=True)
    assert answer.redirect_chain[-1][0].endswith("/library/references/?shelf=mine")
    assert "b.txt" in text(answer)
    assert Reference.objects.get().project is None


def test_a_file_above_the_limit_gets_a_sentence(browser: Client, team: world.Team) -> None:
    answer = bring(browser, team, file("big.jpg", world.picture() + bytes(51 * 1024 * 1024)))
    assert answer.status_code == 422
    assert "50 MB" in text(answer)


def test_a_run_keeps_order_and_roles(browser: Client, team: world.Team) -> None:
    first = world.shelved(team.editor, team.project)
    second = world.shelved(team.editor, team.project, world.picture((1, 2, 3)))
    tokens = [str(second.public_id), str(first.public_id)]
    answer = ask(browser, team, *tokens, **{f"role-{tokens[0]}": "style", "role-x": "nonsense"})
    assert answer.status_code == 302
    made = Generation.objects.order_by("-pk")[0]
    assert [(use.reference, use.role) for use in made.uses.all()] == [
        (second, "style"),
        (first, ""),
    ]
    assert [each["sha256"] for each in made.recipe["references"]] == [second.blob_id, first.blob_id]
    page = text(browser.get(url(team), {"recipe": made.public_id}))
    assert page.index(f'value="{tokens[0]}"') < page.index(f'value="{tokens[1]}"')
    assert '<option value="style" selected>' in page


def test_eleven_are_refused_and_all_are_kept_in_the_panel(
    browser: Client, team: world.Team
) -> None:
    made = [
        world.shelved(team.editor, team.project, world.picture((20 * n, 2, 3))) for n in range(11)
    ]
    answer = ask(browser, team, *(str(each.public_id) for each in made))
    page = text(answer)
    assert answer.status_code == 422
    assert "11 references are chosen; this model takes at most 10." in page
    assert page.count('name="reference"') == 11
    assert "一只柯基" in page


def test_a_set_holds_what_fifteen_minus_the_inputs_may_cost(
    browser: Client, team: world.Team
) -> None:
    reference = world.shelved(team.editor, team.project)
    assert ask(browser, team, str(reference.public_id), output="set").status_code == 302
    assert Generation.objects.order_by("-pk")[0].jobs.get().max_outputs == 14


@pytest.mark.parametrize("kind", ["foreign", "foreign asset", "hidden", "gone", "garbage"])
def test_what_may_not_be_used_is_left_out_with_a_sentence(
    browser: Client, team: world.Team, kind: str
) -> None:
    other = world.team("rivals")
    mine = world.shelved(team.editor, team.project)
    token = {
        "foreign": str(world.shelved(other.editor, other.project).public_id),
        "foreign asset": f"a.{other.asset.public_id}",
        "hidden": str(hidden(team).public_id),
        "gone": str(uuid4()),
        "garbage": "a.\0' OR 1=1",
    }[kind]
    before = Generation.objects.count()
    answer = ask(browser, team, str(mine.public_id), token)
    page = text(answer)
    assert answer.status_code == 422
    assert "is not there any more" in page
    assert page.count('name="reference"') == 1
    assert Generation.objects.count() == before


def hidden(team: world.Team) -> Reference:
    made = world.shelved(team.editor, team.project, world.picture((9, 9, 9)))
    hide(reference=made)
    return made


def test_a_result_is_adopted_when_the_run_is_ordered(browser: Client, team: world.Team) -> None:
    page = text(browser.get(url(team), {"reference": team.asset.public_id}))
    token = f"a.{team.asset.public_id}"
    assert f'value="{token}"' in page
    assert not Reference.objects.exists()
    assert ask(browser, team, token).status_code == 302
    made = Reference.objects.get()
    assert (made.from_asset, made.project) == (team.asset, team.project)
    assert ask(browser, team, token).status_code == 302
    assert Reference.objects.count() == 1


def test_edit_brings_the_prompt_and_the_picture(browser: Client, team: world.Team) -> None:
    query = {"recipe": team.generation.public_id, "reference": team.asset.public_id}
    page = text(browser.get(url(team), query))
    assert team.generation.prompt in page
    assert f'value="a.{team.asset.public_id}"' in page


def test_the_shelf_page_notes_hides_and_counts(browser: Client, team: world.Team) -> None:
    made = world.shelved(team.editor, team.project)
    ask(browser, team, str(made.public_id))
    change = url(team, "reference-change", made.public_id)
    assert "used in 1 run" in text(browser.get(url(team, "references")))
    browser.post(change, {"note": " <b>warm</b>  light "})
    assert "&lt;b&gt;warm&lt;/b&gt; light" in text(browser.get(url(team, "references")))
    assert "300" in text(browser.post(change, {"note": "x" * 301}, follow=True))
    browser.post(change, {"hide": "1"})
    made.refresh_from_db()
    assert made.hidden_at
    assert "a.jpg" not in text(browser.get(url(team, "references")))
    browser.post(change, {"show": "1"})
    assert "a.jpg" in text(browser.get(url(team, "references")))


def test_one_own_shelf_is_nobody_elses(browser: Client, team: world.Team) -> None:
    own = world.shelved(team.editor, None)
    owner = Client()
    owner.force_login(team.owner)
    file_url = reverse("file-reference-original", args=[own.public_id])
    assert browser.get(file_url).status_code == 200
    assert owner.get(file_url).status_code == 404
    ask(browser, team, str(own.public_id))
    # Used in a run of the project, it can be seen with it, and still not be changed.
    assert owner.get(file_url).status_code == 200
    change = url(team, "reference-change", own.public_id)
    assert owner.post(change, {"hide": "1"}).status_code == 404


def test_the_picker_and_the_tiles(browser: Client, team: world.Team) -> None:
    made = world.shelved(team.editor, team.project)
    picker = text(browser.get(url(team, "references"), {"pick": "1"}, headers=HTMX))
    assert f'data-pick="{made.public_id}"' in picker
    assert "<html" not in picker
    foreign = world.shelved(world.person("x"), None, world.picture((7, 7, 7)))
    query = {"ref": [made.public_id, foreign.public_id], "engine": world.ENGINE}
    tiles = text(browser.get(url(team, "reference-tiles"), query, headers=HTMX))
    assert str(made.public_id) in tiles
    assert str(foreign.public_id) not in tiles


def test_pages_ask_as_often_for_many_as_for_few(browser: Client, team: world.Team) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert browser.get(url(team, "references")).status_code == 200
        return len(asked)

    world.shelved(team.editor, team.project)
    count()
    few = count()
    for n in range(40):
        world.shelved(team.editor, team.project, world.picture((6 * n, 250 - 6 * n, 6)))
    assert count() == few
