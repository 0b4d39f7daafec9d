"""The outbox: what changed, in an order in which a browser can catch up."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from django.db import connection
from django.utils import timezone

from generations.models import Event, Generation, Project

KEPT = timedelta(days=7)
# Any number, the same in every process: ids must commit in the order in which they are drawn.
_ADVISORY_LOCK = 6_414_001
# What web processes listen to on PostgreSQL (views/listening.py).
CHANNEL = "diptych_events"


def name_of(generation: Generation) -> str:
    """The event name that a generation's card listens for."""
    return f"g-{generation.public_id}"


def in_order() -> None:
    """The first statement of every transaction that will publish: one such at a time.

    On PostgreSQL ids are drawn before the commit, so two transactions could commit them out of
    order and a reader at the higher id would never see the lower one. Taken first, before any row,
    the lock also keeps those transactions from dead-locking over balances and from deriving a
    generation's state out of rows that another is just changing. SQLite's BEGIN IMMEDIATE is that.
    """
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [_ADVISORY_LOCK])


def publish(events: Iterable[tuple[int, str]]) -> None:
    """Insert (project id, name) pairs, last in the caller's transaction (see `in_order`)."""
    rows = [Event(project_id=project, name=name) for project, name in dict.fromkeys(events)]
    if not rows:
        return
    in_order()
    Event.objects.bulk_create(rows)
    _notify()


def _notify() -> None:
    """Wake whoever listens, at the commit; many in one transaction arrive as one."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_notify(%s, '')", [CHANNEL])


def latest_id(*, project: Project) -> int:
    """The cursor a page carries: everything up to here is already on it."""
    found = Event.objects.filter(project=project).order_by("-id").values_list("id", flat=True)
    return found.first() or 0


def prune() -> int:
    """Forget events older than a week; a page whose cursor is older is told to refresh."""
    deleted, _ = Event.objects.filter(created_at__lt=timezone.now() - KEPT).delete()
    return deleted
