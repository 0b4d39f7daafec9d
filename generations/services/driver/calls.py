"""Calls to the provider, made by a pool of threads that never touch the database."""

from __future__ import annotations

import contextlib
import logging
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Literal

from generations.models import Job, Submission
from generations.providers.base import Accepted, Finished, Part, Progress, ProviderError

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Lent:
    """What became of a stored copy, by its key: there, or the reason why not."""

    copy_id: int
    reason: str = ""


# A part is a picture of a call that goes on; every other result ends its call. To lend is to put a
# reference where the provider can fetch it: a call to the object store.
Verb = Literal["submit", "part", "poll", "cancel", "probe", "lend"]
Answer = Accepted | Finished | Part | Progress | Lent | bool | ProviderError | Exception | None


@dataclass(frozen=True, slots=True)
class Result:
    """What one call came to. `answer` is an exception when it failed."""

    verb: Verb
    job: Job
    answer: Answer
    submission: Submission | None = None
    pool: Pool | None = None


@dataclass(frozen=True, slots=True)
class Errand:
    """One call to make: `work` runs in a thread and returns its answer or raises."""

    verb: Verb
    job: Job
    work: Callable[[], Answer]
    submission: Submission | None = None


class Pool:
    """Daemon threads, started as they are needed: a stuck call never delays a stop.

    A pool made `beside` another has threads of its own and hands its results to that one.
    """

    def __init__(self, size: int, beside: Pool | None = None) -> None:
        self.size = size
        self.threads = 0
        self.busy = 0
        self.errands: SimpleQueue[Errand | None] = SimpleQueue()
        self.results: SimpleQueue[Result] = beside.results if beside else SimpleQueue()

    def send(self, errand: Errand) -> None:
        self.busy += 1
        if self.busy > self.threads and self.threads < self.size:
            self.threads += 1
            threading.Thread(target=self._work, daemon=True, name="call").start()
        self.errands.put(errand)

    def room(self) -> int:
        """How many more errands would start without waiting for a thread."""
        return max(0, self.size - self.busy)

    def gather(self, timeout: float, batch_s: float = 0.01, most: int = 200) -> list[Result]:
        """Wait up to `timeout` seconds for a result, then take what follows within a batch."""
        found: list[Result] = []
        with contextlib.suppress(Empty):
            found.append(self.results.get(timeout=max(0.0, timeout)))
            end = time.monotonic() + batch_s
            while len(found) < most:
                found.append(self.results.get(timeout=max(0.0, end - time.monotonic())))
        for each in found:
            if each.verb != "part":
                (each.pool or self).busy -= 1
        return found

    def close(self) -> None:
        for _each in range(self.threads):
            self.errands.put(None)

    def _work(self) -> None:
        while (errand := self.errands.get()) is not None:
            answer: Answer
            try:
                answer = errand.work()
            except ProviderError as error:
                answer = error
            except Exception as error:
                log.exception("call failed", extra={"verb": errand.verb, "job": errand.job.pk})
                answer = error
            self.results.put(Result(errand.verb, errand.job, answer, errand.submission, self))
