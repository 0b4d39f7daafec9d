"""A set by stream through a real worker and the sandbox: each picture is kept as it arrives."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

from tests.running import Site, wait_until

pytestmark = pytest.mark.timeout(300)
QUICK = {"ENGINE_LEASE": "3", "ENGINE_RENEW": "1", "ENGINE_ENSURE": "0.5", "ENGINE_SLICE": "5"}
COMPOSE = """
from generations.models import *
from generations.services import compose
answer = str(compose.submit(
    project=Project.objects.get(slug="demo"), user=User.objects.get(username="designer"),
    engine={engine!r}, prompt={prompt!r}, settings={settings!r}, count={count},
))
"""
DISMISS = """
from generations.models import *
from generations.services import jobs, quota
job = Job.objects.get()
jobs.dismiss(job=job, actor=job.user)
answer = quota.discrepancies()
"""
SET = {"output": "set", "max_images": "4", "size": "1024x1024"}


@pytest.fixture
def start(start_site: Callable[..., Site]) -> Callable[..., Site]:
    def started(**more: str) -> Site:
        site = start_site(web=False, worker=False, demo=False, **(QUICK | more))
        site.begin()
        return site

    return started


def ask(
    site: Site, prompt: str, settings: dict[str, str], count: int = 1, engine: str = "seedream-4.0"
) -> None:
    site.shell(COMPOSE.format(prompt=prompt, settings=settings, count=count, engine=engine))


def read(site: Site, query: str) -> list[tuple[object, ...]]:
    """Read from outside, in a moment."""
    with contextlib.closing(sqlite3.connect(f"file:{site.var}/db.sqlite3?mode=ro", uri=True)) as db:
        return list(db.execute(query))


def number(site: Site, query: str) -> int:
    return int(str(read(site, query)[0][0]))


def pictures(site: Site) -> int:
    return number(site, "SELECT count(*) FROM generations_asset")


def states(site: Site) -> Counter[object]:
    return Counter(state for (state,) in read(site, "SELECT state FROM generations_job"))


def sent_once(site: Site) -> bool:
    ledger = Counter(line["client_request_id"] for line in site.sandbox.ledger())
    return (len(ledger), set(ledger.values())) == (1, {1})


def test_the_pictures_of_a_set_are_kept_one_by_one(start: Callable[..., Site]) -> None:
    """Also those that come after the slice that asked for them has handed the account over."""
    site = start()
    ask(site, "sandbox:images=4 sandbox:slow=14", SET)
    site.start_worker()
    seen: list[tuple[int, str]] = []
    ends = time.monotonic() + 90
    while states(site) != {"succeeded": 1} and time.monotonic() < ends:
        now = (pictures(site), str(next(iter(states(site)))))
        seen += [now] if not seen or seen[-1] != now else []
        time.sleep(0.1)
    assert states(site) == {"succeeded": 1}
    assert pictures(site) == 4
    assert {(1, "submitting"), (2, "submitting"), (3, "submitting")} <= set(seen), seen
    assert sent_once(site)
    assert read(site, "SELECT reserved FROM generations_balance WHERE reserved > 0") == []
    assert read(site, "SELECT DISTINCT spent FROM generations_balance") == [(4,)]
    # One for each picture, and one for each change of state: made, submitting, collecting, done.
    assert number(site, "SELECT count(*) FROM generations_event WHERE name LIKE 'g-%'") <= 4 + 4


@pytest.mark.parametrize("guarded", [True, False])
def test_a_kill_in_the_middle_takes_nothing_and_sends_nothing_twice(
    start: Callable[..., Site], guarded: bool
) -> None:
    """Twin: with what was perhaps sent put back in line, it is sent and paid for twice."""
    site = start(**({} if guarded else {"DIPTYCH_UNSAFE_REQUEUE": "1"}))
    ask(site, "sandbox:images=4 sandbox:slow=16", SET)
    worker = site.start_worker()
    wait_until(lambda: pictures(site) == 2, timeout_s=60, every_s=0.05)
    os.kill(worker.process.pid, signal.SIGKILL)
    worker.process.wait(timeout=10)
    assert states(site) == {"submitting": 1}
    site.start_worker()
    if not guarded:
        wait_until(lambda: len(site.sandbox.ledger()) == 2, timeout_s=60)
        return
    wait_until(lambda: states(site) == {"uncertain": 1}, timeout_s=60)
    time.sleep(5)
    assert states(site) == {"uncertain": 1}
    assert pictures(site) in (2, 3)  # the third may have been noted, and not fetched yet
    assert sent_once(site)
    assert read(site, "SELECT DISTINCT reserved, spent FROM generations_balance") == [(4, 0)]
    assert site.shell(DISMISS) == []
    assert states(site) == {"succeeded": 1}
    assert read(site, "SELECT DISTINCT reserved, spent FROM generations_balance") == [(0, 4)]


def test_a_stream_that_breaks_keeps_what_came(start: Callable[..., Site]) -> None:
    site = start()
    site.sandbox.set_faults(next={"truncated": 1})
    ask(site, "sandbox:images=4 sandbox:slow=4", SET)
    site.start_worker()
    wait_until(lambda: states(site) == {"uncertain": 1}, timeout_s=60)
    wait_until(lambda: pictures(site) == 2, timeout_s=30)
    time.sleep(2)
    assert (pictures(site), states(site)) == (2, {"uncertain": 1})
    assert sent_once(site)


def test_every_model_makes_a_picture_and_one_refused_is_not_charged(
    start: Callable[..., Site],
) -> None:
    site = start()
    slugs = ["seedream-4.0", "seedream-4.5", "seedream-5.0-lite", "seedream-5.0-pro"]
    for slug in slugs:
        ask(site, "山水", {}, engine=slug)
    ask(site, "sandbox:images=3 sandbox:failed=1", SET)
    ask(site, "敏感词测试", {})
    ask(site, "sandbox:QuotaExceeded", {})
    site.start_worker()
    wait_until(lambda: states(site) == {"succeeded": 5, "failed": 2}, timeout_s=90)
    assert pictures(site) == 4 + 2
    reasons = read(site, "SELECT reason FROM generations_job WHERE reason > '' ORDER BY 1")
    assert reasons == [("moderated_output",), ("moderated_prompt",), ("provider_quota",)]
    assert read(site, "SELECT DISTINCT reserved, spent FROM generations_balance") == [(0, 6)]
    assert len(site.sandbox.ledger()) == 5


def test_without_a_worker_the_command_line_waits_for_the_whole_set(
    start: Callable[..., Site], tmp_path: Path
) -> None:
    site = start()
    reference = tmp_path / "reference.jpg"
    Image.new("RGB", (300, 200), "teal").save(reference)
    said = site.manage(
        *("generate", "三张图", "--project", "demo", "--engine", "seedream-4.5", "--as-set"),
        *("--size", "auto-2k", "--reference", str(reference), "--out", str(tmp_path / "out")),
        "--skip-checks",
    )
    assert len(said.stdout.splitlines()) == 1 + 3, said.stdout + said.stderr
    assert len(list((tmp_path / "out").iterdir())) == 3
    assert site.sandbox.state()["answers"]["reference:taken"] == 1
    assert read(site, "SELECT DISTINCT reserved, spent FROM generations_balance") == [(0, 3)]
