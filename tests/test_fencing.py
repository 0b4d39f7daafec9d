"""The fencing epoch: what a driver learns after another has taken over is not written down."""

from __future__ import annotations

import dataclasses
import time

import pytest
from django.utils import timezone

from generations.models import DriverLease, Job, JobState
from generations.providers.base import EngineFailed, Progress, RemoteStatus
from generations.services.driver import claims
from generations.services.driver.calls import Result
from generations.services.driver.lease import Lease, take
from generations.services.driver.slice import Slice, drive
from generations.services.driver.watch import Watch
from generations.services.jobs import changes
from tests import world

pytestmark = pytest.mark.django_db
S = JobState
# An hour-old doubt that only the sleeper has: whoever drives now has just been told otherwise.
STALE = {"gone": (Progress(RemoteStatus.NOT_FOUND), S.EXPIRED), "failed": (None, S.FAILED)}


def asleep_and_replaced() -> tuple[Watch, Job, Lease]:
    """A driver that was frozen over a doubtful answer, its job, and the lease of its successor."""
    team = world.team("acme")
    (job,) = world.generation(team.project, team.owner, states=(S.RUNNING,)).jobs.all()
    first = take(world.account())
    assert first is not None
    (adopted,) = claims.adopt(first)
    sleeper = Watch(first)
    sleeper.watch(adopted)
    sleeper.doubts[job.pk] = time.monotonic() - 3600
    DriverLease.objects.update(expires_at=timezone.now())
    second = take(world.account())
    assert second is not None
    assert second.epoch > first.epoch
    assert [each.pk for each in claims.adopt(second)] == [job.pk]
    return sleeper, adopted, second


def answer_of(kind: str) -> Progress | EngineFailed:
    return STALE[kind][0] or EngineFailed("50500", "internal")


@pytest.mark.parametrize("kind", STALE)
def test_what_a_replaced_driver_learns_changes_nothing(kind: str) -> None:
    sleeper, job, second = asleep_and_replaced()
    assert not sleeper.lease.renew(in_flight=1)
    sleeper.absorb([Result("poll", job, answer_of(kind))])
    job.refresh_from_db()
    assert (job.state, job.lease_epoch) == (S.RUNNING, second.epoch)


@pytest.mark.parametrize("kind", STALE)
def test_twin_without_the_epoch_a_paid_picture_is_given_up(
    kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fenced = changes._compare_and_set
    monkeypatch.setattr(
        changes, "_compare_and_set", lambda each: fenced(dataclasses.replace(each, epoch=None))
    )
    sleeper, job, _second = asleep_and_replaced()
    sleeper.absorb([Result("poll", job, answer_of(kind))])
    job.refresh_from_db()
    assert job.state == STALE[kind][1]


def test_a_slice_that_breaks_off_lets_the_next_driver_in_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    account = world.account()

    def broken(self: Slice) -> None:
        raise ValueError("a bug of ours")

    monkeypatch.setattr(Slice, "loop", broken)
    with pytest.raises(ValueError, match="a bug of ours"):
        drive(account_id=account.pk, stop=lambda: False)
    assert take(account) is not None
