"""The table of `make bench`, and the same as JSON in bench/results/."""

from __future__ import annotations

import json
import os
import platform
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured figure. `bar` is the most it may be; None is a figure without a bar, a baseline."""

    name: str
    value: float
    unit: str
    bar: float | None = None
    note: str = ""

    @property
    def met(self) -> bool:
        return self.bar is None or self.value <= self.bar

    def line(self) -> str:
        bar = "" if self.bar is None else f"≤ {self.bar:g} {'ok' if self.met else 'MISSED'}"
        return f"  {self.name:58} {self.value:9.2f} {self.unit:6} {bar:16} {self.note}".rstrip()


def write(figures: Iterable[Figure], name: str = "engine") -> bool:
    """Print each figure as it is measured, and keep all; whether every bar is met."""
    RESULTS.mkdir(exist_ok=True)
    kept = {
        "when": datetime.now(UTC).isoformat(timespec="seconds"),
        "machine": f"{os.cpu_count()} cores, Python {platform.python_version()}, {platform.system()}",
        "load_before": os.getloadavg()[0],
    }
    print(f"\n{kept['machine']}, load {kept['load_before']:.2f}", flush=True)
    found = []
    for figure in figures:
        print(figure.line(), flush=True)
        found.append(figure)
    rows = [asdict(figure) | {"met": figure.met} for figure in found]
    file = RESULTS / f"{name}.json"
    text = json.dumps(kept | {"figures": rows}, ensure_ascii=False, indent=2)
    file.write_text(text + "\n", encoding="utf-8")
    return all(figure.met for figure in found)
