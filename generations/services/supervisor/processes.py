"""The processes of `manage.py runworker`.

    runworker ── host drive ── django-q2 cluster (sentinel, pusher, monitor, workers)
              ├─ host media ── django-q2 cluster
              └─ ensure        sweeps every few seconds

The parent only starts, watches and ends its children; it opens no database connection. They are
forked from it, so that what was loaded once is held once. A host watches its cluster (`watchdog`),
which can hang for good. Everything dies with its parent.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import importlib
import logging
import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from multiprocessing.context import ForkProcess
from types import FrameType

from django import db
from django.conf import settings

from generations.models import ProviderAccount
from generations.providers import catalog
from generations.services import health, queue
from generations.services.supervisor import ensure, watchdog
from generations.services.supervisor.tree import descendants

log = logging.getLogger(__name__)
CLUSTERS = (queue.DRIVE, queue.MEDIA)
# Providers of models on offer whose answer is the result.
ANSWER_AT_ONCE = {each.provider for each in catalog.ENGINES.values() if each.synchronous}
HUNG = 75  # exit status: restart me
POLL_STOP_S = 5.0
POLITE = 5
SWEEP_FILES_EVERY_S = 3600.0
STOPS = (signal.SIGTERM, signal.SIGINT)
FORK = multiprocessing.get_context("fork")
_PR_SET_PDEATHSIG, _PR_SET_NAME = 1, 15
_M_ARENA_MAX = -8


def die_with(parent: int) -> None:
    """Ask Linux to kill this process when `parent` dies; elsewhere orphans are possible.

    The signal is not sent for a parent that died before it was asked for, hence the second look.
    """
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)


def take_name(name: str) -> None:
    """Of this process and of those it forks, as `ps -o comm` and /proc tell it (15 bytes; Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode())


def share_memory() -> None:
    """Have threads allocate from two pools, not from one each: a hundred of them hold much that is free.

    glibc's mallopt(3), M_ARENA_MAX; nothing elsewhere.
    """
    with contextlib.suppress(AttributeError):
        ctypes.CDLL(None).mallopt(_M_ARENA_MAX, 2)


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
        for each in STOPS:
            signal.signal(each, self._on_signal)

    def _on_signal(self, _signum: int, _frame: FrameType | None) -> None:
        self.set = True


# --- A host and its cluster -------------------------------------------------------------------


def _kill_below() -> None:
    for pid in descendants(os.getpid()):
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def be_cluster(name: str) -> None:
    """Have django-q2 read its settings once more: which cluster it is, it asks when it is imported."""
    from django_q import conf

    os.environ["Q_CLUSTER_NAME"] = name
    known = conf.Conf
    for key, value in vars(importlib.reload(conf).Conf).items():
        if not key.startswith("__"):
            setattr(known, key, value)
    conf.Conf = known


def host_cluster(name: str) -> int:
    """Run one django-q2 cluster until told to stop (0) or until it hangs (HUNG)."""
    from django_q.cluster import Cluster
    from django_q.conf import Conf

    be_cluster(name)
    tie_forks()
    wire = watchdog.lay_wire()
    if name == queue.DRIVE:
        slow = ProviderAccount.objects.filter(provider__in=ANSWER_AT_ONCE).count()
        # A driver each, a slice each that waits for calls, one for canaries and one to spare.
        Conf.WORKERS = ProviderAccount.objects.count() + slow + 2
        Conf.QUEUE_LIMIT = Conf.WORKERS
    else:
        os.nice(
            POLITE
        )  # a picture that is kept late is late; a driver that is late delays everybody
    db.connections.close_all()
    cluster = Cluster()
    flag = StopFlag()
    cluster.start()
    dog = watchdog.Watchdog(name, wire)
    while not flag.set:
        time.sleep(0.2)
        if dog.hung() or not cluster.sentinel.is_alive():
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
            health.look()
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


def _begin(label: str, work: Callable[[], int], parent: int) -> None:
    """A child's life. A group of its own: a TERM to ours must not reach its workers before it knows."""
    os.setsid()
    for each in STOPS:
        signal.signal(each, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
    die_with(parent)
    take_name(label)
    share_memory()
    sys.exit(work())


@dataclass(slots=True)
class Child:
    """One child process, restarted with back-off when it dies."""

    label: str
    work: Callable[[], int]
    process: ForkProcess | None = None
    deaths: int = 0
    restart_at: float = 0.0
    started_at: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        self.process = FORK.Process(target=_begin, args=(self.label, self.work, os.getpid()))
        # Until it has handlers of its own, a signal must wait: ours would only set our flag.
        signal.pthread_sigmask(signal.SIG_BLOCK, STOPS)
        self.process.start()
        signal.pthread_sigmask(signal.SIG_UNBLOCK, STOPS)
        self.started_at = time.monotonic()

    def watch(self) -> None:
        """Start it, or start it again when its back-off is over."""
        now = time.monotonic()
        if self.process is not None and self.process.exitcode is not None:
            self.deaths = 1 if now - self.started_at > 60 else self.deaths + 1
            self.restart_at = now + min(10.0, 0.5 * 2 ** min(self.deaths - 1, 5))
            if self.process.exitcode == HUNG:
                self.restart_at = now  # it has waited for long enough to find that out
            log.error(
                "worker process died",
                extra={"process_label": self.label, "status": self.process.exitcode},
            )
            self.process = None
        if self.process is None and now >= self.restart_at:
            self.start()

    def end(self, grace_s: float) -> None:
        if self.process is None:
            return
        self.process.join(grace_s)
        if self.process.exitcode is None:
            if self.process.pid:  # 0 would be our own group
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.process.pid, signal.SIGKILL)
            self.process.kill()  # also one that has no group of its own yet
            self.process.join()


def run_worker() -> int:
    """The parent: both clusters and the sweeps, until SIGTERM or SIGINT."""
    flag = StopFlag()
    take_name("runworker")
    gc.freeze()  # what is loaded by now is never looked at again, and so stays shared
    children = [
        *(Child(f"host {name}", partial(host_cluster, name)) for name in CLUSTERS),
        Child("ensure", run_ensure),
    ]
    try:
        while not flag.set:
            for child in children:
                child.watch()
            time.sleep(0.1)
    finally:
        end_all(children)
    return 0


def end_all(children: list[Child]) -> None:
    """Ask all at once, then wait for each within what is left of the grace."""
    for child in children:
        if child.process is not None:
            child.process.terminate()
    ends = time.monotonic() + settings.ENGINE["stop_grace_s"] + POLL_STOP_S
    for child in children:
        child.end(max(0.1, ends - time.monotonic()))
