"""What a running tree of processes costs: CPU seconds and memory, read from /proc (Linux)."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from generations.services.supervisor.tree import descendants

_TICKS = os.sysconf("SC_CLK_TCK")


def tree(pid: int) -> list[int]:
    """`pid` and every living process below it."""
    return [pid, *descendants(pid)]


def named(pid: int, name: str) -> int:
    """The topmost process of the tree that calls itself `name` (its forks do so, too)."""
    for each in tree(pid):
        with contextlib.suppress(OSError):
            if Path(f"/proc/{each}/comm").read_text(encoding="utf-8").strip() == name:
                return each
    raise LookupError(name)


def cpu_s(pid: int) -> float:
    """CPU seconds, user and system, of a tree so far; of children that ended too, once waited for."""
    total = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            text = Path(f"/proc/{each}/stat").read_text(encoding="ascii")
            total += sum(int(field) for field in text.rpartition(")")[2].split()[11:15])
    return total / _TICKS


def pss_mb(pid: int) -> float:
    """Megabytes of a tree now, shared pages split between those who share them."""
    total = 0
    for each in tree(pid):
        with contextlib.suppress(OSError):
            rollup = Path(f"/proc/{each}/smaps_rollup").read_text(encoding="ascii")
            total += sum(
                int(line.split()[1]) for line in rollup.splitlines() if line.startswith("Pss:")
            )
    return total / 1000
