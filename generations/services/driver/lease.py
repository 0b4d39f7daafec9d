"""The lease on an account: one driver at a time, fenced by an epoch."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Collection
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.utils import timezone

from generations.models import DriverLease, Job, JobState, ProviderAccount


@cache
def _place() -> str:
    """Where a process number means one process: this boot of this kernel, and the container in it."""
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii")[:8]
        return f"{boot}-{Path('/proc/self/ns/pid').stat().st_ino}"
    except OSError:
        return ""  # not Linux


def identity() -> str:
    """Who is asking: host, place, process and start, so that a recycled pid is somebody else."""
    where = f"{socket.gethostname()[:24]}:{_place()}"
    return f"{where}:{os.getpid()}:{time.monotonic_ns() // 1_000_000}"


def gone(owner: str) -> bool:
    """Whether the process that took a lease under this name is surely dead: only one of here can be."""
    try:
        _host, place, pid, _started = owner.rsplit(":", 3)
        if place and place == _place():
            os.kill(int(pid), 0)
    except ProcessLookupError:
        return True
    except (OSError, ValueError):
        return False
    return False


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

    def renew_jobs(self, ids: Collection[int]) -> None:
        """Prolong the leases of jobs whose calls outlive this driver's turn."""
        until = timezone.now() + timedelta(seconds=self.ttl_s)
        rows = Job.objects.filter(pk__in=ids, lease_epoch=self.epoch, state=JobState.SUBMITTING)
        rows.update(lease_expires_at=until)
        self.renewed_at = time.monotonic()

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
