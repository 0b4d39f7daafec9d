"""What differs between two texts, as stretches kept, left out and put in. Pure.

Two passes of a longest common subsequence: first by clause, so that whole clauses find each other;
then, inside what differs, by word where words have spaces between them and by character where they
have none. Common crumbs between two rewritten stretches count as rewritten too. The unit is never
smaller than what a reader sees as one character: an emoji of several code points, or a letter with
its marks.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

# Far above any prompt (800). Of longer texts only what is common at both ends is found.
LONGEST = 10_000

JOINER = "\u200d"
_FLAG = re.compile("[\U0001f1e6-\U0001f1ff]")
# Skin tones, tags of flags, the later letters of a Korean syllable: no marks, yet part of one.
_FOLLOWS = re.compile("[\u200c\u200d\U0001f3fb-\U0001f3ff\U000e0020-\U000e007f\u1160-\u11ff]")
# Written without spaces between words: Chinese, and Japanese kana.
_DENSE = re.compile("[\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")  # fmt: skip
_INNER = frozenset("'’-_.:/")  # inside a word or a number: don't, 1.8, 16:9
_ENDS = frozenset("，。、；：！？,;!?…\n\r") | {"\r\n"}


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text: `op` is equal, del (only in the first) or ins (only in the second)."""

    op: str
    text: str


@dataclass(frozen=True, slots=True)
class _Change:
    """What both have, and what stands after it in the first and in the second."""

    common: str
    old: str = ""
    new: str = ""

    @property
    def size(self) -> int:
        return max(len(self.old), len(self.new))


def diff(a: str, b: str) -> list[Segment]:
    """The way from `a` to `b`: kept and left out make `a`, kept and put in make `b`."""
    if (len(a), a) <= (len(b), b):
        changes = _changes(a, b)
    else:  # whichever comes first, the same stretches are found
        changes = [_Change(each.common, each.new, each.old) for each in _changes(b, a)]
    parts = ((("equal", each.common), ("del", each.old), ("ins", each.new)) for each in changes)
    return [Segment(op, text) for change in parts for op, text in change if text]


def _changes(a: str, b: str) -> list[_Change]:
    if len(b) > LONGEST:
        old, new = graphemes(a), graphemes(b)
        return _along(old, new, _common_ends(old, new))
    found: list[_Change] = []
    for each in _aligned(clauses(a), clauses(b)):
        found.append(_Change(each.common))
        found += _aligned(words(each.old), words(each.new))
    return _without_crumbs(found)


def _without_crumbs(changes: list[_Change]) -> list[_Change]:
    """One change where the text common to two is no longer than either of them."""
    found: list[_Change] = []
    for each in changes:
        last = each
        while found and (joined := _joined(found[-1], last)):
            found.pop()
            last = joined
        found.append(last)
    return found


def _joined(first: _Change, second: _Change) -> _Change | None:
    if not first.size:
        return _Change(first.common + second.common, second.old, second.new)
    if second.common and len(second.common) > min(first.size, second.size):
        return None
    old, new = (first.old + second.common, first.new + second.common)
    return _Change(first.common, old + second.old, new + second.new)


# --- units ---


def graphemes(text: str) -> list[str]:
    """What a reader sees as single characters."""
    found: list[str] = []
    for char in text:
        if found and _belongs(char, found[-1]):
            found[-1] += char
        else:
            found.append(char)
    return found


def _belongs(char: str, before: str) -> bool:
    if before[-1] in "\r\n":
        return before == "\r" and char == "\n"
    if _FLAG.match(char):
        return len(before) == 1 and bool(_FLAG.match(before))
    if before[-1] == JOINER and not char.isspace():
        return True
    return bool(_FOLLOWS.match(char)) or unicodedata.category(char)[0] == "M"


def clauses(text: str) -> list[str]:
    """Parts of a text, each with the punctuation that ends it."""
    found, ended = [""], False
    for char in graphemes(text):
        ends = char in _ENDS
        if ended and not ends and not char.isspace():
            found.append("")
        ended = ends or (ended and char.isspace()) or (found[-1].endswith(".") and char == " ")
        found[-1] += char
    return [each for each in found if each]


def words(text: str) -> list[str]:
    """Words and runs of spaces; of what is written without spaces, the characters."""
    found: list[str] = []
    before = ""
    for char, after in pairwise([*graphemes(text), ""]):
        kind = _kind(char)
        if char in _INNER and before == "word" == _kind(after):
            kind = "word"
        if kind and kind == before:
            found[-1] += char
        else:
            found.append(char)
        before = kind
    return found


def _kind(char: str) -> str:
    """What runs together with its like; nothing for what stands alone."""
    if _DENSE.match(char):
        return ""
    return "word" if char[:1].isalnum() else "space" if char.isspace() else ""


# --- alignment ---


def _aligned(old: Sequence[str], new: Sequence[str]) -> list[_Change]:
    return _along(old, new, _matches(old, new))


def _along(
    old: Sequence[str], new: Sequence[str], matches: Iterator[tuple[int, int]]
) -> list[_Change]:
    """The changes between the places that match."""
    found: list[_Change] = []
    common: list[str] = []
    x = y = 0
    for i, j in [*matches, (len(old), len(new))]:
        if i > x or j > y:
            found.append(_Change("".join(common), "".join(old[x:i]), "".join(new[y:j])))
            common = []
        common += old[i : i + 1]
        x, y = i + 1, j + 1
    return [*found, _Change("".join(common))]


def _common_ends(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    start, end = _ends(old, new)
    yield from ((place, place) for place in range(start))
    yield from ((len(old) - place, len(new) - place) for place in range(end, 0, -1))


def _ends(old: Sequence[str], new: Sequence[str]) -> tuple[int, int]:
    """How many units are the same at the beginning, and at the end."""
    shorter = min(len(old), len(new))
    start = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    rest = shorter - start
    end = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    return start, end


def _matches(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Places of a longest common subsequence. The ends first: most prompts differ in the middle."""
    start, end = _ends(old, new)
    middle = _subsequence(old[start : len(old) - end], new[start : len(new) - end])
    yield from ((place, place) for place in range(start))
    yield from ((start + i, start + j) for i, j in middle)
    yield from ((len(old) - place, len(new) - place) for place in range(end, 0, -1))


def _subsequence(old: Sequence[str], new: Sequence[str]) -> list[tuple[int, int]]:
    """Hyyrö's bit-parallel LCS: one addition of long integers per unit of `new`, whatever the texts.

    A zero bit i in row j says that old[i] lengthens the subsequence of old[:i] and new[:j].
    """
    where: dict[str, int] = {}
    for place, unit in enumerate(old):
        where[unit] = where.get(unit, 0) | 1 << place
    full = (1 << len(old)) - 1
    rows = [full]
    for unit in new:
        row = rows[-1]
        hits = row & where.get(unit, 0)
        rows.append(((row + hits) | (row - hits)) & full)
    return _backwards(rows, len(old), len(new))


def _backwards(rows: list[int], i: int, j: int) -> list[tuple[int, int]]:
    found = []
    while i and j:
        if rows[j] >> (i - 1) & 1:
            i -= 1
        elif rows[j - 1] >> (i - 1) & 1:
            i, j = i - 1, j - 1
            found.append((i, j))
        else:
            j -= 1
    return found[::-1]
