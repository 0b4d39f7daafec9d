"""The lease on an account: one driver at a time, fenced by an epoch."""

from __future__ import annotations

import os
import socket
import time
from dataclasses import dataclass, field
from datetime import timedelta

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from generations.models import DriverLease, Job, JobState, ProviderAccount


def identity() -> str:
    """Who is asking: host, process and start, so that a recycled pid is somebody else."""
    return f"{socket.gethostname()[:40]}:{os.getpid()}:{time.monotonic_ns() // 1_000_000}"


@dataclass(slots=True)
class Lease:
    """A lease that was won. Times are monotonic seconds; `valid` is asked right before each send."""

    account: ProviderAccount
    owner: str
    epoch: int
    ttl_s: float
    renew_s: float
    renewed_at: float = field(default_factory=time.monotonic)

    def valid(self) -> bool:
        """False once the lease could have run out for others, a margin of a tenth included."""
        return time.monotonic() - self.renewed_at < 0.9 * self.ttl_s

    def due(self) -> bool:
        return time.monotonic() - self.renewed_at >= self.renew_s

    def renew(self, in_flight: int) -> bool:
        """Prolong the lease and those of the jobs being sent; False when another took over."""
        now, moment = timezone.now(), time.monotonic()
        until = now + timedelta(seconds=self.ttl_s)
        with transaction.atomic():
            kept = DriverLease.objects.filter(account=self.account, epoch=self.epoch).update(
                expires_at=until, heartbeat_at=now, in_flight=in_flight
            )
            if kept:
                Job.objects.filter(
                    account=self.account, lease_epoch=self.epoch, state=JobState.SUBMITTING
                ).update(lease_expires_at=until)
        if kept:
            self.renewed_at = moment
        return bool(kept)

    def release(self) -> None:
        """Let the successor in at once instead of after the expiry."""
        DriverLease.objects.filter(account=self.account, epoch=self.epoch).update(
            expires_at=timezone.now(), owner="", in_flight=0
        )


def take(account: ProviderAccount) -> Lease | None:
    """Win the account's lease under a new epoch, or None while somebody holds it."""
    DriverLease.objects.get_or_create(account=account)
    ttl, renew = settings.ENGINE["lease_s"], settings.ENGINE["renew_s"]
    moment, now = time.monotonic(), timezone.now()
    row = DriverLease.objects.get(account=account)
    owner, epoch = identity(), row.epoch + 1
    free = Q(expires_at=None) | Q(expires_at__lte=now)
    won = DriverLease.objects.filter(free, account=account, epoch=row.epoch).update(
        owner=owner, epoch=epoch, expires_at=now + timedelta(seconds=ttl), heartbeat_at=now
    )
    return Lease(account, owner, epoch, ttl, renew, moment) if won else None
