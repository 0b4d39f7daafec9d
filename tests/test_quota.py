"""Allowances and the ledger: what is held, spent and released, and that the books always agree."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

import pytest
from django.db import IntegrityError, transaction
from django.utils import translation

from generations.models import Allowance, Balance, Job, JobState, LedgerEntry, Project, User
from generations.services import compose, jobs, quota
from tests import world

pytestmark = pytest.mark.django_db
K = LedgerEntry.Kind


@pytest.fixture
def team() -> world.Team:
    world.account()
    return world.team("acme")


def allow(limit: int, scope: str = Allowance.Scope.PERSON, **more: object) -> Allowance:
    return Allowance.objects.create(scope=scope, limit=limit, **more)


def ask(
    team: world.Team, count: int = 1, user: User | None = None, **settings: object
) -> list[Job]:
    made = compose.submit(
        project=team.project,
        user=user or team.editor,
        engine=world.ENGINE,
        prompt="一只柯基",
        settings=settings,
        count=count,
    )
    return list(made.jobs.all())


def books(allowance: Allowance) -> tuple[int, int, int]:
    row = Balance.objects.get(allowance=allowance)
    assert quota.discrepancies() == []
    return row.granted, row.reserved, row.spent


def end(job: Job, state: JobState, delivered: int = 0) -> None:
    """Bring a queued job to its end along legal transitions."""
    path = {
        JobState.SUCCEEDED: (JobState.SUBMITTING, JobState.RUNNING, JobState.COLLECTING),
        JobState.FAILED: (JobState.SUBMITTING,),
        JobState.CANCELLED: (),
        JobState.EXPIRED: (JobState.SUBMITTING, JobState.RUNNING),
    }[state]
    before = JobState.QUEUED
    for step in (*path, state):
        fields = {"remote_id": f"7{job.pk}"} if step == JobState.RUNNING else {}
        change = jobs.Change(job, (before,), step, fields, delivered=delivered)
        assert jobs.apply([change]) == [True]
        before = step


def test_reserved_at_compose_and_settled_to_what_was_delivered(team: world.Team) -> None:
    allowance = allow(10)
    first, second = ask(team, count=2)
    assert books(allowance) == (10, 2, 0)
    end(first, JobState.SUCCEEDED, delivered=1)
    assert books(allowance) == (10, 1, 1)
    end(second, JobState.FAILED)
    assert books(allowance) == (10, 0, 1)


def test_a_set_holds_fifteen_and_spends_what_came(team: world.Team) -> None:
    allowance = allow(20)
    (job,) = ask(team, output="set")
    assert books(allowance) == (20, 15, 0)
    end(job, JobState.SUCCEEDED, delivered=4)
    assert books(allowance) == (20, 0, 4)


@pytest.mark.parametrize("state", [JobState.FAILED, JobState.CANCELLED, JobState.EXPIRED])
def test_what_delivered_nothing_releases_all(team: world.Team, state: JobState) -> None:
    allowance = allow(3)
    (job,) = ask(team)
    end(job, state)
    assert books(allowance) == (3, 0, 0)


def test_more_than_was_reserved_is_taken_out_of_what_is_left(team: world.Team) -> None:
    allowance = allow(3)
    (job,) = ask(team)
    end(job, JobState.SUCCEEDED, delivered=9)
    assert books(allowance) == (1, 0, 1)


def test_settling_twice_changes_nothing(team: world.Team) -> None:
    allowance = allow(3)
    (job,) = ask(team)
    end(job, JobState.SUCCEEDED, delivered=1)
    quota.settle(job=job, delivered=1, submission=None, why="again")
    assert books(allowance) == (3, 0, 1)


def test_over_the_limit_makes_nothing_and_says_one_sentence(team: world.Team) -> None:
    allowance = allow(1)
    with translation.override("en"), pytest.raises(quota.OverLimit) as refusal:
        ask(team, count=2)
    assert refusal.value.message.startswith("This needs 2 images, but you have 1 left today.")
    assert team.project.generations.count() == 1  # the one of the fixture
    assert not Balance.objects.filter(allowance=allowance, reserved__gt=0).exists()


def test_every_binding_allowance_is_held_and_none_when_one_refuses(team: world.Team) -> None:
    site = allow(5, Allowance.Scope.SITE)
    project = allow(4, Allowance.Scope.PROJECT, project=team.project)
    each = allow(3)
    ask(team, count=2)
    assert {books(row)[1] for row in (site, project, each)} == {2}
    with pytest.raises(quota.OverLimit):
        ask(team, count=2)
    assert {books(row)[1] for row in (site, project, each)} == {2}


def test_a_persons_own_allowance_replaces_everyones(team: world.Team) -> None:
    allow(1)
    own = allow(8, user=team.editor)
    ask(team, count=5)
    assert books(own) == (8, 5, 0)
    with pytest.raises(quota.OverLimit):
        ask(team, count=2, user=team.owner)


def test_each_person_has_a_balance_of_their_own(team: world.Team) -> None:
    each = allow(2)
    ask(team, count=2)
    ask(team, count=2, user=team.owner)
    assert [row.left for row in Balance.objects.filter(allowance=each)] == [0, 0]


def test_a_changed_limit_reaches_the_running_period(team: world.Team) -> None:
    allowance = allow(5)
    ask(team, count=3)
    allowance.limit = 9
    quota.apply_limit(allowance=allowance, actor=team.owner)
    assert books(allowance) == (9, 3, 0)
    allowance.limit = 1
    quota.apply_limit(allowance=allowance, actor=team.owner)
    assert books(allowance) == (3, 3, 0)
    with pytest.raises(quota.OverLimit):
        ask(team)


def test_the_database_refuses_an_overdraft(team: world.Team) -> None:
    allowance = allow(1)
    ask(team)
    with pytest.raises(IntegrityError), transaction.atomic():
        Balance.objects.filter(allowance=allowance).update(reserved=2)


def test_the_books_notice_a_lost_entry(team: world.Team) -> None:
    allow(5)
    ask(team)
    LedgerEntry.objects.filter(kind=K.RESERVE).delete()
    assert len(quota.discrepancies()) == 1


def test_the_period_is_the_chinese_day() -> None:
    late = datetime(2026, 11, 30, 16, 30, tzinfo=ZoneInfo("UTC"))
    assert quota.period_key("day", late) == "2026-12-01"
    assert quota.period_key("month", late) == "2026-12"


def test_the_top_bar_shows_the_tightest_first_in_two_queries(
    team: world.Team, django_assert_num_queries: object
) -> None:
    allow(100, Allowance.Scope.SITE)
    allow(4)
    ask(team, count=3)
    with translation.override("en"), django_assert_num_queries(2):  # type: ignore[operator]
        meters = quota.summary(user=team.editor)
    assert [(m.label, m.used, m.limit, m.left, m.percent) for m in meters] == [
        ("Today", 3, 4, 1, 75),
        ("Site today", 3, 100, 97, 3),
    ]


def test_the_same_form_token_makes_one_generation(team: world.Team) -> None:
    allowance = allow(5)
    wanted = {
        "project": team.project,
        "user": team.editor,
        "engine": world.ENGINE,
        "prompt": "一只柯基",
        "settings": {},
        "count": 1,
        "form_token": "once",
    }
    first, second = compose.submit(**wanted), compose.submit(**wanted)
    assert first == second
    assert books(allowance) == (5, 1, 0)
    assert Project.objects.get(pk=team.project.pk).generations.count() == 2
