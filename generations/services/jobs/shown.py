"""What pages and clocks ask of a job: its engine, deadline, progress and timeline."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from generations.models import Job, JobState
from generations.providers.catalog import Engine
from generations.services import engines

S = JobState


def engine_of(job: Job) -> Engine | None:
    """What its engine declares, or None when there is no such engine here any more."""
    return engines.known(job.generation.engine)


def deadline(job: Job, accepted_at: datetime) -> datetime:
    """When a running job is given up: the provider has forgotten it by then."""
    engine = engine_of(job)
    seconds = engine.deadline_s if engine else 12 * 3600
    return accepted_at + timedelta(seconds=seconds)


def lost_at(job: Job) -> datetime | None:
    """Until when a result that was made must be fetched: its address dies, or the provider forgets it.

    A fresh address may be asked for until the deadline, but whether it leads anywhere by then is not in
    our hands; the earlier moment is what a person is told. None before the provider has accepted.
    """
    engine = engine_of(job)
    if engine is None or job.deadline_at is None or job.answered_at is None:
        return job.deadline_at
    if engine.result_lives_s >= engine.deadline_s:
        return job.deadline_at
    return min(job.deadline_at, job.answered_at + timedelta(seconds=engine.result_lives_s))


def progress_percent(job: Job, now: datetime, typical_s: float) -> int:
    """Elapsed over typical, at most 95: the provider tells nothing about progress."""
    if job.state == S.COLLECTING:
        return 95
    started = job.accepted_at or job.sent_at
    if not started or job.state not in (S.SUBMITTING, S.RUNNING):
        return 0
    elapsed = (now - started).total_seconds()
    return max(0, min(95, round(100 * elapsed / typical_s)))


@dataclass(frozen=True, slots=True)
class Step:
    """One moment of a job's life; `seconds` since the moment before it (None for the first)."""

    label: str
    at: datetime
    seconds: float | None


def timeline(job: Job) -> list[Step]:
    """queued -> sent -> accepted -> answered -> finished, as far as the job has come."""
    moments = [
        (_("Queued"), job.queued_at),
        (_("Sent"), job.sent_at),
        (_("Accepted"), job.accepted_at),
        (_("Made"), job.answered_at),
        (_("Kept") if job.state == S.SUCCEEDED else _("Ended"), job.finished_at),
    ]
    known = [(label, at) for label, at in moments if at]
    earlier = [None, *(at for _label, at in known)]
    return [
        Step(label, at, (at - before).total_seconds() if before else None)
        for (label, at), before in zip(known, earlier, strict=False)
    ]
