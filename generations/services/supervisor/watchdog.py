"""Finding out that a cluster hangs: django-q2 does for good when a process dies that holds a lock.

A canary is sent every few seconds. It must come to a worker, which a dead worker or pusher can prevent;
and what workers complete must be acknowledged, which a dead monitor or worker can prevent: then messages
pile up and come again and again.
"""

from __future__ import annotations

import contextlib
import logging
import multiprocessing
import threading
import time
from collections.abc import Iterator

from django import db

from generations.services import queue

log = logging.getLogger(__name__)
CANARY_EVERY_S = 3.0
# So many seconds gone by, and so many more canaries sent, without an answer or an acknowledgement.
LIMIT_S = {queue.DRIVE: 12.0, queue.MEDIA: 15.0}
LIMIT_SENT = 3


class Wire:
    """What a host shares with what is forked below it: a stop flag, and when things last happened."""

    def __init__(self) -> None:
        self.stop = multiprocessing.Event()
        self.beat = multiprocessing.Value("d", time.monotonic(), lock=False)
        self.completed = multiprocessing.Value("d", time.monotonic(), lock=False)
        self.acknowledged = multiprocessing.Value("d", time.monotonic(), lock=False)


_wire: Wire | None = None


def lay_wire() -> Wire:
    """The wire of this host, from before it forks."""
    global _wire  # noqa: PLW0603 - one host per process, and its forked workers inherit it
    _wire = Wire()
    queue.tell(completed=_completed, acknowledged=_acknowledged)
    return _wire


def stopping() -> bool:
    """Asked by drivers several times a second: is this worker to stop?"""
    return _wire is not None and _wire.stop.is_set()


def came_through() -> None:
    """A message has reached a worker: queue, pusher and worker work.

    Every task says so, not the canary alone, which may stand in a long queue behind them.
    """
    if _wire is not None:
        _wire.beat.value = time.monotonic()


@contextlib.contextmanager
def beating() -> Iterator[None]:
    """Say so every few seconds while a task works: it may wait for a provider longer than the limit."""
    done = threading.Event()

    def beat() -> None:
        while not done.wait(CANARY_EVERY_S):
            came_through()

    came_through()
    threading.Thread(target=beat, daemon=True, name="beat").start()
    try:
        yield
    finally:
        done.set()


def _completed() -> None:
    if _wire is not None:
        _wire.completed.value = time.monotonic()


def _acknowledged() -> None:
    if _wire is not None:
        _wire.acknowledged.value = time.monotonic()


class Debt:
    """Something a cluster owes since a moment; `sent` counts the canaries since, which went well."""

    def __init__(self) -> None:
        self.since: float | None = None
        self.sent = 0

    def overdue(self, limit_s: float) -> bool:
        if self.since is None:
            return False
        return self.sent >= LIMIT_SENT and time.monotonic() - self.since > limit_s

    def owe(self, since: float | None) -> None:
        self.since, self.sent = since, 0

    def excuse(self) -> None:
        """Nothing could be done meanwhile, and django-q2 needs ten seconds to replace what died of it."""
        self.owe(None if self.since is None else time.monotonic())


class Watchdog:
    """Sends a canary every few seconds and says when something has been owed for too long.

    Only canaries that were really sent count: a database that is down or slow is no hung cluster.
    """

    def __init__(self, name: str, wire: Wire) -> None:
        self.limit_s = LIMIT_S[name]
        self.name = name
        self.wire = wire
        self.sent_at = 0.0
        self.answer = Debt()
        self.acknowledgement = Debt()

    def hung(self) -> bool:
        if time.monotonic() - self.sent_at > CANARY_EVERY_S:
            self._send()
        return self.silent() or self.unacknowledged()

    def silent(self) -> bool:
        """Whether nothing has come to a worker since a canary was sent."""
        asked = self.answer.since
        if asked is not None and self.wire.beat.value >= asked:
            self.answer.owe(None)
        return self.answer.overdue(self.limit_s)

    def unacknowledged(self) -> bool:
        """Whether what workers complete has come to nothing."""
        debt, acknowledged = self.acknowledgement, self.wire.acknowledged.value
        if debt.since is None or acknowledged >= debt.since:
            completed = self.wire.completed.value
            debt.owe(completed if completed > acknowledged else None)
        return debt.overdue(self.limit_s)

    def _send(self) -> None:
        asked = time.monotonic()
        try:
            queue.canary(self.name)
        except db.Error:
            log.warning("no canary: the database does not answer", extra={"cluster": self.name})
            self.answer.excuse()
            self.acknowledgement.excuse()
        else:
            self.acknowledgement.sent += 1
            self.answer.sent += 1
            if self.answer.since is None:
                self.answer.owe(asked)  # it may be answered already
        finally:
            self.sent_at = time.monotonic()
            db.connections.close_all()
