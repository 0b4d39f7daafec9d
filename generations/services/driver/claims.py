"""Which queued jobs go next, and the two short transactions before each is sent."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from datetime import timedelta

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone

from generations.models import Job, JobState, ProviderAccount, Submission
from generations.providers.base import Call
from generations.services import jobs
from generations.services.driver.lease import Lease

# Everybody's first turn is looked at, however few slots are free.
PEOPLE = 1000
# A driver that has room looks five times in this.
WAITED = timedelta(seconds=1)


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


def sent_by_others(lease: Lease) -> list[tuple[int, str]]:
    """Person and engine of what drivers before this one still wait for an answer on: the provider
    may hold it by now, and synchronous calls outlive the slice that sent them.
    """
    sending = lease_jobs(lease).filter(state=JobState.SUBMITTING)
    others = sending.exclude(lease_epoch=lease.epoch)
    return list(others.values_list("user_id", "generation__engine"))


def claim(
    lease: Lease, slots: int, held: Counter[int], rooms: Mapping[str, int] | None = None
) -> list[Job]:
    """Lease up to `slots` queued jobs, round-robin between people inside a priority class.

    `held` counts what each person already has in flight; `rooms` says how many more of an engine
    may go, where that is limited. The WHERE demands queued, no live lease and a batch that is not
    paused, and the row count says what was won.
    """
    rows = lease_jobs(lease)
    ids = _suspect_alone(_next(lease, rows, slots, held, rooms or {}))
    return _lease(lease, rows, ids) if ids else []


def _movable(lease: Lease, siblings: list[int]) -> QuerySet[Job]:
    """Jobs that wait at another account of the provider, although a driver with room would have
    taken them by now. Only what was never sent: from then on a job keeps its account.
    """
    never_sent = {"round": 1, "tries": 0, "remote_id": "", "sent_at": None}
    since = timezone.now() - WAITED
    return Job.objects.filter(
        account_id__in=siblings, state=JobState.QUEUED, queued_at__lt=since, **never_sent
    )


def wait_elsewhere(lease: Lease, siblings: list[int]) -> bool:
    return bool(siblings) and _movable(lease, siblings).filter(jobs.free_lease()).exists()


def take_over(
    lease: Lease,
    slots: int,
    held: Counter[int],
    rooms: Mapping[str, int],
    siblings: list[int],
) -> list[Job]:
    """Claim jobs that wait at another account, which makes them this account's."""
    rows = _movable(lease, siblings)
    allowed = rows
    if lease.account.projects.exists():
        allowed = rows.filter(generation__project__in=lease.account.projects.all())
    ids = _suspect_alone(_next(lease, allowed.filter(submissions=None), slots, held, rooms))
    return _lease(lease, rows, ids, account=lease.account) if ids else []


def _lease(lease: Lease, rows: QuerySet[Job], ids: list[int], **more: object) -> list[Job]:
    """Every condition stands on the row itself: a database that waits for it looks at it again."""
    free = rows.filter(jobs.free_lease(), pk__in=ids, state=JobState.QUEUED)
    free.update(
        lease_owner=lease.owner,
        lease_epoch=lease.epoch,
        lease_expires_at=timezone.now() + timedelta(seconds=lease.ttl_s),
        crashes=F("crashes") + 1,  # taken back once it is safely put together
        **more,
    )
    won = lease_jobs(lease).filter(
        pk__in=ids, lease_epoch=lease.epoch, lease_owner=lease.owner, state=JobState.QUEUED
    )
    return list(won.select_related("generation"))


def _next(
    lease: Lease,
    rows: QuerySet[Job],
    slots: int,
    held: Counter[int],
    rooms: Mapping[str, int],
) -> list[int]:
    """The jobs whose turn it is. An engine without room holds up nobody who waits for another."""
    ready = Q(not_before=None) | Q(not_before__lte=timezone.now())
    rows = rows.filter(ready, jobs.free_lease(), state=JobState.QUEUED)
    full = [slug for slug, room in rooms.items() if room <= 0]
    rows = rows.filter(cancel_asked_at=None).exclude(generation__engine__in=full)
    line = jobs.places(jobs.not_paused(rows), slots)[: max(PEOPLE, 50 * slots)]
    fair = jobs.claim_order(line, held, jobs.served(lease.account.pk))
    if not rooms:
        return [place.pk for place in fair[:slots]]
    engines = dict(
        Job.objects.filter(pk__in=[each.pk for each in fair]).values_list(
            "pk", "generation__engine"
        )
    )
    left, found = dict(rooms), list[int]()
    for place in fair:
        engine = engines.get(place.pk, "")
        if len(found) < slots and left.get(engine, 1) > 0:
            found.append(place.pk)
            if engine in left:
                left[engine] -= 1
    return found


def put_back(lease: Lease, ids: list[int]) -> None:
    """Free what this driver claimed and will not send."""
    mine = lease_jobs(lease).filter(pk__in=ids, state=JobState.QUEUED, lease_epoch=lease.epoch)
    mine.update(lease_owner="", lease_expires_at=None, crashes=0)


def _suspect_alone(ids: list[int]) -> list[int]:
    """A job whose driver died over it goes alone, so that the others are not blamed with it.

    After the third time it is set aside, unsent.
    """
    suspects = list(Job.objects.filter(pk__in=ids, crashes__gt=0).order_by("crashes", "pk"))
    poison = [job for job in suspects if job.crashes >= jobs.changes.POISON_AFTER]
    if poison:
        fields = {"reason": "poison", "crashes": 0}
        jobs.apply(
            [jobs.Change(job, (JobState.QUEUED,), JobState.FAILED, fields) for job in poison]
        )
    gone = {job.pk for job in poison}
    alone = [job.pk for job in suspects if job.pk not in gone][:1]
    return alone or [pk for pk in ids if pk not in gone]


def begin(lease: Lease, claimed: list[tuple[Job, Call]]) -> list[tuple[Job, Call, Submission]]:
    """Commit SUBMITTING and a Submission for each job; only these may be sent.

    A pause is looked for in the same transaction: what was claimed under it goes back in line.
    """
    now = timezone.now()
    with transaction.atomic():
        if jobs.held_back(lease.account.pk):
            put_back(lease, [job.pk for job, _call in claimed])
            return []
        won = jobs.apply(
            [
                jobs.Change(
                    job,
                    (JobState.QUEUED,),
                    JobState.SUBMITTING,
                    {"sent_at": now, "reason": "", "crashes": 0},
                    epoch=lease.epoch,
                    condition=Q(cancel_asked_at=None, lease_owner=lease.owner),
                )
                for job, _call in claimed
            ]
        )
        started = [pair for pair, ok in zip(claimed, won, strict=True) if ok]
        lost = [job.pk for (job, _call), ok in zip(claimed, won, strict=True) if not ok]
        put_back(lease, lost)
        submissions = Submission.objects.bulk_create(
            Submission(
                job=job,
                round=job.round,
                body_sha256=call.body_sha256,
                model_id=call.model_id,
                sent_at=now,
            )
            for job, call in started
        )
    return [(job, call, row) for (job, call), row in zip(started, submissions, strict=True)]
