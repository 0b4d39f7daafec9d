"""The state of one running sandbox, put together from the options."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from sandbox.faults import Faults, check_rates
from sandbox.ledger import Ledger
from sandbox.limits import SubmitRate
from sandbox.options import Options
from sandbox.painter import Painter
from sandbox.store import Store


@dataclass(slots=True)
class World:
    """What the endpoints share.

    ``latency``, ``jitter`` and ``concurrency`` can change at run time; so can rates and faults.
    """

    options: Options
    address: str
    store: Store
    ledger: Ledger
    painter: Painter
    faults: Faults
    rate: SubmitRate
    latency: float
    jitter: float
    concurrency: int
    clock: Callable[[], float] = time.time
    answers: Counter[str] = field(default_factory=Counter)
    busiest: int = 0
    # Submissions that a fault struck, by the caller's own id: what a caller could not be told.
    suffered: dict[str, str] = field(default_factory=dict)

    def settings(self) -> dict[str, Any]:
        """Return what can be changed at run time, as JSON."""
        return {
            "faults": self.faults.rates,
            "next": self.faults.owed(),
            "latency": self.latency,
            "jitter": self.jitter,
            "qps": self.rate.qps,
            "concurrency": self.concurrency,
        }

    def change(self, wanted: object) -> None:
        """Apply new settings, all or none.

        Raises TypeError or ValueError with one sentence when any of them is wrong.
        """
        if not isinstance(wanted, dict):
            raise TypeError("send a JSON object")
        if unknown := set(wanted) - set(self.settings()):
            raise ValueError(f"unknown setting: {', '.join(sorted(unknown))}")
        rates = check_rates(_mapping(wanted, "faults", self.faults.rates))
        owed = _counts(_mapping(wanted, "next", self.faults.owed()))
        latency = _number(wanted, "latency", self.latency)
        jitter = _number(wanted, "jitter", self.jitter, high=1)
        qps = _number(wanted, "qps", self.rate.qps)
        concurrency = _number(wanted, "concurrency", self.concurrency)
        self.faults.rates = rates
        self.faults.owe(owed)
        self.latency, self.jitter, self.rate.qps, self.concurrency = (
            latency,
            jitter,
            qps,
            int(concurrency),
        )

    def close(self) -> None:
        """Close the files; the painter belongs to the caller."""
        self.store.close()
        self.ledger.close()


def build_world(
    options: Options, painter: Painter, address: str, clock: Callable[[], float] = time.time
) -> World:
    """Open the files that ``options`` names and return the sandbox's state.

    ``address`` is where result URLs point.
    """
    return World(
        options=options,
        address=address,
        store=Store(options.state, options.retention, options.url_ttl, clock),
        ledger=Ledger(options.ledger),
        painter=painter,
        faults=Faults(options.faults, options.seed),
        rate=SubmitRate(options.qps, time.monotonic),
        latency=options.latency,
        jitter=options.jitter,
        concurrency=options.concurrency,
        clock=clock,
    )


def _mapping(wanted: dict[str, Any], name: str, current: dict[str, Any]) -> dict[str, Any]:
    value = wanted.get(name, current)
    if not isinstance(value, dict):
        raise TypeError(f"{name} must be an object")
    return value


def _counts(owed: dict[str, Any]) -> dict[str, int]:
    check_rates(dict.fromkeys(owed, 1))
    for kind, count in owed.items():
        if type(count) is not int or count < 0:
            raise ValueError(f"next.{kind} must be a count")
    return owed


def _number(wanted: dict[str, Any], name: str, current: float, high: float = float("inf")) -> float:
    value = wanted.get(name, current)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not 0 <= value <= high:
        raise ValueError(f"{name} must be a number from 0 to {high:g}")
    return value
