"""A whole installation, started by tests: database, files, sandbox, web process, worker."""

from __future__ import annotations

import atexit
import contextlib
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

import requests

from tests.asker import Askers
from tests.processes import (
    ROOT,
    Running,
    Sandbox,
    environment,
    free_port,
    running_sandbox,
    unmeasured,
    wait_until,
)

__all__ = [
    "PASSWORD",
    "ROOT",
    "Running",
    "Sandbox",
    "Site",
    "environment",
    "free_port",
    "running_sandbox",
    "running_site",
    "wait_until",
]

PASSWORD = "a-demo-password-for-tests"


def _database(var: Path) -> str:
    return f"sqlite:///{var / 'db.sqlite3'}"


@cache
def _model(*, bootstrapped: bool) -> Path:
    """The folder of an installation that others begin as a copy of: tables cost seconds to make."""
    folder = Path(tempfile.mkdtemp(prefix="diptych-model-"))
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    site = Site(folder, Sandbox(folder, port=free_port()), _database(folder / "var"))
    if bootstrapped:
        shutil.copytree(_model(bootstrapped=False), site.var)
        site.manage("bootstrap", "--no-runs", "--skip-checks")
    else:
        site.var.mkdir()
        site.manage("migrate", "--verbosity", "0")
    return site.var


@dataclass(slots=True)
class Site:
    """One whole installation: database, files, sandbox, web process, worker."""

    folder: Path
    sandbox: Sandbox
    database_url: str
    more: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    web: Running | None = None
    worker: Running | None = None
    password: str = PASSWORD
    measured: bool = False
    askers: Askers = field(init=False)

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        self.askers = Askers(self.folder / "shell.log")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def var(self) -> Path:
        return self.folder / "var"

    def env(self, **more: str) -> dict[str, str]:
        env = environment(
            self.var,
            DATABASE_URL=self.database_url,
            DIPTYCH_DEMO_PASSWORD=self.password,
            PORT=str(self.port),
            SANDBOX_PORT=str(self.sandbox.port),
            **{"STOP_GRACE": "5", **self.more, **more},
        )
        return env if self.measured else unmeasured(env)

    def manage(
        self, *arguments: str, check: bool = True, timeout_s: float = 120.0, **more: str
    ) -> subprocess.CompletedProcess[str]:
        """Run `manage.py ARGUMENTS` against this installation."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT,
            env=self.env(**more),
            capture_output=True,
            text=True,
            timeout=timeout_s,
            stdin=subprocess.DEVNULL,
        )
        assert not check or done.returncode == 0, f"{arguments}\n{done.stdout}\n{done.stderr}"
        return done

    def shell(self, code: str) -> Any:
        """Run Python under the site's settings; return what it assigned to `answer` (as JSON).

        The process stays: what the code changes in modules is there for the next.
        """
        return self.askers.ask(code, self.env())

    @property
    def _usual(self) -> bool:
        """Whether its database would be the same as that of any other installation under test."""
        own = any(name.startswith(("VOLC_", "ARK_", "SANDBOX_", "SECRET_")) for name in self.more)
        return self.database_url == _database(self.var) and self.password == PASSWORD and not own

    def prepare(self) -> None:
        """Make the tables."""
        if self._usual:
            shutil.copytree(_model(bootstrapped=False), self.var, dirs_exist_ok=True)
        else:
            self.var.mkdir(parents=True, exist_ok=True)
            self.manage("migrate", "--verbosity", "0")

    def begin(self) -> None:
        """Make the people and the demo project, without its generations."""
        if self._usual and self.web is None and self.worker is None:
            shutil.copytree(_model(bootstrapped=True), self.var, dirs_exist_ok=True)
            with contextlib.closing(sqlite3.connect(self.var / "db.sqlite3")) as database:
                where = "UPDATE generations_provideraccount SET base_url = ? WHERE provider = ?"
                database.execute(where, [self.sandbox.url, "jimeng"])
                database.execute(where, [f"{self.sandbox.url}/api/v3", "ark"])
                database.commit()
        else:
            self.manage("bootstrap", "--no-runs", "--skip-checks")

    def bootstrap(self) -> None:
        """Make the accounts and the demo; its first generations are queued."""
        self.manage("bootstrap")

    def start_web(self) -> None:
        server = ["-m", "uvicorn", "studio.asgi:application", "--host", "127.0.0.1"]
        options = ["--port", str(self.port), "--no-access-log", "--log-level", "warning"]
        grace = ["--timeout-graceful-shutdown", "2", "--lifespan", "off"]
        log = self.folder / "web.log"
        self.web = Running.start([*server, *options, *grace], env=self.env(), log=log)
        wait_until(self._answers, what=f"sign-in page; see {log}")

    def _answers(self) -> bool:
        assert self.web is not None and self.web.alive, self.web and self.web.said()
        with contextlib.suppress(requests.ConnectionError):
            status = requests.get(f"{self.url}/login/", timeout=30).status_code
            assert status < 500, f"the sign-in page answers {status}\n{self.web.said()[-4000:]}"
            return status == 200
        return False

    def start_worker(self, **more: str) -> Running:
        """Start `runworker`; `more` is added to its environment (DIPTYCH_CRASH_AT="…")."""
        log = self.folder / "worker.log"
        self.worker = Running.start(["manage.py", "runworker"], env=self.env(**more), log=log)
        return self.worker

    def stop_web(self) -> None:
        if self.web is not None:
            self.web.end(grace_s=10.0)
            self.web = None

    def stop_worker(self) -> None:
        """End the worker; its own children are in groups of their own and die with it."""
        if self.worker is not None:
            self.worker.end(grace_s=30.0)
            self.worker = None

    def stop(self) -> None:
        self.askers.end()
        self.stop_worker()
        self.stop_web()
        self.sandbox.stop()

    def session(self, username: str = "designer", password: str = "") -> requests.Session:
        """A signed-in HTTP session."""
        session = requests.Session()
        session.trust_env = False
        page = f"{self.url}/login/"
        session.get(page, timeout=30)
        body = {
            "username": username,
            "password": password or self.password,
            "csrfmiddlewaretoken": session.cookies.get("csrftoken", ""),
        }
        answer = session.post(page, body, headers={"Referer": page}, timeout=30)
        assert "sessionid" in session.cookies, answer.text[:2000]
        return session

    def login_cookies(self, username: str = "designer", password: str = "") -> list[dict[str, Any]]:
        """The cookies of a signed-in session, as `context.add_cookies` of playwright wants them."""
        jar = self.session(username, password).cookies
        return [{"name": each.name, "value": each.value or "", "url": self.url} for each in jar]


@contextlib.contextmanager
def running_site(
    folder: Path,
    *,
    database_url: str = "",
    demo: bool = True,
    web: bool = True,
    worker: bool = True,
    sandbox_options: tuple[str, ...] = ("--latency", "1", "--fast-media"),
    measured: bool = False,
    **more: str,
) -> Iterator[Site]:
    """A whole installation in `folder` until the block ends; `more` is added to every environment.

    What its processes execute counts as covered only if `measured`.
    """
    with running_sandbox(folder / "sandbox", *sandbox_options, measured=measured) as sandbox:
        database = database_url or _database(folder / "var")
        site = Site(folder, sandbox, database, more, measured=measured)
        try:
            site.prepare()
            if demo:
                site.bootstrap()
            if worker:
                site.start_worker()
            if web:
                site.start_web()
            yield site
        finally:
            site.stop()
