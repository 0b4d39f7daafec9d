"""Pictures of one call that arrive one by one: each is kept as it comes, whatever becomes of the rest.

`Job.output_urls` has one text a place: an address; "" while nothing has come for it; REFUSED and a
reason for a picture that was not made (nor charged); EARLIER for a place of an earlier round, whose
pictures stay the job's. No provider's words can be one of those: its addresses begin with http.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from django.db.models import F, Q
from django.utils import timezone

from generations.models import Job, JobState
from generations.providers.base import Part
from generations.services import disk, outputs, queue
from generations.services.jobs.backoff import retry_interval
from generations.services.jobs.changes import POISON_AFTER

log = logging.getLogger(__name__)
S = JobState
EARLIER, REFUSED = "earlier", "refused:"
# While its call goes on, and after one that broke off.
OPEN = (S.SUBMITTING, S.UNCERTAIN)
# So long does an address work.
LIVES = timedelta(hours=24)
LONGEST_WAIT_S = 300.0
BATCH = 100


def on_disk(part: Part) -> Part:
    """The same with its bytes in their place: nobody can be asked for them again."""
    return replace(part, url=outputs.lay_down(part.image), image=b"") if part.image else part


# --- Places -------------------------------------------------------------------------------------


def first_place(job: Job) -> int:
    """Where this round's pictures begin."""
    return sum(1 for each in job.output_urls if each == EARLIER)


def placed(job: Job, found: Sequence[Part]) -> list[str]:
    """The job's places with these parts in theirs."""
    first, places = first_place(job), list(job.output_urls)
    for part in found:
        at = first + part.index
        places += [""] * (at + 1 - len(places))
        why = part.refusal.reason if part.refusal else "engine_failed"
        places[at] = part.url or f"{REFUSED}{why}"
    return places


def empty_places(job: Job) -> set[int]:
    """Places that no picture will come for. Where all are "", bytes came, and are asked for again."""
    told = any(job.output_urls)
    return {
        at
        for at, each in enumerate(job.output_urls)
        if (told and not each) or each == EARLIER or each.startswith(REFUSED)
    }


def missing(job: Job) -> list[int]:
    """Places whose picture has an address and is not here yet."""
    kept = set(job.assets.values_list("position", flat=True))
    return sorted(set(range(len(job.output_urls))) - empty_places(job) - kept)


def kept(job: Job) -> int:
    """How many pictures of this round are here."""
    return job.assets.filter(position__gte=first_place(job)).count()


def refusals(job: Job) -> list[str]:
    """Why pictures of this round were not made."""
    return [each.removeprefix(REFUSED) for each in job.output_urls if each.startswith(REFUSED)]


def for_next_round(job: Job) -> list[str]:
    """Places that the next round must leave alone: a picture may still be on its way to its own."""
    row = Job.objects.get(pk=job.pk)
    holds = row.state == S.UNCERTAIN or row.assets.exists()
    return [EARLIER] * len(row.output_urls) if holds else []


# --- As they arrive -----------------------------------------------------------------------------


def note(*, job: Job, part: Part, epoch: int) -> None:
    """Write down a picture of a call that goes on, and ask for it to be kept. No event: nothing shows
    before it is here. Also when the sweep took its sender for dead.
    """
    places = placed(job, [part])
    rows = Job.objects.filter(pk=job.pk, round=job.round, lease_epoch=epoch, state__in=OPEN)
    won = rows.update(output_urls=places)
    job.output_urls = places
    if won and part.url:
        queue.keep(job.pk, first_place(job) + part.index)


def keep(*, job_id: int, place: int) -> None:
    """Keep one picture of a job whose call goes on or broke off. What cannot be kept now is left to
    the end of the call, or to the next round of the sweep.
    """
    rows = Job.objects.filter(pk=job_id, state__in=OPEN)
    # Counted before it may take this process down, as `finish` does.
    if not rows.filter(crashes__lt=POISON_AFTER).update(crashes=F("crashes") + 1):
        return
    job = Job.objects.select_related("generation", "account").get(pk=job_id)
    try:
        if place in missing(job) and not disk.low():
            source = outputs.Source(url=job.output_urls[place])
            outputs.keep(job=job, position=place, source=source)
    except (outputs.NotKept, OSError) as why:
        log.warning("a picture is not kept yet", extra={"job": job.pk, "why": str(why)})
    finally:
        rows.filter(crashes__gt=0).update(crashes=F("crashes") - 1)


def ask_for_missing() -> None:
    """Pictures of calls that broke off, whose message was lost or came to nothing: once more, later
    and later, as long as their addresses may work.
    """
    now = timezone.now()
    due = Q(not_before=None) | Q(not_before__lte=now)
    rows = Job.objects.filter(due, state=S.UNCERTAIN, sent_at__gt=now - LIVES)
    for job in rows.exclude(output_urls=[])[:BATCH]:
        places = missing(job)
        wait = timedelta(seconds=retry_interval(job.tries, LONGEST_WAIT_S)) if places else LIVES
        if rows.filter(pk=job.pk).update(not_before=now + wait, tries=min(job.tries + 1, 1000)):
            for place in places:
                queue.keep(job.pk, place)
