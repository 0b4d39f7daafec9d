"""Many runs at once: how long until the last result is known, and until its picture is stored.

The jobs are composed beforehand and become ready at one moment, so that only the engine is measured.
The provider's own times come from the sandbox's database, which nobody of ours writes.
"""

from __future__ import annotations

import sqlite3
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench import processes
from tests import many
from tests.many import ROWS
from tests.running import Site, running_site, wait_until

SPANS = """
from django.db.models import Count, Max
found = Job.objects.aggregate(Max("answered_at"), Max("finished_at"))
answer = {
    "answered": found["answered_at__max"].timestamp(),
    "stored": found["finished_at__max"].timestamp(),
    "states": list(Job.objects.values_list("state").annotate(n=Count("pk"))),
    "renditions": Rendition.objects.filter(asset__isnull=False).values("asset").distinct().count(),
}
"""


@dataclass(frozen=True, slots=True)
class Burst:
    """What became of `count` jobs at once; seconds, megabytes.

    CPU seconds of the whole worker tree, and of the driver's part of it; requests of the driver.
    """

    count: int
    longest_s: float
    known_s: float
    stored_s: float
    cpu_s: float
    driver_s: float
    requests: int
    peak_pss_mb: float

    @property
    def known(self) -> float:
        """Until the last result is known, as a multiple of the provider's longest latency."""
        return self.known_s / self.longest_s

    @property
    def stored(self) -> float:
        """Until the last picture is stored with its first rendition, as the same multiple."""
        return self.stored_s / self.longest_s

    @property
    def ms_per_request(self) -> float:
        return 1000 * self.driver_s / self.requests


@contextmanager
def engine(latency_s: float, spread_s: float, database_url: str = "") -> Iterator[Site]:
    """A site with a worker and no web process; the sandbox takes `latency_s` to that plus `spread_s`."""
    middle = latency_s + spread_s / 2
    options = ("--latency", str(middle), "--jitter", str(spread_s / 2 / middle), "--fast-media")
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(
            Path(folder),
            database_url=database_url,
            web=False,
            worker=False,
            demo=False,
            sandbox_options=options,
        ) as site,
    ):
        site.begin()
        yield site


def measure(count: int, latency_s: float = 10.0, spread_s: float = 1.0) -> Burst:
    """Run `count` jobs at once through a worker of its own."""
    with engine(latency_s, spread_s) as site:
        many.make_room(site)
        many.ask(site, count, held=True)
        worker = site.start_worker()
        ours = "DriverLease.objects.filter(account__provider='jimeng')"
        alive = f"{ROWS}answer = {ours}.exclude(owner='').count()"
        wait_until(lambda: site.shell(alive), timeout_s=60, every_s=0.5, what="the driver")
        tree = worker.process.pid
        driver = processes.named(tree, "host drive")
        with Peak(tree) as peak:
            used, driven = processes.cpu_s(tree), processes.cpu_s(driver)
            began = many.release(site)
            _wait(site, count, latency_s)
            used, driven = processes.cpu_s(tree) - used, processes.cpu_s(driver) - driven
        found = site.shell(ROWS + SPANS)
        assert found["states"] == [["succeeded", count]], found
        assert found["renditions"] == count, found
        return Burst(
            count=count,
            longest_s=_longest(site),
            known_s=found["answered"] - began,
            stored_s=found["stored"] - began,
            cpu_s=used,
            driver_s=driven,
            requests=_requests(site),
            peak_pss_mb=peak.mb,
        )


class Peak:
    """The most memory a tree of processes has had, looked at once a second."""

    def __init__(self, pid: int) -> None:
        self.pid, self.mb = pid, 0.0
        self.over = threading.Event()
        self.thread = threading.Thread(target=self._look, daemon=True)

    def __enter__(self) -> Peak:
        self.thread.start()
        return self

    def __exit__(self, *_problem: object) -> None:
        self.over.set()
        self.thread.join()

    def _look(self) -> None:
        while not self.over.wait(1.0):
            self.mb = max(self.mb, processes.pss_mb(self.pid))


def _wait(site: Site, count: int, latency_s: float) -> None:
    """Until every job has ended; asked rarely and from outside, as asking costs time too."""
    time.sleep(latency_s)
    file = f"file:{site.var}/db.sqlite3?mode=ro"
    query = "SELECT count(*) FROM generations_job WHERE finished_at IS NOT NULL"

    def ended() -> bool:
        database = sqlite3.connect(file, uri=True, timeout=20)
        try:
            return int(database.execute(query).fetchone()[0]) == count
        finally:
            database.close()

    wait_until(ended, timeout_s=60 + count / 2, every_s=0.5, what=f"{count} jobs end")


def _longest(site: Site) -> float:
    """The provider's longest latency, from its own rows."""
    database = sqlite3.connect(f"file:{site.sandbox.folder}/state.sqlite3?mode=ro", uri=True)
    try:
        return float(database.execute("SELECT max(ends - submitted) FROM tasks").fetchone()[0])
    finally:
        database.close()


def _requests(site: Site) -> int:
    """What the driver asked of the provider: every call, without the pictures that others fetch."""
    answers = site.sandbox.state()["answers"]
    calls = (number for asked, number in answers.items() if asked.startswith("CV"))
    return sum(calls)
