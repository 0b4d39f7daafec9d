"""The difference of two texts: properties for any texts, and a table of what a reader expects."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from generations.services.gallery import diff as module
from generations.services.gallery.diff import Segment, clauses, diff, graphemes, words

FAMILY = "👨\u200d👩\u200d👧"
THUMB = "👍🏽"
FLAG, OTHER_FLAG = "🇨🇳", "🇨🇦"
PARTS = ["一只", "白鹤", "，", "。", "red", " cat", " ", "\n", "1.8", "16:9", FAMILY, THUMB, FLAG]
PARTS += ["e\u0301", "か\u3099", "각", "\r\n", "don't", "🇨", "\u200d", "👧", "x", "a b"]
TEXTS = st.lists(st.sampled_from(PARTS), max_size=14).map("".join) | st.text(max_size=40)


def old(segments: list[Segment]) -> str:
    return "".join(each.text for each in segments if each.op != "ins")


def new(segments: list[Segment]) -> str:
    return "".join(each.text for each in segments if each.op != "del")


def turned(segments: list[Segment]) -> list[tuple[str, str, str]]:
    """Common, left out, put in, with the last two exchanged."""
    other = {"equal": "equal", "del": "ins", "ins": "del"}
    return sorted((other[each.op], each.text) for each in segments)


@settings(max_examples=400, deadline=None)
@given(TEXTS, TEXTS)
@example("甲乙甲乙", "乙甲乙甲")
@example("a\u200d", "\u200da")
@example("\U00020000", "\ud800")
def test_stretches_make_both_texts(a: str, b: str) -> None:
    found = diff(a, b)
    assert old(found) == a
    assert new(found) == b
    assert all(each.text for each in found)
    ops = [each.op for each in found]
    neighbours = set(pairwise(ops))
    assert not neighbours & {(op, op) for op in ops}
    assert ("ins", "del") not in neighbours


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_the_way_back_is_the_way_there(a: str, b: str) -> None:
    assert sorted((each.op, each.text) for each in diff(b, a)) == turned(diff(a, b))


@given(TEXTS)
def test_a_text_does_not_differ_from_itself(text: str) -> None:
    assert diff(text, text) == ([Segment("equal", text)] if text else [])


@given(TEXTS)
def test_units_make_the_text(text: str) -> None:
    assert "".join(graphemes(text)) == "".join(words(text)) == "".join(clauses(text)) == text


@settings(max_examples=300, deadline=None)
@given(TEXTS, TEXTS)
def test_no_character_is_cut(a: str, b: str) -> None:
    """Each stretch of a text begins where one of its characters begins."""
    found = diff(a, b)
    for text, left_out in ((a, "ins"), (b, "del")):
        starts = {0, len(text)}
        for unit in graphemes(text):
            starts.add(max(starts - {len(text)}) + len(unit))
        at = 0
        for each in found:
            if each.op != left_out:
                assert at in starts, (text, found)
                at += len(each.text)


TABLE = [
    ("same", "same", []),
    ("", "", []),
    ("", "new", [("ins", "new")]),
    ("猫", "", [("del", "猫")]),
    # Chinese: the word, not the clause
    ("一只白鹤缓步穿过积水", "一只白鹤展翅穿过积水", [("del", "缓步"), ("ins", "展翅")]),
    (
        "雨夜的霓虹街道，一只白鹤缓步穿过积水，倒影被灯牌染成品红，85mm",
        "雨夜的霓虹街道，一只白鹤展翅穿过积水，倒影被灯牌染成冷青，85mm",
        [("del", "缓步"), ("ins", "展翅"), ("del", "品红"), ("ins", "冷青")],
    ),
    ("电影感侧光", "冷青色倒影", [("del", "电影感侧光"), ("ins", "冷青色倒影")]),
    ("红的花", "蓝的草", [("del", "红的花"), ("ins", "蓝的草")]),
    ("白鹤", "黑鹤", [("del", "白"), ("ins", "黑")]),
    ("雪山，湖面，倒影", "雪山，倒影", [("del", "湖面，")]),
    ("雪山，倒影", "雪山，湖面，倒影", [("ins", "湖面，")]),
    ("一只猫。", "一只猫！", [("del", "。"), ("ins", "！")]),
    # Latin: by word
    ("a red cat sits", "a blue cat sits", [("del", "red"), ("ins", "blue")]),
    ("red cat", "blue dog", [("del", "red cat"), ("ins", "blue dog")]),
    ("the cat", "the cats", [("del", "cat"), ("ins", "cats")]),
    ("don't stop", "do stop", [("del", "don't"), ("ins", "do")]),
    ("ratio 16:9, f/1.8", "ratio 4:3, f/1.8", [("del", "16:9"), ("ins", "4:3")]),
    ("soft light, wide", "soft light, warm, wide", [("ins", "warm, ")]),
    ("naïve cafe\u0301", "naïve cafe", [("del", "cafe\u0301"), ("ins", "cafe")]),
    # both
    ("85mm 镜头，雨夜", "35mm 镜头，雨夜", [("del", "85mm"), ("ins", "35mm")]),
    ("a 红 cat", "a 蓝 cat", [("del", "红"), ("ins", "蓝")]),
    ("赛博朋克 Tokyo 夜景", "赛博朋克 Osaka 夜景", [("del", "Tokyo"), ("ins", "Osaka")]),
    # never a part of what is seen as one
    (f"家{FAMILY}", "家👨\u200d👩", [("del", FAMILY), ("ins", "👨\u200d👩")]),
    (f"好{THUMB}", "好👍🏿", [("del", THUMB), ("ins", "👍🏿")]),
    (f"旗{FLAG}", f"旗{OTHER_FLAG}", [("del", FLAG), ("ins", OTHER_FLAG)]),
    ("か\u3099", "か", [("del", "か\u3099"), ("ins", "か")]),
    ("❤\ufe0f", "❤", [("del", "❤\ufe0f"), ("ins", "❤")]),
    ("a\r\nb", "a\nb", [("del", "\r\n"), ("ins", "\n")]),
]


@pytest.mark.parametrize(("a", "b", "changes"), TABLE)
def test_what_a_reader_expects(a: str, b: str, changes: list[tuple[str, str]]) -> None:
    found = diff(a, b)
    assert [(each.op, each.text) for each in found if each.op != "equal"] == changes


def test_units() -> None:
    assert graphemes(f"a{FAMILY}{FLAG}{OTHER_FLAG}e\u0301") == [
        "a",
        FAMILY,
        FLAG,
        OTHER_FLAG,
        "e\u0301",
    ]
    assert words("一只 red-cat’s 1.8。ok") == ["一", "只", " ", "red-cat’s", " ", "1.8", "。", "ok"]
    assert clauses("雨夜，白鹤。 A cat. Two!\n三") == [
        "雨夜，",
        "白鹤。 ",
        "A cat. ",
        "Two!\n",
        "三",
    ]


@pytest.mark.timeout(60)
@pytest.mark.parametrize("length", [800, 10_000, 60_000])
@pytest.mark.parametrize("letters", ["ab", "一二三，", "雨 夜a b，。"])
def test_the_worst_texts_take_bounded_work(length: int, letters: str) -> None:
    """A general matcher needs minutes here, which the time-out below would not give it."""
    dice = random.Random(7)
    a, b = ("".join(dice.choice(letters) for _each in range(length)) for _text in range(2))
    found = diff(a, b)
    assert old(found) == a
    assert new(found) == b


def test_longer_texts_still_tell_what_is_common_at_both_ends(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "LONGEST", 8)
    found = diff("一只白鹤缓步穿过积水", "一只白鹤展翅穿过积水")
    assert [each.op for each in found] == ["equal", "del", "ins", "equal"]
    assert diff("甲" * 9, "甲" * 9) == [Segment("equal", "甲" * 9)]
