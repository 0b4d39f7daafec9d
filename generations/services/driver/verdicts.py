"""What an answer of the provider means for a job: each function returns the changes to apply."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from django.db.models import Q, Value
from django.db.models.functions import Coalesce
from django.utils import timezone

from generations.models import Job, JobState, Outcome, Submission
from generations.providers.base import (
    Accepted,
    BadRequest,
    EngineFailed,
    Finished,
    KeyRefused,
    NotSent,
    Progress,
    ProviderError,
    Refused,
    RemoteStatus,
    Throttled,
)
from generations.services import jobs
from generations.services.jobs import parts
from generations.services.jobs.backoff import retry_interval

S = JobState
# How long a provider must keep telling that a task failed or is unknown, in words that could be
# about the query, before that is believed: a hiccup must not end what is paid for.
DOUBT_S = 120.0


def error_fields(error: BaseException) -> dict[str, object]:
    """The columns that say what went wrong; a bug of ours says `internal` and nothing more."""
    if not isinstance(error, ProviderError):
        return {"reason": "internal", "provider_code": "", "provider_message": ""}
    return {
        "reason": error.reason[:40],
        "provider_code": error.code[:60],
        "provider_message": error.message[:500],
    }


def note_submission(row: Submission, answer: object) -> None:
    """Write down what became of one attempt, whoever holds the lease by now."""
    fields: dict[str, object] = {"answered_at": timezone.now(), "outcome": outcome_of(answer)}
    if isinstance(answer, Accepted):
        fields |= {"remote_id": answer.remote_id, "request_id": answer.request_id[:100]}
    if isinstance(answer, Finished):
        fields |= {"request_id": answer.request_id[:100]}
    if isinstance(answer, ProviderError):
        fields |= {
            "http_status": answer.http_status,
            "provider_code": answer.code[:60],
            "request_id": answer.request_id[:100],
        }
    Submission.objects.filter(pk=row.pk).update(**fields)


def outcome_of(answer: object) -> Outcome:
    """Anything that is neither an acceptance nor a sure refusal is unknown."""
    if isinstance(answer, (Accepted, Finished)):
        return Outcome.ACCEPTED
    if isinstance(answer, (NotSent, Throttled, Refused)):
        return Outcome.REJECTED
    return Outcome.UNKNOWN


def after_submit(job: Job, answer: object, epoch: int) -> jobs.Change:
    """SUBMITTING becomes running, queued again, failed, or uncertain: never sent twice by itself."""
    now = timezone.now()
    before = (S.SUBMITTING,)
    if isinstance(answer, Finished):
        return _after_finished(job, answer, before, epoch)
    rest: Mapping[str, object] = {"lease_owner": "", "lease_expires_at": None}
    if isinstance(answer, Accepted):
        fields = {
            "remote_id": answer.remote_id,
            "accepted_at": now,
            "deadline_at": jobs.deadline(job, now),
            "lease_expires_at": None,
            "tries": 0,
        }
        return _change(job, before, S.RUNNING, fields, epoch)
    if isinstance(answer, (NotSent, Throttled)):
        wait = retry_interval(job.tries) if isinstance(answer, NotSent) else 0.0
        again = {
            **rest,
            **error_fields(answer),
            "tries": min(job.tries + 1, 1000),
            "not_before": now + timedelta(seconds=wait) if wait else None,
            "sent_at": None,
        }
        return _change(job, before, S.QUEUED, again, epoch)
    if isinstance(answer, Refused):
        return _change(job, before, S.FAILED, error_fields(answer), epoch)
    assert isinstance(answer, BaseException)
    unknown = {**rest, **error_fields(answer), "finished_at": now}
    return _change(job, before, S.UNCERTAIN, unknown, epoch)


def after_late_result(job: Job, answer: Finished) -> jobs.Change:
    """The sweep took its sender for dead; the result has come all the same."""
    return _after_finished(job, answer, (S.UNCERTAIN,), None)


def after_cut_off(job: Job, epoch: int) -> jobs.Change:
    """The process has to end before the answer is there: nobody will ever read it."""
    fields = {
        "reason": "lost_answer",
        "lease_owner": "",
        "lease_expires_at": None,
        "finished_at": timezone.now(),
    }
    return _change(job, (S.SUBMITTING,), S.UNCERTAIN, fields, epoch)


def _after_finished(
    job: Job, answer: Finished, before: tuple[JobState, ...], epoch: int | None
) -> jobs.Change:
    """The answer is the result. It has no task id: the name of the job itself stands for one."""
    now = timezone.now()
    if not any(part.url for part in answer.parts):
        empty = {"reason": "engine_failed", "answered_at": now}
        return _change(job, before, S.FAILED, empty, epoch)
    found = {
        "remote_id": f"sync-{job.public_id}-{job.round}",
        "accepted_at": Coalesce("sent_at", Value(now)),
        "deadline_at": jobs.deadline(job, now),
        "finished_at": None,
        "crashes": 0,
        **_to_collect(parts.placed(job, answer.parts), now),
    }
    return _change(job, before, S.COLLECTING, found, epoch)


def _to_collect(urls: Sequence[str], now: datetime) -> dict[str, object]:
    """The columns of a job whose result waits to be fetched."""
    return {
        "answered_at": now,
        "output_urls": list(urls),
        # A message is on its way; the sweep sends another if nobody has come by then.
        "not_before": now + jobs.collect_grace(),
        "reason": "",
        "lease_owner": "",
        "lease_expires_at": None,
        "tries": 0,
    }


def doubtful(answer: object) -> bool:
    """Whether this may be about the query, or a replica that lags, and not about the picture."""
    if isinstance(answer, Progress):
        return answer.status == RemoteStatus.NOT_FOUND
    return isinstance(answer, EngineFailed) and answer.confirm


def after_poll(job: Job, answer: object, epoch: int) -> jobs.Change | None:
    """The change a poll asks for, or None to ask again later. Doubts are settled by the caller."""
    if isinstance(answer, Progress):
        return _after_progress(job, answer, epoch)
    if not isinstance(answer, Refused):
        return None
    if isinstance(answer, (KeyRefused, BadRequest)):
        return None  # about the question, not about the picture: it waits for its deadline
    fields = {**error_fields(answer), "answered_at": timezone.now()}
    return _change(job, (S.RUNNING,), S.FAILED, fields, epoch)


def _change(
    job: Job,
    before: tuple[JobState, ...],
    after: JobState,
    fields: Mapping[str, object],
    epoch: int | None,
    delivered: int = 0,
) -> jobs.Change:
    """Fenced by the driver's epoch and by the round that was asked about."""
    here = Q(round=job.round)
    return jobs.Change(job, before, after, fields, epoch=epoch, delivered=delivered, condition=here)


def after_cancel(job: Job, epoch: int) -> jobs.Change:
    """The provider took it out of its queue in time: nothing is charged."""
    return _change(job, (S.RUNNING,), S.CANCELLED, {}, epoch)


def after_late_refusal(job: Job, answer: object) -> jobs.Change:
    """The sweep took its sender for dead; now it is sure that nothing was accepted or charged."""
    assert isinstance(answer, BaseException)
    return jobs.Change(
        job, (S.UNCERTAIN,), S.FAILED, error_fields(answer), condition=Q(round=job.round)
    )


def _after_progress(job: Job, progress: Progress, epoch: int) -> jobs.Change | None:
    now = timezone.now()
    before = (S.RUNNING,)
    if progress.status == RemoteStatus.DONE:
        if not (progress.urls or progress.images):
            empty = {"reason": "engine_failed", "answered_at": now}
            return _change(job, before, S.FAILED, empty, epoch)
        # Pictures that came in the answer itself are asked for again; how many is known.
        urls = progress.urls or ("",) * len(progress.images)
        return _change(job, before, S.COLLECTING, _to_collect(urls, now), epoch)
    if progress.status == RemoteStatus.CANCELLED:
        return _change(job, before, S.CANCELLED, {}, epoch)
    if progress.status not in (RemoteStatus.NOT_FOUND, RemoteStatus.EXPIRED):
        return None
    # A code instead of a status: the service refused the question, and no status was ever told.
    lost = {
        "reason": "stale_task" if progress.code else progress.status.value,
        "provider_code": progress.code[:60],
    }
    # Nobody knows whether it was charged, so it counts as charged.
    return _change(job, before, S.EXPIRED, lost, epoch, delivered=job.max_outputs)
