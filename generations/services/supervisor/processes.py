"""The processes of `manage.py runworker`.

    runworker ── host drive ── django-q2 cluster (sentinel, pusher, monitor, workers)
              ├─ host media ── django-q2 cluster
              └─ ensure        sweeps every few seconds

The parent only starts, watches and ends its children; it opens no database connection. A host watches
its cluster with a canary that must come back through queue, worker and shared memory: django-q2 can
hang for good when a worker dies holding a lock. Everything dies with its parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import logging
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from types import FrameType

from django import db
from django.conf import settings

from generations.models import ProviderAccount
from generations.services import queue
from generations.services.supervisor import ensure

log = logging.getLogger(__name__)
CLUSTERS = (queue.DRIVE, queue.MEDIA)
CANARY_EVERY_S = 3.0
# A media step may wait 30 s for a provider's answer before its worker can say that it lives.
CANARY_LIMIT_S = {queue.DRIVE: 12.0, queue.MEDIA: 45.0}
HUNG = 75  # exit status: restart me
POLL_STOP_S = 5.0
SWEEP_FILES_EVERY_S = 3600.0
_PR_SET_PDEATHSIG = 1


def die_with(parent: int) -> None:
    """Ask Linux to kill this process when `parent` dies; elsewhere orphans are possible.

    The signal is not sent for a parent that died before it was asked for, hence the second look.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def tie_forks() -> None:
    """Have every process forked from here on, and from those, die with the one that forked it."""
    forker = os.getpid()

    def before() -> None:
        nonlocal forker
        forker = os.getpid()

    os.register_at_fork(before=before, after_in_child=lambda: die_with(forker))


class StopFlag:
    """Set by SIGTERM or SIGINT; the handler does nothing else."""

    def __init__(self) -> None:
        self.set = False
        signal.signal(signal.SIGTERM, self._on_signal)
        signal.signal(signal.SIGINT, self._on_signal)

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        self.set = True


# --- Shared between a host and the workers that are forked below it ---------------------------


class Wire:
    """What a host shares with its workers: a stop flag, and when a message last came through."""

    def __init__(self) -> None:
        self.stop = multiprocessing.Event()
        self.beat = multiprocessing.Value("d", time.monotonic(), lock=False)


_wire: Wire | None = None


def stopping() -> bool:
    """Asked by drivers several times a second: is this worker to stop?"""
    return _wire is not None and _wire.stop.is_set()


def came_through() -> None:
    """A message has reached a worker: queue, pusher and worker work.

    Every task says so, not the canary alone, which may stand in a long queue behind them.
    """
    if _wire is not None:
        _wire.beat.value = time.monotonic()


# --- A host and its cluster -------------------------------------------------------------------


def descendants(pid: int) -> list[int]:
    """Every living process below `pid`, deepest last (Linux)."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in task.read_text(encoding="ascii").split():
                found += [int(child), *descendants(int(child))]
    return found


def _kill_below() -> None:
    for pid in descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


class Watchdog:
    """Sends a canary every few seconds and says when one has gone unanswered for too long.

    Only a canary that was really sent counts: a database that is down or slow is no hung cluster.
    """

    def __init__(self, name: str, wire: Wire) -> None:
        self.name = name
        self.wire = wire
        self.sent_at = 0.0
        self.asked_at: float | None = None

    def hung(self) -> bool:
        if self.asked_at is not None and self.wire.beat.value >= self.asked_at:
            self.asked_at = None
        if self.asked_at is None and time.monotonic() - self.sent_at > CANARY_EVERY_S:
            self._send()
        return (
            self.asked_at is not None
            and time.monotonic() - self.sent_at > CANARY_LIMIT_S[self.name]
        )

    def _send(self) -> None:
        asked = time.monotonic()
        try:
            queue.canary(self.name)
            self.asked_at = asked  # it may be answered already
        except db.Error:
            log.warning("no canary: the database does not answer", extra={"cluster": self.name})
        finally:
            self.sent_at = time.monotonic()
            db.connections.close_all()


def host_cluster(name: str) -> int:
    """Run one django-q2 cluster until told to stop (0) or until it hangs (HUNG)."""
    global _wire  # noqa: PLW0603 - one host per process, and its forked workers inherit it
    from django_q.cluster import Cluster
    from django_q.conf import Conf

    tie_forks()
    _wire = wire = Wire()
    if name == queue.DRIVE:
        Conf.WORKERS = ProviderAccount.objects.count() + 2
        Conf.QUEUE_LIMIT = Conf.WORKERS
    db.connections.close_all()
    cluster = Cluster()
    flag = StopFlag()
    cluster.start()
    watchdog = Watchdog(name, wire)
    while not flag.set:
        time.sleep(0.2)
        if watchdog.hung() or not cluster.sentinel.is_alive():
            log.error("cluster hangs: restarting it", extra={"cluster": name})
            _kill_below()
            queue.drop_locks(name)
            return HUNG
    wire.stop.set()
    return _stop_cluster(cluster, name)


def _stop_cluster(cluster: object, name: str) -> int:
    """Let tasks end within the grace, then end what is left."""
    grace = settings.ENGINE["stop_grace_s"] if name == queue.DRIVE else POLL_STOP_S
    cluster.stop_event.set()  # type: ignore[attr-defined]  # django-q2 has no types
    cluster.sentinel.join(timeout=grace)  # type: ignore[attr-defined]
    _kill_below()
    return 0


# --- The ensure process -----------------------------------------------------------------------


def run_ensure() -> int:
    """Sweep until told to stop; a database that is down is waited for."""
    flag = StopFlag()
    swept = time.monotonic() - SWEEP_FILES_EVERY_S
    while not flag.set:
        try:
            ensure.ensure()
            if time.monotonic() - swept > SWEEP_FILES_EVERY_S:
                swept = time.monotonic()
                ensure.sweep_files()
        except db.Error:
            log.exception("ensure: the database does not answer")
        finally:
            db.connections.close_all()
        _doze(settings.ENGINE["ensure_s"], lambda: flag.set)
    return 0


def _doze(seconds: float, stop: Callable[[], bool]) -> None:
    ends = time.monotonic() + seconds
    while not stop() and (left := ends - time.monotonic()) > 0:
        time.sleep(min(0.1, left))


# --- The parent -------------------------------------------------------------------------------


@dataclass(slots=True)
class Child:
    """One child process, restarted with back-off when it dies."""

    label: str
    arguments: list[str]
    environment: dict[str, str]
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    restart_at: float = 0.0
    started_at: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        # A group of its own: a TERM to ours must not reach its workers before their host knows.
        self.process = subprocess.Popen(
            [sys.executable, str(settings.BASE_DIR / "manage.py"), "runworker", *self.arguments],
            env={**os.environ, **self.environment},
            start_new_session=True,
            preexec_fn=partial(die_with, os.getpid()),  # noqa: PLW1509 - this process has one thread
        )
        self.started_at = time.monotonic()

    def watch(self) -> None:
        """Start it, or start it again when its back-off is over."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self.deaths = 1 if now - self.started_at > 60 else self.deaths + 1
            self.restart_at = now + min(10.0, 0.5 * 2 ** min(self.deaths - 1, 5))
            log.error(
                "worker process died",
                extra={"process_label": self.label, "status": self.process.returncode},
            )
            self.process = None
        if self.process is None and now >= self.restart_at:
            self.start()

    def end(self, grace_s: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(timeout=grace_s)
        except subprocess.TimeoutExpired:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, signal.SIGKILL)
            self.process.wait()


def run_worker() -> int:
    """The parent: both clusters and the sweeps, until SIGTERM or SIGINT."""
    flag = StopFlag()
    children = [
        *(Child(name, ["--host", name], {"Q_CLUSTER_NAME": name}) for name in CLUSTERS),
        Child("ensure", ["--ensure"], {}),
    ]
    while not flag.set:
        for child in children:
            child.watch()
        time.sleep(0.1)
    for child in children:
        if child.process is not None:
            with contextlib.suppress(ProcessLookupError):
                child.process.terminate()
    ends = time.monotonic() + settings.ENGINE["stop_grace_s"] + POLL_STOP_S
    for child in children:
        child.end(max(0.1, ends - time.monotonic()))
    return 0
