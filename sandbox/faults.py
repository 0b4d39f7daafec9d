"""Faults that are injected on purpose: which kinds exist, and when one strikes."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable, Mapping

# Decided before the signature is looked at; drop_before even before the body is read.
SUBMIT_EARLY = ("drop_before", "429", "500", "502html")
# Decided after signature and parameters were found right, before anything is accepted.
SUBMIT_LATE = ("50429", "50430")
# Decided after the task and its ledger line exist.
SUBMIT_ACCEPTED = ("drop_after",)
POLL = ("poll_drop", "poll_500", "poll_502html")
# A good request, and an answer that says something else than the task's state.
POLL_WORDS = ("poll_not_found", "poll_expired", "poll_50215", "poll_done_error")
_FILE_BYTES = ("file_truncate", "file_wrong", "file_huge", "file_slow")
FILE = ("file_404", "file_500", "file_redirect", *_FILE_BYTES)
# A good answer that suffers on its way back, on submit and on get result.
ON_THE_WAY = ("delay", "truncated", "text", "slow")
SUBMIT_WAY = ON_THE_WAY
POLL_WAY = tuple(f"poll_{kind}" for kind in ON_THE_WAY)
# Only on Ark: found after the run, and how an error is told.
ARK = ("late_500", "flat", "as_200")
# What may be wrong with an account, whatever it asks: looked at after its key and signature were found right.
ACCOUNT = ("not_opened", "no_permission", "stranger")
_ON_SUBMIT = (*SUBMIT_EARLY, *SUBMIT_LATE, *SUBMIT_ACCEPTED, *SUBMIT_WAY)
KINDS = frozenset((*_ON_SUBMIT, *POLL, *POLL_WORDS, *POLL_WAY, *FILE))


def check_rates(rates: Mapping[str, object]) -> dict[str, float]:
    """Return ``rates`` as floats.

    Raises ValueError for an unknown kind or a probability outside [0, 1].
    """
    checked: dict[str, float] = {}
    for kind, value in rates.items():
        if kind not in KINDS and kind not in ARK and kind not in ACCOUNT:
            known = ", ".join(sorted({*KINDS, *ARK, *ACCOUNT}))
            raise ValueError(f"unknown fault {kind!r}; known: {known}")
        if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= 1:
            raise ValueError(f"the probability of {kind} must be a number from 0 to 1")
        checked[kind] = float(value)
    return checked


def parse_faults(text: str) -> dict[str, float]:
    """Parse ``kind=probability,…``. Raises ValueError with one sentence when it is not that."""
    rates: dict[str, float] = {}
    for part in filter(None, (piece.strip() for piece in text.split(","))):
        kind, equals, value = part.partition("=")
        try:
            rates[kind.strip()] = float(value) if equals else 1.0
        except ValueError:
            raise ValueError(f"{part!r} is not kind=probability") from None
    return check_rates(rates)


class Faults:
    """Decides, repeatably for one seed, whether a kind strikes at its n-th chance."""

    def __init__(self, rates: Mapping[str, float], seed: int) -> None:
        self.rates = dict(rates)
        self.struck: Counter[str] = Counter()
        self._seed = seed
        self._chances: Counter[str] = Counter()
        self._owed: Counter[str] = Counter()

    def owe(self, counts: Mapping[str, int]) -> None:
        """Make the next ``counts[kind]`` chances of each kind strike for certain, whatever its
        rate.
        """
        self._owed = Counter({kind: count for kind, count in counts.items() if count > 0})

    def owed(self) -> dict[str, int]:
        """Return how many certain strikes are left, by kind."""
        return dict(+self._owed)

    def strikes(self, kind: str) -> bool:
        """Return whether ``kind`` strikes now, and count it when it does."""
        self._chances[kind] += 1
        if not self._owed[kind] and not self._drawn(kind):
            return False
        self._owed[kind] = max(0, self._owed[kind] - 1)
        self.struck[kind] += 1
        return True

    def first(self, kinds: Iterable[str]) -> str | None:
        """Return the first of ``kinds`` that strikes, or None."""
        return next((kind for kind in kinds if self.strikes(kind)), None)

    def _drawn(self, kind: str) -> bool:
        rate = self.rates.get(kind, 0.0)
        if rate <= 0:
            return False
        return random.Random(f"{self._seed}:{kind}:{self._chances[kind]}").random() < rate
