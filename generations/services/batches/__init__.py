"""Many prompts at once: reading a list, making a batch of it, and giving orders about one."""

from __future__ import annotations

from generations.services.batches.lines import MAX_LINES, Draft, Line, plan
from generations.services.batches.orders import (
    Ordered,
    cancel_waiting,
    event_name,
    feed,
    idle,
    pause,
    resume,
    retry_failed,
    start,
)
from generations.services.batches.progress import Entry, Progress, entries, progress, recent

__all__ = [
    "MAX_LINES",
    "Draft",
    "Entry",
    "Line",
    "Ordered",
    "Progress",
    "cancel_waiting",
    "entries",
    "event_name",
    "feed",
    "idle",
    "pause",
    "plan",
    "progress",
    "recent",
    "resume",
    "retry_failed",
    "start",
]
