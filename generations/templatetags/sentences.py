"""What a page says about a job: one plain sentence on what happened, what it cost, what to do next."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from generations.models import Job, JobState

S = JobState

ENDED: dict[str, str] = {
    "bad_request": N_(
        "The service refused these settings. Nothing was charged. Change them and generate again."
    ),
    "moderated_prompt": N_(
        "The service's content check refused the prompt. Nothing was charged. Word it differently."
    ),
    "moderated_input": N_(
        "The service's content check refused a reference picture. Nothing was charged."
    ),
    "moderated_output": N_(
        "The service's content check held back the finished picture. Nothing was charged. "
        "Another try may pass."
    ),
    "key_refused": N_(
        "The service refused this studio's key. Nothing was charged. Tell an administrator."
    ),
    "engine_failed": N_("The model failed on this picture. Nothing was charged. Try again."),
    "not_found": N_("The service no longer knows this task. It may have been charged."),
    "expired": N_("The service let this task expire. It may have been charged."),
    "deadline": N_("No result came before the deadline. It may have been charged."),
    "bad_output": N_("The file that came back is damaged or no picture. It counts as charged."),
    "too_large": N_("The file that came back is too large to keep. It counts as charged."),
    "refused_url": N_("The result lay at an address that is not allowed. It counts as charged."),
    "result_lost": N_("The result was gone before it could be fetched. It counts as charged."),
    "dismissed": N_(
        "Nobody knows whether this one was made, and it was given up. It counts as charged."
    ),
    "internal": N_("Something went wrong in the studio itself. Tell an administrator."),
}
UNKNOWN_END = N_("This picture was not made. Try again.")
# Sending the same once more would only be refused once more.
NEEDS_A_CHANGE = frozenset({"bad_request", "moderated_prompt", "moderated_input"})


def ended(job: Job) -> str:
    """Why a failed or expired job has no picture."""
    return _(ENDED.get(job.reason, UNKNOWN_END))


def under_way(job: Job, now: datetime | None = None) -> str:
    """Where an active job is, in a word or two, or why it waits."""
    if job.cancel_asked_at and not job.cancel_refused:
        return _("Cancelling")
    if job.state == S.SUBMITTING:
        return _("Sending")
    if job.state == S.COLLECTING:
        return _("Fetching")
    if job.account.unreachable_since:
        since = clock(job.account.unreachable_since)
        return _("Service unreachable since %(time)s, waiting") % {"time": since}
    if job.state == S.RUNNING:
        return _("Generating")
    return _waiting(job, now or timezone.now())


def _waiting(job: Job, now: datetime) -> str:
    batch = job.generation.batch
    if batch and batch.paused_at:
        return _("Paused with its batch")
    if job.reason == "no_key":
        return _("Waiting: this account's key is not set up any more")
    cooling = job.account.cool_until and job.account.cool_until > now
    if cooling or job.reason in ("rate", "concurrency"):
        return _("Waiting: the service asks for a pause")
    if job.reason == "not_sent":
        return _("Service unreachable, waiting")
    return _("Queued")


CHANGED = {
    "reference": N_("as a reference"),
    "engine": N_("another model"),
    "prompt": N_("another prompt"),
    "settings": N_("other settings"),
    "references": N_("other references"),
}


def edge(names: list[str]) -> str:
    """What an edge of the lineage says: what changed from one run to the next."""
    return ", ".join(_(CHANGED[name]) for name in names) or _("the same recipe")


def clock(moment: datetime) -> str:
    """The time of day, with the date when it was another day."""
    local = timezone.localtime(moment)
    time = local.strftime("%H:%M:%S")
    if local.date() == timezone.localdate():
        return time
    return f"{date_format(local, 'MONTH_DAY_FORMAT')} {time}"


def about(seconds: int) -> str:
    """How long something still takes, roughly."""
    if seconds < 90:
        return _("about %(n)s s") % {"n": seconds}
    minutes = round(seconds / 60)
    return ngettext("about %(n)s minute", "about %(n)s minutes", minutes) % {"n": minutes}


def ago(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, roughly: just now, 12 minutes ago, then the date."""
    seconds = ((now or timezone.now()) - moment).total_seconds()
    if seconds < 60:
        return _("just now")
    minutes = int(seconds // 60)
    if minutes < 60:
        return ngettext("%(n)s minute ago", "%(n)s minutes ago", minutes) % {"n": minutes}
    hours = minutes // 60
    if hours < 24:
        return ngettext("%(n)s hour ago", "%(n)s hours ago", hours) % {"n": hours}
    days = hours // 24
    if days < 7:
        return ngettext("%(n)s day ago", "%(n)s days ago", days) % {"n": days}
    return date_format(timezone.localtime(moment), "DATE_FORMAT")
