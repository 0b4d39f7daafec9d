"""Can this installation do its work right now? A fixed handful of questions, answered in numbers."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import db
from django.conf import settings
from django.db import connection, transaction
from django.db.models import Min, Q, QuerySet
from django.utils import timezone

from generations.models import DriverLease, Job, JobState
from generations.services import disk, jobs

S = JobState
# Older than this, somebody should have come by: a lease and a few looks of the sweep.
LATE_S = 120.0
PATIENCE_MS = 2000


def readiness() -> dict[str, Any]:
    """`ok` and what it rests on; no names, no addresses, no keys."""
    found: dict[str, Any] = {"ok": False, "database": "failing"}
    found |= {"disk_free_bytes": disk.free(), "disk_floor_bytes": settings.DISK_FLOOR}
    try:
        _write()
        ages = _ages(timezone.now())
    except db.Error:
        return found
    late = any(age is not None and age > LATE_S for age in ages.values())
    return {**found, "ok": not (late or disk.low()), "database": "writes", **ages}


def driven() -> QuerySet[Job]:
    """Jobs that a living driver should be busy with: none for what is switched off or has no key."""
    queued = Q(state=S.QUEUED, account__enabled=True) & ~Q(reason="no_key")
    return Job.objects.filter(queued | Q(state=S.RUNNING)).order_by()


def _write() -> None:
    """Take the lock that a write takes, and change nothing."""
    sqlite = connection.vendor == "sqlite"
    if sqlite:
        _wait_at_most(PATIENCE_MS)
    try:
        with transaction.atomic():
            DriverLease.objects.filter(pk=-1).update(in_flight=0)
    finally:
        if sqlite:
            _wait_at_most(1000 * settings.DATABASES["default"]["OPTIONS"]["timeout"])


def _wait_at_most(milliseconds: int) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA busy_timeout={int(milliseconds)}")


def _ages(now: datetime) -> dict[str, float | None]:
    """Seconds; None where there is nothing to wait for."""
    working = Job.objects.filter(state=S.RUNNING).values("account_id")
    waiting = driven().values("account_id")
    beats = DriverLease.objects.filter(heartbeat_at__isnull=False)
    collects = Job.objects.filter(jobs.free_lease(), Q(not_before__lte=now), state=S.COLLECTING)
    return {
        "driver_heartbeat_age_s": _age(beats.filter(account_id__in=waiting), "heartbeat_at", now),
        "oldest_due_poll_s": _age(beats.filter(account_id__in=working), "heartbeat_at", now),
        "oldest_due_collect_s": _age(collects, "not_before", now),
    }


def _age(rows: Any, field: str, now: datetime) -> float | None:
    oldest = rows.aggregate(oldest=Min(field))["oldest"]
    return max(0.0, round((now - oldest).total_seconds(), 1)) if oldest else None
