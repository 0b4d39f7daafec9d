"""Episodes: what began is told once, by mail and to a webhook; what is over is closed.

Asked every few seconds by the ensure process. Telling goes on in a thread of its own, with time-outs.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from datetime import datetime, timedelta
from functools import partial

from django.conf import settings
from django.core.mail import mail_admins
from django.db import IntegrityError, transaction
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import override

from generations.models import DriverLease, Episode, Job, JobState
from generations.providers import http
from generations.providers.base import ProviderError
from generations.services import disk, jobs, people
from generations.services.health.questions import driven

log = logging.getLogger(__name__)
S, Kind = JobState, Episode.Kind
KEY_REASONS = ("key_refused", "not_allowed", "not_opened", "clock")
# A refusal counts for so long: the next job may come much later, and the key may be right by then.
REFUSED_FOR = timedelta(minutes=15)
SILENT = timedelta(seconds=90)
WEBHOOK_S = 5.0
Trouble = tuple[str, str]


def look() -> None:
    """Open what began, close what is over, tell of what was opened."""
    now = timezone.now()
    found = set(_troubles(now))
    for row in Episode.objects.filter(closed_at=None):
        if (row.kind, row.subject) not in found:
            Episode.objects.filter(pk=row.pk, closed_at=None).update(closed_at=now)
        found.discard((row.kind, row.subject))
    for kind, subject in sorted(found):
        _open(kind, subject)


def _open(kind: str, subject: str) -> None:
    """Whoever wins the row tells of it: two ensure processes say it once."""
    try:
        with transaction.atomic():
            row = Episode.objects.create(kind=kind, subject=subject)
    except IntegrityError:
        return
    log.error("alert", extra={"kind": kind, "subject": subject})
    people.later(partial(tell, kind, str(row.get_kind_display()), subject))


def _troubles(now: datetime) -> Iterator[Trouble]:
    refused = Job.objects.filter(
        state=S.FAILED, reason__in=KEY_REASONS, finished_at__gt=now - REFUSED_FOR
    )
    for label in refused.order_by().values_list("account__label", flat=True).distinct():
        yield Kind.KEY_REFUSED, label
    silent = DriverLease.objects.filter(
        expires_at__lt=now - SILENT, account_id__in=driven().values("account_id")
    )
    for label in silent.values_list("account__label", flat=True):
        yield Kind.WORKER_DEAD, label
    if jobs.at_risk(now).exists():
        yield Kind.AT_RISK, ""
    if disk.near():
        yield Kind.DISK, ""


def sentence(kind: str, subject: str) -> str:
    said = {
        Kind.KEY_REFUSED: _(
            "The service refuses the key of “%(of)s”. Nothing can be made with it."
        ),
        Kind.WORKER_DEAD: _("Nobody works for “%(of)s”, and jobs wait. Is the worker running?"),
        Kind.AT_RISK: _("Pictures are made and paid for and could not be fetched yet."),
        Kind.DISK: _("The disk is nearly full. Below the floor nothing more is fetched."),
    }[Kind(kind)]
    return said % {"of": subject} if subject else said


def tell(kind: str, title: str, subject: str) -> None:
    """By both ways; one that fails does not keep the other from being tried."""
    with override(settings.LANGUAGE_CODE):
        text = sentence(kind, subject)
    try:
        if settings.ADMINS:
            mail_admins(title, text)
    finally:
        if settings.ALERT_WEBHOOK_URL:
            _post({"alert": kind, "subject": subject, "text": text})


def _post(body: dict[str, str]) -> None:
    try:
        answer = http.request(
            "POST",
            settings.ALERT_WEBHOOK_URL,
            headers={"Content-Type": "application/json"},
            body=json.dumps(body).encode(),
            connect_s=WEBHOOK_S,
            read_s=WEBHOOK_S,
            total_s=WEBHOOK_S,
        )
    except ProviderError as error:
        log.warning("webhook failed", extra={"why": error.reason})
        return
    if answer.status >= 400:
        log.warning("webhook refused", extra={"status": answer.status})
