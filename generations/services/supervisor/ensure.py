"""What a crash leaves behind, found and put right: run every few seconds, safe to run twice.

Nothing here talks to a provider, and nothing here ever sends a job again.
"""

from __future__ import annotations

import logging
import shutil
import time
from datetime import timedelta
from pathlib import Path

from django.conf import settings
from django.db import transaction
from django.db.models import Case, F, Q, Value, When
from django.utils import timezone

from generations.models import (
    Blob,
    DriverLease,
    Job,
    JobState,
    Outcome,
    ProviderAccount,
    Submission,
)
from generations.services import accounts, batches, crash, events, jobs, queue
from generations.services.driver import lease
from generations.services.gallery import trash
from generations.services.jobs import parts
from generations.services.library import lent

log = logging.getLogger(__name__)
S = JobState
BATCH = 200
STALE_TEMP_S = 3600
UNREFERENCED = timedelta(hours=24)


def ensure() -> None:
    """One round: drivers, expired leases, deadlines, stuck collects, pictures of calls that broke off,
    batches left half fed.
    """
    drivers()
    lost_answers()
    deadlines()
    stuck_collects()
    parts.ask_for_missing()
    half_fed()


def drivers() -> None:
    """Ask for a driver for every account in use that has none."""
    now = timezone.now()
    for held in DriverLease.objects.filter(expires_at__gt=now).exclude(owner=""):
        if lease.gone(held.owner):  # its work need not wait until it would have been missed
            rows = DriverLease.objects.filter(pk=held.pk, epoch=held.epoch, owner=held.owner)
            rows.update(expires_at=now, owner="")
    alive = DriverLease.objects.filter(expires_at__gt=now).values("account_id")
    under_way = Job.objects.filter(state=S.RUNNING).values("account_id")
    wanted = ProviderAccount.objects.filter(Q(enabled=True) | Q(pk__in=under_way))
    for account in wanted.exclude(pk__in=alive):
        waiting = Job.objects.filter(account=account, state=S.QUEUED).exclude(reason="no_key")
        if accounts.credentials_for(account) or waiting.exists():
            queue.drive(account.pk)


def lost_answers() -> int:
    """SUBMITTING without a live lease: its sender died, so the outcome is unknown."""
    expired = Job.objects.filter(state=S.SUBMITTING, lease_expires_at__lt=timezone.now())
    return sum(_lost(job) for job in expired[:BATCH])


def _lost(job: Job) -> bool:
    fields = {
        "reason": "lost_answer",
        "lease_owner": "",
        "lease_expires_at": None,
        "finished_at": timezone.now(),
    }
    after, outcome = S.UNCERTAIN, Outcome.UNKNOWN
    if crash.unsafe_requeue():  # the negative control: this sends again what may have been accepted
        after, outcome = S.QUEUED, Outcome.REJECTED
    change = jobs.Change(
        job,
        (S.SUBMITTING,),
        after,
        fields,
        epoch=job.lease_epoch,
        condition=Q(lease_expires_at__lt=timezone.now()),
    )
    with transaction.atomic():
        events.in_order()
        won = jobs.apply([change])[0]
        if won:
            pending = Submission.objects.filter(job=job, outcome=Outcome.PENDING)
            pending.update(outcome=outcome)
    return won


def deadlines() -> None:
    """Running past its deadline: the provider has forgotten it by now, and may have charged for it."""
    late = Job.objects.filter(state=S.RUNNING, deadline_at__lt=timezone.now())[:BATCH]
    fields = {"reason": "deadline"}
    changes = [
        jobs.Change(job, (S.RUNNING,), S.EXPIRED, fields, delivered=job.max_outputs) for job in late
    ]
    if changes:
        jobs.apply(changes)


def stuck_collects() -> None:
    """Finished at the provider, and nobody is fetching it: send another message."""
    now = timezone.now()
    due = Q(not_before=None) | Q(not_before__lte=now)
    rows = Job.objects.filter(due, jobs.free_lease(), state=S.COLLECTING)
    for pk in list(rows.values_list("pk", flat=True)[:BATCH]):
        if queue.full(queue.MEDIA):
            return  # what waits there has been asked for already
        with transaction.atomic():
            # A job that failed before keeps its time, or its own message would find it too early.
            later = Case(
                When(tries=0, then=Value(now + jobs.collect_grace())), default=F("not_before")
            )
            if rows.filter(pk=pk).update(not_before=later):
                queue.finish(pk)


def half_fed() -> None:
    """Lines of batches that wait for nothing but a message that was lost: send another."""
    for pk in batches.idle():
        if not queue.full(queue.DRIVE):
            queue.feed(pk)


def sweep_files() -> None:
    """Forget old events, half-written temporary files and bytes that no row uses. Rows go first."""
    events.prune()
    trash.sweep()
    horizon = time.time() - STALE_TEMP_S
    for path in settings.TEMP_ROOT.glob("*") if settings.TEMP_ROOT.exists() else ():
        _unlink_older(path, horizon)
    unused = Blob.objects.filter(
        uses=0,
        created_at__lt=timezone.now() - UNREFERENCED,
        assets=None,
        references=None,
        renditions=None,
    )
    for blob in list(unused[:BATCH]):
        path = settings.MEDIA_ROOT / blob.name  # named by its key, which deleting takes from it
        blob.delete()
        path.unlink(missing_ok=True)
    _sweep_unknown()
    lent.sweep()


def _sweep_unknown() -> None:
    """Bytes whose row was never written: the process died between the two."""
    horizon = time.time() - UNREFERENCED.total_seconds()
    for folder in settings.MEDIA_ROOT.glob("??") if settings.MEDIA_ROOT.exists() else ():
        names = {path.name: path for path in folder.iterdir()}
        known = Blob.objects.filter(pk__in=names).values_list("pk", flat=True)
        for name in names.keys() - set(known):
            _unlink_older(names[name], horizon)


def _unlink_older(path: Path, horizon: float) -> None:
    try:
        if path.stat().st_mtime >= horizon:
            return
        shutil.rmtree(path) if path.is_dir() else path.unlink()
    except FileNotFoundError:
        return  # its owner was faster
