"""Round-robin by person: whoever asks for much is in nobody's way by more than one slot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from generations.models import Job, JobState, Priority, ProviderAccount, Submission
from generations.services.driver import claims, lease
from generations.services.jobs import waiting
from tests import driving, world
from tests.driving import count, until
from tests.running import Sandbox, running_sandbox

S = JobState
MANY = 500


def crowd(team: world.Team, user: Any, n: int, priority: int = 0) -> list[int]:
    made = world.generation(team.project, user, states=(S.QUEUED,))
    made.jobs.update(priority=priority)
    Job.objects.bulk_create(
        Job(generation=made, account=world.account(), user=user, position=each, priority=priority)
        for each in range(1, n)
    )
    return list(made.jobs.order_by("pk").values_list("pk", flat=True))


def first_come(rows: Any, held: Counter[int], had: Any = None) -> list[waiting.Place]:
    """The guard taken away: whoever asked first goes first."""
    return sorted((waiting.Place(*row) for row in rows), key=lambda row: row.pk)


def rounds_until(wanted: int, slots: int) -> int:
    """How many jobs of others are sent before `wanted`, when each slot is filled as it comes free."""
    driver = lease.take(world.account())
    assert driver is not None
    held, sent = Counter[int](), 0
    for _each in range(MANY + 10):
        for job in claims.claim(driver, slots, held):
            if job.pk == wanted:
                return sent
            sent += 1
            held[job.user_id] += 1
            Job.objects.filter(pk=job.pk).update(state=S.RUNNING, remote_id=str(job.pk))
            Submission.objects.create(job=job, body_sha256="0" * 64)
            last = job
        # One ends: its slot is free, and its person holds one less.
        held[last.user_id] -= 1
        Job.objects.filter(pk=last.pk).update(state=S.COLLECTING)
        slots = 1
    raise AssertionError("it never came")


@pytest.mark.django_db
@pytest.mark.parametrize("priority", [Priority.INTERACTIVE, Priority.BATCH])
def test_five_hundred_delay_one_by_one_slot_at_most(team: world.Team, priority: int) -> None:
    Job.objects.all().delete()
    crowd(team, team.editor, MANY, priority)
    (single,) = crowd(team, team.owner, 1, priority)
    assert rounds_until(single, slots=1) <= 1


@pytest.mark.django_db
def test_with_all_slots_taken_the_next_one_is_theirs(team: world.Team) -> None:
    """Eight of the five hundred run already when the single one comes: the first free slot is its."""
    Job.objects.all().delete()
    many = crowd(team, team.editor, MANY)
    driver = lease.take(world.account())
    assert driver is not None
    first = claims.claim(driver, 8, Counter())
    assert [job.pk for job in first] == many[:8]
    (single,) = crowd(team, team.owner, 1)
    (next_one,) = claims.claim(driver, 1, Counter({team.editor.pk: 7}))
    assert next_one.pk == single


@pytest.mark.django_db
@pytest.mark.parametrize("slots", [1, 2, 3])
def test_a_third_person_waits_for_one_turn_of_the_others(team: world.Team, slots: int) -> None:
    """As many people with long lists as there are slots, each holding one: no list holds it up."""
    Job.objects.all().delete()
    crowd(team, team.editor, 100)
    crowd(team, team.viewer, 100)
    (single,) = crowd(team, team.owner, 1)
    assert rounds_until(single, slots) <= max(2, slots)


@pytest.mark.django_db
def test_without_the_last_turns_a_single_slot_stays_with_the_first(
    team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin: it was so."""
    monkeypatch.setattr("generations.services.jobs.served", lambda account_id: {})
    Job.objects.all().delete()
    crowd(team, team.editor, 50)
    (single,) = crowd(team, team.owner, 1)
    assert rounds_until(single, slots=1) == 50


@pytest.mark.django_db
def test_interactive_goes_before_any_batch(team: world.Team) -> None:
    Job.objects.all().delete()
    crowd(team, team.editor, 50, Priority.BATCH)
    (single,) = crowd(team, team.owner, 1, Priority.INTERACTIVE)
    assert rounds_until(single, slots=1) == 0


@pytest.mark.django_db
def test_first_come_first_served_would_be_noticed(
    team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    Job.objects.all().delete()
    crowd(team, team.editor, 60)
    (single,) = crowd(team, team.owner, 1)
    monkeypatch.setattr("generations.services.jobs.claim_order", first_come)
    assert rounds_until(single, slots=1) > 1


# --- By the real driver -------------------------------------------------------------------------


@pytest.fixture
def slow(tmp_path: Path) -> Iterator[Sandbox]:
    options = ("--latency", "0.5", "--jitter", "0", "--fast-media")
    with running_sandbox(tmp_path / "sandbox", *options) as running:
        yield running


def sent_between(slow: Sandbox, settings: Any) -> int:
    """How many of a crowd's jobs are sent between a single one's coming and its being sent."""
    account = driving.at(slow, settings)
    ProviderAccount.objects.update(max_concurrent=2)
    team = world.team("acme")
    Job.objects.all().delete()
    driving.quick(team)
    crowd(team, team.editor, 24)
    single: list[Job] = []
    before: list[int] = []

    def script() -> driving.Script:
        yield from until(lambda: count(S.COLLECTING) >= 3)
        single.extend(driving.ask(team, team.owner, 1))
        before.append(Submission.objects.count())
        yield from until(lambda: Submission.objects.filter(job=single[0]).exists())

    driving.follow(account, script())
    mine = Submission.objects.get(job=single[0])
    return Submission.objects.filter(pk__lt=mine.pk).count() - before[0]


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(180)
def test_the_driver_sends_a_single_one_next(slow: Sandbox, settings: Any) -> None:
    assert sent_between(slow, settings) <= 1


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(180)
def test_a_driver_that_is_not_fair_would_be_noticed(
    slow: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    monkeypatch.setattr("generations.services.jobs.claim_order", first_come)
    assert sent_between(slow, settings) > 10
