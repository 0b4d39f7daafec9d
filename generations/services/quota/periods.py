"""Days and months as the provider bills them: by the Chinese calendar, wherever the server stands."""

from __future__ import annotations

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils import timezone
from django.utils.formats import date_format

from generations.models import Allowance


def period_key(period: str, now: datetime) -> str:
    """The provider's calendar day (`2026-11-21`) or month (`2026-11`), in its time zone."""
    local = now.astimezone(ZoneInfo(settings.ALLOWANCE_TIME_ZONE))
    return local.strftime("%Y-%m-%d" if period == Allowance.Period.DAY else "%Y-%m")


def began_at(period: str, now: datetime) -> datetime:
    """When the running day or month began."""
    midnight = now.astimezone(ZoneInfo(settings.ALLOWANCE_TIME_ZONE)).replace(
        hour=0, minute=0, second=0, microsecond=0
    )
    return midnight if period == Allowance.Period.DAY else midnight.replace(day=1)


def resets_at(period: str, now: datetime) -> datetime:
    """When the running day or month ends and the allowance is whole again."""
    began = began_at(period, now)
    if period == Allowance.Period.DAY:
        return began + timedelta(days=1)
    return (began + timedelta(days=32)).replace(day=1)


def in_words(moment: datetime) -> str:
    """Day and time, in the time zone of the pages."""
    local = timezone.localtime(moment)
    return f"{date_format(local, 'MONTH_DAY_FORMAT')} {local:%H:%M}"
