"""Tasks and result addresses, in SQLite so that they survive a restart and a kill.

Times are Unix seconds.
"""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_SCHEMA = """
CREATE TABLE IF NOT EXISTS tasks (
    task_id TEXT PRIMARY KEY, req_key TEXT NOT NULL, submitted REAL NOT NULL,
    starts REAL NOT NULL, ends REAL NOT NULL, failure INTEGER, cancelled INTEGER NOT NULL DEFAULT 0,
    recipe TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS tasks_ends ON tasks (ends) WHERE cancelled = 0;
CREATE TABLE IF NOT EXISTS files (
    token TEXT PRIMARY KEY, task_id TEXT NOT NULL, position INTEGER NOT NULL,
    expires REAL NOT NULL, labels TEXT NOT NULL DEFAULT '');
CREATE INDEX IF NOT EXISTS files_task ON files (task_id, expires);
"""
_PURGE_EVERY = 30.0


@dataclass(frozen=True, slots=True)
class Task:
    """One accepted submission.

    ``failure`` is the code that GetResult reports once it is done; ``recipe`` is what is painted.
    """

    task_id: str
    req_key: str
    submitted: float
    starts: float
    ends: float
    failure: int | None
    cancelled: bool
    recipe: dict[str, Any]

    def status(self, now: float) -> str:
        """Return ``in_queue``, ``generating``, ``done`` or ``cancelled``."""
        if self.cancelled:
            return "cancelled"
        if now < self.starts:
            return "in_queue"
        return "generating" if now < self.ends else "done"


@dataclass(frozen=True, slots=True)
class ResultFile:
    """One address of one picture; ``labels`` as its query asked for them (labels.py), or ""."""

    token: str
    task_id: str
    position: int
    expires: float
    labels: str


class Store:
    """All rows of one sandbox. Used by one thread; every method is short."""

    def __init__(
        self, path: Path | None, retention: float, url_ttl: float, clock: Callable[[], float]
    ) -> None:
        self._clock = clock
        self._retention = retention
        self._url_ttl = url_ttl
        self._purged = 0.0
        self._db = sqlite3.connect(path or ":memory:", isolation_level=None)
        # A killed process loses nothing under NORMAL; only a power cut would, and this is an
        # emulator.
        self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;" + _SCHEMA)
        columns = [row[1] for row in self._db.execute("PRAGMA table_info(files)")]
        if "labels" not in columns:  # kept by a sandbox that knew none
            self._db.execute("ALTER TABLE files ADD COLUMN labels TEXT NOT NULL DEFAULT ''")

    def close(self) -> None:
        """Close the database."""
        self._db.close()

    def new_task_id(self) -> str:
        """Return an unused decimal id of 19 digits in the provider's shape: seconds, then 32 random
        bits.
        """
        while True:
            task_id = str((int(self._clock()) << 32) | secrets.randbits(32))
            if self._row(task_id) is None:
                return task_id

    def add(self, task: Task) -> None:
        """Keep a new task."""
        self._purge()
        recipe = json.dumps(task.recipe)
        row = (
            task.task_id,
            task.req_key,
            task.submitted,
            task.starts,
            task.ends,
            task.failure,
            task.cancelled,
            recipe,
        )
        self._db.execute("INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?)", row)

    def find(self, task_id: str) -> Task | None:
        """Return the task if it exists and is not older than the retention."""
        task = self._row(task_id)
        if task is None or self._clock() >= task.submitted + self._retention:
            return None
        return task

    def unfinished(self) -> int:
        """Return how many tasks are queued or generating."""
        (count,) = self._db.execute(
            "SELECT COUNT(*) FROM tasks WHERE cancelled = 0 AND ends > ?", (self._clock(),)
        ).fetchone()
        return int(count)

    def statuses(self) -> dict[str, int]:
        """Return how many remembered tasks are in each status."""
        now = self._clock()
        query = (
            "SELECT CASE WHEN cancelled THEN 'cancelled' WHEN starts > ? THEN 'in_queue' "
            "WHEN ends > ? THEN 'generating' ELSE 'done' END AS status, COUNT(*) "
            "FROM tasks GROUP BY status"
        )
        return dict(self._db.execute(query, (now, now)).fetchall())

    def cancel(self, task_id: str) -> bool:
        """Cancel a queued task. Returns False when it is not queued (any more)."""
        query = "UPDATE tasks SET cancelled = 1 WHERE task_id = ? AND cancelled = 0 AND starts > ?"
        return self._db.execute(query, (task_id, self._clock())).rowcount == 1

    def mint_file(
        self, task_id: str, position: int, lives: float | None = None, labels: str = ""
    ) -> str:
        """Return a fresh unguessable token for one file of a task; ``lives`` seconds if not the usual."""
        token = secrets.token_urlsafe(24)
        expires = self._clock() + (self._url_ttl if lives is None else lives)
        self._db.execute(
            "INSERT INTO files VALUES (?, ?, ?, ?, ?)", (token, task_id, position, expires, labels)
        )
        return token

    def find_file(self, token: str) -> tuple[ResultFile, Task] | None:
        """Return an address, dead or alive, and the task it belongs to."""
        row = self._db.execute("SELECT * FROM files WHERE token = ?", (token,)).fetchone()
        task = self._row(row[1]) if row else None
        return (ResultFile(*row), task) if task else None

    def _row(self, task_id: str) -> Task | None:
        row = self._db.execute("SELECT * FROM tasks WHERE task_id = ?", (task_id,)).fetchone()
        return Task(*(*row[:6], bool(row[6]), json.loads(row[7]))) if row else None

    def _purge(self) -> None:
        now = self._clock()
        if now - self._purged < _PURGE_EVERY:
            return
        self._purged = now
        # Dead addresses stay one more lifetime, so that they answer 403 (expired) before they
        # answer 404.
        self._db.execute("DELETE FROM files WHERE expires <= ?", (now - self._url_ttl,))
        self._db.execute(
            "DELETE FROM tasks WHERE submitted <= ? AND NOT EXISTS "
            "(SELECT 1 FROM files WHERE files.task_id = tasks.task_id)",
            (now - self._retention,),
        )
