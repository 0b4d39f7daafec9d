"""The baseline: what everybody writes first. One blocking task a run, four workers.

Each submits, asks once a second, fetches, and only then takes the next. It shares nothing with the engine
but the provider's wire, and keeps its books no better than it must.
"""

from __future__ import annotations

import multiprocessing
import time
from dataclasses import dataclass

from bench.burst import engine
from generations.providers import catalog, get_provider
from generations.providers.base import Accepted, Credentials, Progress, RemoteStatus

WORKERS = 4
ENGINE = "jimeng-image-4.0"
SETTINGS = {"size": "1024x1024", "scale": "0.5", "output": "single"}


@dataclass(frozen=True, slots=True)
class Naive:
    """`count` runs one after the other on each worker; seconds, and the multiple of the latency."""

    count: int
    seconds: float
    longest_s: float

    def ratio(self, count: int) -> float:
        """The multiple for another number of runs: the workers do them in rounds, so it is linear."""
        return self.seconds / self.longest_s * count / self.count


def one_run(base_url: str, number: int) -> None:
    """Submit, poll once a second until done."""
    provider, found = get_provider("jimeng"), catalog.ENGINES[ENGINE]
    keys = Credentials("AKSANDBOX", "SKSANDBOX")
    settings = catalog.clean_settings(found, SETTINGS)
    call = provider.build(found, f"{number}", settings, references=())
    accepted = provider.submit(
        call, base_url=base_url, credentials=keys, client_request_id=f"naive-{number}"
    )
    assert isinstance(accepted, Accepted)
    while True:
        time.sleep(1.0)
        answer = provider.poll(found, accepted.remote_id, base_url=base_url, credentials=keys)
        if isinstance(answer, Progress) and answer.status == RemoteStatus.DONE:
            return


def _work(base_url: str, numbers: multiprocessing.SimpleQueue[int | None]) -> None:
    while (number := numbers.get()) is not None:
        one_run(base_url, number)


def measure(count: int = 24, latency_s: float = 10.0, spread_s: float = 1.0) -> Naive:
    with engine(latency_s, spread_s) as site:
        numbers: multiprocessing.SimpleQueue[int | None] = multiprocessing.SimpleQueue()
        for number in [*range(count), *[None] * WORKERS]:
            numbers.put(number)
        began = time.monotonic()
        workers = [
            multiprocessing.Process(target=_work, args=(site.sandbox.url, numbers))
            for _each in range(WORKERS)
        ]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return Naive(count, time.monotonic() - began, latency_s + spread_s)
