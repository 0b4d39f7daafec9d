"""The process: it keeps its word over a kill, ends when told, and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import requests

from sandbox.options import Options, parse_options
from tests.sandbox.caller import ROOT, Sandbox
from tests.sandbox.test_tasks import lines_of


def children_of(pid: int) -> list[int]:
    """Return the process's children."""
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]


def gone(pids: list[int], seconds: float = 2) -> bool:
    """Return whether none of ``pids`` runs any more within ``seconds``."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if not any(_runs(pid) for pid in pids):
            return True
        time.sleep(0.02)
    return False


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def test_tasks_survive_a_kill(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    files = ["--state", str(tmp_path / "state"), "--ledger", str(tmp_path / "ledger")]
    first = start("--latency", "0", *files)
    done = first.task(size=1048576)
    (url,) = first.finished(done).json()["data"]["image_urls"]
    picture = requests.get(url, timeout=10).content
    first.change(latency=1.5, jitter=0)
    waiting = first.task(size=1048576)
    first.kill()
    second = start(*files, port=first.port)
    assert second.poll(waiting).json()["data"]["status"] in ("in_queue", "generating")
    assert requests.get(url, timeout=10).content == picture
    (fresh,) = second.finished(waiting).json()["data"]["image_urls"]
    assert requests.get(fresh, timeout=10).status_code == 200
    third = second.task()
    assert [line["task_id"] for line in lines_of(tmp_path / "ledger")] == [done, waiting, third]


def test_without_state_a_restart_forgets(start: Callable[..., Sandbox]) -> None:
    first = start()
    task_id = first.task()
    first.kill()
    second = start(port=first.port)
    assert second.poll(task_id).json()["data"]["status"] == "not_found"


@pytest.mark.parametrize("signum", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_it_within_two_seconds(
    start: Callable[..., Sandbox], signum: signal.Signals
) -> None:
    sandbox = start()
    sandbox.finished(sandbox.task())
    workers = children_of(sandbox.process.pid)
    assert workers
    began = time.monotonic()
    sandbox.process.send_signal(signum)
    assert sandbox.process.wait(timeout=5) == 0
    assert time.monotonic() - began < 2
    assert gone(workers, 0.5)


def test_a_signal_ends_it_although_a_caller_hangs(start: Callable[..., Sandbox]) -> None:
    sandbox = start("--latency", "0")
    task_id = sandbox.task(prompt="sandbox:images=15", width=4096, height=4096)
    asking = subprocess.Popen(
        [sys.executable, "-c", _HANG, sandbox.url, task_id], cwd=ROOT, stdout=subprocess.DEVNULL
    )
    time.sleep(0.8)
    began = time.monotonic()
    sandbox.process.send_signal(signal.SIGTERM)
    assert sandbox.process.wait(timeout=5) == 0
    assert time.monotonic() - began < 2
    asking.kill()
    asking.wait(5)


_HANG = """
import sys
from tests.sandbox.caller import GET_RESULT, KEY, Sandbox
import requests
sandbox = object.__new__(Sandbox)
sandbox.url, sandbox.http = sys.argv[1], requests.Session()
sandbox.host = sandbox.url.removeprefix("http://")
sandbox.poll(sys.argv[2], url=False)
"""


def test_workers_die_with_a_killed_parent(start: Callable[..., Sandbox]) -> None:
    sandbox = start("--workers", "2")
    workers = children_of(sandbox.process.pid)
    assert len(workers) == 2
    sandbox.kill()
    assert gone(workers)


def test_a_dead_worker_is_replaced(start: Callable[..., Sandbox]) -> None:
    sandbox = start("--latency", "0")
    (worker,) = children_of(sandbox.process.pid)
    os.kill(worker, signal.SIGKILL)
    (url,) = sandbox.finished(sandbox.task(size=1048576)).json()["data"]["image_urls"]
    assert requests.get(url, timeout=10).status_code == 200
    assert sandbox.state()["painted"] == 1
    children = children_of(sandbox.process.pid)
    assert children and worker not in children
    assert sandbox.stop() == 0
    assert gone(children)


def run(*arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the sandbox where it is expected to refuse to start."""
    command = [sys.executable, "-m", "sandbox", *arguments]
    return subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, timeout=20, check=False
    )


def test_a_taken_port_is_said_in_one_sentence(sandbox: Sandbox) -> None:
    refused = run("--port", str(sandbox.port))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1 and "cannot listen" in refused.stderr


@pytest.mark.parametrize("option", ["--state", "--ledger"])
def test_an_unusable_file_is_said_in_one_sentence(option: str, tmp_path: Path) -> None:
    refused = run("--port", "0", option, str(tmp_path / "missing" / "file"))
    assert refused.returncode == 1
    assert refused.stderr.count("\n") == 1 and "cannot open" in refused.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--port", "65536"],
        ["--port", "http"],
        ["--latency", "-1"],
        ["--jitter", "1.1"],
        ["--jitter", "nan"],
        ["--concurrency", "-1"],
        ["--faults", "nothing=1"],
        ["--faults", "500=2"],
        ["--faults", "500=often"],
    ],
)
def test_wrong_arguments(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        parse_options(arguments)
    assert left.value.code == 2
    assert arguments[0] in capsys.readouterr().err


def test_defaults() -> None:
    options = parse_options([])
    assert options == Options(workers=options.workers)
    assert (options.host, options.port, options.latency, options.jitter) == (
        "127.0.0.1",
        9100,
        8.0,
        0.2,
    )
    assert options.ark_key == "ARK-SANDBOX"


def test_faults_argument() -> None:
    options = parse_options(["--faults", "500=0.25, drop_after=1,poll_drop"])
    assert options.faults == {"500": 0.25, "drop_after": 1.0, "poll_drop": 1.0}
