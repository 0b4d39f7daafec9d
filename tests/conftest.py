"""Fixtures that start the real thing: sandbox, web process, worker, PostgreSQL database, browser.

Everything is per xdist worker: its own folder, ports and database. `--dist loadfile` keeps a file's tests
on one worker, so the session-wide site is started at most once per worker.
"""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from tests.running import ROOT, Sandbox, Site, environment, running_sandbox, running_site

if TYPE_CHECKING:
    from django.test import Client
    from playwright.sync_api import Browser, BrowserContext, Page

    from generations.models import Asset
    from tests import world

PROVE = os.environ.get("DIPTYCH_PROVE") == "1"
CHROMIUM = "/usr/bin/chromium-headless-shell"
CHROMIUM_ARGS = [
    "--no-sandbox",  # the suite may run as root
    "--disable-dev-shm-usage",
    "--force-color-profile=srgb",
    "--disable-background-networking",
    "--disable-component-update",
]
POSTGRES = os.environ.get("DIPTYCH_TEST_POSTGRES", "postgresql://postgres@127.0.0.1:5432/postgres")


ON_POSTGRES = os.environ.get("DIPTYCH_TEST_DATABASE_URL", "").startswith("postgres")
# Tests that choose their database themselves, or need none of ours.
_OWN_DATABASE = {"site", "start_site", "postgres_url", "browser", "sandbox"}


def _asks_our_database(item: pytest.Item) -> bool:
    """Whether a test queries the database of the test process itself."""
    fixtures = set(getattr(item, "fixturenames", ()))
    ours = item.get_closest_marker("django_db") or fixtures & {"db", "transactional_db"}
    return bool(ours) and not fixtures & _OWN_DATABASE


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the full counts to `make prove`; give what starts whole processes more time.

    A run on PostgreSQL is the second one: it holds what may differ there.
    """
    if ON_POSTGRES:
        config.hook.pytest_deselected(
            items=[each for each in items if not _asks_our_database(each)]
        )
        items[:] = [each for each in items if _asks_our_database(each)]
    for item in items:
        if item.get_closest_marker("prove") and not PROVE:
            item.add_marker(pytest.mark.skip(reason="full counts: make prove"))
        if {"site", "live_site", "start_site"} & set(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.site)
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(300))


def _make(*arguments: str) -> None:
    """Run one of the tools that write into the work tree, never two at a time."""
    var = ROOT / "var"
    var.mkdir(mode=0o700, exist_ok=True)
    with (var / "build.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        done = subprocess.run(
            [sys.executable, *arguments],
            cwd=ROOT,
            env=environment(var),
            capture_output=True,
            text=True,
        )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="session", autouse=True)
def translations() -> None:
    """Compiled translations, for the pages this process renders."""
    _make("locale/messages.py", "compile")


@pytest.fixture(scope="session")
def built() -> None:
    """What `make run` makes in the work tree: hashed static files, compiled translations."""
    _make("studio/launcher.py", "build")


@pytest.fixture(autouse=True)
def nothing_learned() -> None:
    """What earlier tests' runs took is forgotten, and the models that their administrators made."""
    from generations.services import engines
    from generations.services.jobs import durations

    durations.forget()
    engines.forget()


@pytest.fixture
def team(db: None) -> world.Team:
    """A project with an owner, an editor, a viewer, and a generation with every kind of job."""
    from tests import world

    world.account()
    return world.team("acme")


@pytest.fixture
def reader(team: world.Team) -> Client:
    """A browser of the team's viewer, in English."""
    from tests.people import client_of

    return client_of(team.viewer)


@pytest.fixture
def writer(team: world.Team) -> Client:
    """A browser of the team's editor, in English."""
    from tests.people import client_of

    return client_of(team.editor)


@pytest.fixture
def owner(team: world.Team) -> Client:
    """A browser of the team's owner, in English."""
    from tests.people import client_of

    return client_of(team.owner)


@pytest.fixture
def five(team: world.Team) -> list[Asset]:
    """Five pictures of one run, in order."""
    from generations.services import gallery
    from tests import world

    run = world.generation(team.project, team.editor, states=(world.JobState.SUCCEEDED,) * 5)
    return gallery.siblings(run.assets.all()[0])


@pytest.fixture
def woken(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Batches that a wake-up was asked for."""
    from generations.services import queue

    found: list[int] = []
    monkeypatch.setattr(queue, "feed", found.append)
    return found


# --- The real processes -----------------------------------------------------------------------


@pytest.fixture(scope="session")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox alone: fast pictures, 0.3 s latency."""
    folder = tmp_path_factory.mktemp("sandbox")
    with running_sandbox(folder, "--latency", "0.3", "--fast-media") as running:
        yield running


@pytest.fixture(scope="session")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """One installation for the whole run, demo included: tests leave it as usable as they found it."""
    with running_site(tmp_path_factory.mktemp("site"), measured=True) as running:
        yield running


@pytest.fixture(scope="session")
def live_site(site: Site) -> Site:
    """The same as `site`."""
    return site


@pytest.fixture
def start_site(built: None, tmp_path: Path) -> Iterator[Callable[..., Site]]:
    """Start an installation of the test's own: `start_site(worker=False, ENGINE_LEASE="3")`."""
    with ExitStack() as stack:
        count = iter(range(100))

        def start(**options: Any) -> Site:
            folder = tmp_path / f"site-{next(count)}"
            folder.mkdir()
            return stack.enter_context(running_site(folder, **options))

        yield start


# --- PostgreSQL -------------------------------------------------------------------------------


def _postgres(statement: str) -> None:
    import psycopg

    with psycopg.connect(POSTGRES, autocommit=True, connect_timeout=5) as connection:
        connection.execute(statement.encode())


@pytest.fixture
def postgres_url() -> Iterator[str]:
    """A database of its own, dropped afterwards. Without a server: a failure in CI, else a skip."""
    import psycopg

    name = f"diptych_{uuid.uuid4().hex[:12]}"
    try:
        _postgres(f'CREATE DATABASE "{name}"')
    except psycopg.OperationalError as error:
        said = f"PostgreSQL does not answer ({str(error).strip().splitlines()[0]}): see DIPTYCH_TEST_POSTGRES"
        if os.environ.get("CI"):
            pytest.fail(said)
        pytest.skip(said)
    yield f"{POSTGRES.rpartition('/')[0]}/{name}"
    _postgres(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')


# --- The browser ------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Debian's Chromium. Ends with the module: see addopts in pyproject.toml."""
    from playwright.sync_api import sync_playwright

    if not Path(CHROMIUM).exists():
        said = f"{CHROMIUM} is missing: make test installs it"
        pytest.fail(said) if os.environ.get("CI") else pytest.skip(said)
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        yield chromium
        chromium.close()


@pytest.fixture(scope="session")
def browser_context_args() -> dict[str, Any]:
    """How a context is made unless a test says otherwise."""
    return {
        "locale": "zh-CN",
        "timezone_id": "Asia/Shanghai",
        "viewport": {"width": 1440, "height": 900},
        "reduced_motion": "reduce",
    }


@pytest.fixture
def new_context(
    browser: Browser, browser_context_args: dict[str, Any]
) -> Iterator[Callable[..., BrowserContext]]:
    """Make contexts (`new_context(java_script_enabled=False)`) that end with the test."""
    with ExitStack() as stack:

        def make(**more: Any) -> BrowserContext:
            context = browser.new_context(**{**browser_context_args, **more})
            stack.callback(context.close)
            context.set_default_timeout(15_000)
            return context

        yield make


@pytest.fixture
def context(new_context: Callable[..., BrowserContext]) -> BrowserContext:
    return new_context()


@pytest.fixture
def page(context: BrowserContext) -> Page:
    return context.new_page()


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """At the end end what a thread of a test has left open: PostgreSQL drops no database in use."""
    yield
    from django.db import connection

    with django_db_blocker.unblock():
        if connection.vendor == "postgresql":
            with connection.cursor() as cursor:
                cursor.execute(
                    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                    "WHERE datname = current_database() AND pid <> pg_backend_pid()"
                )
            connection.close()
