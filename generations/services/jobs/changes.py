"""Changes of state: compare-and-set, settle, derive, publish, in one transaction."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from generations.models import TRANSITIONS, Generation, Job, JobState, Outcome, User
from generations.models.runs import ACTIVE, FINAL
from generations.services import events, quota

S = JobState
LIVE_OUTCOMES = (Outcome.PENDING, Outcome.ACCEPTED, Outcome.UNKNOWN)
# So often may a job take its process down before it is set aside; the rest goes on without it.
POISON_AFTER = 3
RESTING = {"lease_owner": "", "lease_expires_at": None}
# The generations that changed so far, while many changes are made as one.
_together: ContextVar[set[int] | None] = ContextVar("together", default=None)


@dataclass(frozen=True, slots=True)
class Change:
    """One wanted transition. `epoch` fences a driver that was replaced while it slept.

    `delivered` is what a final state spends: pictures kept, or paid for and lost.
    """

    job: Job
    before: tuple[JobState, ...]
    after: JobState
    fields: Mapping[str, object] = field(default_factory=dict)
    epoch: int | None = None
    delivered: int = 0
    why: str = ""
    actor: User | None = None
    condition: Q = field(default_factory=Q)


def apply(changes: Sequence[Change]) -> list[bool]:
    """Make each change by compare-and-set in one transaction; say which were won.

    A change that finds the row in another state, or under another epoch, is dropped. Balances are
    settled, generations derived and events written in the same transaction, events last.
    """
    for change in changes:
        _check_legal(change)
    # Without a savepoint: what fails here fails whatever it is part of.
    with transaction.atomic(savepoint=False):
        events.in_order()
        won = [_compare_and_set(change) for change in changes]
        happened = [change for change, ok in zip(changes, won, strict=True) if ok]
        for change in happened:
            if change.after in FINAL:
                _settle(change)
        touched = {change.job.generation_id for change in happened}
        if (waiting := _together.get()) is None:
            touch(touched)
        else:
            waiting |= touched
    return won


@contextmanager
def together() -> Iterator[None]:
    """One transaction for many calls of `apply`: generations are derived and published once, at its end."""
    with transaction.atomic():
        events.in_order()
        token = _together.set(set())
        try:
            yield
            touch(_together.get() or ())
        finally:
            _together.reset(token)


def _check_legal(change: Change) -> None:
    illegal = [state for state in change.before if change.after not in TRANSITIONS[state]]
    if illegal:
        raise ValueError(f"{illegal} may not become {change.after}")


def _compare_and_set(change: Change) -> bool:
    # The round too: an old page of a job that was ordered again would settle the wrong reservation.
    here = Q(change.condition, pk=change.job.pk, round=change.job.round)
    rows = Job.objects.filter(here, state__in=change.before)
    if change.epoch is not None:
        rows = rows.filter(lease_epoch=change.epoch)
    fields = {"state": change.after, **change.fields}
    if change.after in FINAL:
        fields = {**RESTING, "finished_at": timezone.now(), **fields}
    return rows.update(**fields) == 1


def charge(job: Job, delivered: int) -> None:
    """Add what a round has cost to its job, at the price that was told when it was asked for."""
    if job.price_mills is not None:
        cost = Coalesce(F("cost_mills"), Value(0)) + job.price_mills * delivered
        Job.objects.filter(pk=job.pk).update(cost_mills=cost)


def _settle(change: Change) -> None:
    charge(change.job, change.delivered)
    live = change.job.submissions.filter(superseded_by_person=None, outcome__in=LIVE_OUTCOMES)
    quota.settle(
        job=change.job,
        delivered=change.delivered,
        submission=live.first(),
        why=change.why or change.after,
        actor=change.actor,
    )


def touch(generation_ids: Iterable[int]) -> None:
    """Derive the state of each generation from its jobs' and publish that its card changed."""
    wanted = sorted(set(generation_ids))
    if not wanted:
        return
    with transaction.atomic(savepoint=False):
        events.in_order()
        rows = Generation.objects.filter(pk__in=wanted).prefetch_related("jobs").order_by("pk")
        generations = list(rows)
        for generation in generations:
            _derive(generation)
        events.publish((each.project_id, events.name_of(each)) for each in generations)


def _derive(generation: Generation) -> None:
    jobs = list(generation.jobs.all())
    state = derived_state([JobState(job.state) for job in jobs])
    ended = [job.finished_at for job in jobs if job.finished_at]
    finished = max(ended) if ended and state != Generation.State.ACTIVE else None
    known = [job.cost_mills for job in jobs if job.cost_mills is not None]
    cost = sum(known) if known else None
    before = (generation.state, generation.finished_at, generation.cost_mills)
    if (state, finished, cost) == before:
        return
    duration = finished - generation.created_at if finished else None
    Generation.objects.filter(pk=generation.pk).update(
        state=state,
        finished_at=finished,
        cost_mills=cost,
        duration_ms=_milliseconds(duration) if duration is not None else None,
    )


def _milliseconds(duration: timedelta) -> int:
    """What the column holds: clocks may disagree, and a picture may be retried after weeks."""
    return min(max(0, int(duration.total_seconds() * 1000)), 2**31 - 1)


def derived_state(states: Sequence[JobState]) -> Generation.State:
    """What a list says about a whole generation."""
    found = set(states)
    if found & set(ACTIVE):
        return Generation.State.ACTIVE
    if S.UNCERTAIN in found:
        return Generation.State.UNCERTAIN
    if found == {S.SUCCEEDED}:
        return Generation.State.SUCCEEDED
    if S.SUCCEEDED in found:
        return Generation.State.PARTIAL
    return Generation.State.CANCELLED if found == {S.CANCELLED} else Generation.State.FAILED


def free_lease() -> Q:
    """Rows that no driver is holding at this moment."""
    return Q(lease_expires_at=None) | Q(lease_expires_at__lt=timezone.now())
