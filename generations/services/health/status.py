"""What staff see at one look: accounts and their drivers, queues, what waits, what is at risk, the disk."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.db.models import Count, Min, Q, QuerySet
from django.utils import timezone

from generations.models import Episode, JobState, ProviderAccount
from generations.services import disk, jobs, queue

S = JobState


@dataclass(frozen=True, slots=True)
class Status:
    accounts: QuerySet[ProviderAccount]
    clusters: dict[str, int]
    at_risk: int
    not_archived: int
    uncertain: int
    disk_free: int
    disk_floor: int
    open: list[Episode]
    now: datetime


def status() -> Status:
    """A fixed number of queries, whatever there is."""
    now = timezone.now()
    accounts = ProviderAccount.objects.select_related("lease").annotate(
        waiting=Count("jobs", filter=Q(jobs__state=S.QUEUED)),
        working=Count("jobs", filter=Q(jobs__state__in=(S.SUBMITTING, S.RUNNING))),
        fetching=Count("jobs", filter=Q(jobs__state=S.COLLECTING)),
        unknown=Count("jobs", filter=Q(jobs__state=S.UNCERTAIN)),
        oldest=Min("jobs__queued_at", filter=Q(jobs__state=S.QUEUED)),
    )
    found = list(accounts)
    return Status(
        accounts=accounts,
        clusters=queue.waiting(),
        at_risk=jobs.at_risk(now).count(),
        not_archived=sum(getattr(each, "fetching") for each in found),  # noqa: B009 - annotated
        uncertain=sum(getattr(each, "unknown") for each in found),  # noqa: B009 - annotated
        disk_free=disk.free(),
        disk_floor=settings.DISK_FLOOR,
        open=list(Episode.objects.filter(closed_at=None)),
        now=now,
    )
