"""What is under way right now: a person's own jobs in full, everybody else's as numbers."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Case, Count, Value, When
from django.utils import timezone

from generations.models import EngineLimit, Job, JobState, Project, ProviderAccount, User
from generations.models.runs import ACTIVE
from generations.services.jobs.ahead import Ahead
from generations.services.jobs.durations import left_s
from generations.services.jobs.forecast import AT_WORK
from generations.services.jobs.pauses import Pause

S = JobState
MINE = 100


@dataclass(frozen=True, slots=True)
class Mine:
    """One of the person's own jobs. `place` counts from 1, 0 when it is not in line.

    `seconds` is roughly how long it takes until it is done, None when nobody can say.
    """

    job: Job
    place: int
    seconds: int | None
    foremost: bool
    at_once: int

    @property
    def ahead(self) -> int:
        return max(0, self.place - 1)

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
    """How full an account is, and what holds it up: of its engines those with limits of their own."""

    account: ProviderAccount
    waiting: int
    working: int
    engines: list[EngineLimit]
    pause: Pause | None
    cools: datetime | None


@dataclass(frozen=True, slots=True)
class Flight:
    mine: list[Mine]
    more: int
    my_waiting: int
    others: list[Other]
    lines: list[Line]
    ahead: Ahead


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
    jobs, ahead = _my_jobs(user), Ahead()
    return Flight(
        mine=_mine(jobs, ahead),
        more=sum(each.jobs for each in own) - len(jobs),
        my_waiting=sum(each.jobs for each in own if each.waits),
        others=_others(user, [each for each in counts if each not in own], set(shown)),
        lines=_lines(counts, ahead),
        ahead=ahead,
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


def _mine(jobs: list[Job], ahead: Ahead) -> list[Mine]:
    now = timezone.now()
    found: list[Mine] = []
    seen: set[int] = set()
    for job in jobs:
        before = ahead.of(job)
        place = 0 if before is None else before + 1
        seconds = ahead.seconds(job)
        if job.state in AT_WORK:
            started = job.sent_at or job.accepted_at or now
            seconds = left_s(job, (now - started).total_seconds())
        first = place > 0 and job.account_id not in seen
        whole = round(seconds) if seconds else None
        found.append(Mine(job, place, whole, first, ahead.at_once(job)))
        seen |= {job.account_id} if place else set()
    return found


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


def _lines(counts: list[_Count], ahead: Ahead) -> list[Line]:
    accounts = ProviderAccount.objects.filter(pk__in={each.account for each in counts})
    now = timezone.now()
    return [
        Line(
            account,
            sum(each.jobs for each in counts if each.account == account.pk and each.waits),
            sum(each.jobs for each in counts if each.account == account.pk and not each.waits),
            list(account.engine_limits.all()),
            ahead.pause(account.pk),
            account.cool_until if account.cools(now) else None,
        )
        for account in accounts.prefetch_related("engine_limits").order_by("pk")
    ]
