"""Tokens for programs: made and shown once, checked on every request, limited against guessing.

A token is 256 bits, so a fast hash is enough to keep it by, and nobody guesses one. What is limited is the
trying: from an address that has brought ten different wrong ones within a quarter of an hour, only tokens
that have worked from there before are looked at. A script that goes on with one expired token counts
once, and locks nobody else out. The counts are this process's own.
"""

from __future__ import annotations

import hashlib
import re
import secrets
import uuid
from contextlib import suppress
from datetime import timedelta
from ipaddress import IPv6Address, ip_address

from django.core.cache import cache
from django.db.models import Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.models import ApiToken, Project, User

PREFIX = "dpt_"
TOKEN_BYTES = 32
DAYS = (30, 90, 365)
NEVER = "never"
NAME_MAX = 60
MANY = 50  # tokens a person may have at a time
USED_EVERY = timedelta(minutes=1)
WRONG_MOST = 10
WRONG_FOR_S = 900
KNOWN_FOR_S = 3600
_SPELLING = re.compile(rf"{PREFIX}[A-Za-z0-9_-]{{43}}", re.ASCII)


class TokenProblem(Exception):
    """A token that cannot be made; `message` is one translated sentence, `field` what it is about."""

    def __init__(self, field: str, message: str) -> None:
        super().__init__(message)
        self.field = field
        self.message = message


class WrongToken(Exception):
    """No such token, or not any more: revoked, expired. Nobody is told which."""


class TooManyGuesses(Exception):
    """Too many wrong tokens came from this address; `wait_s` says for how long it has to pause."""

    def __init__(self, wait_s: int) -> None:
        super().__init__()
        self.wait_s = wait_s


def make_token(*, user: User, name: str, days: str, project: str, may_run: bool) -> str:
    """Make a token and return it; it cannot be had again. `project` is a public id, or empty for all.

    Raises TokenProblem.
    """
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise TokenProblem("name", _("Give the token a name: what it is for."))
    if len(name) > NAME_MAX:
        message = _("A name has at most %(max)s characters.") % {"max": NAME_MAX}
        raise TokenProblem("name", message)
    if days not in {NEVER, *map(str, DAYS)}:
        raise TokenProblem("days", _("Choose for how long the token works."))
    if tokens_of(user=user).count() >= MANY:
        message = _("You have %(max)s tokens. Revoke one first.") % {"max": MANY}
        raise TokenProblem("name", message)
    token = PREFIX + secrets.token_urlsafe(TOKEN_BYTES)
    ApiToken.objects.create(
        user=user,
        project=_project(user, project),
        name=name,
        token_sha256=_hashed(token),
        may_run=may_run,
        expires_at=None if days == NEVER else timezone.now() + timedelta(days=int(days)),
    )
    return token


def tokens_of(*, user: User) -> QuerySet[ApiToken]:
    """A person's tokens, the newest first, those that have expired included."""
    return user.api_tokens.filter(revoked_at=None).select_related("project").order_by("-id")


def revoke_token(*, token: ApiToken) -> None:
    """From now on it lets nobody in."""
    ApiToken.objects.filter(pk=token.pk, revoked_at=None).update(revoked_at=timezone.now())


def admit(*, token: str, address: str | None) -> ApiToken:
    """The token's row, noted as used; raise WrongToken, or TooManyGuesses for the address it came from."""
    digest = _hashed(token)
    where = _network(address)
    known = f"token-known:{where}:{digest}"
    if _wrong(where) >= WRONG_MOST and not cache.get(known):
        raise TooManyGuesses(WRONG_FOR_S)
    found = _working(token, digest)
    if found is None:
        _count_wrong(where, digest)
        raise WrongToken
    cache.set(known, True, KNOWN_FOR_S)
    _used(found)
    return found


def _working(token: str, digest: str) -> ApiToken | None:
    if not _SPELLING.fullmatch(token):
        return None
    rows = ApiToken.objects.working(timezone.now()).select_related("user", "project")
    return rows.filter(token_sha256=digest).first()


def _used(token: ApiToken) -> None:
    """Keep "last used" roughly true: one write a minute, whatever the number of processes."""
    now = timezone.now()
    if token.last_used_at and token.last_used_at > now - USED_EVERY:
        return
    stale = Q(last_used_at=None) | Q(last_used_at__lt=now - USED_EVERY)
    ApiToken.objects.filter(stale, pk=token.pk).update(last_used_at=now)


def _wrong(where: str) -> int:
    return int(cache.get(f"tokens-wrong:{where}", 0))


def _count_wrong(where: str, digest: str) -> None:
    """One more wrong token from there; the same one again does not count."""
    if cache.add(f"token-wrong:{where}:{digest}", True, WRONG_FOR_S):
        counted = f"tokens-wrong:{where}"
        cache.add(counted, 0, WRONG_FOR_S)
        with suppress(ValueError):  # it ran out between the two: whoever comes next begins anew
            cache.incr(counted)


def _network(address: str | None) -> str:
    """Whom an address stands for: of IPv6 a household has 2^64. "-" behind a Unix socket."""
    if address is None:
        return "-"
    found = ip_address(address)
    wide = isinstance(found, IPv6Address) and found.ipv4_mapped is None
    return f"{int(found) >> 64:x}::/64" if wide else str(found)


def _project(user: User, public_id: str) -> Project | None:
    if not public_id:
        return None
    try:
        wanted = uuid.UUID(public_id)
    except ValueError:
        wanted = None
    found = Project.objects.visible_to(user).filter(public_id=wanted).first() if wanted else None
    if found is None:
        raise TokenProblem("project", _("Choose one of your projects."))
    return found


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
