"""Waiting before the next try."""

from __future__ import annotations

import random

_rng = random.SystemRandom()


def retry_interval(failures: int, longest_s: float = 30.0) -> float:
    """2, 4, 8 … `longest_s` seconds, jittered: after a poll, a download or a connection that failed."""
    return min(longest_s, 2.0 ** min(failures, 10)) * _rng.uniform(0.75, 1.25)
