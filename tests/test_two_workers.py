"""Two web and two worker processes on one PostgreSQL: one driver at a time, and a frozen one is fenced.

The sandbox's ledger is the judge: a line for each submission that it accepted.
"""

from __future__ import annotations

import json
import os
import signal
import socket
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import psycopg
import pytest

from tests.running import Running, Site, free_port, wait_until
from tests.test_live import Listener

pytestmark = [pytest.mark.timeout(300), pytest.mark.postgres]
QUICK = {"ENGINE_LEASE": "3", "ENGINE_RENEW": "1", "ENGINE_ENSURE": "0.5", "ENGINE_SLICE": "2"}
SERVER = ["-m", "uvicorn", "studio.asgi:application", "--lifespan", "off", "--log-level", "warning"]
JOBS = 12


@pytest.fixture
def site(postgres_url: str, start_site: Callable[..., Site]) -> Site:
    options = {"sandbox_options": ("--latency", "2", "--fast-media"), **QUICK}
    made = start_site(database_url=postgres_url, web=False, worker=False, demo=False, **options)
    made.begin()
    return made


@pytest.fixture
def second(site: Site) -> Iterator[Callable[..., Running]]:
    """Start one more process of the installation."""
    started: list[Running] = []

    def start(name: str, arguments: list[str], **more: str) -> Running:
        log = site.folder / f"{name}.log"
        started.append(Running.start(arguments, env=site.env(**more), log=log))
        return started[-1]

    yield start
    for each in started:
        if each.alive:
            os.kill(each.process.pid, signal.SIGCONT)
            each.end(grace_s=10)


def ask(site: Site, prompt: str, count: int) -> None:
    generate = ["generate", prompt, "--project", "demo", "--size", "1024x1024"]
    site.manage(*generate, "--count", str(count), "--skip-checks")


def rows(site: Site, query: str) -> list[Any]:
    with psycopg.connect(site.database_url) as database:
        return list(database.execute(query.encode()))


def states(site: Site) -> Counter[str]:
    return Counter(row[0] for row in rows(site, "SELECT state FROM generations_job"))


def slices(account: int, *logs: Path) -> list[tuple[datetime, str, int, Path]]:
    """When a slice of the account began or ended, in order of time, as the workers themselves noted it."""
    found = []
    for log in logs:
        for line in log.read_text(encoding="utf-8").splitlines():
            if '"slice ' in line:
                note = json.loads(line)
                if note["account"] != account:
                    continue
                at = datetime.strptime(note["asctime"], "%Y-%m-%d %H:%M:%S,%f")
                found.append((at, note["message"], note["epoch"], log))
    return sorted(found, key=lambda each: each[0])


def test_one_driver_at_any_moment_and_a_dead_worker_is_replaced(
    site: Site, second: Callable[..., Running]
) -> None:
    first = site.start_worker(LOG_LEVEL="DEBUG")
    other = second("other", ["manage.py", "runworker"], LOG_LEVEL="DEBUG")
    ask(site, "山水", 8)
    ask(site, "江南", JOBS - 8)
    wait_until(lambda: states(site)["succeeded"] == JOBS, timeout_s=120, every_s=0.5)
    ((account,),) = rows(site, "SELECT DISTINCT account_id FROM generations_job")
    both = (account, first.log, other.log)
    wait_until(lambda: len({log for *_, log in slices(*both)}) == 2, timeout_s=90, every_s=1)
    ask(site, "sandbox:slow=6 塞北", 4)
    wait_until(lambda: states(site)["running"] == 4, timeout_s=30, every_s=0.2)
    first.kill()
    wait_until(lambda: states(site)["succeeded"] == JOBS + 4, timeout_s=120, every_s=0.5)
    ledger = Counter(line["client_request_id"] for line in site.sandbox.ledger())
    assert len(ledger) == JOBS + 4
    assert set(ledger.values()) == {1}
    _one_at_a_time(slices(*both))


def _one_at_a_time(notes: list[tuple[datetime, str, int, Path]]) -> None:
    """A slice begins after the one before has ended, or after its lease ran out with its worker."""
    begun: tuple[datetime, int] | None = None
    for at, message, epoch, _log in notes:
        if message == "slice ended":
            assert begun is not None
            assert begun[1] == epoch
            begun = None
        else:
            dead = begun is not None and (at - begun[0]).total_seconds() > 2
            assert begun is None or dead, f"{epoch} began while {begun} drove"
            begun = (at, epoch)


def test_news_of_one_worker_reaches_every_web_process(
    site: Site, second: Callable[..., Running]
) -> None:
    site.start_web()
    port = free_port()
    second("web2", [*SERVER, "--host", "127.0.0.1", "--port", str(port)])
    session = site.session()  # kept in the database: every web process knows it
    ((project,),) = rows(site, "SELECT public_id FROM generations_project WHERE slug = 'demo'")
    site.start_worker()
    page = f"/p/{project}/events/"
    wait_until(lambda: _listens(port), timeout_s=60)
    ears = [Listener(site, session, page), Listener(site, session, page, port=port)]
    wait_until(lambda: all("text/event-stream" in ear.head for ear in ears), timeout_s=20)
    ask(site, "大漠", 1)
    wait_until(lambda: states(site)["succeeded"] == 1, timeout_s=60, every_s=0.5)
    wait_until(lambda: len(ears[0].events) >= 5 and ears[0].events == ears[1].events, timeout_s=20)
    for ear in ears:
        ear.close()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@pytest.mark.parametrize(("guards", "accepted"), [((), 1), (("lease",), 2)])
def test_a_driver_frozen_before_it_sends_sends_nothing_when_it_wakes(
    site: Site, second: Callable[..., Running], guards: tuple[str, ...], accepted: int
) -> None:
    """Meanwhile another took over and a person ordered the job again. Twin: no look at the lease."""
    ask(site, "冻", 1)
    frozen = second("frozen", ["-m", "tests.lone_driver", "before_send", *guards])
    wait_until(lambda: "frozen" in frozen.said(), timeout_s=30)
    site.start_worker()
    wait_until(lambda: states(site) == {"uncertain": 1}, timeout_s=30)
    order = "from generations.services import jobs; from generations.models import *;"
    order += "j = Job.objects.get(); jobs.send_again(job=j, actor=j.user); answer = 1"
    site.shell(order)
    wait_until(lambda: states(site) == {"succeeded": 1}, timeout_s=60)
    assert len(site.sandbox.ledger()) == 1
    os.kill(frozen.process.pid, signal.SIGCONT)
    wait_until(lambda: "woke and ended" in frozen.said(), timeout_s=30)
    assert len(site.sandbox.ledger()) == accepted
    assert states(site) == {"succeeded": 1}


def test_an_answer_that_a_frozen_driver_held_is_not_lost(
    site: Site, second: Callable[..., Running]
) -> None:
    """Frozen with the task's id in its hand: the job is uncertain until it wakes, then goes on."""
    ask(site, "冻", 1)
    frozen = second("frozen", ["-m", "tests.lone_driver", "after_send"])
    wait_until(lambda: "frozen" in frozen.said(), timeout_s=30)
    site.start_worker()
    wait_until(lambda: states(site) == {"uncertain": 1}, timeout_s=30)
    os.kill(frozen.process.pid, signal.SIGCONT)
    wait_until(lambda: states(site) == {"succeeded": 1}, timeout_s=60)
    assert len(site.sandbox.ledger()) == 1
