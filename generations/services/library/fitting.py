"""What an engine is sent of a reference: a rendition made to its rules, once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings

from generations import imaging
from generations.models import Reference, Rendition
from generations.providers.base import N_
from generations.providers.catalog import Engine, ReferenceRule
from generations.services import outputs
from generations.services.library.problems import refused

Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Note:
    """Something that will be done to a picture: an untranslated msgid, and what fills its places."""

    message: str
    params: Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which part of a master is sent, and how large; `box` is left, upper, right, lower."""

    box: tuple[int, int, int, int]
    size: Size

    @property
    def part(self) -> Size:
        return self.box[2] - self.box[0], self.box[3] - self.box[1]


def spec_of(engine: Engine, like: Size | None = None) -> str:
    """`fit-<hash of what its rule asks of a picture>`: engines that ask the same share a rendition."""
    rule = engine.references
    # How many there are, and how they travel, change nothing of one.
    same = replace(
        rule, maximum=0, minimum=0, one_shape=False, transport="url", max_bytes=rule.file_bytes
    )
    asked = repr(same) if like is None else f"{same!r} {like}"
    return f"fit-{hashlib.sha256(asked.encode()).hexdigest()[:16]}"


def plan(width: int, height: int, rule: ReferenceRule, like: Size | None = None) -> Plan:
    """The middle of the picture within the rule's ratios, scaled to its sides; or, `like` another
    that is sent beside it, of the same ratio and size.
    """
    ratio = Fraction(width, height)
    least, most = (Fraction(*like),) * 2 if like else (rule.min_ratio, rule.max_ratio)
    wide, high = width, height
    if ratio > most:
        wide = max(1, int(height * most))
    elif ratio < least:
        high = max(1, int(width / least))
    left, upper = (width - wide) // 2, (height - high) // 2
    return Plan((left, upper, left + wide, upper + high), like or _scaled(wide, high, rule))


def _scaled(wide: int, high: int, rule: ReferenceRule) -> Size:
    """Rounded so that the ratio stays inside its limits."""
    if min(wide, high) < rule.min_side:
        return _enlarged(wide, high, rule)
    longest = max(wide, high)
    if longest <= rule.max_side:
        return wide, high
    if wide >= high:
        least = -(-rule.max_side // rule.max_ratio)
        return rule.max_side, max(int(least), round(high * rule.max_side / wide))
    least = -(-rule.max_side * rule.min_ratio // 1)
    return max(int(least), round(wide * rule.max_side / high)), rule.max_side


def _enlarged(wide: int, high: int, rule: ReferenceRule) -> Size:
    """The shorter side as long as it must be; the longer one is within `max_side` by its ratio."""
    side = rule.min_side
    if wide >= high:
        return min(round(wide * side / high), int(side * rule.max_ratio)), side
    return side, min(round(high * side / wide), int(side / rule.min_ratio))


def fitted(*, reference: Reference, engine: Engine, like: Size | None = None) -> Rendition:
    """The rendition that `engine` is sent, made now if there is none. Raises ReferenceProblem."""
    spec = spec_of(engine, like)
    found = reference.renditions.filter(spec=spec).select_related("blob").first()
    if found is not None:
        return found
    planned = plan(reference.width, reference.height, engine.references, like)
    if _as_it_is(reference, engine.references, planned):
        width, height = planned.size
        return outputs.rendition_of(
            owner=reference, spec=spec, blob=reference.blob, width=width, height=height
        )
    return _made(reference, engine.references, planned, spec)


def fitted_all(*, references: Sequence[Reference], engine: Engine) -> list[Rendition]:
    """What `engine` is sent of each, in order. Raises ReferenceProblem."""
    made: list[Rendition] = []
    for each in references:
        first = made[0] if made and engine.references.one_shape else None
        like = (first.width, first.height) if first else None
        made.append(fitted(reference=each, engine=engine, like=like))
    return made


def _as_it_is(reference: Reference, rule: ReferenceRule, planned: Plan) -> bool:
    whole = planned.size == (reference.width, reference.height)
    return whole and reference.format in rule.formats and reference.blob.size <= rule.file_bytes


def _made(reference: Reference, rule: ReferenceRule, planned: Plan, spec: str) -> Rendition:
    wanted = imaging.Wanted(planned.box, planned.size, rule.formats, rule.file_bytes, rule.min_side)
    source = settings.MEDIA_ROOT / reference.blob.name
    settings.TEMP_ROOT.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=settings.TEMP_ROOT, prefix="fit-") as folder:
        try:
            picture = imaging.fit(source, Path(folder), wanted)
        except imaging.NotAPicture as why:
            raise refused(reference.name, why.reason) from None
        blob = outputs.store(Path(folder) / imaging.FITTED, picture.content_type)
    return outputs.rendition_of(
        owner=reference, spec=spec, blob=blob, width=picture.width, height=picture.height
    )


def fit_note(reference: Reference, engine: Engine, first: Reference | None = None) -> list[Note]:
    """What `engine` will be sent instead of the whole picture; empty when it gets it as it is.

    `first` is the one in the first place, for an engine whose references have one shape.
    """
    rule = engine.references
    like = _shape_of(first, rule) if first and first.pk != reference.pk else None
    planned = plan(reference.width, reference.height, rule, like)
    notes = []
    if planned.part != (reference.width, reference.height):
        longer = N_(
            "Only the middle is sent, %(width)s × %(height)s: this model takes no longer shapes."
        )
        alike = N_("Only the middle is sent, %(width)s × %(height)s: the shape of the first frame.")
        notes.append(Note(alike if like else longer, _sides(planned.part)))
    if planned.size != planned.part:
        larger = min(planned.size) > min(planned.part)
        message = (
            N_("It is sent enlarged to %(width)s × %(height)s.")
            if larger
            else N_("It is sent scaled down to %(width)s × %(height)s.")
        )
        notes.append(Note(message, _sides(planned.size)))
    return [*notes, *_encoding_notes(reference, rule)]


def _encoding_notes(reference: Reference, rule: ReferenceRule) -> list[Note]:
    if reference.format not in rule.formats:
        message = N_("It is sent as %(format)s.")
        return [Note(message, {"format": rule.formats[0].upper()})]
    if reference.blob.size > rule.file_bytes:
        message = N_("It is sent with fewer details: this model takes at most %(max)s MB.")
        return [Note(message, {"max": f"{rule.file_bytes / 1_000_000:.1f}"})]
    return []


def _shape_of(first: Reference, rule: ReferenceRule) -> Size | None:
    """The size that the first one is sent at, where the others have to have it too."""
    return plan(first.width, first.height, rule).size if rule.one_shape else None


def _sides(size: Size) -> dict[str, object]:
    return {"width": size[0], "height": size[1]}
