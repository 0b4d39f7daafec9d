"""What is under way right now: a person's own jobs in full, everybody else's as numbers."""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, Value, When
from django.utils import timezone

from generations.models import Job, JobState, Project, ProviderAccount, User
from generations.models.runs import ACTIVE
from generations.services.jobs.shown import engine_of
from generations.services.jobs.waiting import claim_order, not_paused, places

S = JobState
AT_WORK = (S.SUBMITTING, S.RUNNING)
MINE = 100
# Places further back than this are not counted out.
LOOKED_AT = 2000


@dataclass(frozen=True, slots=True)
class Mine:
    """One of the person's own jobs. `place` counts from 1, 0 when it is not in line.

    `seconds` is roughly how long it takes until it is done, None when nobody can say.
    """

    job: Job
    place: int
    seconds: int | None
    foremost: bool

    @property
    def waits(self) -> bool:
        return self.job.state == S.QUEUED

    @property
    def paused(self) -> bool:
        batch = self.job.generation.batch
        return self.waits and batch is not None and batch.paused_at is not None


@dataclass(frozen=True, slots=True)
class Other:
    """Somebody else's jobs in numbers. No name for people met in none of one's projects."""

    name: str
    waiting: int
    working: int


@dataclass(frozen=True, slots=True)
class Line:
    """How full an account is."""

    account: ProviderAccount
    waiting: int
    working: int


@dataclass(frozen=True, slots=True)
class Flight:
    mine: list[Mine]
    more: int
    my_waiting: int
    others: list[Other]
    lines: list[Line]


@dataclass(frozen=True, slots=True)
class _Count:
    account: int
    user: int
    project: int
    state: str
    jobs: int

    @property
    def waits(self) -> bool:
        return self.state == S.QUEUED


def in_flight(*, user: User) -> Flight:
    """A fixed number of queries per account, whatever the number of jobs."""
    counts = [_Count(*row) for row in _counts()]
    shown = dict(Project.objects.visible_to(user).values_list("pk", "name"))
    own = [each for each in counts if each.user == user.pk and each.project in shown]
    jobs = _my_jobs(user)
    return Flight(
        mine=_mine(jobs, counts),
        more=sum(each.jobs for each in own) - len(jobs),
        my_waiting=sum(each.jobs for each in own if each.waits),
        others=_others(user, [each for each in counts if each not in own], set(shown)),
        lines=_lines(counts),
    )


def _counts() -> Iterable[tuple[int, int, int, str, int]]:
    rows = Job.objects.filter(state__in=ACTIVE).order_by()
    names = ("account_id", "user_id", "generation__project_id", "state")
    return rows.values_list(*names).annotate(jobs=Count("pk"))


def _my_jobs(user: User) -> list[Job]:
    rows = Job.objects.visible_to(user).filter(user=user, state__in=ACTIVE)
    rows = rows.select_related("generation__project", "generation__batch", "account")
    waits = Case(When(state=S.QUEUED, then=Value(1)), default=Value(0))
    return list(rows.order_by(waits, "priority", "rank", "id")[:MINE])


def _mine(jobs: list[Job], counts: list[_Count]) -> list[Mine]:
    now = timezone.now()
    order: dict[int, dict[int, int]] = {}
    for account_id in {job.account_id for job in jobs if job.state == S.QUEUED}:
        here = [each for each in counts if each.account == account_id]
        order[account_id] = _places(account_id, here)
    working = Counter[int]()
    for each in counts:
        working[each.account] += each.jobs * (each.state in AT_WORK)
    found: list[Mine] = []
    in_line: set[int] = set()
    for job in jobs:
        place = order.get(job.account_id, {}).get(job.pk, 0)
        seconds = _seconds(job, place, working[job.account_id], now)
        found.append(Mine(job, place, seconds, place > 0 and job.account_id not in in_line))
        in_line |= {job.account_id} if place else set()
    return found


def _places(account_id: int, counts: list[_Count]) -> dict[int, int]:
    held = Counter[int]()
    for each in counts:
        held[each.user] += each.jobs * (each.state in AT_WORK)
    rows = Job.objects.filter(account_id=account_id, state=S.QUEUED, cancel_asked_at=None)
    order = claim_order(places(not_paused(rows))[:LOOKED_AT], held)
    return {each.pk: number for number, each in enumerate(order, 1)}


def _seconds(job: Job, place: int, working: int, now: datetime) -> int | None:
    engine = engine_of(job)
    if engine is None or job.state == S.COLLECTING:
        return None
    if job.state == S.QUEUED:
        rounds = math.ceil((place + working) / max(1, job.account.max_concurrent))
        return round(rounds * engine.typical_latency_s) if place else None
    started = job.accepted_at or job.sent_at or now
    left = round(engine.typical_latency_s - (now - started).total_seconds())
    return left if left > 0 else None


def _others(user: User, counts: list[_Count], shown: set[int]) -> list[Other]:
    """By name where a project is shared; the rest, wherever it comes from, as one."""
    sums: dict[int | None, Counter[bool]] = defaultdict(Counter)
    for each in counts:
        known = each.user if each.project in shown and each.user != user.pk else None
        sums[known][each.waits] += each.jobs
    people = User.objects.filter(pk__in=[pk for pk in sums if pk is not None])
    names = {person.pk: person.shown_name for person in people}
    rows = [
        Other(names.get(pk, "") if pk is not None else "", found[True], found[False])
        for pk, found in sums.items()
    ]
    return sorted(rows, key=lambda each: (not each.name, each.name))


def _lines(counts: list[_Count]) -> list[Line]:
    accounts = ProviderAccount.objects.filter(pk__in={each.account for each in counts})
    return [
        Line(
            account,
            sum(each.jobs for each in counts if each.account == account.pk and each.waits),
            sum(each.jobs for each in counts if each.account == account.pk and not each.waits),
        )
        for account in accounts.order_by("pk")
    ]
