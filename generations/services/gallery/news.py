"""What of a person's own runs came to an end while they were not looking."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.db.models import QuerySet
from django.utils import timezone

from generations.models import Generation, User

LIMIT = 20
# Whatever ends, ends within hours: runs asked for longer before are not looked through.
HORIZON, TAKES = timedelta(days=14), timedelta(days=2)


def finished(*, user: User, since: datetime | None = None) -> QuerySet[Generation]:
    """The person's ended runs in projects they still belong to, the latest first."""
    horizon = timezone.now() - HORIZON
    rows = Generation.objects.visible_to(user).filter(user=user, finished_at__isnull=False)
    if since is not None:
        horizon = max(horizon, since - TAKES)
        rows = rows.filter(finished_at__gt=since)
    rows = rows.filter(created_at__gt=horizon)
    return rows.order_by("-finished_at", "-id")


def newest(*, user: User) -> list[Generation]:
    """What the bell shows, with everything a row needs in a fixed number of queries."""
    rows = finished(user=user).select_related("project", "batch")
    return list(rows.prefetch_related("jobs__assets", "jobs__account")[:LIMIT])


def unread(*, user: User) -> int:
    """How many ended since the bell was last opened; LIMIT stands for that many or more."""
    return finished(user=user, since=user.news_seen_at)[:LIMIT].count()


def under_way(*, user: User) -> bool:
    rows = Generation.objects.visible_to(user).filter(user=user, state=Generation.State.ACTIVE)
    return rows.filter(created_at__gt=timezone.now() - HORIZON).exists()


def mark_seen(*, user: User, until: datetime) -> None:
    """Everything up to a moment was looked at; never back, and never past now."""
    moment = min(until, timezone.now())
    User.objects.filter(pk=user.pk, news_seen_at__lt=moment).update(news_seen_at=moment)
