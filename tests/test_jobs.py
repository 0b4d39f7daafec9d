"""Jobs: legal transitions, compare-and-set, what a person may order, what a crash leaves behind."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from itertools import product

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from generations.models import (
    TRANSITIONS,
    Allowance,
    Balance,
    DriverLease,
    Event,
    Generation,
    Job,
    JobState,
    Outcome,
    Submission,
)
from generations.services import compose, jobs, quota
from generations.services.driver import claims, lease
from generations.services.supervisor import ensure
from tests import world

pytestmark = pytest.mark.django_db
S = JobState


@pytest.fixture
def team() -> world.Team:
    world.account()
    Allowance.objects.create(scope=Allowance.Scope.SITE, limit=100)
    return world.team("acme")


def ask(team: world.Team, count: int = 1) -> list[Job]:
    made = compose.submit(
        project=team.project,
        user=team.editor,
        engine=world.ENGINE,
        prompt="一只柯基",
        settings={},
        count=count,
    )
    return list(made.jobs.select_related("generation"))


def uncertain(team: world.Team) -> Job:
    """A job whose sender died between sending and saving the answer."""
    (job,) = ask(team)
    past = timezone.now() - timedelta(seconds=1)
    fields = {"lease_epoch": 7, "lease_expires_at": past, "sent_at": past}
    assert jobs.apply([jobs.Change(job, (S.QUEUED,), S.SUBMITTING, fields)]) == [True]
    Submission.objects.create(job=job, body_sha256="0" * 64)
    assert ensure.lost_answers() == 1
    job.refresh_from_db()
    return job


def held() -> tuple[int, int]:
    row = Balance.objects.get()
    assert quota.discrepancies() == []
    return row.reserved, row.spent


def test_only_legal_transitions(team: world.Team) -> None:
    (job,) = ask(team)
    for before, after in product(S, S):
        if after not in TRANSITIONS[before]:
            with pytest.raises(ValueError, match="may not become"):
                jobs.apply([jobs.Change(job, (before,), after)])


def test_a_change_under_an_old_epoch_is_dropped(team: world.Team) -> None:
    (job,) = ask(team)
    Job.objects.filter(pk=job.pk).update(lease_epoch=5)
    events = Event.objects.count()
    assert jobs.apply([jobs.Change(job, (S.QUEUED,), S.SUBMITTING, epoch=4)]) == [False]
    assert jobs.apply([jobs.Change(job, (S.QUEUED,), S.SUBMITTING, epoch=5)]) == [True]
    assert Event.objects.count() == events + 1


def test_a_lost_answer_ends_uncertain_and_keeps_its_reservation(team: world.Team) -> None:
    job = uncertain(team)
    assert (job.state, job.reason) == (S.UNCERTAIN, "lost_answer")
    assert job.submissions.get().outcome == Outcome.UNKNOWN
    assert held() == (1, 0)
    assert job.generation.state == Generation.State.UNCERTAIN


def test_the_database_refuses_a_second_submission_beside_an_unknown_one(team: world.Team) -> None:
    job = uncertain(team)
    with pytest.raises(IntegrityError), transaction.atomic():
        Submission.objects.create(job=job, body_sha256="0" * 64)


def test_sending_again_is_a_persons_order_and_counts_both(team: world.Team) -> None:
    job = uncertain(team)
    jobs.send_again(job=job, actor=team.editor)
    job.refresh_from_db()
    assert (job.state, job.round) == (S.QUEUED, 2)
    assert held() == (1, 1)
    assert job.submissions.get().superseded_by_person == team.editor
    Submission.objects.create(job=job, round=2, body_sha256="0" * 64)
    with pytest.raises(jobs.NotPossible):
        jobs.send_again(job=job, actor=team.editor)
    assert held() == (1, 1)


def test_sending_again_over_the_limit_changes_nothing(team: world.Team) -> None:
    job = uncertain(team)
    allowance = Allowance.objects.get()
    allowance.limit = 1
    quota.apply_limit(allowance=allowance, actor=team.owner)
    with pytest.raises(quota.OverLimit):
        jobs.send_again(job=job, actor=team.editor)
    job.refresh_from_db()
    assert (job.state, job.round, held()) == (S.UNCERTAIN, 1, (1, 0))


def test_dismissing_counts_what_may_have_been_charged(team: world.Team) -> None:
    job = uncertain(team)
    jobs.dismiss(job=job, actor=team.editor)
    job.refresh_from_db()
    assert (job.state, job.reason) == (S.FAILED, "dismissed")
    assert held() == (0, 1)


def test_a_found_task_id_brings_it_back_under_way(team: world.Team) -> None:
    job = uncertain(team)
    for wrong in ("", "abc", "１２３", "1" * 31):
        with pytest.raises(jobs.NotPossible):
            jobs.adopt_remote_id(job=job, remote_id=wrong, actor=team.editor)
    jobs.adopt_remote_id(job=job, remote_id=" 7392616336519610409 ", actor=team.editor)
    job.refresh_from_db()
    assert (job.state, job.remote_id) == (S.RUNNING, "7392616336519610409")
    other = uncertain(team)
    with pytest.raises(jobs.NotPossible):
        jobs.adopt_remote_id(job=other, remote_id="7392616336519610409", actor=team.editor)


def test_cancel_by_state(team: world.Team) -> None:
    queued, claimed, running, done = ask(team, count=4)
    later = timezone.now() + timedelta(seconds=30)
    Job.objects.filter(pk=claimed.pk).update(lease_expires_at=later)
    Job.objects.filter(pk=running.pk).update(state=S.RUNNING, remote_id="71")
    Job.objects.filter(pk=done.pk).update(state=S.COLLECTING, remote_id="72")
    for job in (queued, claimed, running):
        jobs.cancel(job=job, actor=team.editor)
        job.refresh_from_db()
    assert queued.state == S.CANCELLED
    assert (claimed.state, claimed.cancel_asked_at is not None) == (S.QUEUED, True)
    assert (running.state, running.cancel_asked_at is not None) == (S.RUNNING, True)
    with pytest.raises(jobs.NotPossible):
        jobs.cancel(job=done, actor=team.editor)
    assert held() == (3, 0)


def test_trying_again_is_a_new_round(team: world.Team) -> None:
    (job,) = ask(team)
    assert jobs.apply([jobs.Change(job, (S.QUEUED,), S.FAILED, {"reason": "bad_request"})])[0]
    assert held() == (0, 0)
    job.refresh_from_db()
    jobs.retry(job=job, actor=team.owner)
    job.refresh_from_db()
    assert (job.state, job.round, job.reason, job.finished_at) == (S.QUEUED, 2, "", None)
    assert held() == (1, 0)
    with pytest.raises(jobs.NotPossible):
        jobs.retry(job=job, actor=team.owner)


def test_a_generation_is_derived_from_its_jobs() -> None:
    G = Generation.State
    table = {
        (S.QUEUED, S.SUCCEEDED): G.ACTIVE,
        (S.SUCCEEDED, S.SUCCEEDED): G.SUCCEEDED,
        (S.SUCCEEDED, S.FAILED): G.PARTIAL,
        (S.UNCERTAIN, S.SUCCEEDED): G.UNCERTAIN,
        (S.UNCERTAIN, S.RUNNING): G.ACTIVE,
        (S.CANCELLED, S.CANCELLED): G.CANCELLED,
        (S.CANCELLED, S.FAILED): G.FAILED,
        (S.EXPIRED,): G.FAILED,
    }
    assert {states: jobs.derived_state(states) for states in table} == table


def test_past_its_deadline_a_job_expires(team: world.Team) -> None:
    (job,) = ask(team)
    past = timezone.now() - timedelta(seconds=1)
    Job.objects.filter(pk=job.pk).update(state=S.RUNNING, remote_id="71", deadline_at=past)
    ensure.deadlines()
    job.refresh_from_db()
    assert (job.state, job.reason) == (S.EXPIRED, "deadline")
    assert held() == (0, 1)  # nobody knows, so it counts as charged


def test_an_old_page_of_a_job_ordered_again_settles_nothing(team: world.Team) -> None:
    """It would release the round before, which holds nothing, and leave this one's units held."""
    (job,) = ask(team)
    old = Job.objects.get(pk=job.pk)
    jobs.cancel(job=job, actor=team.editor)
    job.refresh_from_db()
    jobs.retry(job=job, actor=team.editor)
    gone = jobs.Change(old, (S.QUEUED,), S.CANCELLED)
    assert jobs.apply([gone]) == [False]
    assert held() == (1, 0)
    jobs.cancel(job=old, actor=team.editor)  # asks the driver instead
    claims.cancel_waiting(lease.take(world.account()))
    assert held() == (0, 0)


def test_one_driver_at_a_time_and_the_epoch_grows(team: world.Team) -> None:
    account = world.account()
    first = lease.take(account)
    assert first is not None
    assert lease.take(account) is None
    past = timezone.now() - timedelta(seconds=1)
    DriverLease.objects.update(expires_at=past)
    second = lease.take(account)
    assert second is not None
    assert second.epoch == first.epoch + 1
    assert not first.renew(0)
    assert second.renew(0)


def test_claims_are_round_robin_between_people(team: world.Team) -> None:
    for user in (team.editor, team.owner):
        for _each in range(3):
            compose.submit(
                project=team.project,
                user=user,
                engine=world.ENGINE,
                prompt="一只柯基",
                settings={},
                count=1,
            )
    Job.objects.filter(user=team.editor, state=S.QUEUED, generation__count=4).update(
        not_before=timezone.now() + timedelta(hours=1)
    )
    mine = lease.take(world.account())
    assert mine is not None
    claimed = claims.claim(mine, 4, Counter())
    assert sorted(job.user_id for job in claimed) == sorted([team.editor.pk, team.owner.pk] * 2)
    assert claims.claim(mine, 4, Counter({team.editor.pk: 9}))[0].user == team.owner
