"""Pausing an account, or everything: nothing more is sent, what was sent is asked after and fetched."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db import transaction
from django.db.models import Exists, Q
from django.utils import timezone

from generations.models import Job, JobState, ProviderAccount, SiteSwitch, User
from generations.services import events
from generations.services.jobs.changes import touch

TOLD = 500


@dataclass(frozen=True, slots=True)
class Pause:
    """Since when, and by whom; `everything` when it is not about one account."""

    since: datetime
    by: str
    everything: bool


def held_back(account_id: int) -> bool:
    """Whether nothing may be sent for this account now: asked again right before anything is."""
    everything = Exists(SiteSwitch.objects.filter(paused_at__isnull=False))
    stops = Q(enabled=False) | Q(paused_at__isnull=False) | everything
    return ProviderAccount.objects.filter(stops, pk=account_id).exists()


def pause_sending(*, account: ProviderAccount | None, actor: User) -> bool:
    """Stop sending for one account, or for all (None). False when that is so already."""
    return _switch(account, {"paused_at": timezone.now(), "paused_by": actor}, was_paused=False)


def resume_sending(*, account: ProviderAccount | None) -> bool:
    """Send again. Whoever paused one account has to resume that one too."""
    return _switch(account, {"paused_at": None, "paused_by": None}, was_paused=True)


def _switch(account: ProviderAccount | None, fields: dict[str, object], was_paused: bool) -> bool:
    if account is None:
        SiteSwitch.objects.get_or_create(pk=SiteSwitch.ONLY)
        rows = SiteSwitch.objects.filter(pk=SiteSwitch.ONLY, paused_at__isnull=not was_paused)
        switched = rows.update(**fields)
    else:
        own = ProviderAccount.objects.filter(pk=account.pk, paused_at__isnull=not was_paused)
        switched = own.update(**fields)
    if switched:
        _tell(account)
    return bool(switched)


def _tell(account: ProviderAccount | None) -> None:
    """Have the cards of what waits say so. After the switch: that must not wait for anything."""
    waiting = Job.objects.filter(state=JobState.QUEUED)
    if account is not None:
        waiting = waiting.filter(account=account)
    with transaction.atomic():
        events.in_order()
        touch(list(waiting.values_list("generation_id", flat=True).distinct()[:TOLD]))


def pauses() -> dict[int | None, Pause]:
    """What is paused now, by account; None stands for everything."""
    found: dict[int | None, Pause] = {}
    for row in ProviderAccount.objects.exclude(paused_at=None).select_related("paused_by"):
        found[row.pk] = _told(row, everything=False)
    for switch in SiteSwitch.objects.exclude(paused_at=None).select_related("paused_by"):
        found[None] = _told(switch, everything=True)
    return found


def _told(row: ProviderAccount | SiteSwitch, *, everything: bool) -> Pause:
    assert row.paused_at is not None
    return Pause(row.paused_at, row.paused_by.shown_name if row.paused_by else "", everything)
