"""The outbox: rows from which a browser can catch up."""

from __future__ import annotations

from django.db import models
from django.utils import timezone

from generations.models.projects import Project


class Event(models.Model):
    """Something visible changed. Written last in the transaction that changed it.

    `name` is what a page listens for: `g-<generation public_id>` for one card,
    `new` for a generation that no card shows yet.
    """

    project = models.ForeignKey(Project, models.CASCADE, related_name="events")
    name = models.CharField(max_length=60)
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        indexes = [models.Index(fields=["project", "id"], name="event_cursor")]

    def __str__(self) -> str:
        return f"{self.pk} {self.name}"
