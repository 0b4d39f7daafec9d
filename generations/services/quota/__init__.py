"""Allowances. This package is the only writer of Balance and LedgerEntry."""

from generations.services.quota.books import (
    OverLimit,
    binding,
    discrepancies,
    reserve,
    settle,
)
from generations.services.quota.grants import MOST_AT_ONCE, apply_limit, give_own, grant
from generations.services.quota.meters import NEAR, Meter, Usage, summary, usage
from generations.services.quota.periods import began_at, in_words, period_key, resets_at

__all__ = [
    "MOST_AT_ONCE",
    "NEAR",
    "Meter",
    "OverLimit",
    "Usage",
    "apply_limit",
    "began_at",
    "binding",
    "discrepancies",
    "give_own",
    "grant",
    "in_words",
    "period_key",
    "reserve",
    "resets_at",
    "settle",
    "summary",
    "usage",
]
