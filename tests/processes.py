"""The real thing, started by tests: processes, and a sandbox, on free ports of this machine.

Every process is started in a group of its own, dies with the test process, and is ended by its id.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

ROOT = Path(__file__).resolve().parent.parent
_PR_SET_PDEATHSIG = 1


def free_port() -> int:
    """A port nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(
    question: Callable[[], Any], *, timeout_s: float = 30.0, every_s: float = 0.1, what: str = ""
) -> Any:
    """Ask until the answer is truthy and return it; AssertionError after `timeout_s`."""
    ends = time.monotonic() + timeout_s
    while True:
        if answer := question():
            return answer
        if time.monotonic() > ends:
            raise AssertionError(f"not within {timeout_s:g} s: {what or question}")
        time.sleep(every_s)


def _die_with_us() -> None:
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


@dataclass(slots=True)
class Running:
    """One process of ours, and the file that holds what it says."""

    process: subprocess.Popen[bytes]
    log: Path

    @classmethod
    def start(cls, arguments: list[str], *, env: dict[str, str], log: Path) -> Running:
        """Start `python ARGUMENTS` from the top of the work tree."""
        with log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, *arguments],
                cwd=ROOT,
                env=env,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_die_with_us,  # noqa: PLW1509  (nothing is allocated)
            )
        return cls(process, log)

    @property
    def alive(self) -> bool:
        return self.process.poll() is None

    def said(self) -> str:
        return self.log.read_text(encoding="utf-8", errors="replace")

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def end(self, grace_s: float = 20.0) -> None:
        """Ask it to end, wait, and leave nothing of its group behind."""
        if self.alive:
            self.process.terminate()
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.process.wait(timeout=grace_s)
        self._signal(signal.SIGKILL)
        self.process.wait(timeout=10)

    def _signal(self, number: int) -> None:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, number)


def environment(var: Path, **more: str) -> dict[str, str]:
    """The environment of a child: ours, with its own folder and the real settings."""
    return {
        **os.environ,
        "VAR_DIR": str(var),
        "DJANGO_SETTINGS_MODULE": "studio.settings",
        "DIPTYCH_TESTING": "1",
        "PYTHONUNBUFFERED": "1",
        **more,
    }


def unmeasured(env: dict[str, str]) -> dict[str, str]:
    """Without coverage, which makes a process half as slow again; `make prove` measures them all."""
    kept = os.environ.get("DIPTYCH_PROVE") == "1"
    return {
        name: value
        for name, value in env.items()
        if kept or not name.startswith("COVERAGE_PROCESS")
    }


@dataclass(slots=True)
class Sandbox:
    """A running sandbox. `restart()` keeps port, tasks and ledger."""

    folder: Path
    options: list[str] = field(default_factory=list)
    port: int = 0
    running: Running | None = None
    measured: bool = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def ledger_file(self) -> Path:
        return self.folder / "ledger.jsonl"

    def start(self) -> None:
        log = self.folder / f"sandbox-{time.monotonic_ns()}.log"
        files = ["--state", str(self.folder / "state.sqlite3"), "--ledger", str(self.ledger_file)]
        arguments = ["-m", "sandbox", "--port", str(self.port), *files, *self.options]
        env = environment(self.folder)
        env = env if self.measured else unmeasured(env)
        self.running = Running.start(arguments, env=env, log=log)
        said = wait_until(lambda: self._announced(log), what=f"sandbox listens; see {log}")
        self.port = int(said)

    def _announced(self, log: Path) -> str:
        assert self.running is not None
        text = self.running.said()
        assert self.running.alive, text
        found = re.search(r"sandbox listening on http://[^ ]*:(\d+)", text)
        return found[1] if found else ""

    def stop(self) -> None:
        if self.running is not None:
            self.running.end(grace_s=5.0)
            self.running = None

    def restart(self) -> None:
        self.stop()
        self.start()

    def ledger(self) -> list[dict[str, Any]]:
        """One dictionary per accepted submission, in order: the independent truth."""
        if not self.ledger_file.exists():
            return []
        text = self.ledger_file.read_text(encoding="utf-8")
        return [json.loads(line) for line in text.splitlines() if line]

    def state(self) -> dict[str, Any]:
        """Counts and settings, as `GET /_sandbox/state` tells them."""
        found: dict[str, Any] = requests.get(f"{self.url}/_sandbox/state", timeout=10).json()
        return found

    def set_faults(self, **changes: Any) -> dict[str, Any]:
        """Change `faults` (kind to probability), `latency`, `jitter`, `qps` or `concurrency` at run time."""
        answer = requests.post(f"{self.url}/_sandbox/faults", json=changes, timeout=10)
        assert answer.ok, answer.text
        found: dict[str, Any] = answer.json()
        return found


@contextlib.contextmanager
def running_sandbox(folder: Path, *options: str, measured: bool = True) -> Iterator[Sandbox]:
    """A sandbox in `folder` until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    sandbox = Sandbox(folder, list(options), measured=measured)
    try:
        sandbox.start()
        yield sandbox
    finally:
        sandbox.stop()
