"""One run from start to verdict."""

from __future__ import annotations

import json
import random
import sys
import threading
import time
import uuid
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from sandbox.faults import FILE, KINDS, POLL, POLL_WAY, POLL_WORDS
from tests.chaos import checker, files, money
from tests.chaos.checker import Books, Evidence
from tests.chaos.client import Crowd, Person
from tests.chaos.nemesis import Nemesis, tree
from tests.chaos.report import Report
from tests.chaos.rows import Rows, key
from tests.chaos.world import PEOPLE, Settings, furnish
from tests.running import Site, running_site, wait_until

LOG_ZONE = ZoneInfo("Asia/Shanghai")  # TIME_ZONE's default
# Files that a death has left without a row are taken after a day; here at once.
_NEXT_DAY = """
from datetime import timedelta
from generations.services.supervisor import ensure
ensure.UNREFERENCED = timedelta(0)
answer = ensure.sweep_files()
"""


def faults(rate: float) -> dict[str, float]:
    """Chances of each kind, so that a request of each sort is struck with `rate`, by any kind alike."""
    polls = {*POLL, *POLL_WORDS, *POLL_WAY}
    sorts = (polls, {*FILE}, KINDS - polls - {*FILE})
    return {kind: 1 - (1 - rate) ** (1 / len(sort)) for sort in sorts for kind in sort}


def restarts_by_watchdogs(site: Site) -> list[float]:
    """When hosts found their clusters hanging and ended them: a blow that an earlier one dealt."""
    found = []
    for line in (site.folder / "worker.log").read_text(encoding="utf-8").splitlines():
        if "cluster hangs" in line and line.startswith("{"):
            asctime = json.loads(line)["asctime"].replace(",", ".")
            found.append(datetime.fromisoformat(asctime).replace(tzinfo=LOG_ZONE).timestamp())
    return found


def evidence(site: Site, nemesis: Nemesis) -> Evidence:
    suffered = {
        uuid.replace("-", ""): kind for uuid, kind in site.sandbox.state()["suffered"].items()
    }
    blows = [(each.begun, each.ended) for each in nemesis.strikes if each.reaches_drivers]
    blows += [(at, at + 1) for at in restarts_by_watchdogs(site)]
    return Evidence(suffered, blows)


def wait_for_rest(site: Site, rest_s: float) -> None:
    """Until nothing is under way any more."""
    rows = Rows(site.database_url)
    query = "SELECT state, COUNT(*) AS n FROM generations_job GROUP BY state"

    def rests() -> bool:
        states = {row["state"]: row["n"] for row in rows.ask(query)}
        print(f"  {states}", file=sys.stderr)
        return not {*states} & {*checker.ACTIVE}

    wait_until(rests, timeout_s=rest_s, every_s=2, what="rest")


def run(settings: Settings, folder: Path) -> Report:
    """Start everything, break it for a while, let it come to rest, and judge."""
    report = Report(settings)
    crash = folder / "crash"
    crash.mkdir(parents=True)
    options = ("--latency", str(settings.latency_s), "--fast-media", "--seed", str(settings.seed))
    site_options = {"database_url": settings.database, "demo": False, "worker": False}
    environment = {**settings.environment(), "DIPTYCH_CRASH_AT": f"{crash}/"}
    with running_site(folder, sandbox_options=options, **site_options, **environment) as site:
        stage = furnish(site, settings)
        site.sandbox.set_faults(faults=faults(settings.fault_rate))
        site.start_worker()
        rng = random.Random(f"{settings.seed}:nemesis")
        nemesis = Nemesis(site, rng, settings.kills, settings.every_s, crash)
        crowd = Crowd(site, stage, settings)
        begun = time.monotonic()
        nemesis.start()
        crowd.start()
        nemesis.run()
        nemesis.rest()
        crowd.join(settings.rest_s)
        _come_to_rest(site, nemesis, report, settings)
        report.seconds = round(time.monotonic() - begun, 1)
        _judge(site, nemesis, crowd, report)
        _stop(site, nemesis, report)
    return report


def _come_to_rest(site: Site, nemesis: Nemesis, report: Report, settings: Settings) -> None:
    begun = time.monotonic()
    try:
        wait_until(lambda: site.web and site.web.alive and site.worker and site.worker.alive)
        wait_for_rest(site, settings.rest_s)
    except AssertionError as error:
        report.wrong.append(str(error))
    report.rest_seconds = round(time.monotonic() - begun, 1)


def _stop(site: Site, nemesis: Nemesis, report: Report) -> None:
    """End the worker as a person does, and see that nothing of it is left."""
    nemesis.leave_alone()
    assert site.worker is not None
    below = [pid for pids in tree(site.worker).values() for pid in pids]
    begun = time.monotonic()
    site.stop_worker()
    report.stop_seconds = round(time.monotonic() - begun, 1)
    nemesis.end()
    try:
        wait_until(lambda: not _living(below), timeout_s=5)
    except AssertionError:
        report.wrong += [f"orphan {pid}" for pid in _living(below)]


def _living(pids: list[int]) -> list[int]:
    return [pid for pid in pids if Path(f"/proc/{pid}").exists()]


def _judge(site: Site, nemesis: Nemesis, crowd: Crowd, report: Report) -> None:
    report.struck = site.sandbox.state()["struck"]
    books = Books(Rows(site.database_url), site.sandbox.ledger(), evidence(site, nemesis))
    report.wrong += [*checker.check(books), *files.pictures(books)]
    report.wrong += [*money.balances(books), *money.spendings(books)]
    report.note(nemesis.strikes)
    report.restarts, report.clicks = nemesis.restarts, dict(crowd.seen)
    report.take(books)
    after = _tidied(site, books, report)
    report.wrong += [*money.balances(after), *money.spendings(after), *money.at_rest(after)]
    report.wrong += files.bytes_and_rows(after, site.var / "media")


def _tidied(site: Site, books: Books, report: Report) -> Books:
    """The books when people have decided about every doubt, and the sweep of the next day has been."""
    person = Person(site, PEOPLE[0], random.Random(), threading.Event())
    for job in books.jobs.values():
        if job["state"] == "uncertain":
            person.post(f"/j/{uuid.UUID(key(job['public_id']))}/dismiss/", {})
    media = site.var / "media"
    before = files.stored(media)
    site.shell(_NEXT_DAY)
    report.swept = len(before - files.stored(media))
    return Books(books.rows, books.ledger, books.evidence)
