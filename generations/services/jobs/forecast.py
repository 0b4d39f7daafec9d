"""When each waiting job will be done: the line in its order, through the slots the account has.

A short simulation instead of a formula: what runs now ends when such runs end, and each waiting job
then takes the next free slot for as long as its kind takes on average.
"""

from __future__ import annotations

import heapq
from collections import Counter, deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from generations.models import EngineLimit, Job, JobState, Limited, Priority, ProviderAccount
from generations.services.jobs.durations import Class, class_from, class_of, fetching_s, usual
from generations.services.jobs.waiting import Place, claim_order, not_paused, places, served

S = JobState
AT_WORK = (S.SUBMITTING, S.RUNNING)
# Places further back than this are not counted out.
LOOKED_AT = 2000
Span = tuple[str, float]  # of which engine, and how many seconds


@dataclass(frozen=True, slots=True)
class Gate:
    """How many at once, how many a second, and how long nothing at all."""

    at_once: int
    rate_per_s: float
    cool_s: float = 0.0

    @classmethod
    def of(cls, row: Limited, now: datetime) -> Gate:
        cool = (row.cool_until - now).total_seconds() if row.cool_until else 0.0
        return cls(row.at_once, row.rate_per_s, max(0.0, cool))

    def slots(self, busy_s: Iterable[float]) -> list[float]:
        """When each slot is free. More at work than allowed, as after a limit was lowered: the first
        to end free none.
        """
        at_work = sorted(busy_s)
        free = at_work[max(0, len(at_work) - self.at_once) :]
        free += [0.0] * (self.at_once - len(free))
        return sorted(max(each, self.cool_s) for each in free)


def schedule(
    spans: Sequence[Span], busy: Sequence[Span], gate: Gate, engines: Mapping[str, Gate]
) -> list[float]:
    """Seconds from now at which each of `spans` ends. They take free slots in their order; an engine
    without room holds up nobody who waits for another.
    """
    slots = gate.slots(left for _engine, left in busy)
    own = {
        slug: each.slots(left for engine, left in busy if engine == slug)
        for slug, each in engines.items()
    }
    lines: dict[str, deque[int]] = {}
    for number, (engine, _span) in enumerate(spans):
        lines.setdefault(engine, deque()).append(number)
    ends, earliest = [0.0] * len(spans), 0.0
    while lines:
        now = max(slots[0], earliest)
        ready = [line[0] for slug, line in lines.items() if slug not in own or own[slug][0] <= now]
        if not ready:
            heapq.heapreplace(slots, min(own[slug][0] for slug in lines))
            continue
        engine, span = spans[min(ready)]
        ends[min(ready)] = now + span
        heapq.heapreplace(slots, now + span)
        if engine in own:
            heapq.heapreplace(own[engine], now + span)
        earliest = now + 1 / gate.rate_per_s
        lines[engine].popleft()
        if not lines[engine]:
            del lines[engine]
    return ends


@dataclass(frozen=True, slots=True)
class Line:
    """The line in front of an account, foremost first, and what is at work."""

    order: list[Place]
    classes: Mapping[int, Class]
    busy: list[Span]
    held: Counter[int]
    had: Mapping[int, int]
    gate: Gate
    engines: Mapping[str, Gate]

    def finishes(self, more: Sequence[tuple[Place, Class]] = ()) -> dict[int, tuple[int, float]]:
        """For each waiting job its place, from 1, and the seconds until it is done; also for `more`
        that do not stand in line yet.
        """
        classes = {**self.classes, **{place.pk: each for place, each in more}}
        new = [place for place, _class in more]
        order = claim_order([*self.order, *new], self.held, self.had) if more else self.order
        kinds = [classes.get(each.pk, Class("")) for each in order]
        spans = [(kind.engine, usual(kind).mean) for kind in kinds]
        ends = schedule(spans, self.busy, self.gate, self.engines)
        fetching = fetching_s()
        return {
            each.pk: (number, end + fetching)
            for number, (each, end) in enumerate(zip(order, ends, strict=True), 1)
        }


def line(account: ProviderAccount, limits: Iterable[EngineLimit] | None = None) -> Line:
    """The account's line as it stands now, in four queries; `limits` are its engines', if known."""
    now = timezone.now()
    if limits is None:
        limits = EngineLimit.objects.filter(account=account)
    rows = Job.objects.filter(account=account)
    at_work = list(rows.filter(state__in=AT_WORK).select_related("generation"))
    held = Counter(job.user_id for job in at_work)
    had = served(account.pk)
    waiting = not_paused(rows.filter(state=S.QUEUED, cancel_asked_at=None))
    order = claim_order(places(waiting)[:LOOKED_AT], held, had)
    recipe = ("generation__recipe__settings", "generation__recipe__references")
    asked = Job.objects.filter(pk__in=[each.pk for each in order])
    recipes = asked.values_list("pk", "generation__engine", *recipe)
    return Line(
        order=order,
        classes={pk: class_from(slug, given, len(used)) for pk, slug, given, used in recipes},
        busy=[(job.generation.engine, _left(job, now)) for job in at_work],
        held=held,
        had=had,
        gate=Gate.of(account, now),
        engines={row.engine: Gate.of(row, now) for row in limits},
    )


def _left(job: Job, now: datetime) -> float:
    """What a run at work still takes on average; one beyond that is nearly done."""
    found = usual(class_of(job.generation.engine, job.generation.recipe))
    started = job.sent_at or job.accepted_at or now
    elapsed = (now - started).total_seconds()
    span = found.mean if elapsed < found.mean else found.p90
    return max(span - elapsed, 0.5)


def if_asked_now(*, here: Line, user_id: int, wanted: Class, count: int) -> list[float]:
    """Seconds until one, two, … `count` more interactive jobs of a person would be done."""
    own = [each for each in here.order if each.user_id == user_id]
    turn = sum(each.priority == Priority.INTERACTIVE for each in own)
    first = min((each.first for each in own), default=2**62)
    new = [
        Place(-number, user_id, Priority.INTERACTIVE, turn + number, first)
        for number in range(1, count + 1)
    ]
    found = here.finishes([(each, wanted) for each in new])
    ends = [found[each.pk][1] for each in new]
    return [max(ends[: number + 1]) for number in range(count)]
