"""Search in prompts: the tokens, the question, and what is never an error."""

from __future__ import annotations

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from generations.models import Generation, SearchText
from generations.services.gallery import search
from generations.services.gallery.tokens import asked, tokens
from tests import world
from tests.pages import text, url

TABLE = [
    ("白鹤", ["u767dx9e64"]),
    ("鹤", ["u9e64"]),
    ("雨夜的白鹤", ["u96e8x591c", "u591cx7684", "u7684x767d", "u767dx9e64"]),
    ("Neon Rain", ["tneon", "train"]),
    ("ＮＥＯＮ", ["tneon"]),
    ("霓虹 neon 85mm", ["u9713x8679", "tneon", "t85mm"]),
    ("café", ["u63x61x66xe9"]),
    ("红白鹤", ["u7ea2x767d", "u767dx9e64"]),
    ("🌧 rain", ["u1f327", "train"]),
    ("ひかり", ["u3072x304b", "u304bx308a"]),
    ('"OR" AND -not* (x)', ["tor", "tand", "tnot", "tx"]),
    ("。，！ \"'", []),
]


@pytest.mark.parametrize(("given_text", "wanted"), TABLE)
def test_a_question_becomes_tokens(given_text: str, wanted: list[str]) -> None:
    assert asked(given_text) == wanted


@given(st.text())
def test_tokens_are_plain_and_every_text_finds_itself(some: str) -> None:
    kept = set(tokens(some))
    assert all(each.isascii() and each.isalnum() for each in kept)
    assert set(asked(some)) <= kept


@given(st.text(alphabet="雨夜霓虹白鹤山水", min_size=2, max_size=30), st.data())
def test_every_part_of_chinese_is_found(whole: str, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, len(whole) - 1))
    part = whole[start : data.draw(st.integers(start + 1, len(whole)))]
    assert set(asked(part)) <= set(tokens(whole))


@pytest.fixture
def runs(db: None) -> dict[str, Generation]:
    team = world.team("acme")
    prompts = (
        "雨夜的霓虹街道，一只白鹤",
        "沙丘航拍，落日",
        "Neon rain on the street",
        "crane 85mm",
        "红白相间，白鹤",
    )
    made = {each: world.generation(team.project, team.editor, prompt=each) for each in prompts}
    for each in made.values():
        search.index(each)
    return made


def found(words: str) -> list[str]:
    rows = Generation.objects.filter(search.matching(words)).order_by("pk")
    return [each.prompt.split("，")[0] for each in rows]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        ("白鹤", ["雨夜的霓虹街道", "红白相间"]),
        ("霓虹", ["雨夜的霓虹街道"]),
        ("夜", ["雨夜的霓虹街道"]),
        ("虹霓", []),
        ("红白鹤", []),
        ("一只白鹤", ["雨夜的霓虹街道"]),
        ("霓虹街道", ["雨夜的霓虹街道"]),
        ("neon", ["Neon rain on the street"]),
        ("NEON street", ["Neon rain on the street"]),
        ("neon crane", []),
        ("85MM", ["crane 85mm"]),
        ('"', []),
        ("' OR 1=1 --", []),
        ("street*", ["Neon rain on the street"]),
        ("NEAR(neon rain)", []),
        ("x" * 10_000, []),
        ("雨" * 10_000, []),
    ],
)
def test_what_is_found(runs: dict[str, Generation], words: str, wanted: list[str]) -> None:
    assert found(words) == wanted


def test_the_index_follows_its_row(runs: dict[str, Generation]) -> None:
    crane = runs["crane 85mm"]
    Generation.objects.filter(pk=crane.pk).update(prompt="a heron")
    crane.refresh_from_db()
    search.index(crane)
    assert found("heron") == ["a heron"]
    assert found("85mm") == []
    SearchText.objects.filter(generation=crane).delete()
    assert found("heron") == []


@pytest.mark.django_db
def test_a_run_can_be_found_as_soon_as_it_is_ordered() -> None:
    world.account()
    team = world.team("acme")
    client = Client()
    client.force_login(team.editor)
    body = {"prompt": "一只翠鸟", "engine": world.ENGINE, "size": "2048x2048", "count": "1"}
    assert client.post(url(team, "compose"), body).status_code == 302
    assert found("翠鸟") == ["一只翠鸟"]


@pytest.mark.parametrize("words", ["白鹤", '"', "\0", "a" * 10_000, "NOT", "𠮷"])
def test_the_page_answers_whatever_is_asked(runs: dict[str, Generation], words: str) -> None:
    generation = runs["沙丘航拍，落日"]
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(generation.user)
    page = client.get(f"/p/{generation.project.public_id}/gallery/", {"q": words[:3000]})
    assert page.status_code == 200
    shown = text(page).count('class="shot"')
    assert shown == (2 if words == "白鹤" else 6 if words == "\0" else 0)
