"""A provider that is out of reach: one question now and then, and everything goes on at its answer."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from generations.models import Job, JobState, ProviderAccount
from generations.providers import base
from generations.services.driver import breaker
from tests import driving, world
from tests.driving import calls, count, until
from tests.running import Sandbox, running_sandbox

__all__ = ["calls"]
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
S = JobState
DOWN_S = 4.0
EVERY_S = breaker.PROBE_EVERY_S * 0.05


@pytest.fixture
def down(tmp_path: Path) -> Iterator[Sandbox]:
    """A sandbox of the test's own, to be stopped and started."""
    with running_sandbox(tmp_path / "sandbox", "--latency", "2", "--fast-media") as running:
        yield running


@dataclass
class Outage:
    """What was called while the provider was known to be down, and for how long that was."""

    calls: int = 0
    seconds: float = 0.0


def outage(sandbox: Sandbox, calls: list[str], told: Outage, heeded: bool) -> driving.Script:
    """Three run and five wait when the sandbox goes; all eight are done when it is back."""
    yield from until(lambda: count(S.RUNNING) == 3)
    sandbox.stop()
    yield from until(lambda: ProviderAccount.objects.exclude(unreachable_since=None).exists())
    ProviderAccount.objects.update(max_concurrent=50)
    began, before = time.monotonic(), len(calls)
    yield from driving.wait(DOWN_S)
    told.calls, told.seconds = len(calls) - before, time.monotonic() - began
    if heeded:
        assert (count(S.RUNNING), count(S.QUEUED)) == (3, 5)
        sandbox.start()
        yield from until(lambda: count(S.COLLECTING) == 8)


def through_an_outage(
    down: Sandbox, settings: Any, calls: list[str], *, heeded: bool = True
) -> Outage:
    account = driving.at(down, settings, renew_s=0.5)
    ProviderAccount.objects.update(max_concurrent=3)
    team = world.team("acme")
    Job.objects.all().delete()
    driving.ask(team, team.editor, 8)
    told = Outage()
    driving.follow(account, outage(down, calls, told, heeded))
    return told


def test_one_question_at_a_time_and_all_goes_on_at_the_first_answer(
    down: Sandbox, settings: Any, calls: list[str]
) -> None:
    told = through_an_outage(down, settings, calls)
    assert 1 <= told.calls <= told.seconds / EVERY_S + 1
    assert len(down.ledger()) == 8
    row = ProviderAccount.objects.get(provider="jimeng")
    assert (row.unreachable_since, row.probe_at) == (None, None)


def test_unheeded_everything_asks(
    down: Sandbox, settings: Any, calls: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: the row says that the provider is down, and the driver does not look."""
    monkeypatch.setattr(breaker.Breaker, "open", False)
    told = through_an_outage(down, settings, calls, heeded=False)
    assert told.calls > told.seconds / EVERY_S + 1


def test_a_slice_goes_on_where_the_last_one_was(settings: Any) -> None:
    settings.ENGINE = {**settings.ENGINE, "patience": 1}
    told: list[int] = []
    first = breaker.Breaker(world.account(), lambda: told.append(1))
    first.note(base.NotSent("lease"))
    assert not first.open
    first.note(base.NotSent())
    assert first.open and first.due()
    first.asks()
    first.note(base.NotSent())
    second = breaker.Breaker(ProviderAccount.objects.get(provider="jimeng"), lambda: told.append(2))
    assert second.open and not second.due()
    second.note(base.Ambiguous())  # sent, and silence
    assert second.open
    second.note(base.KeyRefused(http_status=401))
    assert not second.open
    assert told == [1, 2]
    row = ProviderAccount.objects.get(provider="jimeng")
    assert (row.unreachable_since, row.probe_at) == (None, None)


def test_a_time_written_by_another_clock_is_not_waited_for() -> None:
    account = world.account()
    account.unreachable_since = timezone.now()
    account.probe_at = timezone.now() + 4 * timedelta(seconds=breaker.PROBE_EVERY_S)
    assert breaker.Breaker(account, lambda: None).due()
