"""Batches: fed once whatever happens, paused, retried, cancelled, and looked at."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone

from generations import tasks
from generations.models import (
    Allowance,
    Batch,
    Generation,
    Job,
    JobState,
    Membership,
    ProviderAccount,
    Role,
)
from generations.services import batches, jobs, queue, quota
from generations.services.driver import claims, lease
from generations.services.supervisor import ensure
from tests import world
from tests.batching import CATS, order, started, url_of
from tests.pages import text

pytestmark = pytest.mark.django_db
S = JobState


# --- Feeding ------------------------------------------------------------------------------------


def test_feeding_makes_each_line_one_run_however_often(team: world.Team, woken: list[int]) -> None:
    batch = started(team)
    assert started(team) == batch
    assert woken == [batch.pk]
    assert batches.feed(batch_id=batch.pk, limit=2)
    assert batch.generations.count() == 2
    beats: list[int] = []
    assert not batches.feed(batch_id=batch.pk, alive=lambda: beats.append(1))
    assert not batches.feed(batch_id=batch.pk)
    assert len(beats) == 2
    assert [line.generation.prompt for line in batch.lines.all() if line.generation] == [
        line.prompt for line in batch.lines.all()
    ]
    assert batch.generations.count() == 3


def test_dying_between_the_run_and_its_link_leaves_neither(
    team: world.Team, woken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(team)

    def die(*_args: object, **_fields: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched, pytest.raises(KeyboardInterrupt):
        patched.setattr("generations.services.batches.orders._mark", die)
        batches.feed(batch_id=batch.pk)
    assert batch.generations.count() == 0
    batches.feed(batch_id=batch.pk)
    assert batch.generations.count() == 3


def test_a_lost_wake_up_is_sent_again_and_a_busy_one_is_not(
    team: world.Team, woken: list[int]
) -> None:
    batch = started(team)
    woken.clear()
    ensure.half_fed()
    assert woken == []  # young: its own message is on the way
    long_ago = timezone.now() - timedelta(minutes=5)
    Batch.objects.update(created_at=long_ago)
    ensure.half_fed()
    assert woken == [batch.pk]
    batches.feed(batch_id=batch.pk, limit=1)
    ensure.half_fed()
    assert woken == [batch.pk]  # fed a moment ago
    Generation.objects.update(created_at=long_ago)
    ensure.half_fed()
    assert woken == [batch.pk] * 2
    tasks.feed(batch.pk)
    ensure.half_fed()
    assert woken == [batch.pk] * 2  # nothing to do any more


def test_the_task_asks_for_the_rest(
    team: world.Team, woken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(team)
    woken.clear()
    monkeypatch.setattr("generations.services.batches.orders.STEP_S", -1.0)
    tasks.feed(batch.pk)
    assert (batch.generations.count(), woken) == (1, [batch.pk])


def test_a_run_that_was_removed_is_not_made_again(team: world.Team, woken: list[int]) -> None:
    batch = started(team)
    batches.feed(batch_id=batch.pk)
    batch.generations.first().delete()
    assert not batches.feed(batch_id=batch.pk)
    assert batch.generations.count() == 2
    assert batches.progress([batch])[batch.pk].bad == 1


def test_the_allowance_holds_up_the_rest_until_go_on(
    writer: Client, team: world.Team, woken: list[int]
) -> None:
    allowance = Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=2)
    batch = started(team)
    assert not batches.feed(batch_id=batch.pk)
    assert batch.generations.count() == 2
    page = text(writer.get(url_of(batch)))
    assert "Not started: the allowance is used up." in page
    assert "1 line was not started; it says why." in page
    assert not batches.feed(batch_id=batch.pk)
    assert "Not started" in order(writer, batch, "resume")  # there is no more yet
    allowance.limit = 3
    allowance.save()
    quota.apply_limit(allowance=allowance, actor=team.owner)
    page = order(writer, batch, "resume")
    assert "Not started" not in page
    assert batch.generations.count() == 3
    assert quota.discrepancies() == []


def test_a_missing_account_or_right_holds_up_and_a_gone_setting_marks_the_line(
    team: world.Team, woken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    batch = started(team)

    def said() -> set[str]:
        return set(batch.lines.filter(generation=None).values_list("problem", flat=True))

    ProviderAccount.objects.update(enabled=False)
    assert not batches.feed(batch_id=batch.pk)
    assert said() == {batches.orders.NO_ACCOUNT}
    ProviderAccount.objects.update(enabled=True)
    batches.resume(batch=batch)
    Membership.objects.filter(user=team.editor).update(role=Role.VIEWER)
    assert not batches.feed(batch_id=batch.pk)
    assert said() == {batches.orders.NOT_ALLOWED}
    Membership.objects.filter(user=team.editor).update(role=Role.EDITOR)
    batches.resume(batch=batch)
    Batch.objects.update(settings={"gone": "1"})
    assert not batches.feed(batch_id=batch.pk)
    assert said() == {"There is no setting called “%(name)s”."}
    assert batch.generations.count() == 0


# --- Orders -------------------------------------------------------------------------------------


def claimed(team: world.Team, slots: int = 50) -> set[int | None]:
    """The batches of the jobs that a driver would take now."""
    mine = lease.take(world.account())
    assert mine is not None
    taken = claims.claim(mine, slots, Counter())
    attentive = claims.attention(mine)
    Job.objects.filter(pk__in=[job.pk for job in taken]).update(
        lease_owner="", lease_expires_at=None
    )
    mine.release()
    assert attentive is bool(taken)
    return {job.generation.batch_id for job in taken}


def test_while_paused_nothing_of_a_batch_is_claimed_nor_fed(
    writer: Client, team: world.Team, woken: list[int]
) -> None:
    Job.objects.all().delete()
    batch = started(team)
    batches.feed(batch_id=batch.pk, limit=2)
    assert claimed(team) == {batch.pk}  # the control: not paused, it is taken
    page = order(writer, batch, "pause")
    assert "Paused: nothing more of it is sent." in page
    assert "Paused with its batch" in page
    assert claimed(team) == set()
    assert not batches.feed(batch_id=batch.pk)
    assert batch.generations.count() == 2
    page = order(writer, batch, "resume")
    assert "Paused" not in page
    assert batch.generations.count() == 3
    assert claimed(team) == {batch.pk}


def test_the_pause_test_turns_red_without_the_guard(
    writer: Client, team: world.Team, woken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: claims that forget to look at pauses take paused jobs."""
    monkeypatch.setattr(jobs, "not_paused", lambda rows: rows)
    with pytest.raises(AssertionError):
        test_while_paused_nothing_of_a_batch_is_claimed_nor_fed(writer, team, woken)


def test_a_paused_job_can_be_cancelled(team: world.Team, woken: list[int]) -> None:
    batch = started(team)
    batches.feed(batch_id=batch.pk)
    batches.pause(batch=batch)
    job = Job.objects.filter(generation__batch=batch).first()
    jobs.cancel(job=job, actor=team.editor)
    job.refresh_from_db()
    assert job.state == S.CANCELLED


def test_cancelling_what_waits_reaches_lines_and_jobs_and_leaves_what_was_sent(
    writer: Client, team: world.Team, woken: list[int]
) -> None:
    Allowance.objects.create(scope=Allowance.Scope.SITE, limit=100)
    batch = started(team, CATS + "四只猫\n五只猫")
    batches.feed(batch_id=batch.pk, limit=3)
    sent, leased = Job.objects.filter(generation__batch=batch).order_by("pk")[:2]
    Job.objects.filter(pk=sent.pk).update(state=S.RUNNING, remote_id="71")
    later = timezone.now() + timedelta(seconds=30)
    Job.objects.filter(pk=leased.pk).update(lease_expires_at=later)
    page = order(writer, batch, "cancel")
    assert "4 are cancelled." in page
    assert "Cancelled before it was started." in page
    states = (
        Job.objects.filter(generation__batch=batch).order_by("pk").values_list("state", flat=True)
    )
    assert list(states) == [S.RUNNING, S.QUEUED, S.CANCELLED]
    leased.refresh_from_db()
    assert leased.cancel_asked_at
    assert not batches.feed(batch_id=batch.pk)
    assert quota.discrepancies() == []


def failed(batch: Batch) -> None:
    for job in Job.objects.filter(generation__batch=batch):
        jobs.apply([jobs.Change(job, (S.QUEUED,), S.FAILED, {"reason": "engine_failed"})])


def test_failed_ones_are_tried_again(writer: Client, team: world.Team, woken: list[int]) -> None:
    batch = started(team, count=2)
    batches.feed(batch_id=batch.pk)
    failed(batch)
    page = text(writer.get(url_of(batch)))
    assert "3 of 3 done" in page
    assert "3 failed" in page
    assert "The model failed on this picture." in page
    page = order(writer, batch, "retry")
    assert "6 pictures are queued again." in page
    assert "0 of 3 done" in page


def test_trying_again_stops_at_the_allowance_and_in_time(
    writer: Client, team: world.Team, woken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    allowance = Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=3)
    batch = started(team)
    batches.feed(batch_id=batch.pk)
    failed(batch)
    monkeypatch.setattr("generations.services.batches.orders.STEP_S", -1.0)
    assert "3 are left: press it once more." in order(writer, batch, "retry")
    monkeypatch.undo()
    monkeypatch.setattr(queue, "feed", woken.append)
    allowance.limit = 2
    allowance.save()
    quota.apply_limit(allowance=allowance, actor=team.owner)
    page = order(writer, batch, "retry")
    assert "2 pictures are queued again." in page
    assert "you have 0 left today" in page
    assert quota.discrepancies() == []


def test_an_unknown_order_is_said(writer: Client, team: world.Team) -> None:
    assert "There is no such order." in order(writer, started(team), "explode")
