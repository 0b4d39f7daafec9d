"""The browsers a person is signed in with: a row each, so that one can be ended from another.

Whether somebody is signed in is decided by the session alone; these rows tell which sessions are whose.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address
from django.db.models import QuerySet
from django.utils import timezone

from generations.models import SignIn, User
from generations.services.people.browsers import browser_of

SEEN_EVERY = timedelta(minutes=10)
KEPT_OF_AGENT = 200
SHOWN = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """One signed-in browser, as its person sees it."""

    row: SignIn
    browser: str
    system: str
    here: bool


def begin(*, user: User, session_key: str, agent: str, address: str) -> None:
    """Note a session that has just begun, and forget this person's dead ones."""
    _alive_or_not(user, alive=False).delete()
    cleaned = "".join(letter for letter in agent if letter.isprintable())[:KEPT_OF_AGENT]
    SignIn.objects.update_or_create(
        session_key=session_key,
        defaults={"user": user, "browser": cleaned, "address": address_of(address)},
    )
    cache.set(_note(session_key), True, SEEN_EVERY.total_seconds())


def seen(*, session_key: str) -> None:
    """Keep "last seen" roughly true: one write in ten minutes, whatever the number of processes."""
    now = timezone.now()
    stale = SignIn.objects.filter(session_key=session_key, seen_at__lt=now - SEEN_EVERY)
    stale.update(seen_at=now)


def due(session_key: str) -> bool:
    """Whether this process has not looked at the session for ten minutes. Asks no database."""
    return bool(cache.add(_note(session_key), True, SEEN_EVERY.total_seconds()))


def moved(*, before: str, after: str) -> None:
    """The session goes on under another key, as it does when the password changes."""
    SignIn.objects.filter(session_key=before).update(session_key=after)


def sign_ins(*, user: User, session_key: str | None) -> list[Seen]:
    """Where a person is signed in now, this browser first."""
    rows = list(_alive_or_not(user, alive=True).order_by("-seen_at", "-pk")[:SHOWN])
    rows.sort(key=lambda row: row.session_key != session_key)
    return [Seen(row, *browser_of(row.browser), row.session_key == session_key) for row in rows]


def end(*, user: User, sign_in: int) -> bool:
    """Sign one of the person's browsers out; False when there is no such one (any more)."""
    return bool(_end(user.sign_ins.filter(pk=sign_in)))


def end_elsewhere(*, user: User, session_key: str | None) -> int:
    """Sign the person out everywhere but here (`None`: everywhere); say how many that were."""
    return _end(user.sign_ins.exclude(session_key=session_key or ""))


def forget(*, session_key: str) -> None:
    """The session has ended by itself: by signing out."""
    SignIn.objects.filter(session_key=session_key).delete()


def _end(rows: QuerySet[SignIn]) -> int:
    keys = list(rows.values_list("session_key", flat=True))
    Session.objects.filter(session_key__in=keys).delete()
    return rows.filter(session_key__in=keys).delete()[0]


def _alive_or_not(user: User, *, alive: bool) -> QuerySet[SignIn]:
    sessions = Session.objects.filter(expire_date__gt=timezone.now()).values("session_key")
    rows = SignIn.objects.filter(user=user)
    inside = {"session_key__in": sessions}
    return rows.filter(**inside) if alive else rows.exclude(**inside)


def address_of(text: str) -> str | None:
    """The peer's address; a Unix socket has none."""
    try:
        validate_ipv46_address(text)
    except ValidationError:
        return None
    return text


def _note(session_key: str) -> str:
    """A cookie may hold anything, a cache key may not."""
    return f"seen:{hashlib.sha256(session_key.encode()).hexdigest()}"
