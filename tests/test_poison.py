"""A job that takes its process down again and again is set aside by name; the rest goes on."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from django.utils import timezone

from generations.models import DriverLease, Job, JobState
from generations.services import jobs
from generations.services.driver import claims, lease
from generations.services.jobs import changes
from generations.services.jobs.finish import _claim
from tests import world
from tests.running import Site, running_site
from tests.test_engine import ask, in_state, rows

S = JobState
QUICK = {
    "ENGINE_LEASE": "3",
    "ENGINE_RENEW": "1",
    "ENGINE_ENSURE": "0.5",
    "ENGINE_FINISH_LEASE": "4",
}


def die_while_fetching(job: Job) -> None:
    """Everything but the end of a step, as a kill leaves it."""
    assert _claim(job.pk) is not None
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(lease_expires_at=past, not_before=past)


@pytest.fixture
def fetching(team: world.Team) -> Job:
    job = team.jobs[S.QUEUED]
    fields = {"state": S.COLLECTING, "remote_id": "7", "output_urls": ["http://127.0.0.1:9/x.jpg"]}
    Job.objects.filter(pk=job.pk).update(**fields)
    return job


def end(job: Job) -> tuple[str, str]:
    jobs.finish(job_id=job.pk, alive=lambda: None)
    job.refresh_from_db()
    return job.state, job.reason


@pytest.mark.django_db
def test_the_fourth_fetch_is_not_tried(fetching: Job) -> None:
    for _each in range(3):
        die_while_fetching(fetching)
    assert end(fetching) == (S.FAILED, "poison")


@pytest.mark.django_db
def test_a_step_that_ends_alive_clears_the_count(fetching: Job) -> None:
    die_while_fetching(fetching)
    die_while_fetching(fetching)
    assert end(fetching) == (S.COLLECTING, "result_lost")  # nobody listens there: later
    assert fetching.crashes == 0


@pytest.mark.django_db
def test_without_the_guard_it_goes_on_for_ever(
    fetching: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(changes, "POISON_AFTER", 10_000)
    for _each in range(30):
        die_while_fetching(fetching)
    fetching.refresh_from_db()
    assert (fetching.state, fetching.crashes) == (S.COLLECTING, 30)


def claim_and_die(slots: int = 8) -> list[int]:
    past = timezone.now() - timedelta(seconds=1)
    DriverLease.objects.update(expires_at=past)
    mine = lease.take(world.account())
    assert mine is not None
    won = [job.pk for job in claims.claim(mine, slots, Counter())]
    Job.objects.filter(pk__in=won).update(lease_expires_at=past)
    return won


@pytest.mark.django_db
def test_a_recipe_that_kills_its_driver_is_tried_alone_and_set_aside(team: world.Team) -> None:
    """The jobs that were claimed beside it are not blamed for long."""
    bad = team.jobs[S.QUEUED]
    made = world.generation(team.project, team.editor, states=(S.QUEUED,) * 3)
    others = set(made.jobs.values_list("pk", flat=True))
    assert set(claim_and_die()) == {bad.pk, *others}
    for _each in range(2):
        assert claim_and_die() == [bad.pk]
        Job.objects.filter(pk=bad.pk, crashes__lt=0).update(crashes=0)
        Job.objects.filter(pk__in=others).update(crashes=0)  # alone they are put together well
    assert set(claim_and_die()) == others
    bad.refresh_from_db()
    assert (bad.state, bad.reason) == (S.FAILED, "poison")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with running_site(tmp_path, web=False, worker=False, demo=False, **QUICK) as made:
        made.begin()
        yield made


@pytest.mark.site
@pytest.mark.timeout(420)
@pytest.mark.parametrize("point", ["mid_download", "build"])
def test_a_real_worker_is_killed_three_times_by_one_job_only(site: Site, point: str) -> None:
    ask(site, "毒", "--count", "1")
    ask(site, "山水", "--count", "2")
    (bad,) = rows(site, "Job.objects.filter(generation__prompt='毒').values('pk')")
    site.start_worker(DIPTYCH_CRASH_AT=f"{point}:{bad['pk']}")
    in_state(site, "failed", "succeeded", "succeeded", within_s=240)
    (job,) = rows(site, "Job.objects.filter(state='failed').values('pk', 'reason')")
    assert job == {"pk": bad["pk"], "reason": "poison"}
    assert not rows(site, "Balance.objects.filter(reserved__gt=0).values('reserved')")
