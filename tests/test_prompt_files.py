"""Saved prompts as files: out, in, and what a spreadsheet would run."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generations.models import Prompt
from generations.services.library import prompts, sheets, slots
from tests import world
from tests.pages import text, url

pytestmark = pytest.mark.django_db


@given(st.text())
def test_a_guarded_cell_never_runs_and_comes_back(cell: str) -> None:
    assert not sheets.guard(cell).startswith(tuple("=+-@＝＋－＠\t\r"))
    assert sheets.unguard(sheets.guard(cell)) == cell


words = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=30)
values = st.one_of(st.booleans(), st.integers(-(10**12), 10**12), words)
shelves = st.lists(
    st.tuples(
        words.filter(lambda each: each.strip()),
        words.map(slots.escape).filter(lambda each: each.strip()),
        st.lists(words, max_size=3),
        st.sampled_from(["", world.ENGINE, "gone-1.0"]),
        st.dictionaries(words.filter(bool), values, max_size=3),
    ),
    max_size=4,
)


@pytest.mark.parametrize("kind", ["csv", "json"])
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(rows=shelves)
def test_nothing_is_lost_between_two_shelves(kind: str, rows: list[tuple[Any, ...]]) -> None:
    def state() -> list[tuple[object, ...]]:
        return list(Prompt.objects.values_list("title", "text", "tags", "engine", "settings"))

    with transaction.atomic():
        user = world.person("nobody")
        for title, words_, tags, engine, given_ in rows:
            # A comma parts tags in a spreadsheet's cell.
            parted = kind == "csv"
            labels = [each for each in tags if not (parted and set(",，、") & set(each))]
            made = prompts.Made(engine, given_ if engine else {})
            wording = prompts.Wording(title, words_, labels)
            prompts.create(user=user, project=None, wording=wording, made=made)
        before = state()
        out = sheets.to_json if kind == "json" else sheets.to_csv
        data = out(Prompt.objects.all()).encode()
        Prompt.objects.all().delete()
        result = sheets.bring_in(data=data, user=user, project=None)
        assert (result.problems, result.made) == ([], len(before))
        assert state() == before
        transaction.set_rollback(True)


@pytest.mark.parametrize("mark", ",;\t")
def test_each_way_to_part_columns_is_read(team: world.Team, owner: Client, mark: str) -> None:
    rows = [
        ["title", "text", "tags", "engine", "settings"],
        ["Cat", '"a cat, asleep; purring\tsoftly"', '"x, y"', "e-1", '"{""size"": ""1024x1024""}"'],
    ]
    data = "\n".join(mark.join(row) for row in rows).encode()
    answer = owner.post(url(team, "prompt-import"), {"file": SimpleUploadedFile("a.csv", data)})
    assert answer.status_code == 200
    made = Prompt.objects.get()
    assert (made.text, made.tags) == ("a cat, asleep; purring\tsoftly", ["x", "y"])
    assert (made.engine, made.settings) == ("e-1", {"size": "1024x1024"})


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"engine": "a b"}, "The settings need the name of a model."),
        ({"engine": 7}, "The settings need the name of a model."),
        ({"settings": {"size": "1"}}, "The settings need the name of a model."),
        ({"engine": "e", "settings": "{"}, "The settings are no JSON object"),
        ({"engine": "e", "settings": "[" * 100000}, "The settings are no JSON object"),
        ({"engine": "e", "settings": [1]}, "The settings are no JSON object"),
        ({"engine": "e", "settings": {"a": {}}}, "The settings are no JSON object"),
        ({"engine": "e", "settings": {"a": "\0"}}, "The settings are no JSON object"),
        ({"engine": "e", "settings": {"\ud800": 1}}, "The settings are no JSON object"),
        ({"engine": "e", "settings": {"a": 10**30}}, "The settings are no JSON object"),
        ({"engine": "e", "settings": {"": 1}}, "The settings are no JSON object"),
    ],
)
def test_settings_that_no_model_has_are_told_by_line(
    team: world.Team, owner: Client, more: dict[str, Any], sentence: str
) -> None:
    rows = [{"title": "Cat", "text": "a cat"}, {"title": "Dog", "text": "a dog"} | more]
    file = SimpleUploadedFile("a.json", json.dumps(rows).encode())
    answer = owner.post(url(team, "prompt-import"), {"file": file})
    assert answer.status_code == 422
    assert f"Line 2: {sentence}" in text(answer)
    assert Prompt.objects.get().title == "Cat"


@pytest.mark.parametrize("kind", ["csv", "json"])
def test_a_shelf_goes_out_and_comes_back(team: world.Team, owner: Client, kind: str) -> None:
    for words in ("=1+1", "＝cmd", "'-x", "a {b:c|d}, “e”"):
        world.prompt(team, words, title=words)
    data = owner.get(url(team, "prompt-export"), {"format": kind}).content
    wanted = sorted(Prompt.objects.values_list("title", "text"))
    Prompt.objects.all().delete()
    file = SimpleUploadedFile(f"prompts.{kind}", data)
    assert owner.post(url(team, "prompt-import"), {"file": file}).status_code == 200
    assert sorted(Prompt.objects.values_list("title", "text")) == wanted


def test_good_rows_are_taken_and_bad_ones_told_by_line(team: world.Team, owner: Client) -> None:
    data = b'title,text,tags\nCat,a cat,\n,{,\nDog,a dog,"x, y"\n'
    answer = owner.post(url(team, "prompt-import"), {"file": SimpleUploadedFile("a.csv", data)})
    assert answer.status_code == 422
    assert "Line 3: Give the prompt a title." in text(answer)
    assert sorted(Prompt.objects.values_list("title", flat=True)) == ["Cat", "Dog"]


def test_a_text_cut_at_its_comma_is_told_not_taken(team: world.Team, owner: Client) -> None:
    data = b'title,text,tags\nCat,a cat, asleep, on a sill,pets\nDog,"a dog, awake",\n'
    answer = owner.post(url(team, "prompt-import"), {"file": SimpleUploadedFile("a.csv", data)})
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
    team: world.Team, owner: Client, data: bytes
) -> None:
    answer = owner.post(url(team, "prompt-import"), {"file": SimpleUploadedFile("a", data)})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.content.decode()
    assert not Prompt.objects.exists()
