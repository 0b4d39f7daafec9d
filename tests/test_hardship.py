"""What surrounds the engine fails for a while: the database, the clock, the disk. Nothing is lost by it."""

from __future__ import annotations

import resource
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.conf import settings as studio
from django.db import OperationalError
from psycopg import sql

from generations import tasks
from generations.models import Asset, Job, JobState
from generations.services import jobs, outputs
from generations.services.jobs import changes
from tests import many, world
from tests.conftest import PROVE
from tests.driving import a_result
from tests.many import ROWS
from tests.running import Sandbox, Site, wait_until

pytestmark = pytest.mark.timeout(300)
QUICK = {"ENGINE_LEASE": "3", "ENGINE_RENEW": "1", "ENGINE_ENSURE": "0.5"}
RUNS = 6
OUTCOME = """
from django.db.models import Sum
from generations.services import quota
answer = {"states": sorted(Job.objects.values_list("state", flat=True)),
          "assets": Asset.objects.count(), "books": len(quota.discrepancies()),
          "held": Balance.objects.aggregate(n=Sum("reserved"))["n"]}
"""

SLOW = f"""
from generations.services import compose
for n in range({RUNS}):
    compose.submit(
        project=Project.objects.get(slug="demo"), user=User.objects.get(username="designer"),
        engine="seedream-4.0", prompt=f"sandbox:slow=12 {{n}}", settings={{"size": "1024x1024"}}, count=1,
    )
answer = None
"""


def ask(site: Site) -> None:
    many.make_room(site)
    many.ask(site, RUNS)


def all_done(site: Site, within_s: float = 120.0) -> None:
    """Every run has its picture, was sent once, and holds nothing any more."""
    wanted = {"states": ["succeeded"] * RUNS, "assets": RUNS, "books": 0, "held": 0}
    ends = time.monotonic() + within_s
    while (found := site.shell(ROWS + OUTCOME)) != wanted and time.monotonic() < ends:
        time.sleep(1)
    assert found == wanted
    assert len(site.sandbox.ledger()) == RUNS


def read_pages(site: Site, during: Callable[[], Any]) -> list[int]:
    """What a signed-in person's home page answers while something happens, twice a second."""
    session, found, over = site.session(), [], threading.Event()

    def look() -> None:
        while not over.wait(0.5):
            found.append(session.get(f"{site.url}/", timeout=60).status_code)

    reader = threading.Thread(target=look)
    reader.start()
    try:
        during()
    finally:
        over.set()
        reader.join()
    return found


def test_a_locked_database_is_waited_for(start_site: Callable[..., Site]) -> None:
    """Longer than any writer waits for its turn."""
    site = start_site(demo=False, sandbox_options=("--latency", "4", "--fast-media"), **QUICK)
    site.begin()
    ask(site)
    wait_until(lambda: len(site.sandbox.ledger()) == RUNS, timeout_s=30, what="all sent")

    def lock() -> None:
        with closing(sqlite3.connect(site.var / "db.sqlite3", timeout=30)) as database:
            database.execute("BEGIN IMMEDIATE")
            time.sleep(30)
            database.rollback()

    seen = read_pages(site, lock)
    assert set(seen) == {200}
    assert len(seen) > 10
    all_done(site)


def outage(postgres_url: str) -> None:
    """As a restart: every connection ends at once, and for five seconds there is none to be had."""
    elsewhere, _, name = postgres_url.rpartition("/")
    allow = sql.SQL("ALTER DATABASE {} ALLOW_CONNECTIONS {}")
    with psycopg.connect(f"{elsewhere}/postgres", autocommit=True) as server:
        server.execute(allow.format(sql.Identifier(name), sql.SQL("false")))
        ended = server.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", [name]
        ).fetchall()
        time.sleep(5)
        server.execute(allow.format(sql.Identifier(name), sql.SQL("true")))
    assert len(ended) > 1


@pytest.mark.postgres
@pytest.mark.parametrize("sent", [1, RUNS])
def test_a_postgresql_that_restarts_is_waited_for(
    sent: int, postgres_url: str, start_site: Callable[..., Site]
) -> None:
    """After the first is sent most answers are not written down yet; whoever drives holds the only copy."""
    site = start_site(
        database_url=postgres_url,
        demo=False,
        sandbox_options=("--latency", "4", "--fast-media"),
        **QUICK,
    )
    site.begin()
    ask(site)
    wait_until(lambda: len(site.sandbox.ledger()) >= sent, timeout_s=30, every_s=0.01, what="sent")
    outage(postgres_url)
    all_done(site)


@pytest.mark.postgres
def test_calls_that_are_answered_with_the_result_outlast_an_outage(
    postgres_url: str, start_site: Callable[..., Site]
) -> None:
    """Nobody can ask for their answers again: whoever made them waits, with or without a database."""
    site = start_site(
        database_url=postgres_url, demo=False, sandbox_options=("--fast-media",), **QUICK
    )
    site.begin()
    many.make_room(site)
    site.shell(ROWS + SLOW)
    wait_until(lambda: len(site.sandbox.ledger()) == RUNS, timeout_s=30, what="sent")
    outage(postgres_url)
    all_done(site)


@pytest.mark.parametrize("jump", [3600, -3600])
def test_a_clock_that_is_set_by_an_hour_costs_nothing(
    jump: int, start_site: Callable[..., Site], tmp_path: Path
) -> None:
    """Of the worker alone, with runs under way, and back again."""
    clock = tmp_path / "clock"
    clock.write_text("0")
    told = {"CLOCK_FILE": str(clock), "DJANGO_SETTINGS_MODULE": "tests.clock_settings"}
    options = ("--latency", "6", "--fast-media")
    site = start_site(demo=False, worker=False, web=False, sandbox_options=options, **QUICK)
    site.begin()
    site.start_worker(**told)
    ask(site)
    wait_until(lambda: len(site.sandbox.ledger()) == RUNS, timeout_s=30, what="all sent")
    clock.write_text(str(jump))
    time.sleep(60 if PROVE else 12)
    states = set(site.shell(ROWS + OUTCOME)["states"])
    assert states <= {"running", "collecting", "succeeded"}, states
    clock.write_text("0")
    all_done(site)


@contextmanager
def room_for(size: int) -> Iterator[None]:
    """No file of this process may grow beyond `size` bytes: the kernel refuses, as on a full disk."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


@pytest.fixture
def made(team: world.Team, sandbox: Sandbox, settings: Any) -> Job:
    """A run whose picture the provider holds ready."""
    settings.SANDBOX_URL = sandbox.url
    job = team.jobs[JobState.QUEUED]
    remote_id, url = a_result(sandbox)
    fields = {"state": JobState.COLLECTING, "remote_id": remote_id, "output_urls": [url]}
    Job.objects.filter(pk=job.pk).update(**fields)
    job.refresh_from_db()
    return job


def collect(job: Job) -> Job:
    Job.objects.filter(pk=job.pk).update(not_before=None, lease_owner="", lease_expires_at=None)
    jobs.finish(job_id=job.pk, alive=lambda: None)
    job.refresh_from_db()
    return job


def test_a_disk_that_fills_up_while_fetching_is_waited_for(made: Job) -> None:
    """However often: what the provider made is fetched when there is room, and nothing is left half."""
    with room_for(4096):
        for _ in range(changes.POISON_AFTER + 2):
            job = collect(made)
            assert (job.state, job.reason, job.crashes) == (JobState.COLLECTING, "disk_low", 0)
    assert not Asset.objects.filter(job=made).exists()
    assert collect(made).state == JobState.SUCCEEDED
    asset = Asset.objects.get(job=made)
    assert (studio.MEDIA_ROOT / asset.blob.name).stat().st_size == asset.blob.size


def test_without_that_it_would_be_given_up(made: Job, monkeypatch: pytest.MonkeyPatch) -> None:
    """The control: a failure nobody names counts as one that takes its process down."""
    monkeypatch.setattr(outputs, "keep", lambda **_how: 1 / 0)
    for _ in range(changes.POISON_AFTER):
        with pytest.raises(ZeroDivisionError):
            collect(made)
    assert collect(made).state == JobState.FAILED


def test_a_database_that_fails_meanwhile_is_not_held_against_the_job(
    made: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    def locked(**_how: object) -> None:
        raise OperationalError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(outputs, "keep", locked)
        for _ in range(changes.POISON_AFTER + 2):
            with pytest.raises(OperationalError):
                collect(made)
    assert collect(made).state == JobState.SUCCEEDED


def test_any_message_for_pictures_does_what_is_ready(made: Job, team: world.Team) -> None:
    """Where many wait, no more are sent: whichever comes must look for all that is to be fetched."""
    tasks.keep(team.jobs[JobState.UNCERTAIN].pk, 0)
    made.refresh_from_db()
    assert made.state == JobState.SUCCEEDED
