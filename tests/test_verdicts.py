"""What each answer of the provider means for a job: the whole table of architecture section 5."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from generations.models import Job, JobState, Outcome
from generations.providers import base
from generations.services.driver import pace, verdicts
from generations.templatetags import failures
from tests import world

pytestmark = pytest.mark.django_db
S, R = JobState, base.RemoteStatus


@pytest.fixture
def job() -> Job:
    team = world.team("acme")
    found = team.jobs[S.QUEUED]
    found.accepted_at = timezone.now() - timedelta(seconds=5)
    return found


@pytest.mark.parametrize(
    ("answer", "after", "reason", "outcome"),
    [
        (base.Accepted("7392616336519610409", "r"), S.RUNNING, None, Outcome.ACCEPTED),
        (base.NotSent("refused"), S.QUEUED, "not_sent", Outcome.REJECTED),
        (base.Throttled("slow"), S.QUEUED, "rate", Outcome.REJECTED),
        (base.Throttled(reason="concurrency"), S.QUEUED, "concurrency", Outcome.REJECTED),
        (base.BadRequest("no"), S.FAILED, "bad_request", Outcome.REJECTED),
        (base.Moderated("risk"), S.FAILED, "moderated_prompt", Outcome.REJECTED),
        (base.KeyRefused("key"), S.FAILED, "key_refused", Outcome.REJECTED),
        (base.Ambiguous("timeout"), S.UNCERTAIN, "ambiguous", Outcome.UNKNOWN),
        (ValueError("a bug of ours"), S.UNCERTAIN, "internal", Outcome.UNKNOWN),
    ],
)
def test_after_submit(
    job: Job, answer: object, after: JobState, reason: str | None, outcome: Outcome
) -> None:
    change = verdicts.after_submit(job, answer, epoch=3)
    assert (change.after, change.epoch, change.before) == (after, 3, (S.SUBMITTING,))
    assert change.fields.get("reason") == reason
    assert verdicts.outcome_of(answer) == outcome


def test_only_an_unreachable_provider_delays_the_job_itself(job: Job) -> None:
    """After a throttle the account cools down; the job may go as soon as that is over."""
    assert verdicts.after_submit(job, base.Throttled(), 1).fields["not_before"] is None
    assert verdicts.after_submit(job, base.NotSent(), 1).fields["not_before"] is not None


@pytest.mark.parametrize(
    ("answer", "after"),
    [
        (base.Progress(R.QUEUED), None),
        (base.Progress(R.RUNNING), None),
        (base.Progress(R.NOT_FOUND), S.EXPIRED),
        (base.Progress(R.EXPIRED), S.EXPIRED),
        (base.Progress(R.CANCELLED), S.CANCELLED),
        (base.Progress(R.DONE), S.FAILED),
        (base.Progress(R.DONE, urls=("https://x.example/1",)), S.COLLECTING),
        (base.Progress(R.DONE, images=(b"x",)), S.COLLECTING),
        (base.Moderated(reason="moderated_output"), S.FAILED),
        (base.EngineFailed(), S.FAILED),
        (base.KeyRefused(), None),
        (base.BadRequest(), None),
        (base.Ambiguous(), None),
        (base.NotSent(), None),
        (base.Throttled(), None),
        (ValueError("a bug of ours"), None),
    ],
)
def test_after_poll(job: Job, answer: object, after: JobState | None) -> None:
    change = verdicts.after_poll(job, answer, 3)
    assert (change.after if change else None) == after


def test_what_could_be_about_the_query_is_doubted(job: Job) -> None:
    error = base.EngineFailed()
    assert not verdicts.doubtful(error)
    error.confirm = True  # type: ignore[misc]
    assert verdicts.doubtful(error)
    assert verdicts.doubtful(base.Progress(R.NOT_FOUND))
    assert not verdicts.doubtful(base.Progress(R.EXPIRED))
    assert not verdicts.doubtful(base.Moderated())


def test_what_the_provider_forgot_counts_as_charged(job: Job) -> None:
    change = verdicts.after_poll(job, base.Progress(R.NOT_FOUND), 3)
    assert change is not None
    assert (change.after, change.fields["reason"], change.delivered) == (S.EXPIRED, "not_found", 1)


@pytest.mark.parametrize(
    ("told", "reason"),
    [
        (base.Progress(R.NOT_FOUND), "not_found"),
        (base.Progress(R.NOT_FOUND, code="50215"), "stale_task"),
        (base.Progress(R.EXPIRED), "expired"),
    ],
)
def test_three_ways_to_lose_a_task_are_told_apart(
    job: Job, told: base.Progress, reason: str
) -> None:
    change = verdicts.after_poll(job, told, 3)
    assert change is not None
    assert (change.after, change.fields["reason"]) == (S.EXPIRED, reason)
    assert change.fields["provider_code"] == told.code
    assert len({failures.MEANINGS[each].sentence for each in LOST}) == 3


LOST = ("not_found", "stale_task", "expired")


def test_polls_come_slower_the_longer_it_takes() -> None:
    assert 0.4 < pace.poll_interval(0) < 0.6
    assert 1.7 < pace.poll_interval(20) < 2.3
    assert 4.4 < pace.poll_interval(1000) < 5.6
