"""Any one process of runworker's tree is killed, again and again: no orphan, and work goes on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.client import PICTURE, Person
from tests.chaos.nemesis import tree
from tests.chaos.rows import Rows
from tests.chaos.world import Settings, furnish
from tests.conftest import PROVE
from tests.running import Site, running_site, wait_until

KILLS = 50 if PROVE else 6
# What is claimed holds for the usual leases; the short profile has short ones, and a busy machine.
RESUMES_S, STOPS_S = (40, 5) if PROVE else (90, 15)
pytestmark = [pytest.mark.site, pytest.mark.timeout(60 + KILLS * RESUMES_S)]


@pytest.fixture
def site(built: None, tmp_path: Path) -> Iterator[Site]:
    environment = Settings(production=PROVE).environment()
    options = ("--latency", "0.5", "--fast-media")
    with running_site(
        tmp_path, demo=False, worker=False, sandbox_options=options, **environment
    ) as made:
        yield made


def living(site: Site) -> dict[int, str]:
    assert site.worker is not None
    return {pid: part for part, pids in tree(site.worker).items() for pid in pids}


def exists(pid: int) -> bool:
    """A process that is no zombie."""
    with contextlib.suppress(OSError):
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8")
        return stat.rpartition(")")[2].split()[0] != "Z"
    return False


def strike(site: Site, pid: int) -> None:
    os.kill(pid, signal.SIGKILL)
    assert site.worker is not None
    if pid == site.worker.process.pid:
        site.worker.process.wait(timeout=10)
        site.start_worker()  # as whoever starts it does


def test_any_one_killed_leaves_no_orphan_and_work_resumes(site: Site) -> None:
    project = furnish(site, Settings(jobs=10 * KILLS)).projects[1]
    person = Person(site, "ada", random.Random(1), threading.Event())
    rows, rng = Rows(site.database_url), random.Random(KILLS)
    query = "SELECT COUNT(*) FROM generations_job WHERE state = 'succeeded'"
    site.start_worker()
    # One of each part has its turn before chance decides.
    order = ["child", "host drive", "sentinel", "parent", "child", "host media"]
    for number in range(KILLS):
        wait_until(lambda: len(living(site)) >= 12, timeout_s=60, what="a whole tree")
        before = living(site)
        part = order[number] if number < len(order) else None
        pid = rng.choice([pid for pid, each in before.items() if part in (None, each)])
        done, begun = rows.count(query), time.monotonic()
        strike(site, pid)
        assert person.compose(project, f"after kill {number}", PICTURE, 1) == 302
        wait_until(lambda n=done: rows.count(query) > n, timeout_s=RESUMES_S, what=before[pid])
        print(f"{number:>3} {before[pid]:<10} resumed after {time.monotonic() - begun:5.1f} s")
        wait_until(
            lambda old=before: not [pid for pid in old if exists(pid) and pid not in living(site)],
            timeout_s=30,
            what=f"no orphan of {before[pid]}",
        )
    assert rows.count(query) == KILLS == len(site.sandbox.ledger())


def test_a_stop_does_not_wait_for_what_is_only_polled(site: Site) -> None:
    project = furnish(site, Settings()).projects[1]
    person = Person(site, "ada", random.Random(1), threading.Event())
    rows = Rows(site.database_url)
    site.sandbox.set_faults(latency=20)
    worker = site.start_worker()
    person.compose(project, "a slow one", PICTURE, 4)
    query = "SELECT COUNT(*) FROM generations_job WHERE state = 'running'"
    wait_until(lambda: rows.count(query) == 4, timeout_s=60)
    below, begun = living(site), time.monotonic()
    site.stop_worker()
    assert time.monotonic() - begun <= STOPS_S
    assert worker.process.returncode == 0
    assert not [pid for pid in below if exists(pid)]
    site.start_worker()
    wait_until(lambda: rows.count(query.replace("running", "succeeded")) == 4, timeout_s=120)
    assert len(site.sandbox.ledger()) == 4
