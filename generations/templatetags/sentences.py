"""What a page says about a job: one plain sentence on what happened, what it cost, what to do next."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from generations.models import Job, JobState
from generations.templatetags import failures

S = JobState

ENDED: dict[str, str] = {reason: row.sentence for reason, row in failures.MEANINGS.items()}


def ended(job: Job) -> str:
    """Why a failed or expired job has no picture."""
    return str(failures.meaning(job))


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
    if job.reason in ("no_key", "provider_quota"):
        return str(failures.WAITS[job.reason])
    if job.account.cool_until and job.account.cool_until > now:
        return str(failures.WAITS["rate"])
    if job.reason in failures.WAITS:
        return str(failures.WAITS[job.reason])
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
