"""A Django shell that stays: starting one for each question costs a second of a processor."""

from __future__ import annotations

import contextlib
import json
import select
import subprocess
import sys
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from tests.processes import ROOT

# Each question has names of its own, and connections that are opened anew.
LOOP = """
import contextlib, json, sys, traceback
from django import db
for line in sys.stdin:
    names, said = {}, {}
    try:
        with contextlib.redirect_stdout(sys.stderr):
            exec(json.loads(line), names)
        said["answer"] = names.get("answer")
    except BaseException:
        said["problem"] = traceback.format_exc()
    db.connections.close_all()
    print(json.dumps(said, default=str), flush=True)
"""


@dataclass(slots=True)
class Asker:
    """One process; it ends when its input does, so also with us."""

    env: dict[str, str]
    process: subprocess.Popen[str]

    @classmethod
    def start(cls, env: dict[str, str], log: Path) -> Asker:
        with log.open("ab") as out:
            process = subprocess.Popen(
                [sys.executable, "manage.py", "shell", "--no-imports", "-c", LOOP],
                cwd=ROOT,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=out,
                text=True,
                start_new_session=True,
            )
        return cls(env, process)

    def ask(self, code: str, timeout_s: float) -> Any:
        assert self.process.stdin is not None and self.process.stdout is not None
        self.process.stdin.write(json.dumps(code) + "\n")
        self.process.stdin.flush()
        ready, _, _ = select.select([self.process.stdout], [], [], timeout_s)
        assert ready, f"no answer within {timeout_s:g} s\n{code}"
        said = json.loads(self.process.stdout.readline() or '{"problem": "it ended"}')
        assert "problem" not in said, f"{said['problem']}\n{code}"
        return said["answer"]

    def end(self) -> None:
        assert self.process.stdin is not None and self.process.stdout is not None
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait(timeout=10)
        self.process.stdout.close()


@dataclass(slots=True)
class Askers:
    """As many as are asked at once; one whose settings have changed, or that failed, is not kept."""

    log: Path
    idle: list[Asker] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def ask(self, code: str, env: dict[str, str], timeout_s: float = 120.0) -> Any:
        asker = self._take(env)
        try:
            answer = asker.ask(code, timeout_s)
        except BaseException:
            asker.end()
            raise
        with self.lock:
            self.idle.append(asker)
        return answer

    def _take(self, env: dict[str, str]) -> Asker:
        with self.lock:
            while self.idle:
                found = self.idle.pop()
                if found.env == env and found.process.poll() is None:
                    return found
                found.end()
        return Asker.start(env, self.log)

    def end(self) -> None:
        with self.lock:
            while self.idle:
                self.idle.pop().end()
