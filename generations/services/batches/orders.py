"""Making a batch, turning its lines into runs, and what a person may order about it.

A line is *to do* while it has neither a run nor a problem. Making its run and linking it is one
transaction, so whoever dies in between, whoever else feeds, each line becomes one run.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from django.db import transaction
from django.db.models import Max, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.models import (
    Batch,
    BatchLine,
    Generation,
    Job,
    JobState,
    Membership,
    Priority,
    Project,
    Role,
    User,
)
from generations.providers.base import N_
from generations.services import compose, engines, events, jobs, queue, quota
from generations.services.batches.lines import Draft, Line

NAME_MAX = 100
# A step stays short: it holds a worker that a driver may need.
STEP_S = 4.0
# A batch that got no new run for so long has lost its wake-up.
LOST_AFTER = timedelta(seconds=20)
MAY_RUN = (Role.OWNER, Role.EDITOR)

OVER = N_("Not started: the allowance is used up. Press Go on when there is more.")
NO_ACCOUNT = N_("Not started: no account is set up for this model. Ask an administrator.")
NOT_ALLOWED = N_("Not started: whoever began this batch may no longer generate in this project.")
CANCELLED = N_("Cancelled before it was started.")
# Kept on every line that became a run: without it, a line would be to do again once its run is gone.
REMOVED = N_("Its run was removed.")
# What a person's Go on tries again.
HELD = (OVER, NO_ACCOUNT, NOT_ALLOWED, *engines.REFUSALS)


@dataclass(frozen=True, slots=True)
class Ordered:
    """How many jobs an order reached, how many are left, and the sentence of what stopped it."""

    done: int
    left: int = 0
    refused: str = ""


def event_name(batch: Batch) -> str:
    """The event that a batch's page listens for, besides those of its runs."""
    return f"b-{batch.public_id}"


def start(*, project: Project, user: User, draft: Draft, name: str, form_token: str) -> Batch:
    """Make the batch and its lines, and ask for its runs. The same token again makes nothing."""
    fields = {
        "project": project,
        "user": user,
        "name": _readable(name).strip()[:NAME_MAX] or draft.good[0].prompt[:60],
        "engine": draft.engine.slug,
        "settings": dict(draft.settings),
        "count": draft.count,
    }
    token = f"{user.pk}:{form_token}"[:64]
    with transaction.atomic():
        batch, created = Batch.objects.get_or_create(form_token=token, defaults=fields)
        if created:
            BatchLine.objects.bulk_create(_row(batch, line) for line in draft.lines)
            queue.feed(batch.pk)
    return batch


def _readable(text: str) -> str:
    """What cannot be sent cannot be stored either: a bad line is kept as far as it can be read."""
    return text.replace("\0", "\ufffd").encode("utf-8", "replace").decode()


def _row(batch: Batch, line: Line) -> BatchLine:
    return BatchLine(
        batch=batch,
        position=line.number,
        prompt=_readable(line.prompt),
        problem=line.problem,
        problem_params=dict(line.params),
    )


# --- Feeding ------------------------------------------------------------------------------------


def to_do() -> QuerySet[BatchLine]:
    return BatchLine.objects.filter(generation=None, problem="", batch__paused_at=None)


def feed(*, batch_id: int, limit: int = 10_000, alive: Callable[[], None] = lambda: None) -> bool:
    """Make runs of up to `limit` lines, for at most STEP_S seconds; whether more are to do.

    Any number may feed at once, and again after a crash. `alive` is called before each line.
    """
    ends = time.monotonic() + STEP_S
    for _each in range(limit):
        alive()
        if not _feed_one(batch_id):
            return False
        if time.monotonic() > ends:
            break
    return to_do().filter(batch=batch_id).exists()


def _feed_one(batch_id: int) -> bool:
    with transaction.atomic():
        # Before the line is looked at: everybody else's feeding, pausing and cancelling waits.
        events.in_order()
        rows = to_do().filter(batch=batch_id).select_related("batch__project", "batch__user")
        line = rows.order_by("position").first()
        return line is not None and _run(line)


def _run(line: BatchLine) -> bool:
    """Make the line's run. False when no other line would fare better."""
    batch = line.batch
    mine = Membership.objects.filter(project=batch.project, user=batch.user, role__in=MAY_RUN)
    if batch.project.archived_at or not mine.exists():
        return _hold(batch, NOT_ALLOWED)
    try:
        made = compose.submit(
            project=batch.project,
            user=batch.user,
            engine=batch.engine,
            prompt=line.prompt,
            settings=batch.settings,
            count=batch.count,
            form_token=f"{batch.public_id.hex}-{line.position}",
            origin=compose.Origin(batch=batch),
            priority=Priority.BATCH,
        )
    except quota.OverLimit:
        return _hold(batch, OVER)
    except compose.ComposeProblem as problem:
        error = problem.errors[0]
        if error.field == "engine":
            if error.message in engines.REFUSALS:
                return _hold(batch, error.message, error.params)
            return _hold(batch, NO_ACCOUNT)
        _mark(line, problem=error.message, problem_params=dict(error.params))
        return True
    _mark(line, generation=made, problem=REMOVED)
    return True


def _mark(line: BatchLine, **fields: object) -> None:
    BatchLine.objects.filter(pk=line.pk).update(**fields)


def _hold(batch: Batch, why: str, params: Mapping[str, object] | None = None) -> bool:
    """All lines cost the same: what stops one stops the rest, until a person presses Go on."""
    to_do().filter(batch=batch).update(problem=why, problem_params=dict(params or {}))
    events.publish([(batch.project_id, event_name(batch))])
    return False


def idle() -> list[int]:
    """Batches with lines to do that nobody has fed for a while: their wake-up was lost."""
    horizon = timezone.now() - LOST_AFTER
    waiting = to_do().order_by().values_list("batch_id", flat=True).distinct()[:20]
    newest = Max("generations__created_at")
    old = Q(newest=None, created_at__lt=horizon) | Q(newest__lt=horizon)
    rows = Batch.objects.filter(pk__in=list(waiting)).annotate(newest=newest).filter(old)
    return list(rows.values_list("pk", flat=True))


# --- A person's orders --------------------------------------------------------------------------


def pause(*, batch: Batch) -> None:
    """Claim no more jobs of this batch and start no more lines. What was sent goes on."""
    with transaction.atomic():
        events.in_order()
        Batch.objects.filter(pk=batch.pk, paused_at=None).update(paused_at=timezone.now())
        _publish(batch)


def resume(*, batch: Batch) -> None:
    """Go on, also with the lines that an allowance or a missing account had held up."""
    with transaction.atomic():
        events.in_order()
        Batch.objects.filter(pk=batch.pk).update(paused_at=None)
        held = BatchLine.objects.filter(batch=batch, generation=None, problem__in=HELD)
        held.update(problem="", problem_params={})
        _publish(batch)
        queue.feed(batch.pk)


def cancel_waiting(*, batch: Batch, actor: User) -> Ordered:
    """Cancel what was not sent yet: lines to do, lines held up, and queued jobs."""
    with transaction.atomic():
        events.in_order()
        open_lines = Q(problem="") | Q(problem__in=HELD)
        rows = BatchLine.objects.filter(open_lines, batch=batch, generation=None)
        lines = rows.update(problem=CANCELLED, problem_params={})
        _publish(batch)
    waiting = Job.objects.filter(generation__batch=batch)
    return Ordered(lines + jobs.cancel_waiting(rows=waiting, actor=actor))


def retry_failed(*, batch: Batch, actor: User) -> Ordered:
    """Order every failed job once more, for at most STEP_S seconds at a time."""
    failed = Job.objects.filter(
        generation__batch=batch, state__in=(JobState.FAILED, JobState.EXPIRED)
    )
    rows = list(failed.select_related("generation__project").order_by("pk"))
    try:
        engines.ask(batch.engine, batch.project)
    except engines.EngineProblem as refused:
        return Ordered(0, len(rows), _(refused.message) % refused.params)
    ends, ordered = time.monotonic() + STEP_S, 0
    for done, job in enumerate(rows):
        if time.monotonic() > ends:
            return Ordered(ordered, len(rows) - done)
        try:
            jobs.retry(job=job, actor=actor)
        except jobs.NotPossible:
            continue  # somebody else was faster
        except quota.OverLimit as over:
            return Ordered(ordered, len(rows) - done, over.message)
        ordered += 1
    return Ordered(ordered)


def _publish(batch: Batch) -> None:
    """Tell the batch's page, and the cards of what waits: they say that it is paused."""
    waiting = Generation.objects.filter(batch=batch, state=Generation.State.ACTIVE)
    names = [events.name_of(each) for each in waiting.only("public_id")]
    events.publish((batch.project_id, name) for name in [event_name(batch), *names])
