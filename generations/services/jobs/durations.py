"""How long runs take, learned from the last ones: per engine, size (of a video: its frames), references,
and single or set.

One bounded query a minute and process; between two, everything is answered from memory.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from statistics import fmean
from typing import Any, NamedTuple

from generations.models import Job, JobState
from generations.providers import catalog
from generations.services import engines
from generations.services.jobs.shown import engine_of

LOOKED_AT = 1000
KEPT_S = 60.0
# Fewer runs than this tell too little; a wider class is asked, and in the end the catalogue.
ENOUGH = 5
_TIERS = ((1_600_000, "1K"), (6_000_000, "2K"))


class Class(NamedTuple):
    """What the time of a run depends on. "" stands for any, from the back."""

    engine: str
    size: str = ""
    references: str = ""
    outputs: str = ""


@dataclass(frozen=True, slots=True)
class Usual:
    """Seconds from sending to the provider's answer: half of the runs, nine of ten, on average."""

    p50: float
    p90: float
    mean: float


@dataclass(slots=True)
class _Memory:
    until: float = 0.0
    known: dict[Class, Usual] = field(default_factory=dict)
    fetching: float = 0.0


_memory = _Memory()


def forget() -> None:
    """Look anew at the next question; tests begin with this."""
    _memory.until = 0.0


def class_of(engine: str, recipe: Mapping[str, Any]) -> Class:
    """The narrowest class of a run."""
    return class_from(engine, recipe["settings"], len(recipe["references"]))


def class_from(slug: str, settings: Mapping[str, Any], references: int) -> Class:
    engine = engines.known(slug)
    if engine is None:
        return Class(slug)
    some = "none" if not references else "few" if references <= 3 else "many"
    outputs = "one" if catalog.max_outputs(engine, settings, 0) == 1 else "set"
    return Class(slug, _size(engine, settings), some, outputs)


def _size(engine: catalog.Engine, settings: Mapping[str, Any]) -> str:
    if engine.kind == "video":
        return str(settings.get("frames", ""))
    sides = catalog.aspect(engine, settings)
    if sides is None:
        return "auto"
    area = sides[0] * sides[1]
    return next((tier for most, tier in _TIERS if area <= most), "4K")


def usual(wanted: Class) -> Usual:
    """What is known of a class, or of the next wider one, or what the catalogue says."""
    known = _known()
    for width in range(len(wanted), 0, -1):
        if found := known.get(Class(*wanted[:width])):
            return found
    engine = engines.known(wanted.engine)
    typical = engine.typical_latency_s if engine else 10.0
    return Usual(typical, 1.5 * typical, typical)


def usual_of(job: Job) -> Usual:
    return usual(class_of(job.generation.engine, job.generation.recipe))


def fetching_s() -> float:
    """How long it takes on average from the answer until the picture is kept."""
    _known()
    return _memory.fetching


def left_s(job: Job, elapsed_s: float) -> float | None:
    """Seconds a run that is under way still takes; None when it is beyond all that is usual."""
    found = usual_of(job) if engine_of(job) else None
    if found is None:
        return None
    left = [span - elapsed_s for span in (found.p50, found.p90) if span > elapsed_s]
    return left[0] if left else None


def _known() -> dict[Class, Usual]:
    now = time.monotonic()
    if now >= _memory.until:
        _memory.until = now + KEPT_S
        _memory.known, _memory.fetching = _learn()
    return _memory.known


def _learn() -> tuple[dict[Class, Usual], float]:
    """The last runs, in classes of every width. Newest first, by the primary key alone."""
    done = Job.objects.filter(state=JobState.SUCCEEDED, answered_at__isnull=False)
    recipe = ("generation__recipe__settings", "generation__recipe__references")
    times = ("sent_at", "accepted_at", "answered_at", "finished_at")
    rows = done.order_by("-id").values_list("generation__engine", *recipe, *times)[:LOOKED_AT]
    spans: dict[Class, list[float]] = defaultdict(list)
    fetching = []
    for slug, settings, references, sent, accepted, answered, finished in rows:
        began = sent or accepted
        if began is None or answered < began:
            continue  # a clock was put right meanwhile
        narrow = class_from(slug, settings, len(references))
        for width in range(1, len(narrow) + 1):
            spans[Class(*narrow[:width])].append((answered - began).total_seconds())
        if finished and finished >= answered:
            fetching.append((finished - answered).total_seconds())
    known = {each: _summed(found) for each, found in spans.items() if len(found) >= ENOUGH}
    return known, fmean(fetching) if fetching else 0.0


def _summed(spans: list[float]) -> Usual:
    spans.sort()
    return Usual(spans[len(spans) // 2], spans[len(spans) * 9 // 10], fmean(spans))
