"""The line in front of a provider account: who goes next, and what a person may order about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import NamedTuple

from django.db import transaction
from django.db.models import F, Min, QuerySet, Window
from django.db.models.functions import RowNumber
from django.utils.translation import gettext as _

from generations.models import Job, JobState, Submission, User
from generations.services import events
from generations.services.jobs.changes import Change, apply, free_lease
from generations.services.jobs.orders import NotPossible, cancel

S = JobState
CHUNK = 100
# So many submissions back it is remembered whose turn it was.
REMEMBERED = 200


class Place(NamedTuple):
    """A waiting job: which of its person's it is (`turn`), and that person's oldest one (`first`)."""

    pk: int
    user_id: int
    priority: int
    turn: int
    first: int


def not_paused(rows: QuerySet[Job]) -> QuerySet[Job]:
    """Without the jobs of batches that a person has paused."""
    return rows.filter(generation__batch__paused_at=None)


def places(
    rows: QuerySet[Job], turns: int | None = None
) -> QuerySet[Job, tuple[int, int, int, int, int]]:
    """Of waiting jobs of one account: their places, foremost first; only the first `turns` of each
    person when that is given.
    """
    line = rows.annotate(
        turn=Window(RowNumber(), partition_by=F("user_id"), order_by=["priority", "rank", "id"]),
        first=Window(Min("id"), partition_by=F("user_id")),
    )
    if turns is not None:
        line = line.filter(turn__lte=turns)
    ordered = line.order_by("priority", "turn", "first", "id")
    return ordered.values_list("pk", "user_id", "priority", "turn", "first")


def served(account_id: int) -> dict[int, int]:
    """Whose turn was when, as the number of the submission. Who is not here has waited longer."""
    rows = Submission.objects.filter(job__account_id=account_id).order_by("-pk")
    found: dict[int, int] = {}
    for user_id, number in rows.values_list("job__user_id", "pk")[:REMEMBERED]:
        found.setdefault(user_id, number)
    return found


def claim_order(
    rows: Iterable[tuple[int, int, int, int, int]],
    held: Counter[int],
    turns_had: Mapping[int, int] | None = None,
) -> list[Place]:
    """The order in which jobs are claimed: round-robin between people inside a priority class.

    `held` counts what each person has in flight already. Between two people with the same turn the
    one goes first whose last turn (`turns_had`) is longer ago, then who has waited longest; which
    of their jobs that is plays no part, so nobody gets ahead of others by putting their own jobs
    into another order. Without the last turns a single slot would stay with whoever came first.
    """
    had = turns_had or {}

    def key(row: Place) -> tuple[int, ...]:
        turn = row.turn + held[row.user_id]
        return (row.priority, turn, had.get(row.user_id, 0), row.first, row.pk)

    return sorted((Place(*row) for row in rows), key=key)


def to_front(*, job: Job) -> None:
    """Have a waiting job go before its person's other ones, which keep their order.

    Each place in the line stays the same person's: where the foremost one is of a higher priority,
    the last of those gives its class up in exchange.
    """
    with transaction.atomic():
        events.in_order()
        rows = not_paused(Job.objects.filter(free_lease(), account_id=job.account_id))
        rows = rows.filter(user_id=job.user_id, state=S.QUEUED, cancel_asked_at=None)
        mine = list(rows.order_by("priority", "rank", "id"))
        ahead = mine[: next((n for n, each in enumerate(mine) if each.pk == job.pk), len(mine))]
        if len(ahead) == len(mine):
            raise NotPossible(_("This picture has moved on; the page shows where it is now."))
        if ahead:
            _rotate(ahead, mine[len(ahead)], min(each.rank for each in mine) - 1)


def _rotate(ahead: list[Job], job: Job, rank: int) -> None:
    higher = sorted({each.priority for each in ahead} - {job.priority})
    for upper, lower in pairwise([*higher, job.priority]):
        last = [each for each in ahead if each.priority == upper][-1]
        Job.objects.filter(pk=last.pk).update(priority=lower, rank=rank)
    Job.objects.filter(pk=job.pk).update(priority=ahead[0].priority, rank=rank)


def cancel_waiting(*, rows: QuerySet[Job], actor: User) -> int:
    """Cancel every queued job of `rows`, the last in line first; how many that reached."""
    waiting = list(rows.filter(state=S.QUEUED).order_by("-pk"))
    reached = 0
    for start in range(0, len(waiting), CHUNK):
        chunk = waiting[start : start + CHUNK]
        gone = [
            Change(job, (S.QUEUED,), S.CANCELLED, {}, actor=actor, condition=free_lease())
            for job in chunk
        ]
        for job, won in zip(chunk, apply(gone), strict=True):
            reached += won or _asked(job, actor)
    return reached


def _asked(job: Job, actor: User) -> bool:
    """Ask the driver that is just taking it; one that has gone on to be sent is left alone."""
    if not Job.objects.filter(pk=job.pk, state=S.QUEUED).exists():
        return False
    try:
        cancel(job=job, actor=actor)
    except NotPossible:
        return False
    return True
