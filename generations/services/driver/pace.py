"""How fast one account may be used, and how often its jobs are asked after."""

from __future__ import annotations

import random
import time
from datetime import timedelta

from django.conf import settings
from django.db.models import F
from django.utils import timezone

from generations.models import Generation, Job, JobState, ProviderAccount
from generations.providers import catalog
from generations.services import jobs

_rng = random.SystemRandom()
GOOD_BEFORE_RISE = 10


def poll_interval(elapsed_s: float) -> float:
    """A tenth of the time already waited, between half a second and five, jittered by a tenth."""
    return min(5.0, max(0.5, 0.1 * elapsed_s)) * _rng.uniform(0.9, 1.1)


def median_latency(engine: catalog.Engine) -> float:
    """Seconds from accepted to answered: the median of the last 21 runs, else the catalogue's."""
    rows = Job.objects.filter(
        state=JobState.SUCCEEDED, generation__engine=engine.slug, answered_at__isnull=False
    ).order_by("-id")
    pairs = rows.values_list("accepted_at", "answered_at")[:21]
    spans = sorted((end - start).total_seconds() for start, end in pairs if start and end)
    return spans[len(spans) // 2] if len(spans) >= 5 else engine.typical_latency_s


class Pace:
    """Token bucket, concurrency and back-off of one account, held in memory by its driver."""

    def __init__(self, account: ProviderAccount) -> None:
        self.account = account
        self.allowed = account.max_concurrent
        self.good = 0
        self.tokens = 1.0
        self.filled_at = time.monotonic()

    def slots(self, in_flight: int) -> int:
        """How many jobs may be sent right now."""
        cool = self.account.cool_until
        if cool and cool > timezone.now():
            return 0
        now = time.monotonic()
        rate = self.account.rate_per_s
        burst = max(1.0, rate)
        self.tokens = min(burst, self.tokens + (now - self.filled_at) * rate)
        self.filled_at = now
        return max(0, min(self.allowed - in_flight, int(self.tokens)))

    def spend(self, sent: int) -> None:
        self.tokens -= sent

    def accepted(self) -> None:
        """Ten good submissions in a row give one slot back; the first ends the back-off."""
        self.good += 1
        if self.good % GOOD_BEFORE_RISE == 0:
            self.allowed = min(self.account.max_concurrent, self.allowed + 1)
        if self.account.strikes:
            self.account.strikes = 0
            ProviderAccount.objects.filter(pk=self.account.pk).update(strikes=0, cool_until=None)

    def throttled(self, retry_after: float | None) -> None:
        """Halve the concurrency and stop sending for a while, longer each time."""
        self.good = 0
        self.allowed = max(1, self.allowed // 2)
        self.account.strikes += 1
        wait = min(60.0, 2.0 ** min(self.account.strikes, 6)) * _rng.uniform(0.5, 1.5)
        wait *= settings.ENGINE["patience"]
        self.account.cool_until = timezone.now() + timedelta(seconds=max(wait, retry_after or 0))
        ProviderAccount.objects.filter(pk=self.account.pk).update(
            strikes=F("strikes") + 1, cool_until=self.account.cool_until
        )

    def unreachable(self, is_so: bool) -> None:
        """Note since when the provider cannot be reached; every waiting card says so."""
        if bool(self.account.unreachable_since) == is_so:
            return
        self.account.unreachable_since = timezone.now() if is_so else None
        ProviderAccount.objects.filter(pk=self.account.pk).update(
            unreachable_since=self.account.unreachable_since
        )
        waiting = Generation.objects.filter(
            state=Generation.State.ACTIVE, jobs__account=self.account
        )
        jobs.touch(waiting.values_list("pk", flat=True).distinct()[:500])
