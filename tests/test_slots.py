"""Slots of a saved prompt: what is one, what fills it, and that no brace is sent by accident."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations.services.library import slots
from generations.services.library.slots import Slot, SlotProblem

NAMES = st.text(
    st.characters(exclude_characters="{}:：=＝|｜\n", exclude_categories=["Cs"]),
    min_size=1,
    max_size=40,
)
NAMES = NAMES.filter(lambda name: name == name.strip())


def test_each_kind_of_slot_is_read_once_in_order() -> None:
    text = "{主体} in {place=a forest}, {风格：水彩｜油画|油画}, {{not}} {主体} {style:ink}"
    assert slots.parse(text) == [
        Slot("主体"),
        Slot("place", (), "a forest"),
        Slot("风格", ("水彩", "油画"), "水彩"),
        Slot("style", ("ink",), "ink"),
    ]
    assert slots.fill(text, {"主体": "柯基"}) == "柯基 in a forest, 水彩, {not} 柯基 ink"


def test_a_later_mention_may_say_the_choices() -> None:
    assert slots.parse("{a} {a:x|y}") == [Slot("a", ("x", "y"), "x")]


@pytest.mark.parametrize(
    "text",
    ["{", "}", "a } b", "{a", "{}", "{ }", "{a:}", "{:a}", "{a\nb}", "{a|b}", "{" + "x" * 41 + "}"],
)
def test_a_brace_that_is_no_slot_is_a_problem_with_a_sentence(text: str) -> None:
    with pytest.raises(SlotProblem) as problem:
        slots.fill(text, {"a": "1"})
    assert str(problem.value)


def test_limits_are_said() -> None:
    with pytest.raises(SlotProblem, match="12"):
        slots.parse("".join(f"{{s{n}}}" for n in range(13)))
    with pytest.raises(SlotProblem, match="20"):
        slots.parse("{a:" + "|".join(map(str, range(21))) + "}")
    with pytest.raises(SlotProblem, match="9 runs") as problem:
        slots.fill_each("{a} {b}", {"a": "1|2|3", "b": "1|2|3"})
    assert problem.value.slot == "a"


@pytest.mark.parametrize("value", ["", "  ", "\u3000"])
def test_a_slot_without_a_value_is_named(value: str) -> None:
    for fill in (slots.fill, slots.fill_each):
        with pytest.raises(SlotProblem, match="风格") as problem:
            fill("{a=1} {风格}", {"风格": value})
        assert problem.value.slot == "风格"


def test_four_values_make_four_texts() -> None:
    found = slots.fill_each("a {c} cat", {"c": "red| blue ｜green|grey|red"})
    assert found == ["a red cat", "a blue cat", "a green cat", "a grey cat"]
    assert slots.fill_each("plain", {}) == ["plain"]


@given(st.text())
def test_escaped_text_comes_out_as_it_was(text: str) -> None:
    assert slots.parse(slots.escape(text)) == []
    assert slots.fill(slots.escape(text), {}) == text


@given(st.text(alphabet="ab{}:=|：＝｜ \n风格"))
def test_whatever_is_written_is_filled_or_refused(text: str) -> None:
    try:
        found = slots.parse(text)
        filled = slots.fill(text, {slot.name: "v" for slot in found})
    except SlotProblem as problem:
        assert str(problem)
        return
    literal = text.count("{{") + text.count("}}")
    assert filled.count("{") + filled.count("}") <= literal


@given(NAMES, st.text(min_size=1).filter(str.strip))
def test_a_value_is_never_read_as_a_slot(name: str, value: str) -> None:
    assert slots.fill(f"<{{{name}}}>", {name: value}) == f"<{value}>"
