"""Which queued jobs go next, and the two short transactions before each is sent."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

from django.db import transaction
from django.db.models import Q, QuerySet
from django.utils import timezone

from generations.models import Job, JobState, ProviderAccount, Submission
from generations.providers.base import Call
from generations.services import jobs
from generations.services.driver.lease import Lease


def say_no_key(account: ProviderAccount) -> None:
    """Tell the cards of queued jobs why they wait."""
    rows = Job.objects.filter(account=account, state=JobState.QUEUED).exclude(reason="no_key")
    touched = list(rows.values_list("generation_id", flat=True).distinct()[:500])
    if touched:
        with transaction.atomic():
            rows.update(reason="no_key")
            jobs.touch(touched)


def attention(lease: Lease) -> bool:
    """Five times a second: is there anything for this driver to do?

    One state a question: the index holds account and state, and finished jobs are never looked at.
    """
    now = timezone.now()
    asked = Q(cancel_asked_at__isnull=False, cancel_refused=False)
    running = lease_jobs(lease).filter(state=JobState.RUNNING)
    if running.filter(asked | ~Q(lease_epoch=lease.epoch)).exists():
        return True
    queued = lease_jobs(lease).filter(state=JobState.QUEUED)
    ready = Q(not_before=None) | Q(not_before__lte=now)
    if jobs.not_paused(queued.filter(ready)).exists():
        return True
    return queued.filter(cancel_asked_at__isnull=False).exists()


def lease_jobs(lease: Lease) -> QuerySet[Job]:
    return Job.objects.filter(account=lease.account)


def adopt(lease: Lease) -> list[Job]:
    """Put this driver's epoch on every running job of the account: older drivers are fenced off."""
    foreign = lease_jobs(lease).filter(state=JobState.RUNNING).exclude(lease_epoch=lease.epoch)
    ids = list(foreign.values_list("pk", flat=True))
    if not ids:
        return []
    lease_jobs(lease).filter(pk__in=ids, state=JobState.RUNNING).update(
        lease_epoch=lease.epoch, lease_owner=lease.owner
    )
    return list(
        Job.objects.filter(pk__in=ids, lease_epoch=lease.epoch).select_related("generation")
    )


def cancel_waiting(lease: Lease) -> None:
    """Take jobs out of the queue whose cancel was asked for in the moment they were claimed."""
    rows = lease_jobs(lease).filter(
        jobs.free_lease(), state=JobState.QUEUED, cancel_asked_at__isnull=False
    )
    changes = [jobs.Change(job, (JobState.QUEUED,), JobState.CANCELLED) for job in rows[:100]]
    if changes:
        jobs.apply(changes)


def claim(lease: Lease, slots: int, held: Counter[int]) -> list[Job]:
    """Lease up to `slots` queued jobs, round-robin between people inside a priority class.

    `held` counts what each person already has in flight. The WHERE demands queued, no live lease
    and a batch that is not paused, and the row count says what was won.
    """
    now = timezone.now()
    ready = Q(not_before=None) | Q(not_before__lte=now)
    rows = lease_jobs(lease).filter(ready, jobs.free_lease(), state=JobState.QUEUED)
    line = jobs.places(jobs.not_paused(rows.filter(cancel_asked_at=None)), slots)
    fair = jobs.claim_order(line[: 50 * slots], held)
    ids = [place.pk for place in fair[:slots]]
    if not ids:
        return []
    free = Job.objects.filter(jobs.free_lease(), pk__in=ids, state=JobState.QUEUED)
    free.update(
        lease_owner=lease.owner,
        lease_epoch=lease.epoch,
        lease_expires_at=now + timedelta(seconds=lease.ttl_s),
    )
    won = Job.objects.filter(pk__in=ids, lease_epoch=lease.epoch, lease_owner=lease.owner)
    return list(won.select_related("generation"))


def begin(lease: Lease, claimed: list[tuple[Job, Call]]) -> list[tuple[Job, Call, Submission]]:
    """Commit SUBMITTING and a Submission for each job; only these may be sent."""
    now = timezone.now()
    with transaction.atomic():
        won = jobs.apply(
            [
                jobs.Change(
                    job,
                    (JobState.QUEUED,),
                    JobState.SUBMITTING,
                    {"sent_at": now, "reason": ""},
                    epoch=lease.epoch,
                    condition=Q(cancel_asked_at=None, lease_owner=lease.owner),
                )
                for job, _call in claimed
            ]
        )
        started = [pair for pair, ok in zip(claimed, won, strict=True) if ok]
        lost = [job.pk for (job, _call), ok in zip(claimed, won, strict=True) if not ok]
        Job.objects.filter(pk__in=lost, state=JobState.QUEUED, lease_epoch=lease.epoch).update(
            lease_owner="", lease_expires_at=None
        )
        submissions = [
            Submission.objects.create(
                job=job, round=job.round, body_sha256=call.body_sha256, sent_at=now
            )
            for job, call in started
        ]
    return [(job, call, row) for (job, call), row in zip(started, submissions, strict=True)]
