"""A whole installation, started by tests: database, files, sandbox, web process, worker."""

from __future__ import annotations

import contextlib
import json
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from tests.processes import (
    ROOT,
    Running,
    Sandbox,
    environment,
    free_port,
    running_sandbox,
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

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def var(self) -> Path:
        return self.folder / "var"

    def env(self, **more: str) -> dict[str, str]:
        return environment(
            self.var,
            DATABASE_URL=self.database_url,
            DIPTYCH_DEMO_PASSWORD=self.password,
            PORT=str(self.port),
            SANDBOX_PORT=str(self.sandbox.port),
            **{"STOP_GRACE": "5", **self.more, **more},
        )

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
        """Run Python under the site's settings; return what it assigned to `answer` (as JSON)."""
        script = f"import json\n{code}\nprint('\\n=' + json.dumps(answer, default=str))"
        lines = self.manage("shell", "--no-imports", "-c", script).stdout.splitlines()
        return json.loads(lines[-1][1:])

    def prepare(self) -> None:
        """Make the tables."""
        self.var.mkdir(parents=True, exist_ok=True)
        self.manage("migrate", "--verbosity", "0")

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
    **more: str,
) -> Iterator[Site]:
    """A whole installation in `folder` until the block ends; `more` is added to every environment."""
    with running_sandbox(folder / "sandbox", *sandbox_options) as sandbox:
        database = database_url or f"sqlite:///{folder / 'var' / 'db.sqlite3'}"
        site = Site(folder, sandbox, database, more)
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
