"""The circuit breaker: while a provider is out of reach it gets one question now and then, no more."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from generations.models import ProviderAccount
from generations.providers.base import NotSent, ProviderError

PROBE_EVERY_S = 30.0
# What we say ourselves of a call that was not made.
LEASE_LOST, PAUSED = "lease", "paused"
OURS = frozenset({LEASE_LOST, PAUSED})


class Breaker:
    """Opens with a connection that could not be made, closes with the first answer of any kind.

    Both are kept in the account's row: the next slice goes on from there, and the cards can tell.
    """

    def __init__(self, account: ProviderAccount, tell: Callable[[], None]) -> None:
        self.account = account
        self.tell = tell

    @property
    def open(self) -> bool:
        return self.account.unreachable_since is not None

    def due(self) -> bool:
        """Whether the next question may be asked. One far ahead was written by another clock."""
        at, now = self.account.probe_at, timezone.now()
        return at is None or at <= now or at > now + self._every()

    def asks(self) -> None:
        """Before the question is sent: whoever drives next waits as long."""
        self._keep(probe_at=timezone.now() + self._every())

    def note(self, answer: object) -> None:
        """What any call came to. Silence after sending says neither."""
        if isinstance(answer, NotSent):
            if answer.code not in OURS and not self.open:
                # The first question goes at once: a single hiccup must not cost half a minute.
                self._keep(unreachable_since=timezone.now(), probe_at=None)
                self.tell()
        elif self.open and _is_answer(answer):
            self._keep(unreachable_since=None, probe_at=None)
            self.tell()

    def _every(self) -> timedelta:
        return timedelta(seconds=PROBE_EVERY_S * settings.ENGINE["patience"])

    def _keep(self, **fields: object) -> None:
        for name, value in fields.items():
            setattr(self.account, name, value)
        ProviderAccount.objects.filter(pk=self.account.pk).update(**fields)


def _is_answer(answer: object) -> bool:
    if isinstance(answer, ProviderError):
        return answer.http_status is not None
    return not isinstance(answer, BaseException)
