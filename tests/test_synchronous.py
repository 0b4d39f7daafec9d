"""Calls whose answer is the result: across slices, across a stop, and cut off by one."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.utils import translation

from generations.models import Job, JobState, Outcome, Submission
from generations.providers.base import Finished, pictures
from generations.services import jobs, outputs
from generations.services.driver import claims
from generations.services.driver.calls import Result
from generations.services.driver.lease import take
from generations.services.driver.watch import Watch
from generations.templatetags import sentences
from tests import world
from tests.running import Running, Site, wait_until

pytestmark = pytest.mark.timeout(300)
S = JobState
QUICK = {"ENGINE_LEASE": "3", "ENGINE_RENEW": "1", "ENGINE_ENSURE": "0.5", "ENGINE_SLICE": "2"}
# Nothing new is composed for a retired engine, except by this.
COMPOSE = """
from generations.models import *
from generations.providers import catalog
from generations.services import compose
catalog.ENGINES.update(catalog.RETIRED)
answer = str(compose.submit(
    project=Project.objects.get(slug="demo"), user=User.objects.get(username="designer"),
    engine="general-2.0", prompt={prompt!r}, settings={{"size": "512x512"}}, count={count},
))
"""


@pytest.fixture
def start(start_site: Callable[..., Site]) -> Callable[..., Site]:
    def started(**more: str) -> Site:
        site = start_site(web=False, worker=False, demo=False, **(QUICK | more))
        site.begin()
        return site

    return started


def ask(site: Site, seconds: int, count: int = 1) -> None:
    site.shell(COMPOSE.format(prompt=f"sandbox:slow={seconds}", count=count))


def read(site: Site, query: str) -> list[tuple[object, ...]]:
    """Read from outside, in a moment."""
    with contextlib.closing(sqlite3.connect(f"file:{site.var}/db.sqlite3?mode=ro", uri=True)) as db:
        return list(db.execute(query))


def states(site: Site) -> Counter[object]:
    return Counter(state for (state,) in read(site, "SELECT state FROM generations_job"))


def sent_once(site: Site, count: int) -> None:
    ledger = Counter(line["client_request_id"] for line in site.sandbox.ledger())
    assert (len(ledger), set(ledger.values())) == (count, {1})


@pytest.mark.parametrize(
    ("seconds", "times"),
    [(12, {}), pytest.param(100, {"ENGINE_SLICE": "45"}, marks=pytest.mark.prove)],
)
def test_a_long_call_outlives_its_slice_and_others_go_on(
    start: Callable[..., Site], seconds: int, times: dict[str, str]
) -> None:
    site = start(**times)
    ask(site, seconds, count=2)
    site.start_worker()
    wait_until(lambda: len(site.sandbox.ledger()) == 2, timeout_s=30)
    generate = ["generate", "山水", "--project", "demo", "--size", "1024x1024"]
    site.manage(*generate, "--skip-checks")
    wait_until(lambda: states(site) == {"submitting": 2, "succeeded": 1}, timeout_s=30)
    wait_until(lambda: states(site) == {"succeeded": 3}, timeout_s=seconds + 60)
    sent_once(site, 3)
    ((epoch,),) = read(site, "SELECT max(epoch) FROM generations_driverlease")
    assert int(str(epoch)) > 2
    assert read(site, "SELECT reserved FROM generations_balance WHERE reserved > 0") == []


@pytest.mark.parametrize(("guards", "lost"), [((), False), (("renewal",), True)])
def test_its_lease_is_renewed_although_another_drives(
    start: Callable[..., Site], guards: tuple[str, ...], lost: bool
) -> None:
    """Twin: without it the sweep calls the job uncertain, until the answer comes after all."""
    site = start()
    ask(site, 12)
    arguments = ["-m", "tests.lone_driver", "no point", *guards]
    alone = Running.start(arguments, env=site.env(), log=site.folder / "alone.log")
    wait_until(lambda: len(site.sandbox.ledger()) == 1, timeout_s=30)
    site.start_worker()
    seen: set[object] = set()
    ends = time.monotonic() + 60
    while states(site) != {"succeeded": 1} and time.monotonic() < ends:
        seen |= states(site).keys()
        time.sleep(0.1)
    assert states(site) == {"succeeded": 1}
    assert ("uncertain" in seen) is lost
    wait_until(lambda: "woke and ended" in alone.said(), timeout_s=20)
    sent_once(site, 1)


@pytest.mark.parametrize("seconds", [8, pytest.param(100, marks=pytest.mark.prove)])
def test_a_stop_waits_for_its_answer(start: Callable[..., Site], seconds: int) -> None:
    site = start(STOP_GRACE=str(seconds + 17))
    ask(site, seconds, count=2)
    site.start_worker()
    wait_until(lambda: len(site.sandbox.ledger()) == 2, timeout_s=30)
    assert site.worker is not None
    site.worker.end(grace_s=seconds + 30)
    assert set(states(site)) <= {"collecting", "succeeded"}
    site.start_worker()
    wait_until(lambda: states(site) == {"succeeded": 2}, timeout_s=90)
    sent_once(site, 2)


def test_what_a_stop_cuts_off_is_uncertain_and_counted(start: Callable[..., Site]) -> None:
    site = start(STOP_GRACE="4")
    ask(site, 60, count=2)
    worker = site.start_worker()
    wait_until(lambda: len(site.sandbox.ledger()) == 2, timeout_s=30)
    site.stop_worker()
    assert states(site) == {"uncertain": 2}
    said = [json.loads(line) for line in worker.said().splitlines() if '"cut_off"' in line]
    assert [each["cut_off"] for each in said] == [2]
    site.start_worker()
    time.sleep(5)
    assert states(site) == {"uncertain": 2}
    sent_once(site, 2)


# --- What the answer means, without a network ---------------------------------------------------


def being_sent() -> tuple[Watch, Job, Submission]:
    team = world.team("acme")
    made = world.generation(team.project, team.owner, states=(S.QUEUED,))
    made.engine = "general-2.0"
    made.save()
    Job.objects.exclude(generation=made).delete()
    lease = take(world.account())
    assert lease is not None
    Job.objects.update(state=S.SUBMITTING, lease_epoch=lease.epoch, lease_owner=lease.owner)
    job = Job.objects.select_related("generation").get()
    row = Submission.objects.create(job=job, body_sha256="0" * 64)
    return Watch(lease), job, row


@pytest.mark.django_db
@pytest.mark.parametrize("late", [False, True])
def test_bytes_in_the_answer_become_the_picture(late: bool) -> None:
    """Also when the sweep had called the job uncertain meanwhile."""
    watch, job, row = being_sent()
    if late:
        Job.objects.update(state=S.UNCERTAIN)
    address = outputs.lay_down(world.picture())
    watch.absorb([Result("submit", job, Finished(pictures((address,))), row)])
    job.refresh_from_db()
    assert (job.state, job.output_urls) == (S.COLLECTING, [address])
    jobs.finish(job_id=job.pk, alive=lambda: None)
    job.refresh_from_db()
    row.refresh_from_db()
    assert (job.state, row.outcome) == (S.SUCCEEDED, Outcome.ACCEPTED)
    assert job.assets.get().blob_id == address.split(":")[1]


@pytest.mark.django_db
def test_an_answer_without_a_picture_is_a_failure() -> None:
    watch, job, row = being_sent()
    watch.absorb([Result("submit", job, Finished(), row)])
    job.refresh_from_db()
    assert (job.state, job.reason) == (S.FAILED, "engine_failed")


@pytest.mark.django_db
def test_calls_of_the_slice_before_count_in_what_runs_at_once() -> None:
    watch, job, _row = being_sent()
    watch.lease.renew_jobs([job.pk])
    watch.lease.release()
    second = take(world.account())
    assert second is not None
    assert claims.sent_by_others(watch.lease) == []
    assert claims.sent_by_others(second) == [(job.user_id, "general-2.0")]


@pytest.mark.django_db
def test_its_card_says_that_it_is_being_made() -> None:
    _watch, job, _row = being_sent()
    with translation.override("en"):
        assert sentences.under_way(job) == "Generating"
        job.generation.engine = world.ENGINE
        assert sentences.under_way(job) == "Sending"
