"""What a person may order: cancel, try again, send again, dismiss, adopt."""

from __future__ import annotations

from django.db import transaction
from django.db.models import F, Q
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.models import Generation, Job, JobState, Outcome, Project, Submission, User
from generations.services import engines, events, pricing, queue, quota
from generations.services.jobs import parts
from generations.services.jobs.changes import (
    LIVE_OUTCOMES,
    RESTING,
    Change,
    apply,
    charge,
    free_lease,
    touch,
)
from generations.services.jobs.shown import deadline, engine_of

S = JobState


class NotPossible(Exception):
    """The job is in no state in which this can be done; `message` is one translated sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def cancel(*, job: Job, actor: User) -> None:
    """Take a waiting job out of the queue, or ask its driver to cancel it at the provider."""
    gone = Change(job, (S.QUEUED,), S.CANCELLED, {}, actor=actor, condition=free_lease())
    if apply([gone])[0]:
        return
    again = Q(cancel_asked_at=None) | Q(cancel_refused=True)
    with transaction.atomic():
        events.in_order()
        asked = Job.objects.filter(
            again, pk=job.pk, state__in=(S.QUEUED, S.SUBMITTING, S.RUNNING)
        ).update(cancel_asked_at=timezone.now(), cancel_refused=False)
        if asked:
            touch([job.generation_id])
    job.refresh_from_db()
    if not asked and not job.cancel_asked_at:
        raise NotPossible(_("This picture is finished already; there is nothing to cancel."))


def cancel_all(*, generation: Generation, actor: User) -> None:
    """Cancel every job of a generation that can still be cancelled."""
    for job in generation.jobs.filter(state__in=(S.QUEUED, S.SUBMITTING, S.RUNNING)):
        try:
            cancel(job=job, actor=actor)
        except NotPossible:
            continue  # it finished while we were at its neighbours


def retry(*, job: Job, actor: User) -> None:
    """Run an ended job once more, as a new round with its own reservation."""
    _order_again(job, (S.FAILED, S.CANCELLED, S.EXPIRED), actor)


def send_again(*, job: Job, actor: User) -> None:
    """Send a job whose outcome is unknown once more. It may be charged twice: the person was told."""
    _order_again(job, (S.UNCERTAIN,), actor)


def _order_again(job: Job, before: tuple[JobState, ...], actor: User) -> None:
    with transaction.atomic():
        events.in_order()
        # Locked before its balances, so that the second of two clicks finds it moved on.
        rows = Job.objects.select_for_update().filter(state__in=before, round=job.round)
        if not rows.filter(pk=job.pk).exists():
            raise NotPossible(_("This picture has moved on; the page shows where it is now."))
        _still_on_offer(job)
        if S.UNCERTAIN in before:
            _settle_unknown(job, actor)
        _new_round(job, before, actor)


def _still_on_offer(job: Job) -> None:
    """Another round is another call: the same rule holds for it as for something new."""
    try:
        engine = engines.ask(job.generation.engine, job.generation.project)
        engines.recheck(engine, Project.objects.get(pk=job.generation.project_id))
    except engines.EngineProblem as refused:
        raise NotPossible(_(refused.message) % refused.params) from None


def _settle_unknown(job: Job, actor: User) -> None:
    charge(job, job.max_outputs)
    quota.settle(
        job=job, delivered=job.max_outputs, submission=None, why="outcome unknown", actor=actor
    )


def _price_today(job: Job) -> int | None:
    """Another round is another call, at the price of its own moment."""
    engine = engine_of(job)
    return pricing.Book().each(engine, job.generation.recipe["settings"]) if engine else None


def _new_round(job: Job, before: tuple[JobState, ...], actor: User) -> None:
    fresh: dict[str, object] = {
        **RESTING,
        "round": F("round") + 1,
        "rank": 0,
        "remote_id": "",
        "tries": 0,
        "crashes": 0,
        "reason": "",
        "provider_code": "",
        "provider_message": "",
        "output_urls": parts.for_next_round(job),
        "price_mills": _price_today(job),
        "cancel_refused": False,
        "queued_at": timezone.now(),
        **dict.fromkeys(
            (
                "not_before",
                "deadline_at",
                "cancel_asked_at",
                "sent_at",
                "accepted_at",
                "answered_at",
                "finished_at",
            )
        ),
    }
    job.submissions.filter(outcome__in=LIVE_OUTCOMES, superseded_by_person=None).update(
        superseded_by_person=actor
    )
    change = Change(job, before, S.QUEUED, fresh, condition=Q(round=job.round))
    if not apply([change])[0]:
        raise NotPossible(_("This picture has moved on; the page shows where it is now."))
    job.refresh_from_db()
    quota.reserve(jobs=[job], user=actor, project=job.generation.project)
    queue.wake(job.account_id)


def dismiss(*, job: Job, actor: User) -> None:
    """Give up on a job whose outcome is unknown. What may have been charged counts as spent; what has
    arrived of it stays, and makes it done.
    """
    change = Change(
        job,
        (S.UNCERTAIN,),
        S.SUCCEEDED if parts.kept(job) else S.FAILED,
        {"reason": "dismissed"},
        delivered=job.max_outputs,
        why="dismissed, outcome unknown",
        actor=actor,
    )
    if not apply([change])[0]:
        raise NotPossible(_("This picture has moved on; the page shows where it is now."))


def adopt_remote_id(*, job: Job, remote_id: str, actor: User) -> None:
    """Go on with a task that a person found in the provider's console."""
    engine = engine_of(job)
    if engine is not None and engine.synchronous:
        raise NotPossible(
            _("This model has no task ids: what its answer did not bring cannot be asked for.")
        )
    remote_id = remote_id.strip()
    if not (remote_id.isascii() and remote_id.isdigit() and len(remote_id) <= 30):
        raise NotPossible(_("A task id is a number of up to 30 digits."))
    with transaction.atomic():
        events.in_order()
        taken = Job.objects.filter(account_id=job.account_id, remote_id=remote_id).exists()
        taken |= Submission.objects.filter(
            job__account_id=job.account_id, remote_id=remote_id
        ).exists()
        if taken:
            raise NotPossible(_("This task id belongs to another picture already."))
        if not resume(job=job, remote_id=remote_id):
            raise NotPossible(_("This picture has moved on; the page shows where it is now."))
        job.submissions.filter(outcome=Outcome.UNKNOWN, superseded_by_person=None).update(
            outcome=Outcome.ACCEPTED, remote_id=remote_id
        )
        queue.wake(job.account_id)


def resume(*, job: Job, remote_id: str) -> bool:
    """Take an UNCERTAIN job back under way: its task id has become known after all."""
    now = timezone.now()
    fields = {
        **RESTING,
        "lease_epoch": 0,  # whoever drives the account now will find and adopt it
        "remote_id": remote_id,
        "reason": "",
        "cancel_asked_at": None,
        "accepted_at": now,
        "deadline_at": deadline(job, now),
        "finished_at": None,
    }
    change = Change(job, (S.UNCERTAIN,), S.RUNNING, fields, condition=Q(round=job.round))
    return apply([change])[0]
