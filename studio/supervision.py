"""The programs of one start: begun in order, watched, begun again when they die, ended together.

Each leads a process group of its own and dies with this process, whatever ends it (Linux). Standard
library only.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import subprocess
import time
from dataclasses import dataclass, field
from types import FrameType

from studio.preparation import PYTHON, ROOT, Options, die_with_us, manage, say

GRACE_S, LAST_GRACE_S = 5.0, 2.0
READY_S = 90.0
STEADY_S = 60.0
LONGEST_PAUSE_S = 30.0


@dataclass(slots=True)
class Child:
    """One program, started again with growing pauses when it ends by itself."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    deaths: int = 0
    started_at: float = 0.0
    start_at: float = field(default_factory=time.monotonic)

    def start(self) -> None:
        self.started_at = time.monotonic()
        self.process = subprocess.Popen(
            self.command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=die_with_us(),  # noqa: PLW1509  (this process has one thread)
        )

    def watch(self) -> None:
        """Say a death in one line; start what is due."""
        now = time.monotonic()
        if self.process is not None and self.process.poll() is not None:
            self.deaths = 1 if now - self.started_at > STEADY_S else self.deaths + 1
            pause = min(LONGEST_PAUSE_S, 0.5 * 2.0 ** (self.deaths - 1))
            say(
                f"The {self.name} ended by itself ({self._how()}); starting it again in {pause:g} s."
            )
            self.kill()
            self.process, self.start_at = None, now + pause
        if self.process is None and now >= self.start_at:
            self.start()

    def _how(self) -> str:
        assert self.process is not None
        status = self.process.returncode
        return f"exit {status}" if status >= 0 else signal.Signals(-status).name

    def signal(self, number: int) -> None:
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def kill(self) -> None:
        """End whatever is left of its group."""
        self.signal(signal.SIGKILL)
        if self.process is not None:
            self.process.wait()


def children_of(options: Options) -> list[Child]:
    """The programs of this start, in the order in which a person needs them."""
    python = str(PYTHON)
    server = [python, "-m", "uvicorn", "studio.asgi:application", "--host", "127.0.0.1"]
    manners = ["--lifespan", "off", "--no-access-log", "--log-level", "warning"]
    grace = ["--timeout-graceful-shutdown", "3"]
    web = Child("web", [*server, "--port", str(options.port), *manners, *grace])
    worker = Child("worker", manage("runworker"))
    if options.live:
        return [web, worker]
    kept = options.var / "sandbox"
    kept.mkdir(parents=True, exist_ok=True, mode=0o700)
    files = ["--state", str(kept / "state.sqlite3"), "--ledger", str(kept / "ledger.jsonl")]
    port = ["--port", str(options.sandbox_port), "--latency", "8"]
    return [Child("sandbox", [python, "-m", "sandbox", *port, *files]), web, worker]


class House:
    """The children together, from the first start to the last goodbye."""

    def __init__(self, options: Options, children: list[Child]) -> None:
        self.options, self.children = options, children
        self.asked = 0
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self.asked += 1

    def run(self) -> None:
        """Start, say where, watch until asked to stop."""
        began = time.monotonic()
        said = False
        try:
            while not self.asked:
                for child in self.children:
                    # The worker waits for the page: on two cores it would only slow it down.
                    if said or child.name != "worker":
                        child.watch()
                if not said and (self.answers() or time.monotonic() - began > READY_S):
                    said = True
                    self.announce()
                time.sleep(0.1)
        finally:
            self.stop()

    def answers(self) -> bool:
        """Does the sign-in page answer?"""
        connection = http.client.HTTPConnection("127.0.0.1", self.options.port, timeout=3)
        try:
            connection.request("GET", "/login/")
            return connection.getresponse().status == http.client.OK
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def announce(self) -> None:
        if not self.answers():
            say(f"The sign-in page does not answer after {READY_S:g} s; its log lines stand above.")
        to = "the real service" if self.options.live else "the sandbox"
        say(f"Diptych talks to {to}. Open http://127.0.0.1:{self.options.port}/ (Ctrl-C stops it).")

    def stop(self) -> None:
        """TERM, 5 s, KILL; another Ctrl-C goes to KILL at once.

        What was started first ends last: a worker that fetches a picture may still finish.
        """
        self.asked = max(self.asked, 1)
        ends = time.monotonic() + GRACE_S
        first, *others = self.children
        for stage in (others, [first]):
            for child in stage:
                child.signal(signal.SIGTERM)
            while self.asked == 1 and time.monotonic() < ends and any(map(_runs, stage)):
                time.sleep(0.05)
            ends = max(ends, time.monotonic() + LAST_GRACE_S)
        for child in self.children:
            child.kill()
        say("Stopped.")


def _runs(child: Child) -> bool:
    return child.process is not None and child.process.poll() is None
