"""A cluster that hangs is found out, whichever of its processes died; and what it left is taken up."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.db import OperationalError
from django.utils import timezone

from generations.models import DriverLease
from generations.services import queue
from generations.services.driver import lease
from generations.services.supervisor import ensure, watchdog
from tests import world
from tests.chaos.nemesis import children, tree
from tests.chaos.rows import Rows
from tests.running import running_site, wait_until

QUICK = {"ENGINE_LEASE": "3", "ENGINE_RENEW": "1", "ENGINE_ENSURE": "0.5"}


def test_completions_that_nobody_acknowledges_are_a_hang() -> None:
    wire = watchdog.Wire()
    dog = watchdog.Watchdog(queue.MEDIA, wire)
    now = time.monotonic()
    wire.acknowledged.value, wire.completed.value = now - 60, now - 30
    # Long, but no canary could be sent since: the database is slow, and so is the monitor.
    assert not dog.unacknowledged()
    dog.acknowledgement.sent = watchdog.LIMIT_SENT
    assert dog.unacknowledged()
    wire.acknowledged.value = now
    assert not dog.unacknowledged()
    # A worker that is busy for long completes nothing, and owes nothing.
    dog.acknowledgement.sent = watchdog.LIMIT_SENT
    assert not dog.unacknowledged()


def test_a_silent_cluster_hangs_only_while_canaries_can_be_sent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    wire = watchdog.Wire()
    dog = watchdog.Watchdog(queue.DRIVE, wire)
    wire.beat.value = wire.completed.value = wire.acknowledged.value = 0.0
    clock = iter(range(1000, 9000, 4))
    monkeypatch.setattr(time, "monotonic", lambda: float(next(clock)))

    def locked(_cluster: str) -> None:
        raise OperationalError("database is locked")

    monkeypatch.setattr(queue, "canary", lambda _cluster: None)
    assert not dog.hung()
    monkeypatch.setattr(queue, "canary", locked)
    assert not any(dog.hung() for _ in range(20))
    monkeypatch.setattr(queue, "canary", lambda _cluster: None)
    assert [dog.hung() for _ in range(3)] == [False, False, True]
    wire.beat.value = float(next(clock))
    assert not dog.hung()


def test_a_beating_task_says_that_it_lives(monkeypatch: pytest.MonkeyPatch) -> None:
    wire = watchdog.Wire()
    monkeypatch.setattr(watchdog, "_wire", wire)
    monkeypatch.setattr(watchdog, "CANARY_EVERY_S", 0.01)
    with watchdog.beating():
        before = wire.beat.value
        wait_until(lambda: wire.beat.value > before, timeout_s=10, every_s=0.01)


@pytest.mark.django_db
def test_messages_that_were_taken_do_not_count_as_waiting() -> None:
    """Their taker may be dead: they would stop every other wake-up until their locks run out."""
    from django_q.models import OrmQ

    now = timezone.now()
    for _ in range(30):
        OrmQ.objects.create(key=queue.DRIVE, payload="", lock=now + timedelta(seconds=900))
    assert not queue.full(queue.DRIVE)
    OrmQ.objects.update(lock=now)
    assert queue.full(queue.DRIVE)


@pytest.mark.django_db
def test_the_lease_of_a_dead_driver_is_free_at_once_and_no_other() -> None:
    account = world.account()
    dead = subprocess.Popen(["true"])
    dead.wait()
    name, _pid, started = lease.identity().rsplit(":", 2)
    elsewhere = f"other:{'0' * 8}-1:{dead.pid}:{started}"
    for owner, freed in [
        (lease.identity(), False),
        (elsewhere, False),
        ("an older:name:1", False),
        (f"{name}:{dead.pid}:{started}", True),
    ]:
        ends = timezone.now() + timedelta(seconds=30)
        held = {"owner": owner, "epoch": 7, "expires_at": ends}
        DriverLease.objects.update_or_create(account=account, defaults=held)
        ensure.drivers()
        row = DriverLease.objects.get(account=account)
        assert (row.owner == "") == freed, owner
        assert row.expires_at
        assert (row.expires_at < ends) == freed
        assert row.epoch == 7
        assert bool(lease.take(account)) == freed


@pytest.mark.site
@pytest.mark.timeout(300)
@pytest.mark.parametrize("cluster", [pytest.param("drive", marks=pytest.mark.prove), "media"])
def test_a_dead_monitor_restarts_its_cluster(cluster: str, tmp_path: Path) -> None:
    """It dies holding the lock on what workers completed; the next one waits for it for ever."""
    with running_site(tmp_path, web=False, demo=False, **QUICK) as site:
        site.begin()
        generate = ["generate", "一只柯基", "--project", "demo", "--size", "1024x1024", "--wait"]
        site.manage(*generate, "--skip-checks")
        assert site.worker is not None
        (host,) = tree(site.worker)[f"host {cluster}"]
        (sentinel,) = children(host)
        monitor = children(sentinel)[-2]  # the pusher is forked after it
        os.kill(monitor, signal.SIGKILL)
        wait_until(lambda: tree(site.worker).get(f"host {cluster}", [host]) != [host], timeout_s=90)
        site.manage(*generate, "--skip-checks")
        rows = Rows(site.database_url)
        # Messages are acknowledged again, those that had piled up among them.
        few = f"SELECT COUNT(*) FROM django_q_ormq WHERE key = '{cluster}'"
        wait_until(lambda: rows.count(few) <= 3, timeout_s=60, every_s=0.5, what="acknowledged")
