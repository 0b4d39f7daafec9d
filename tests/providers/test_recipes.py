"""Prompts, and the hash of a frozen recipe."""

from __future__ import annotations

import hashlib

import pytest

from generations.providers import catalog
from tests.providers.settings import ENGINE, clean


@pytest.mark.parametrize(
    ("text", "prompt"),
    [
        ("一只柯基", "一只柯基"),
        ("a\r\nb\rc\nd", "a\nb\nc\nd"),
        (" kept \n", " kept \n"),
        ("x" * 800, "x" * 800),
        ("🐕" * 800, "🐕" * 800),
        ("a\r\n" * 400, "a\n" * 400),
        ("שלום مرحبا \u202etxt", "שלום مرحبا \u202etxt"),
        ("e\u0301", "e\u0301"),
        (
            "<script>alert(1)</script> {{7*7}} '; DROP TABLE",
            "<script>alert(1)</script> {{7*7}} '; DROP TABLE",
        ),
    ],
)
def test_prompts(text: str, prompt: str) -> None:
    assert catalog.clean_prompt(ENGINE, text) == prompt


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "Write what"),
        (" \n\t\r\n\u3000\u200b\ufeff\u2060", "Write what"),
        ("x" * 801, "801 characters; this model takes at most 800"),
        ("🐕" * 801, "801 characters"),
        ("a\0b", "cannot be sent"),
        ("a\ud800b", "cannot be sent"),
        ("\udfff", "cannot be sent"),
    ],
)
def test_prompts_that_cannot_be_sent(text: str, words: str) -> None:
    with pytest.raises(catalog.PromptError, match=words) as caught:
        catalog.clean_prompt(ENGINE, text)
    assert caught.value.message % caught.value.params == str(caught.value)


def recipe(**settings: object) -> dict[str, object]:
    return {
        "schema": 1,
        "engine": ENGINE.slug,
        "revision": ENGINE.revision,
        "prompt": "一只柯基\n🐕",
        "settings": clean(**settings),
        "references": [],
    }


def test_the_hash_of_a_recipe_is_stable() -> None:
    text = catalog.canonical_recipe(recipe())
    assert text == (
        '{"engine":"jimeng-image-4.0","prompt":"一只柯基\\n🐕","references":[],"revision":1,'
        '"schema":1,"settings":{"max_ratio":"3","min_ratio":"0.333","scale":"0.5","single":true,'
        '"size":"2048x2048"}}'
    )
    assert catalog.recipe_sha256(recipe()) == hashlib.sha256(text.encode()).hexdigest()


def test_equal_input_makes_equal_recipes() -> None:
    one = recipe(size="2048×2048", scale="0.50", output="single", max_ratio="3.000")
    other = recipe(width="2048", height="２０４８", scale=0.5, single=True)
    assert catalog.recipe_sha256(one) == catalog.recipe_sha256(dict(reversed(other.items())))
    assert catalog.recipe_sha256(one) != catalog.recipe_sha256(recipe(scale="0.51"))


@pytest.mark.parametrize("value", [0.5, [0.5], {"a": {"b": (0.5,)}}])
def test_a_float_in_a_recipe_is_a_mistake(value: object) -> None:
    with pytest.raises(TypeError):
        catalog.recipe_sha256({"x": value})
