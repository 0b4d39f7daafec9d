"""Those who act in the play of transitions: drivers whose calls the test answers, and the answers."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta

from django.utils import timezone

from generations.models import DriverLease, ProviderAccount
from generations.providers import base
from generations.services import accounts
from generations.services.driver import lease as leases
from generations.services.driver.calls import Errand, Pool
from generations.services.driver.slice import Slice
from generations.services.supervisor import ensure

R = base.RemoteStatus

ANSWERS = (
    *(base.NotSent("refused"), base.Throttled("50429"), base.Moderated("50412")),
    *(base.Ambiguous("timeout"), ValueError("a bug of ours")),
)
POLLED = (
    *(base.Progress(R.RUNNING), base.Progress(R.DONE), base.Progress(R.NOT_FOUND, code="50215")),
    *(base.Progress(R.EXPIRED), base.Progress(R.CANCELLED), base.Moderated("50511")),
    *(base.KeyRefused("key"), base.NotSent("refused")),
)


def sweep(what: Callable[[], object]) -> Callable[[int], None]:
    def swept(_which: int) -> None:
        what()

    swept.__name__ = what.__name__
    return swept


SWEEPS = [sweep(each) for each in (ensure.lost_answers, ensure.deadlines, ensure.stuck_collects)]


class Line(Pool):
    """Calls that are made and not yet answered; when, how and whether they are is the test's."""

    def __init__(self) -> None:
        super().__init__(0)
        self.waiting: list[Errand] = []

    def send(self, errand: Errand) -> None:
        self.waiting.append(errand)

    def room(self) -> int:
        return 8


def driver(account: ProviderAccount) -> Slice:
    """Whoever held the lease before is dead, or only slept and goes on."""
    past = timezone.now() - timedelta(seconds=1)
    DriverLease.objects.update(expires_at=past)
    lease, credentials = leases.take(account), accounts.credentials_for(account)
    assert lease is not None and credentials is not None
    found = Slice(lease, credentials, lambda: False)
    found.pool = Line()
    return found


def line_of(each: Slice) -> Line:
    assert isinstance(each.pool, Line)
    return each.pool
