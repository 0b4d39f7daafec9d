"""The nemesis: at seeded moments it kills a process, freezes one, or asks one to die at a named point."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import threading
import time
from dataclasses import dataclass, field
from pathlib import Path

from tests.running import Running, Site

IN_DRIVERS = ("after_send", "before_send", "after_remote_id")
IN_MEDIA = ("mid_download", "before_rename", "after_rename", "before_settle")
# In this order, over and over: a short run has seen the dearest ones.
POINTS = (
    *("after_send", "before_settle", "after_reserve", "before_send"),
    *("after_rename", "after_remote_id", "mid_download", "before_rename"),
)
POINT_EVERY = 3
TARGETS = ("web", "parent", "host drive", "host media", "ensure", "sentinel", "child", "child")
WAYS = ("kill", "kill", "freeze")
FROZEN_S = (1.0, 6.0)
# On a busy machine a worker needs so long to come to the first point after its start.
COME_S = 30.0


@dataclass(frozen=True, slots=True)
class Strike:
    """What was done to whom: seconds since 1970, from the moment until it was over."""

    way: str
    target: str
    begun: float
    ended: float

    @property
    def reaches_drivers(self) -> bool:
        """Whether a submission on its way may have lost its answer by it."""
        return self.target not in ("web", "ensure", "host media", "after_reserve", *IN_MEDIA)


def children(pid: int) -> list[int]:
    """The living children of a process, oldest first (Linux)."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            found += [int(word) for word in task.read_text(encoding="ascii").split()]
    return sorted(found)


def _name(pid: int) -> str:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{pid}/comm").read_text().strip()
    return ""


def tree(worker: Running) -> dict[str, list[int]]:
    """The processes of `runworker` by their part in it."""
    parts: dict[str, list[int]] = {"parent": [worker.process.pid] if worker.alive else []}
    for pid in children(worker.process.pid):
        parts.setdefault(_name(pid), []).append(pid)
        for sentinel in children(pid):
            parts.setdefault("sentinel", []).append(sentinel)
            parts.setdefault("child", []).extend(children(sentinel))
    return parts


@dataclass(slots=True)
class Nemesis:
    """Strikes `kills` times, about every `every_s` seconds, and restarts what died at the top.

    Whoever starts `runworker` and the web process restarts them; here that is the keeper.
    """

    site: Site
    rng: random.Random
    kills: int
    every_s: float
    crash_folder: Path
    strikes: list[Strike] = field(default_factory=list)
    restarts: dict[str, int] = field(default_factory=lambda: {"web": 0, "worker": 0})
    # Whom the keeper has started dies with the keeper's thread: it rests before it ends.
    resting: threading.Event = field(default_factory=threading.Event)
    stop: threading.Event = field(default_factory=threading.Event)
    lock: threading.Lock = field(default_factory=threading.Lock)
    keeper: threading.Thread | None = None

    def start(self) -> None:
        self.keeper = threading.Thread(target=self._keep, daemon=True, name="keeper")
        self.keeper.start()

    def run(self) -> None:
        for number in range(self.kills):
            self.stop.wait(self.every_s * self.rng.uniform(0.5, 1.5))
            if number % POINT_EVERY == 0:
                self._point(POINTS[number // POINT_EVERY % len(POINTS)])
            else:
                self._strike(self.rng.choice(WAYS))

    def rest(self) -> None:
        """No more strikes; what nobody came to in time is taken back."""
        for left in self.crash_folder.iterdir():
            left.unlink(missing_ok=True)

    def leave_alone(self) -> None:
        """Restart nothing from here on."""
        with self.lock:
            self.resting.set()

    def end(self) -> None:
        self.stop.set()
        if self.keeper is not None:
            self.keeper.join(60)

    def _strike(self, way: str) -> None:
        target = self.rng.choice(TARGETS)
        pid = self._find(target)
        if pid is None:
            target = "parent"
            pid = self._find(target)
        if pid is None:
            return
        begun = time.time()
        with contextlib.suppress(ProcessLookupError):
            if way == "freeze":
                os.kill(pid, signal.SIGSTOP)
                time.sleep(self.rng.uniform(*FROZEN_S))
                os.kill(pid, signal.SIGCONT)
            else:
                os.kill(pid, signal.SIGKILL)
        self.strikes.append(Strike(way, target, begun, time.time()))

    def _find(self, target: str) -> int | None:
        with self.lock:
            if target == "web":
                web = self.site.web
                return web.process.pid if web is not None and web.alive else None
            worker = self.site.worker
            found = tree(worker).get(target, []) if worker is not None and worker.alive else []
        return self.rng.choice(found) if found else None

    def _point(self, name: str) -> None:
        """Ask for one death at a point, and wait a while until somebody has come to it."""
        file, begun = self.crash_folder / name, time.time()
        file.touch()
        ends = time.monotonic() + max(2 * self.every_s, COME_S)
        while file.exists() and time.monotonic() < ends:
            time.sleep(0.05)
        way = "not reached" if file.exists() else "point"
        file.unlink(missing_ok=True)
        self.strikes.append(Strike(way, name, begun, time.time()))

    def _keep(self) -> None:
        while not self.stop.wait(0.3):
            site = self.site
            with self.lock:
                if self.resting.is_set():
                    continue
                if site.worker is not None and not site.worker.alive:
                    self.restarts["worker"] += 1
                    site.start_worker()
            if site.web is not None and not site.web.alive:
                self.restarts["web"] += 1
                with contextlib.suppress(AssertionError):
                    site.start_web()
