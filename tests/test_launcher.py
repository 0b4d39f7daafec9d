"""`make run`: prepares what is stale, starts everything, and leaves nothing behind however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import pytest
import requests

from studio import launcher, preparation, supervision
from studio.preparation import Options, Refusal, Step
from tests.running import ROOT, Running, environment, free_port, wait_until

pytestmark = [pytest.mark.site, pytest.mark.timeout(180)]


class Started:
    """One `launcher.py run`, known by its folder: every process below it has that in its environment."""

    def __init__(self, var: Path, log: Path, **more: str) -> None:
        self.var, self.began = var, time.monotonic()
        self.port = int(more.get("PORT", free_port()))
        ports = {"PORT": str(self.port), "SANDBOX_PORT": str(free_port())}
        env = environment(var, **{**ports, **more})
        self.running = Running.start(["studio/launcher.py", "run"], env=env, log=log)

    def ready(self) -> str:
        """Wait for the line with the address; return all that was said so far."""
        return str(wait_until(self._said_where, timeout_s=90, what="the address is printed"))

    def _said_where(self) -> str:
        text = self.running.said()
        assert self.running.alive, text
        return text if "Open http" in text else ""

    def is_whole(self) -> bool:
        """Web, sandbox, and the worker with both its clusters and their forked workers?"""
        said = "\n".join(self.below().values())
        parts = ("uvicorn", "-m sandbox", "host drive", "host media", "ensure")
        return all(part in said for part in parts) and said.count("host media") > 4

    def signal(self, number: int) -> None:
        os.kill(self.running.process.pid, number)

    def below(self) -> dict[int, str]:
        """Living processes that were started with our folder, the launcher included."""
        mark = f"VAR_DIR={self.var}\0".encode()
        found = {}
        for entry in Path("/proc").iterdir():
            try:
                if entry.name.isdigit() and mark in (entry / "environ").read_bytes():
                    parts = [(entry / name).read_bytes() for name in ("comm", "cmdline")]
                    found[int(entry.name)] = b" ".join(parts).replace(b"\0", b" ").decode()
            except OSError:
                continue  # it ended while we looked
        return found


@pytest.fixture
def start(tmp_path: Path, built: None) -> Iterator[Callable[..., Started]]:
    with ExitStack() as stack:

        def begin(**more: str) -> Started:
            log = tmp_path / f"launcher-{time.monotonic_ns()}.log"
            started = Started(tmp_path / "var", log, **more)
            stack.callback(started.running.end)
            return started

        yield begin


def gone(started: Started) -> None:
    started.running.process.wait(timeout=20)
    with suppress(AssertionError):
        wait_until(lambda: not started.below(), timeout_s=5)
    assert started.below() == {}


def test_two_starts_and_ctrl_c(start: Callable[..., Started]) -> None:
    first = start()
    said = first.ready()
    assert requests.get(f"http://127.0.0.1:{first.port}/login/", timeout=30).status_code == 200
    assert "Preparing the database" in said
    assert said.count("  admin ") == 1
    wait_until(first.is_whole, what="web, sandbox and worker run")
    first.signal(signal.SIGINT)
    gone(first)
    assert first.running.process.returncode == 0
    assert first.running.said().rstrip().endswith("Stopped.")

    second = start(PORT=str(first.port))
    said = second.ready()
    print(f"second start: {time.monotonic() - second.began:.1f} s")
    assert "Preparing the database" not in said  # nothing it depends on has changed
    assert "  admin " not in said  # passwords are shown once
    second.signal(signal.SIGTERM)
    gone(second)


def test_a_killed_launcher_leaves_nothing(start: Callable[..., Started]) -> None:
    started = start()
    started.ready()
    wait_until(started.is_whole, what="web, sandbox and worker run")
    started.signal(signal.SIGKILL)
    gone(started)


def test_a_dead_child_is_said_and_started_again(start: Callable[..., Started]) -> None:
    started = start()
    started.ready()
    sandbox = [
        process
        for process, command in started.below().items()
        if " -m sandbox " in command
        and f"PPid:\t{started.running.process.pid}" in Path(f"/proc/{process}/status").read_text()
    ]
    os.kill(sandbox[0], signal.SIGKILL)
    line = "The sandbox ended by itself (SIGKILL); starting it again in 0.5 s."
    wait_until(lambda: line in started.running.said(), what=line)
    listening = "sandbox listening on"
    wait_until(lambda: started.running.said().count(listening) == 2, what="it listens again")


def test_a_port_in_use_is_one_sentence_before_anything_starts(
    start: Callable[..., Started],
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        started = start(PORT=str(port))
        assert started.running.process.wait(timeout=30) == 1
        said = started.running.said().strip()
    assert said == (
        f"diptych: cannot listen on port {port} (Address already in use): "
        "free it, or choose another with PORT=…"
    )
    assert not started.var.exists()


def test_real_credentials_start_no_sandbox(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    names = [child.name for child in supervision.children_of(Options.read())]
    assert names == ["sandbox", "web", "worker"]
    secret = tmp_path / "secret"
    secret.write_text("SKEXAMPLE\n")
    monkeypatch.setenv("VOLC_ACCESS_KEY", "AKEXAMPLE")
    monkeypatch.setenv("VOLC_SECRET_KEY_FILE", str(secret))
    names = [child.name for child in supervision.children_of(Options.read())]
    assert names == ["web", "worker"]


def test_a_second_ctrl_c_does_not_wait(tmp_path: Path) -> None:
    """A child that ignores TERM is given 5 s, unless the person asks again."""
    script = tmp_path / "house.py"
    script.write_text(
        "import sys\n"
        "from studio.preparation import Options\n"
        "from studio.supervision import Child, House\n"
        "deaf = 'import signal, time; signal.signal(15, signal.SIG_IGN); print(\"deaf\", flush=True);'\n"
        "child = Child('deaf', [sys.executable, '-c', deaf + 'time.sleep(60)'])\n"
        "House(Options.read(), [child]).run()\n"
    )
    env = environment(tmp_path, PYTHONPATH=str(ROOT), PORT=str(free_port()))
    running = Running.start([str(script)], env=env, log=tmp_path / "log")
    try:
        wait_until(lambda: "deaf" in running.said(), what="the child runs")
        os.kill(running.process.pid, signal.SIGINT)
        time.sleep(0.5)
        assert running.alive
        began = time.monotonic()
        os.kill(running.process.pid, signal.SIGINT)
        assert running.process.wait(timeout=4) == 0
        assert time.monotonic() - began < supervision.GRACE_S - 1
    finally:
        running.end()


def test_a_step_runs_again_when_what_it_depends_on_changes(tmp_path: Path) -> None:
    source, made, stamp = tmp_path / "in" / "a.txt", tmp_path / "made", tmp_path / "stamps" / "s"
    source.parent.mkdir()
    source.write_text("one")
    append = f"open({str(made)!r}, 'a').write('x')"

    def step() -> Step:
        commands = [[sys.executable, "-c", append]]
        return Step("Making", "Making", stamp, [source.parent, "setting"], [made], commands)

    assert [step().run(), step().run()] == [True, False]
    source.write_text("two")
    assert [step().run(), step().run()] == [True, False]
    made.unlink()
    assert [step().run(), step().run()] == [True, False]
    (source.parent / "b.txt").write_text("")
    assert [step().run(), step().run()] == [True, False]
    assert made.read_text() == "xx"


def test_a_failed_step_is_not_taken_for_done(tmp_path: Path) -> None:
    stamp = tmp_path / "stamp"
    step = Step("Trying", "Trying", stamp, [], [tmp_path], [[sys.executable, "-c", "exit(3)"]])
    with pytest.raises(Refusal, match=r"Trying failed \(exit 3\)"):
        step.run()
    assert not stamp.exists()


def test_a_database_server_is_never_taken_for_prepared(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("VAR_DIR", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", "postgresql://somebody@127.0.0.1/studio")
    assert all(not step.outputs for step in preparation.data_steps(Options.read()))
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/other.sqlite3")
    assert [step.outputs for step in preparation.data_steps(Options.read())] == [
        [tmp_path / "other.sqlite3"]
    ] * 2


def test_dotenv_fills_what_the_environment_does_not_say(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / ".env"
    file.write_text('# a comment\nexport PORT=81\nLOG_LEVEL="INFO"\nSECRET_KEY=a=b#c\n\nnonsense\n')
    monkeypatch.setattr(os, "environ", {"PORT": "80"})
    launcher.load_dotenv(file)
    assert os.environ == {"PORT": "80", "LOG_LEVEL": "INFO", "SECRET_KEY": "a=b#c"}
    launcher.load_dotenv(tmp_path / "absent")


@pytest.mark.parametrize(
    ("more", "sentence"),
    [
        ({"PORT": "eighty"}, "diptych: PORT must be a number, not 'eighty'"),
        ({"PORT": "70000"}, "diptych: cannot listen on port 70000"),
        ({"VOLC_SECRET_KEY_FILE": "/nowhere"}, "diptych: VOLC_SECRET_KEY_FILE cannot be read"),
    ],
)
def test_a_wrong_setting_is_one_sentence(
    tmp_path: Path, more: dict[str, str], sentence: str
) -> None:
    env = environment(tmp_path / "var", VOLC_ACCESS_KEY="AKEXAMPLE", **more)
    done = subprocess.run(
        [sys.executable, "studio/launcher.py", "run"],
        cwd=ROOT,
        env=env,
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 1
    assert done.stderr.startswith(sentence)
    assert len(done.stderr.splitlines()) == 1


def test_a_command_it_does_not_know() -> None:
    done = subprocess.run(
        [sys.executable, "studio/launcher.py", "dance"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert done.stderr.startswith("usage: launcher.py run|build|setup")


def test_a_python_without_venv_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(launcher, "PYTHON", tmp_path / "absent")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(Refusal, match="lacks venv: install your system's python3-venv package"):
        launcher.enter_environment()
