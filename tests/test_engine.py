"""The run engine with its real processes, against the real sandbox."""

from __future__ import annotations

import contextlib
import os
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from generations.services.supervisor.tree import descendants
from tests.conftest import PROVE
from tests.running import Site, running_site, wait_until

pytestmark = [pytest.mark.timeout(300), pytest.mark.site]
# Short leases, so that what a crash leaves behind is found within seconds.
QUICK = {"ENGINE_LEASE": "3", "ENGINE_RENEW": "1", "ENGINE_ENSURE": "0.5"}
JOBS = "Job.objects.values('state', 'reason', 'remote_id', 'round')"


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path, web=False, worker=False, demo=False, **QUICK) as made:
        made.begin()
        yield made


def ask(site: Site, prompt: str = "一只柯基在草地上", *more: str) -> None:
    generate = ["generate", prompt, "--project", "demo", "--size", "1024x1024"]
    site.manage(*generate, *more, "--skip-checks")


def rows(site: Site, query: str) -> list[dict[str, Any]]:
    """A queryset's rows, read in a process of the installation itself."""
    found: list[dict[str, Any]] = site.shell(
        f"from generations.models import *\nanswer = list({query})"
    )
    return found


def states(site: Site) -> list[str]:
    """Read from outside, in a moment: asked once a second while a test waits."""
    with contextlib.closing(sqlite3.connect(f"file:{site.var}/db.sqlite3?mode=ro", uri=True)) as db:
        return sorted(state for (state,) in db.execute("SELECT state FROM generations_job"))


def in_state(site: Site, *wanted: str, within_s: float = 60.0) -> None:
    wait_until(
        lambda: states(site) == list(wanted), timeout_s=within_s, every_s=1, what=str(wanted)
    )


def some(site: Site, query: str, within_s: float = 60.0) -> None:
    wait_until(lambda: rows(site, query), timeout_s=within_s, every_s=1, what=query)


HELD = "Balance.objects.filter(reserved__gt=0).values('reserved')"


def test_headless_writes_the_pictures_and_submits_each_once(tmp_path: Path) -> None:
    """On an empty database, without a worker, through the same services."""
    options = ("--latency", "3")
    with running_site(
        tmp_path, web=False, worker=False, demo=False, sandbox_options=options
    ) as site:
        out = tmp_path / "out"
        generate = ["generate", "一只柯基在草地上", "--project", "demo", "--size", "2048x2048"]
        engine = ["--engine", "jimeng-image-4.0", "--count", "2"]
        printed = site.manage(*generate, *engine, "--wait", "--out", str(out)).stdout
        sent = rows(site, "Submission.objects.values('uuid', 'outcome', 'body_sha256')")
        ledger = site.sandbox.ledger()
    pictures = sorted(out.iterdir())
    assert len(pictures) == 2
    assert all(str(each) in printed for each in pictures)
    for each in pictures:
        with Image.open(each) as image:
            image.load()
            assert image.size == (2048, 2048)
    assert len(ledger) == 2
    assert {row["uuid"] for row in sent} == {line["client_request_id"] for line in ledger}
    assert {row["body_sha256"] for row in sent} == {line["body_sha256"] for line in ledger}


def test_headless_failures_are_one_sentence(site: Site) -> None:
    for arguments, part in [
        (["x" * 801, "--project", "demo"], "800"),
        (["x", "--project", "nowhere"], "nowhere"),
        (["x", "--project", "demo", "--engine", "no-such"], "no-such"),
        (["x", "--project", "demo", "--size", "10x10"], ""),
        (["x", "--project", "demo", "--count", "99"], "8"),
        (["敏感词测试", "--project", "demo", "--wait"], "moderated_prompt"),
    ]:
        done = site.manage("generate", *arguments, check=False)
        assert done.returncode == 1, (arguments, done.stderr)
        assert part in done.stderr
        assert "Traceback" not in done.stderr
    assert site.sandbox.ledger() == []


def test_the_worker_runs_jobs_and_stops_at_once(site: Site) -> None:
    worker = site.start_worker()
    ask(site, "山水", "--count", "4", "--wait")
    assert states(site) == ["succeeded"] * 4
    assert len(site.sandbox.ledger()) == 4
    begun = time.monotonic()
    site.stop_worker()
    assert worker.process.returncode == 0
    assert time.monotonic() - begun < 10
    assert rows(site, "Rendition.objects.values('spec')")


@pytest.mark.parametrize("point", ["after_send", "before_send"])
def test_killed_around_the_send_it_ends_uncertain_and_is_never_sent_again(
    site: Site, point: str
) -> None:
    """Issue line 7: the process dies between send and saved answer."""
    ask(site)
    worker = site.start_worker(DIPTYCH_CRASH_AT=point)
    in_state(site, *["uncertain"], within_s=60)
    worker.kill()
    accepted = 1 if point == "after_send" else 0
    assert len(site.sandbox.ledger()) == accepted
    site.start_worker()  # whole again: it must leave the job alone
    watched = time.monotonic() + (60 if PROVE else 15)  # leases are of three seconds
    while time.monotonic() < watched:
        assert states(site) == ["uncertain"]
        assert len(site.sandbox.ledger()) == accepted
        time.sleep(5)
    (job,) = rows(site, JOBS)
    assert job["reason"] == "lost_answer"
    assert rows(site, HELD)


@pytest.mark.parametrize("point", ["after_remote_id", "mid_download", "after_rename"])
def test_killed_later_nothing_is_lost_or_sent_twice(site: Site, point: str) -> None:
    ask(site)
    worker = site.start_worker(DIPTYCH_CRASH_AT=point)
    wait_until(lambda: len(site.sandbox.ledger()) == 1, timeout_s=60, every_s=0.5)
    time.sleep(3)
    worker.kill()
    site.start_worker()
    # A download that died holds its lease for up to 90 s.
    in_state(site, *["succeeded"], within_s=150)
    assert len(site.sandbox.ledger()) == 1
    assert len(rows(site, "Asset.objects.values('pk')")) == 1
    assert not rows(site, HELD)


def test_an_answer_dropped_on_the_way_is_uncertain(site: Site) -> None:
    site.sandbox.set_faults(faults={"drop_after": 1.0})
    ask(site)
    site.start_worker()
    in_state(site, *["uncertain"], within_s=60)
    site.sandbox.set_faults(faults={})
    time.sleep(5)
    assert (states(site), len(site.sandbox.ledger())) == (["uncertain"], 1)


@pytest.mark.parametrize("fault", ["429", "50429", "50430"])
def test_a_throttle_is_waited_out(site: Site, fault: str) -> None:
    site.sandbox.set_faults(faults={fault: 1.0})
    ask(site)
    site.start_worker()
    some(site, "ProviderAccount.objects.filter(strikes__gt=0).values('pk')")
    assert states(site) in (["queued"], ["submitting"])
    site.sandbox.set_faults(faults={})
    in_state(site, *["succeeded"], within_s=90)
    assert len(site.sandbox.ledger()) == 1


@pytest.mark.parametrize("fault", ["500", "502html"])
def test_a_server_error_on_submit_is_uncertain(site: Site, fault: str) -> None:
    site.sandbox.set_faults(faults={fault: 1.0})
    ask(site)
    site.start_worker()
    in_state(site, *["uncertain"], within_s=60)


def test_a_provider_that_is_down_is_waited_for(site: Site) -> None:
    site.sandbox.stop()
    ask(site)
    site.start_worker()
    down = "ProviderAccount.objects.filter(unreachable_since__isnull=False).values('pk')"
    some(site, down)
    assert states(site) in (["queued"], ["submitting"])
    site.sandbox.start()
    in_state(site, *["succeeded"], within_s=120)
    assert not rows(site, down)


@pytest.mark.parametrize("fault", ["file_500", "file_404", "file_truncate"])
def test_a_result_that_does_not_arrive_whole_is_fetched_again(site: Site, fault: str) -> None:
    site.sandbox.set_faults(faults={fault: 1.0})
    ask(site)
    site.start_worker()
    some(site, "Job.objects.filter(state='collecting', tries__gt=0).values('pk')")
    site.sandbox.set_faults(faults={})
    in_state(site, "succeeded")
    assert len(site.sandbox.ledger()) == 1
    assert not rows(site, HELD)


def test_cancelled_at_the_provider_or_too_late(site: Site) -> None:
    ask(site, "sandbox:slow=20 一只猫")
    site.start_worker()
    in_state(site, *["running"], within_s=60)
    cancel = "from generations.services import jobs; from generations.models import *;"
    cancel += "j = Job.objects.get(); jobs.cancel(job=j, actor=j.user)"
    site.shell(f"{cancel}; answer = None")
    ended = "Job.objects.filter(cancel_refused=True).values('pk')"
    wait_until(lambda: states(site) == ["cancelled"] or rows(site, ended), timeout_s=60, every_s=1)


@pytest.mark.postgres
def test_the_same_engine_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    where = {"database_url": postgres_url, "web": False, "demo": False}
    with running_site(tmp_path, **where, **QUICK, ENGINE_SLICE="2") as site:
        site.begin()
        for prompt in ("山水", "江南"):
            ask(site, prompt, "--count", "4", "--wait")
        assert len(rows(site, "Job.objects.filter(state='succeeded').values('pk')")) == 8
        assert len(site.sandbox.ledger()) == 8
        assert not rows(site, HELD)
        # Slices have handed over, each under a new epoch.
        assert rows(site, "DriverLease.objects.filter(epoch__gt=1).values('epoch')")


def test_a_hung_cluster_is_restarted(site: Site) -> None:
    """Every worker of a cluster killed: the canary stays away, and the host is started anew."""
    worker = site.start_worker()
    ask(site, "一", "--wait")
    everything = descendants(worker.process.pid)
    for pid in everything:
        children = descendants(pid)
        if not children:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    ask(site, "二")
    in_state(site, *["succeeded"] * 2, within_s=120)


def test_killing_the_parent_leaves_no_orphan(site: Site) -> None:
    worker = site.start_worker()
    ask(site, "一", "--wait")
    below = descendants(worker.process.pid)
    assert len(below) > 8
    worker.kill()
    wait_until(lambda: not [pid for pid in below if Path(f"/proc/{pid}").exists()], timeout_s=10)
