"""How fast one account may be used, and how often its jobs are asked after."""

from __future__ import annotations

import random
import time
from collections import Counter
from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from generations.models import (
    EngineLimit,
    Generation,
    Limited,
    ProviderAccount,
    Submission,
)
from generations.services import jobs

_rng = random.SystemRandom()
# The most good answers that it takes until one more may be under way at once.
GOOD_BEFORE_RISE = 10
LOOKED_AT = 100


def poll_interval(elapsed_s: float) -> float:
    """A tenth of the time already waited, between half a second and five, jittered by a tenth."""
    return min(5.0, max(0.5, 0.1 * elapsed_s)) * _rng.uniform(0.9, 1.1)


class Gate:
    """Token bucket, concurrency and back-off of one row of limits.

    The bucket lives in memory. What the provider's refusals did is kept in the row, so that the next
    slice goes on from there and the pages can tell.
    """

    def __init__(self, row: Limited, last_sent: datetime | None) -> None:
        self.row = row
        self.good = 0
        # Submissions by number: the newest one, and the newest when a refusal was last counted.
        self.newest = self.counted = 0
        self.filled_at = time.monotonic()
        idle = (timezone.now() - last_sent).total_seconds() if last_sent else 1 / row.rate_per_s
        self.tokens = min(1.0, max(0.0, idle * row.rate_per_s))

    def room(self, in_flight: int) -> int:
        """How many jobs may be sent right now."""
        now = time.monotonic()
        rate = self.row.rate_per_s
        self.tokens = min(max(1.0, rate), self.tokens + (now - self.filled_at) * rate)
        self.filled_at = now
        if self.row.cools(timezone.now()):
            return 0
        return max(0, min(self.row.at_once - in_flight, int(self.tokens)))

    def spend(self, submission: int) -> None:
        self.tokens -= 1
        self.newest = max(self.newest, submission)

    def accepted(self, submission: int) -> bool:
        """The first one sent after a refusal ends the back-off (True). As many as there are slots, or
        ten, give one more back: few slots and slow models must recover within one driver's life.
        """
        if submission <= self.counted:
            return False  # it was on its way before we were asked to slow down
        ends = self.row.strikes > 0
        if ends:
            self._keep(strikes=0, cool_until=None)
        self.good += self.row.reduced_to is not None
        if self.good >= min(GOOD_BEFORE_RISE, self.row.at_once):
            self.good = 0
            more = self.row.at_once + 1
            self._keep(reduced_to=more if more < self.row.max_concurrent else None)
        return ends

    def throttled(self, submission: int, retry_after: float | None) -> bool:
        """Halve the concurrency and stop sending for a while, longer each time.

        What was sent together is refused together: that counts once. Whether the pause grew.
        """
        now = timezone.now()
        told = now + timedelta(seconds=retry_after) if retry_after else now
        if submission <= self.counted:
            longer = told > (self.row.cool_until or now)
            if longer:
                self._keep(cool_until=told)
            return longer
        self.good, self.counted = 0, max(self.newest, submission)
        strikes = self.row.strikes + 1
        wait = min(60.0, 2.0 ** min(strikes, 6)) * _rng.uniform(0.5, 1.5)
        until = now + timedelta(seconds=wait * settings.ENGINE["patience"])
        self._keep(
            strikes=strikes, reduced_to=max(1, self.row.at_once // 2), cool_until=max(until, told)
        )
        return True

    def _keep(self, **fields: object) -> None:
        for name, value in fields.items():
            setattr(self.row, name, value)
        type(self.row)._default_manager.filter(pk=self.row.pk).update(**fields)


class Pace:
    """The gates of one account: its own, and one for each engine that has limits of its own."""

    def __init__(self, account: ProviderAccount) -> None:
        self.account = account
        sent = _last_sent(account)
        self.gate = Gate(account, max(sent.values(), default=None))
        self.engines: dict[str, Gate] = {}
        self._sent = sent
        self.read()

    def read(self) -> None:
        """What an administrator has changed meanwhile."""
        rows = {row.engine: row for row in EngineLimit.objects.filter(account=self.account)}
        for slug in self.engines.keys() - rows:
            del self.engines[slug]
        for slug, row in rows.items():
            if slug in self.engines:
                self.engines[slug].row = row
            else:
                self.engines[slug] = Gate(row, self._sent.get(slug))

    def room(self, in_flight: int) -> int:
        """How many jobs of any engine may be sent right now."""
        return self.gate.room(in_flight)

    def rooms(self, in_flight: Counter[str]) -> dict[str, int]:
        """How many of each engine that has limits of its own."""
        return {slug: gate.room(in_flight[slug]) for slug, gate in self.engines.items()}

    def spend(self, engine: str, submission: int) -> None:
        for gate in self._concerned(engine):
            gate.spend(submission)

    def accepted(self, engine: str, submission: int) -> None:
        ended = [gate.accepted(submission) for gate in self._concerned(engine)]
        if any(ended):
            self.tell()

    def throttled(self, engine: str, submission: int, retry_after: float | None) -> None:
        """An engine with limits of its own answers for itself; the others go on."""
        if self._concerned(engine)[-1].throttled(submission, retry_after):
            self.tell()

    def _concerned(self, engine: str) -> list[Gate]:
        own = self.engines.get(engine)
        return [self.gate, own] if own else [self.gate]

    def tell(self) -> None:
        """Have the cards of what is under way say how the account stands now."""
        waiting = Generation.objects.filter(
            state=Generation.State.ACTIVE, jobs__account=self.account
        )
        jobs.touch(waiting.values_list("pk", flat=True).distinct()[:500])


def _last_sent(account: ProviderAccount) -> dict[str, datetime]:
    """When each engine was last sent something, as far as that still counts against a rate."""
    rows = Submission.objects.filter(job__account=account).order_by("-id")
    found: dict[str, datetime] = {}
    for engine, sent_at in rows.values_list("job__generation__engine", "sent_at")[:LOOKED_AT]:
        found.setdefault(engine, sent_at)
    return found
