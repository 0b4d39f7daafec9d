"""Finishing a job: keep each of its pictures, then settle to what was delivered.

Runs as short steps on the media queue; each may die at any moment and is simply run again.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import random
import time
from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.db import DatabaseError
from django.db.models import F, Q
from django.utils import timezone

from generations.models import Job, JobState
from generations.providers import get_provider
from generations.providers.base import ProviderError, RemoteStatus
from generations.providers.labels import labels_of
from generations.services import accounts, crash, disk, outputs, queue
from generations.services.jobs import changes, parts
from generations.services.jobs.backoff import retry_interval
from generations.services.jobs.changes import Change, apply, free_lease, touch
from generations.services.jobs.shown import engine_of
from generations.services.outputs import NotKept, Source

log = logging.getLogger(__name__)
# A step stays short, so that a stop or a crash loses little; the rest is another message.
STEP_S = 20.0
LONGEST_WAIT_S = 300.0
# A file cut off on its way is whole the next time; one that is no picture never is.
MAX_BAD = 2
NEVER_BETTER = ("bad_output", "too_large")
# Failures of one address before the provider is asked for a fresh one.
STALE_AFTER = 2
# Fresh addresses that were dead at once before the picture is given up.
DEAD_AFTER = 8

# What the system says when there is no room: on the disk, in a quota, or under a limit.
FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)


class Later(Exception):
    """Not now: try the rest of the job again after a while."""


def finish(*, job_id: int, alive: Callable[[], None]) -> None:
    """Take a COLLECTING job one step on: until it has ended, or STEP_S seconds have passed.

    `alive` is called between pictures: a slow download is not a hung worker.
    """
    job = _claim(job_id)
    if job is None:
        return
    if job.crashes > changes.POISON_AFTER:
        _set_aside(job)
        return
    try:
        lost = _collect(job, time.monotonic() + STEP_S, alive)
    except Later as why:
        _postpone(job, str(why))
        return
    except DatabaseError:
        # It was not the job, and this process lives: it does not count among those it took down.
        with contextlib.suppress(DatabaseError):
            Job.objects.filter(pk=job.pk, lease_epoch=job.lease_epoch).update(crashes=0)
        raise
    if lost is None:
        _let_go(job)
        queue.finish(job.pk)
        return
    _end(job, lost)


def finish_ready(*, first: int, alive: Callable[[], None], stop: Callable[[], bool]) -> None:
    """Finish `first`, then whatever else is ready, until STEP_S seconds have passed.

    A message costs as much as a small picture: under load one serves for many jobs. What failed or
    took a process down before waits for a message of its own.
    """
    ends = time.monotonic() + STEP_S
    pk: int | None = first
    while pk is not None:
        finish(job_id=pk, alive=alive)
        pk = None if stop() or time.monotonic() > ends else _ready()


def _ready() -> int | None:
    """One of the jobs nobody is fetching; which one differs, so that workers do not meet over it."""
    rows = Job.objects.filter(free_lease(), state=JobState.COLLECTING, tries=0, crashes=0)
    found = list(rows.order_by("pk").values_list("pk", flat=True)[:4])
    return random.choice(found) if found else None


def _claim(job_id: int) -> Job | None:
    # After a failure the wait is kept, whoever sends another message meanwhile.
    due = Q(tries=0) | Q(not_before=None) | Q(not_before__lte=timezone.now())
    rows = Job.objects.filter(due, free_lease(), pk=job_id, state=JobState.COLLECTING)
    until = timezone.now() + timedelta(seconds=settings.ENGINE["finish_lease_s"])
    won = rows.update(
        lease_owner=f"finish:{os.getpid()}",
        lease_epoch=F("lease_epoch") + 1,
        lease_expires_at=until,
        not_before=until,  # if this process dies, the sweep sends another then
        crashes=F("crashes") + 1,  # taken back by whatever ends this step alive
    )
    if not won:
        return None
    return Job.objects.select_related("generation", "account").get(pk=job_id)


def _let_go(job: Job) -> None:
    Job.objects.filter(pk=job.pk, lease_epoch=job.lease_epoch).update(
        lease_owner="", lease_expires_at=None, not_before=timezone.now(), crashes=0
    )


def _set_aside(job: Job) -> None:
    """What is not here yet took its process down each time: it is given up, by name."""
    log.error("job set aside", extra={"job": job.pk, "crashes": job.crashes - 1})
    _end(job, ["poison"] * max(1, len(parts.missing(job))))


def _postpone(job: Job, why: str) -> None:
    wait = timedelta(seconds=retry_interval(job.tries, LONGEST_WAIT_S))
    log.warning("collect postponed", extra={"job": job.pk, "why": why, "tries": job.tries})
    Job.objects.filter(pk=job.pk, lease_epoch=job.lease_epoch).update(
        # Waiting for room is nobody's failure: what is there is fetched as soon as there is some.
        tries=max(1, job.tries) if why == "disk_low" else min(job.tries + 1, 1000),
        reason=why[:40],
        not_before=timezone.now() + wait,
        crashes=0,
        lease_owner="",
        lease_expires_at=None,
    )
    if why == "disk_low" != job.reason:
        touch([job.generation_id])  # its card says so


def _collect(job: Job, ends: float, alive: Callable[[], None]) -> list[str] | None:
    """Keep every picture not kept yet; the reasons of those lost, or None when time is up."""
    known = any(job.output_urls)
    sources = [Source(url=url) for url in job.output_urls] if known else _ask_again(job)
    if not sources:
        return ["result_lost"] * max(1, len(job.output_urls))
    done = set(job.assets.values_list("position", flat=True))
    done |= parts.empty_places(job)
    lost: list[str] = []
    for position in range(len(sources)):
        if position in done:
            continue
        if time.monotonic() > ends:
            return None
        alive()
        if disk.low():
            raise Later("disk_low")
        try:
            sources = _keep_if_writable(job, position, sources)
        except NotKept as why:
            lost.append(why.reason)
    return lost


def _forgotten(job: Job) -> bool:
    """Whether the provider holds the result no longer: until then, nothing paid for is given up."""
    return job.deadline_at is not None and timezone.now() > job.deadline_at


def _keep_if_writable(job: Job, position: int, sources: list[Source]) -> list[Source]:
    """A file system that refuses is waited for: the job is not what fails."""
    try:
        return _keep(job, position, sources)
    except OSError as error:
        if error.errno is None:
            raise  # not the file system's
        log.exception("result cannot be written", extra={"job": job.pk})
        raise Later("disk_low" if error.errno in FULL else "storage") from error


def _keep(job: Job, position: int, sources: list[Source], *, fresh: bool = False) -> list[Source]:
    """Keep one picture; a dead URL is asked for afresh once. The sources to go on with.

    An address that is refused waits too: an administrator may yet allow its host.
    """
    try:
        outputs.keep(job=job, position=position, source=sources[position])
        return sources
    except NotKept as why:
        bad = why.reason in NEVER_BETTER and job.tries >= MAX_BAD
        # An address that stays silent may have moved (a sandbox on another port, a lapsed host).
        stale = why.dead or (why.reason == "result_lost" and job.tries >= STALE_AFTER)
        if fresh or not stale:
            if bad or _forgotten(job) or (why.dead and job.tries >= DEAD_AFTER):
                raise
            raise Later(why.reason) from None
    again = _ask_again(job)
    if position >= len(again):
        raise NotKept("result_lost")
    return _keep(job, position, again, fresh=True)


def _ask_again(job: Job) -> list[Source]:
    """Query the provider for fresh URLs (or the bytes themselves)."""
    credentials = accounts.credentials_for(job.account)
    engine = engine_of(job)
    if engine is not None and engine.synchronous:
        return [Source(url=url) for url in job.output_urls]  # there is nobody to ask
    if credentials is None or engine is None:
        return _later_or_none(job, "no key")
    if job.account.unreachable_since:
        return _later_or_none(job, "not_sent")  # the driver asks, once in a while, for everybody
    try:
        progress = get_provider(job.account.provider).poll(
            engine,
            job.remote_id,
            base_url=job.account.base_url,
            credentials=credentials,
            labels=labels_of(job.generation.labels),
        )
    except ProviderError as error:
        return _later_or_none(job, error.reason)
    if progress.status != RemoteStatus.DONE:
        return _later_or_none(job, progress.status.value)
    found = [Source(url=url) for url in progress.urls]
    return found or [Source(data=data) for data in progress.images]


def _later_or_none(job: Job, why: str) -> list[Source]:
    if not _forgotten(job):
        raise Later(why)
    return []


def _end(job: Job, lost: list[str]) -> None:
    """Settle to what was delivered: pictures kept, and pictures paid for and lost."""
    kept = parts.kept(job)
    crash.point("before_settle")
    after = JobState.SUCCEEDED if kept else JobState.FAILED
    reasons = [*lost, *parts.refusals(job), *([] if kept else ["result_lost"]), ""]
    change = Change(
        job,
        (JobState.COLLECTING,),
        after,
        {"reason": reasons[0], "crashes": 0},
        epoch=job.lease_epoch,
        delivered=kept + len(lost),
    )
    apply([change])
