"""What a page says about a job: one plain sentence on what happened, what it cost, what to do next."""

from __future__ import annotations

from datetime import datetime

from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_
from django.utils.translation import ngettext

from generations.models import Job, JobState
from generations.services import jobs
from generations.templatetags import failures

S = JobState

ENDED: dict[str, str] = {reason: row.sentence for reason, row in failures.MEANINGS.items()}


def ended(job: Job) -> str:
    """Why a failed or expired job has no picture."""
    return str(failures.meaning(job))


def under_way(job: Job, now: datetime | None = None, ahead: jobs.Ahead | None = None) -> str:
    """Where an active job is, in a word or two, or why it waits. With `ahead` also behind how many."""
    if job.cancel_asked_at and not job.cancel_refused:
        return _("Cancelling")
    if job.state == S.SUBMITTING:
        engine = jobs.engine_of(job)
        return _("Generating") if engine and engine.synchronous else _("Sending")
    if job.state == S.COLLECTING:
        low = job.reason == "disk_low"
        return str(failures.WAITS["disk_low"]) if low else _("Fetching")
    now = now or timezone.now()
    if job.state == S.QUEUED and ahead and ahead.pause(job.account_id):
        return _waiting(job, now, ahead)
    if job.account.unreachable_since:
        since = clock(job.account.unreachable_since)
        return _("Service unreachable since %(time)s, waiting") % {"time": since}
    if job.state == S.RUNNING:
        return _("Generating")
    return _waiting(job, now, ahead)


def _waiting(job: Job, now: datetime, ahead: jobs.Ahead | None) -> str:
    batch = job.generation.batch
    if batch and batch.paused_at:
        return _("Paused with its batch")
    pause = ahead.pause(job.account_id) if ahead else None
    if pause:
        return paused(pause)
    if job.reason in ("no_key", "provider_quota"):
        return str(failures.WAITS[job.reason])
    limits = ahead.limits(job) if ahead else [job.account]
    cooling = [each.cool_until for each in limits if each.cool_until and each.cools(now)]
    if cooling:
        return cools_until(max(cooling))
    if job.reason in failures.WAITS:
        return str(failures.WAITS[job.reason])
    before = ahead.of(job) if ahead else None
    return behind(before, ahead.at_once(job)) if ahead and before else _("Queued")


def cools_until(moment: datetime) -> str:
    """The provider has asked for a pause; when it ends."""
    return _("The service asked for a pause: cooling down until %(time)s") % {"time": clock(moment)}


def paused(pause: jobs.Pause) -> str:
    """Who keeps an account, or everything, from sending, and since when."""
    told = {"name": pause.by or _("an administrator"), "time": clock(pause.since)}
    if pause.everything:
        return _("Everything is paused by %(name)s since %(time)s") % told
    return _("This account is paused by %(name)s since %(time)s") % told


def behind(before: int, at_once: int) -> str:
    """How many go before a waiting job, and how fast the line moves."""
    return _("%(n)s ahead of you, this account runs %(most)s at a time") % {
        "n": before,
        "most": at_once,
    }


def kept_until(job: Job) -> str:
    """Made and paid for, and not here yet: the hour at which it can be had no longer."""
    until = jobs.lost_at(job) if job.state == S.COLLECTING else None
    return "" if until is None else _("Fetched by %(time)s or lost") % {"time": clock(until)}


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


def playtime(duration_ms: int | None) -> str:
    """How long a video plays: 0:05, 1:10. Nothing where it is not known."""
    if duration_ms is None:
        return ""
    minutes, seconds = divmod(round(duration_ms / 1000), 60)
    return f"{minutes}:{seconds:02d}"


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
