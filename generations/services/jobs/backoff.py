"""Waiting before the next try."""

from __future__ import annotations

import random
from datetime import timedelta

from django.conf import settings

_rng = random.SystemRandom()


def retry_interval(failures: int, longest_s: float = 30.0) -> float:
    """2, 4, 8 … `longest_s` seconds, jittered: after a poll, a download or a connection that failed."""
    wait = min(longest_s, 2.0 ** min(failures, 10))
    return float(wait * _rng.uniform(0.75, 1.25) * settings.ENGINE["patience"])


def collect_grace() -> timedelta:
    """How long a message to collect is given before it counts as lost: 60 s by default."""
    return timedelta(seconds=2 * settings.ENGINE["lease_s"])
