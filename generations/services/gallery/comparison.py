"""What differs between two pictures: their prompts by segment, their parameters by row.

The rows come from the engine's declaration, so a new engine needs no change here.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import groupby

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from generations.models import Asset, Generation
from generations.providers import catalog

# One Chinese character is a word of its own; Latin is compared by word.
_TOKEN = re.compile(
    r"[\u2e80-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]|[\w'’-]+|\s+|.",
    re.DOTALL,
)
# Prompts are at most 800 code points, so the quadratic matcher is cheap; this guards older rows.
LONGEST = 4000


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of text: `op` is equal, del (only in A) or ins (only in B)."""

    op: str
    text: str


@dataclass(frozen=True, slots=True)
class Fact:
    """One parameter of one picture. `actual` is empty where nothing but the wish is known."""

    key: str
    label: str
    value: str
    actual: str = ""

    @property
    def differs(self) -> bool:
        return bool(self.actual) and self.actual != self.value


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter of two pictures."""

    label: str
    a: str
    b: str

    @property
    def same(self) -> bool:
        return self.a == self.b


def prompt_segments(a: str, b: str) -> list[Segment]:
    """The way from prompt A to prompt B, as stretches kept, left out and put in."""
    old, new = _TOKEN.findall(a[:LONGEST]), _TOKEN.findall(b[:LONGEST])
    found: list[Segment] = []
    for op, a1, a2, b1, b2 in SequenceMatcher(None, old, new, autojunk=False).get_opcodes():
        if op == "equal":
            found.append(Segment("equal", "".join(old[a1:a2])))
            continue
        if a2 > a1:
            found.append(Segment("del", "".join(old[a1:a2])))
        if b2 > b1:
            found.append(Segment("ins", "".join(new[b1:b2])))
    return _without_crumbs(found)


def _without_crumbs(segments: list[Segment]) -> list[Segment]:
    """One letter that happens to stand in both of two rewritten stretches is no common text."""
    found: list[Segment] = []
    for place, each in enumerate(segments):
        inside = 0 < place < len(segments) - 1
        if each.op == "equal" and inside and len(each.text) == 1 and each.text.isalnum():
            found += [Segment("del", each.text), Segment("ins", each.text)]
        else:
            found.append(each)
    return _merged(found)


def _merged(segments: list[Segment]) -> list[Segment]:
    """Between two common stretches, everything left out first, then everything put in."""
    found: list[Segment] = []
    for _common, run in groupby(segments, key=lambda each: each.op == "equal"):
        stretch = list(run)
        texts = {
            op: "".join(each.text for each in stretch if each.op == op)
            for op in ("equal", "del", "ins")
        }
        found += [Segment(op, text) for op, text in texts.items() if text]
    return found


def rows(a: Asset, b: Asset) -> list[Row]:
    """Every parameter that either picture has, in A's order."""
    first, second = ({fact.key: fact for fact in facts(each)} for each in (a, b))
    keys = dict.fromkeys([*first, *second])
    return [_row(first.get(key), second.get(key)) for key in keys]


def _row(a: Fact | None, b: Fact | None) -> Row:
    label = (a or b or Fact("", "", "")).label
    return Row(label, a.value if a else "–", b.value if b else "–")


def facts(asset: Asset) -> list[Fact]:
    """Everything that is known about how a picture was asked for and how it came out."""
    generation = asset.generation
    return [
        *(_asked(generation) if generation else ()),
        Fact("pixels", _("Actual size"), f"{asset.width} × {asset.height}"),
        Fact("format", _("Format"), asset.format.upper()),
        Fact("bytes", _("File size"), file_size(asset.blob.size)),
        *(_run(asset, generation) if generation else ()),
    ]


def asked_and_actual(asset: Asset) -> list[Fact]:
    """The settings asked for, the size with what came of it, and the facts of the file."""
    came = f"{asset.width} × {asset.height}"
    wish = next(iter(_asked_size(asset)), "")
    return [
        Fact(each.key, each.label, each.value, came if each.key == "size" and wish else "")
        for each in facts(asset)
    ]


def _asked_size(asset: Asset) -> Iterator[str]:
    """The exact size asked for; nothing where the model was to choose."""
    generation = asset.generation
    engine = catalog.ENGINES.get(generation.engine) if generation else None
    if generation and engine and catalog.aspect(engine, generation.recipe["settings"]):
        yield str(generation.recipe["settings"].get("size", ""))


def _asked(generation: Generation) -> Iterator[Fact]:
    engine = catalog.ENGINES.get(generation.engine)
    if engine is None:
        yield Fact("engine", _("Model"), generation.engine)
        return
    yield Fact("engine", _("Model"), _(engine.label))
    for row in catalog.describe_settings(engine, generation.recipe["settings"]):
        yield Fact(row.name, _(row.label), _(row.value))


def _run(asset: Asset, generation: Generation) -> Iterator[Fact]:
    job = asset.job
    if job and job.sent_at and job.finished_at:
        seconds = (job.finished_at - job.sent_at).total_seconds()
        yield Fact("duration", _("Took"), _("%(n)s s") % {"n": f"{seconds:.1f}"})
    yield Fact("person", _("Person"), generation.user.shown_name)
    made = timezone.localtime(generation.created_at)
    yield Fact("created", _("Asked"), f"{date_format(made, 'SHORT_DATE_FORMAT')} {made:%H:%M}")


def file_size(size: int) -> str:
    """Bytes as a person says them: 834 B, 12 KB, 1.4 MB."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{size / 1000:.0f} KB"
    return f"{size / 1_000_000:.1f} MB"
