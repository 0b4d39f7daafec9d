"""One sandbox for the tests that leave it as they found it, and a way to start others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.sandbox.caller import Sandbox


@pytest.fixture(scope="session")
def shared_sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Sandbox, Path]]:
    """A running sandbox and its ledger."""
    ledger = tmp_path_factory.mktemp("sandbox") / "ledger.jsonl"
    sandbox = Sandbox("--ledger", str(ledger))
    yield sandbox, ledger
    assert sandbox.stop() == 0


@pytest.fixture
def sandbox(shared_sandbox: tuple[Sandbox, Path]) -> Sandbox:
    """The shared sandbox, without faults and limits whatever the test before did."""
    running, _ = shared_sandbox
    neutral = {"faults": {}, "next": {}, "qps": 0, "concurrency": 0, "latency": 0.3, "jitter": 0.2}
    assert running.change(**neutral).status_code == 200
    return running


@pytest.fixture
def ledger(shared_sandbox: tuple[Sandbox, Path]) -> Path:
    """The shared sandbox's ledger."""
    return shared_sandbox[1]


@pytest.fixture
def start() -> Iterator[Callable[..., Sandbox]]:
    """Start sandboxes with arguments of the test's own; what still runs at the end is stopped."""
    running: list[Sandbox] = []

    def begin(*arguments: str, port: int = 0) -> Sandbox:
        running.append(Sandbox(*arguments, port=port))
        return running[-1]

    yield begin
    for sandbox in running:
        if sandbox.process.poll() is None:
            sandbox.stop()
