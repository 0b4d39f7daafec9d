"""How a driver records answers: nothing that was paid for is lost to a database that stumbles."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from django import db
from django.utils import timezone

from generations.models import Event, Job, JobState, Outcome, Submission
from generations.providers import base
from generations.services import events, jobs
from generations.services.driver import lease as leases
from generations.services.driver import verdicts, watch
from generations.services.driver.calls import Result, Verb
from tests import world

pytestmark = pytest.mark.django_db
S, R = JobState, base.RemoteStatus
ID = "7392616336519610409"


@pytest.fixture
def mine(team: world.Team) -> watch.Watch:
    lease = leases.take(world.account())
    assert lease is not None
    return watch.Watch(lease)


@pytest.fixture
def sent(team: world.Team, mine: watch.Watch) -> Result:
    """A job that this driver is sending."""
    return sending(mine, team.jobs[S.QUEUED])


def sending(mine: watch.Watch, job: Job) -> Result:
    fields = {"lease_epoch": mine.lease.epoch, "sent_at": timezone.now()}
    assert jobs.apply([jobs.Change(job, (S.QUEUED,), S.SUBMITTING, fields)]) == [True]
    row = Submission.objects.create(job=job, body_sha256="0" * 64)
    mine.sending[job.pk] = job
    return Result("submit", job, base.Accepted(ID, "r"), row)


def running(mine: watch.Watch, sent: Result) -> Job:
    mine.absorb([sent])
    return mine.watched[sent.job.pk]


def say(verb: Verb, job: Job, answer: object) -> Result:
    return Result(verb, job, answer)  # type: ignore[arg-type]


def state(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def test_an_accepted_job_is_watched(mine: watch.Watch, sent: Result) -> None:
    job = running(mine, sent)
    assert (state(job), job.remote_id) == (S.RUNNING, ID)
    assert not mine.sending
    assert len(mine.due) == 1


def test_a_database_that_stumbles_loses_no_answer(
    mine: watch.Watch, sent: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr(time, "sleep", waits.append)
    monkeypatch.setattr(db.connection, "close", lambda: None)
    real: Callable[[Result], watch.Then] = mine.record
    failures = iter([db.OperationalError("locked"), db.OperationalError("locked")])

    def record(result: Result) -> watch.Then:
        for error in failures:
            raise error
        return real(result)

    monkeypatch.setattr(mine, "record", record)
    mine.absorb([sent])
    assert state(sent.job) == S.RUNNING
    assert waits == [0.0, 1.0]


def test_one_bad_answer_does_not_take_the_others_along(
    mine: watch.Watch, sent: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = say("cancel", sent.job, answer=True)
    real = mine.record

    def record(result: Result) -> watch.Then:
        if result is bad:
            raise db.DataError("no")
        return real(result)

    monkeypatch.setattr(mine, "record", record)
    mine.absorb([bad, sent])
    assert state(sent.job) == S.RUNNING


def test_an_answer_that_changes_nothing_costs_no_transaction(
    mine: watch.Watch, sent: Result, django_assert_num_queries: Callable[..., Any]
) -> None:
    """On SQLite each would hold the one write lock for a moment; most polls say that it goes on."""
    job = running(mine, sent)
    with django_assert_num_queries(0):
        mine.absorb([say("poll", job, base.Progress(R.RUNNING)) for _each in range(20)])
    assert len(mine.due) == 21


def test_many_answers_publish_each_run_once(mine: watch.Watch, sent: Result) -> None:
    job = running(mine, sent)
    before = Event.objects.count()
    with jobs.together():
        for after in (S.COLLECTING, S.SUCCEEDED):
            change = jobs.Change(job, (S(Job.objects.get(pk=job.pk).state),), after, {})
            assert jobs.apply([change]) == [True]
        assert Event.objects.count() == before
    assert Event.objects.count() == before + 1


def test_a_late_yes_brings_an_uncertain_job_back(mine: watch.Watch, sent: Result) -> None:
    uncertain = jobs.Change(sent.job, (S.SUBMITTING,), S.UNCERTAIN, {"reason": "lost_answer"})
    assert jobs.apply([uncertain]) == [True]
    mine.absorb([sent])
    assert state(sent.job) == S.RUNNING
    assert Submission.objects.get().outcome == Outcome.ACCEPTED
    assert not mine.watched  # its lease was lost: whoever drives now adopts it


def test_a_late_no_ends_an_uncertain_job_without_a_charge(mine: watch.Watch, sent: Result) -> None:
    jobs.apply([jobs.Change(sent.job, (S.SUBMITTING,), S.UNCERTAIN, {"reason": "lost_answer"})])
    mine.absorb([Result("submit", sent.job, base.Throttled("50429"), sent.submission)])
    assert state(sent.job) == S.FAILED


def test_an_answer_about_an_earlier_round_means_nothing(
    mine: watch.Watch, sent: Result, team: world.Team
) -> None:
    job = running(mine, sent)
    jobs.apply([jobs.Change(job, (S.RUNNING,), S.CANCELLED)])
    mine.watched.pop(job.pk)
    jobs.retry(job=Job.objects.get(pk=job.pk), actor=team.editor)
    again = sending(mine, Job.objects.get(pk=job.pk))
    again = Result("submit", again.job, base.Accepted("8" + ID, "r"), again.submission)
    fresh = running(mine, again)
    mine.absorb([say("poll", job, base.Progress(R.CANCELLED))])
    mine.absorb([say("cancel", job, True)])
    assert state(job) == S.RUNNING
    assert mine.watched[job.pk] is fresh


def test_a_hiccup_of_the_query_ends_nothing(
    mine: watch.Watch, sent: Result, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = running(mine, sent)
    doubtful = say("poll", job, base.Progress(R.NOT_FOUND))
    mine.absorb([doubtful])
    mine.absorb([doubtful])
    assert state(job) == S.RUNNING
    mine.absorb([say("poll", job, base.Progress(R.RUNNING))])  # it was a hiccup
    assert not mine.doubts
    mine.absorb([doubtful])
    now = time.monotonic()
    monkeypatch.setattr(time, "monotonic", lambda: now + verdicts.DOUBT_S + 1)
    mine.absorb([doubtful])
    assert state(job) == S.EXPIRED


def test_done_goes_to_be_fetched(mine: watch.Watch, sent: Result) -> None:
    job = running(mine, sent)
    done = base.Progress(R.DONE, urls=("https://x.example/1",))
    mine.absorb([say("poll", job, done)])
    assert state(job) == S.COLLECTING
    assert not mine.watched


def test_a_cancel_that_came_too_late_says_so_and_may_be_asked_again(
    mine: watch.Watch, sent: Result, team: world.Team
) -> None:
    job = running(mine, sent)
    jobs.cancel(job=job, actor=team.editor)
    mine.absorb([say("cancel", job, base.NotSent("down"))])
    assert not Job.objects.get(pk=job.pk).cancel_refused
    mine.absorb([say("cancel", job, False)])
    assert Job.objects.get(pk=job.pk).cancel_refused
    jobs.cancel(job=job, actor=team.editor)
    assert not Job.objects.get(pk=job.pk).cancel_refused
    mine.absorb([say("cancel", job, True)])
    assert state(job) == S.CANCELLED
    assert not mine.watched


def test_publishing_is_one_at_a_time_on_postgresql() -> None:
    """The lock is a statement on PostgreSQL and nothing on SQLite, whose BEGIN IMMEDIATE is one."""
    events.in_order()
    events.publish([])
