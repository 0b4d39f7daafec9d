"""What an engine is sent of a reference: a rendition made to its rules, once."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
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


def spec_of(engine: Engine) -> str:
    """`fit-<engine>-<hash of its rule>`: a changed rule is another rendition."""
    digest = hashlib.sha256(repr(engine.references).encode()).hexdigest()
    return f"fit-{engine.slug[:24]}-{digest[:10]}"


def plan(width: int, height: int, rule: ReferenceRule) -> Plan:
    """The middle of the picture within the rule's ratios, scaled down to its longest side."""
    ratio = Fraction(width, height)
    wide, high = width, height
    if ratio > rule.max_ratio:
        wide = max(1, int(height * rule.max_ratio))
    elif ratio < rule.min_ratio:
        high = max(1, int(width / rule.min_ratio))
    left, upper = (width - wide) // 2, (height - high) // 2
    return Plan((left, upper, left + wide, upper + high), _scaled(wide, high, rule))


def _scaled(wide: int, high: int, rule: ReferenceRule) -> Size:
    """Rounded so that the ratio stays inside its limits."""
    longest = max(wide, high)
    if longest <= rule.max_side:
        return wide, high
    if wide >= high:
        least = -(-rule.max_side // rule.max_ratio)
        return rule.max_side, max(int(least), round(high * rule.max_side / wide))
    least = -(-rule.max_side * rule.min_ratio // 1)
    return max(int(least), round(wide * rule.max_side / high)), rule.max_side


def fitted(*, reference: Reference, engine: Engine) -> Rendition:
    """The rendition that `engine` is sent, made now if there is none. Raises ReferenceProblem."""
    spec = spec_of(engine)
    found = reference.renditions.filter(spec=spec).select_related("blob").first()
    if found is not None:
        return found
    planned = plan(reference.width, reference.height, engine.references)
    if _as_it_is(reference, engine.references, planned):
        width, height = planned.size
        return outputs.rendition_of(
            owner=reference, spec=spec, blob=reference.blob, width=width, height=height
        )
    return _made(reference, engine.references, planned, spec)


def _as_it_is(reference: Reference, rule: ReferenceRule, planned: Plan) -> bool:
    whole = planned.size == (reference.width, reference.height)
    return whole and reference.format in rule.formats and reference.blob.size <= rule.max_bytes


def _made(reference: Reference, rule: ReferenceRule, planned: Plan, spec: str) -> Rendition:
    wanted = imaging.Wanted(planned.box, planned.size, rule.formats, rule.max_bytes)
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


def fit_note(reference: Reference, engine: Engine) -> list[Note]:
    """What `engine` will be sent instead of the whole picture; empty when it gets it as it is."""
    rule = engine.references
    planned = plan(reference.width, reference.height, rule)
    notes: list[Note] = []
    if planned.part != (reference.width, reference.height):
        message = N_(
            "Only the middle is sent, %(width)s × %(height)s: this model takes no longer shapes."
        )
        notes.append(Note(message, _sides(planned.part)))
    if planned.size != planned.part:
        message = N_("It is sent scaled down to %(width)s × %(height)s.")
        notes.append(Note(message, _sides(planned.size)))
    if reference.format not in rule.formats:
        message = N_("It is sent as %(format)s.")
        notes.append(Note(message, {"format": rule.formats[0].upper()}))
    return notes


def _sides(size: Size) -> dict[str, object]:
    return {"width": size[0], "height": size[1]}
