"""Saved prompts as files: out, in, and what a spreadsheet would run."""

from __future__ import annotations

from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from generations.models import Prompt
from generations.services.library import sheets
from tests import world
from tests.pages import text

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\"'&{{"


@pytest.fixture
def team() -> world.Team:
    return world.team("acme")


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.owner)
    return client


def url(name: str, team: world.Team, *more: object) -> str:
    return reverse(name, args=[team.project.public_id, *more])


def body(saved: Prompt, **more: Any) -> dict[str, Any]:
    begun = {"prompt": saved.text, "engine": world.ENGINE, "size": "2048x2048", "scale": "0.5"}
    asked = {"output": "single", "count": "1", "form_token": "t", **begun}
    return asked | {"prompt_version": f"{saved.public_id}.1", **more}


@given(st.text())
def test_a_guarded_cell_never_runs_and_comes_back(cell: str) -> None:
    assert not sheets.guard(cell).startswith(tuple("=+-@＝＋－＠\t\r"))
    assert sheets.unguard(sheets.guard(cell)) == cell


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_shelf_goes_out_and_comes_back(team: world.Team, browser: Client, kind: str) -> None:
    for words in ("=1+1", "＝cmd", "'-x", "a {b:c|d}, “e”"):
        world.prompt(team, words, title=words)
    data = browser.get(url("prompt-export", team), {"format": kind}).content
    wanted = sorted(Prompt.objects.values_list("title", "text"))
    Prompt.objects.all().delete()
    file = SimpleUploadedFile(f"prompts.{kind}", data)
    assert browser.post(url("prompt-import", team), {"file": file}).status_code == 200
    assert sorted(Prompt.objects.values_list("title", "text")) == wanted


def test_good_rows_are_taken_and_bad_ones_told_by_line(team: world.Team, browser: Client) -> None:
    data = b'title,text,tags\nCat,a cat,\n,{,\nDog,a dog,"x, y"\n'
    answer = browser.post(url("prompt-import", team), {"file": SimpleUploadedFile("a.csv", data)})
    assert answer.status_code == 422
    assert "Line 3: Give the prompt a title." in text(answer)
    assert sorted(Prompt.objects.values_list("title", flat=True)) == ["Cat", "Dog"]


def test_a_text_cut_at_its_comma_is_told_not_taken(team: world.Team, browser: Client) -> None:
    data = b'title,text,tags\nCat,a cat, asleep, on a sill,pets\nDog,"a dog, awake",\n'
    answer = browser.post(url("prompt-import", team), {"file": SimpleUploadedFile("a.csv", data)})
    assert answer.status_code == 422
    assert "Line 2: The line has 5 values for 3 columns." in text(answer)
    assert Prompt.objects.get().text == "a dog, awake"


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\xff\xfe",
        b"a,b\n1,2",
        b"{",
        b'{"prompts": 1}',
        b"[" * 100000,
        b"x" * 2000001,
        b"[" + b",".join([b"1"] * 1001) + b"]",
        b'title,text\n"' + b"x" * 140000 + b'"',
    ],
)
def test_a_file_that_is_no_list_of_prompts_is_refused(
    team: world.Team, browser: Client, data: bytes
) -> None:
    answer = browser.post(url("prompt-import", team), {"file": SimpleUploadedFile("a", data)})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Prompt.objects.exists()
