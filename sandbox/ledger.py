"""The ledger: one fsynced JSON line per accepted submission, the independent truth of every test
about double sending.
"""

from __future__ import annotations

import asyncio
import json
import os
from pathlib import Path
from typing import Any


class Ledger:
    """Appends lines to a file opened with O_APPEND; lines that wait at the same time share one
    write and one fsync.
    """

    def __init__(self, path: Path | None) -> None:
        self.accepted = 0
        self._waiting: list[bytes] = []
        self._next: asyncio.Task[None] | None = None
        self._lock = asyncio.Lock()
        self._file = (
            None if path is None else os.open(path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        )

    async def append(self, line: dict[str, Any]) -> None:
        """Return once ``line`` is on the disk. Raises OSError when it cannot be written."""
        if self._file is not None:
            self._waiting.append(json.dumps(line).encode() + b"\n")
            self._next = self._next or asyncio.create_task(self._flush(self._file))
            await asyncio.shield(self._next)
        self.accepted += 1

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)

    async def _flush(self, file: int) -> None:
        async with self._lock:
            block, self._waiting, self._next = b"".join(self._waiting), [], None
            await asyncio.to_thread(_write, file, block)


def _write(file: int, block: bytes) -> None:
    while block:
        block = block[os.write(file, block) :]
    os.fsync(file)
