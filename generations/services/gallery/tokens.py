"""From text to search tokens, the same for both databases.

Words of Latin and other spaced scripts are one token each. Of scripts without spaces every character
and every pair of neighbours is one, so that 鹤 and 白鹤 are found alike. A token is spelled in a-z and
0-9 alone, because each database has ideas of its own about every other character.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator

LONGEST = 10_000  # characters looked at
MOST_ASKED = 60  # tokens of a question

# Han, kana, hangul and their extensions: written without spaces.
_UNSPACED = (
    "\u2e80-\u2fdf\u3005-\u3007\u3021-\u3029\u3031-\u3035\u3040-\u30ff\u3100-\u312f\u3130-\u318f"
    "\u31a0-\u31bf\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\ua960-\ua97f\uac00-\ud7ff\uf900-\ufaff"
    "\U00020000-\U000323af"
)
_RUN = re.compile(rf"[{_UNSPACED}]+|[^\W_{_UNSPACED}]+|\S")


def tokens(text: str) -> Iterator[str]:
    """Every token of a text, with repetitions, in order."""
    for run in _runs(text):
        if _unspaced(run):
            for place, char in enumerate(run):
                yield _spelled(char)
                if place + 1 < len(run):
                    yield _spelled(run[place : place + 2])
        else:
            yield _spelled(run)


def asked(text: str) -> list[str]:
    """The tokens a text must have to be found: pairs where there are pairs, each once."""
    found: list[str] = []
    for run in _runs(text):
        if _unspaced(run) and len(run) > 1:
            found += [_spelled(run[place : place + 2]) for place in range(len(run) - 1)]
        else:
            found.append(_spelled(run))
    return list(dict.fromkeys(found))[:MOST_ASKED]


def long_runs(text: str) -> list[str]:
    """Stretches of three and more characters without spaces: pairs alone do not tell their order."""
    return [run for run in _runs(text) if len(run) > 2 and _unspaced(run)][:MOST_ASKED]


def _runs(text: str) -> Iterator[str]:
    plain = unicodedata.normalize("NFKC", text[:LONGEST]).casefold()
    for found in _RUN.finditer(plain):
        run = found.group()
        if len(run) > 1 or run.isalnum() or unicodedata.category(run) in ("So", "Sk", "Sm", "Sc"):
            yield run


def _unspaced(run: str) -> bool:
    return re.match(f"[{_UNSPACED}]", run) is not None


def _spelled(token: str) -> str:
    """`t` and the token, or `u` and its code points: nothing that a parser could take apart."""
    if token.isascii() and token.isalnum():
        return f"t{token[:60]}"
    return "u" + "x".join(f"{ord(char):x}" for char in token[:20])
