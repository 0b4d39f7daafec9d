"""Pausing an account, or everything: nothing begins to be sent, nothing is lost, and it says so."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse

from generations.models import Job, JobState, ProviderAccount, SiteSwitch, Submission, User
from generations.services import jobs
from generations.services.driver import claims, lease
from generations.services.driver.slice import STALE_S, Slice
from tests import driving, world
from tests.driving import count, until
from tests.pages import HTMX, text, url
from tests.running import Sandbox, running_sandbox

S = JobState
MANY = 60


# --- By the real driver -------------------------------------------------------------------------


@pytest.fixture
def mill(tmp_path: Path) -> Iterator[Sandbox]:
    options = ("--latency", "0.5", "--jitter", "0", "--fast-media")
    with running_sandbox(tmp_path / "sandbox", *options) as running:
        yield running


def sent_after(mill: Sandbox, settings: Any, pause: Callable[[User], object]) -> int:
    """How many submissions reach the sandbox after the switch; all of them once it is back on."""
    account = driving.at(mill, settings)
    ProviderAccount.objects.update(max_concurrent=3)
    team = world.team("acme")
    Job.objects.all().delete()
    driving.quick(team)
    for _each in range(MANY // 6):
        driving.ask(team, team.editor, 6)
    told: list[int] = []

    def script() -> driving.Script:
        yield from until(lambda: count(S.COLLECTING) >= 3)
        pause(team.owner)
        switched = time.time()
        yield from until(lambda: not count(S.SUBMITTING, S.RUNNING) or full(mill))
        yield from driving.wait(3.0)
        told.append(sum(line["time"] > switched + 1.0 for line in mill.ledger()))
        assert count(S.QUEUED, S.SUBMITTING, S.RUNNING, S.COLLECTING) == MANY
        jobs.resume_sending(account=None)
        jobs.resume_sending(account=account)
        yield from until(lambda: count(S.COLLECTING) == MANY)

    driving.follow(account, script())
    assert len(mill.ledger()) == MANY
    assert Submission.objects.count() == MANY
    return told[0]


def full(mill: Sandbox) -> bool:
    return len(mill.ledger()) == MANY


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(240)
@pytest.mark.parametrize("everything", [True, False])
def test_nothing_begins_after_the_switch_and_nothing_is_lost(
    mill: Sandbox, settings: Any, everything: bool
) -> None:
    def pause(actor: User) -> None:
        account = None if everything else ProviderAccount.objects.get(provider="jimeng")
        assert jobs.pause_sending(account=account, actor=actor)

    assert sent_after(mill, settings, pause) == 0


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(240)
def test_a_switch_that_nobody_heeds_would_be_noticed(
    mill: Sandbox, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The twin."""
    monkeypatch.setattr(jobs, "held_back", lambda account_id: False)
    monkeypatch.setattr(jobs, "not_paused", lambda rows: rows)

    def pause(actor: User) -> object:
        return jobs.pause_sending(account=None, actor=actor)

    assert sent_after(mill, settings, pause) > 0


# --- Piece by piece -----------------------------------------------------------------------------


@pytest.mark.django_db
def test_what_was_claimed_goes_back_in_line(team: world.Team) -> None:
    Job.objects.exclude(pk=team.jobs[S.QUEUED].pk).delete()
    driver = lease.take(world.account())
    assert driver is not None
    claimed = claims.claim(driver, 5, Counter())
    assert len(claimed) == 1
    jobs.pause_sending(account=None, actor=team.owner)
    call: Any = None
    assert claims.begin(driver, [(job, call) for job in claimed]) == []
    assert not Submission.objects.exists()
    jobs.resume_sending(account=None)
    assert len(claims.claim(driver, 5, Counter())) == 1


@pytest.mark.django_db
@pytest.mark.parametrize(("paused", "looked", "may"), [(False, 1, True), (True, 1, False)])
def test_a_call_that_comes_late_looks_again(
    team: world.Team, paused: bool, looked: float, may: bool
) -> None:
    """Frozen between the commit and the call: it goes by what is seen after waking."""
    driver = lease.take(world.account())
    assert driver is not None
    keys: Any = None
    run = Slice(driver, keys, lambda: True)
    run.paused, now = paused, time.monotonic()
    assert run.may_still(now)
    run.looked_at = now + 60 * looked
    assert run.may_still(now - 10 * STALE_S) is may
    run.lost, run.looked_at = True, 0.0
    assert not run.may_still(now - 10 * STALE_S)


@pytest.mark.django_db
def test_two_switches_are_two(team: world.Team) -> None:
    account = world.account()
    assert jobs.pause_sending(account=account, actor=team.owner)
    assert not jobs.pause_sending(account=account, actor=team.editor)
    assert jobs.pause_sending(account=None, actor=team.editor)
    assert jobs.held_back(account.pk)
    assert jobs.resume_sending(account=None)
    assert not jobs.resume_sending(account=None)
    assert jobs.held_back(account.pk)
    assert jobs.pauses()[account.pk].by == team.owner.shown_name
    assert jobs.resume_sending(account=account)
    assert not jobs.held_back(account.pk)
    ProviderAccount.objects.update(enabled=False)
    assert jobs.held_back(account.pk)


# --- Said and switched --------------------------------------------------------------------------


@pytest.mark.django_db
def test_the_card_and_the_queue_say_by_whom(team: world.Team) -> None:
    job = team.jobs[S.QUEUED]
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(team.editor)
    pages = [
        reverse("generation", args=[team.project.public_id, job.generation.public_id]),
        url(team, "queue"),
    ]
    jobs.pause_sending(account=job.account, actor=team.owner)
    for page in pages:
        shown = text(browser.get(page, headers=HTMX))
        assert f"This account is paused by {team.owner.shown_name} since" in shown, page
    jobs.pause_sending(account=None, actor=team.viewer)
    for page in pages:
        shown = text(browser.get(page, headers=HTMX))
        assert f"Everything is paused by {team.viewer.shown_name} since" in shown, page


@pytest.fixture
def desk(db: None) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(world.person("boss", is_staff=True, is_superuser=True))
    return client


def test_an_administrator_pauses_and_resumes(desk: Client) -> None:
    account, page = world.account(), reverse("admin:generations_provideraccount_changelist")
    switch = reverse("admin:generations_provideraccount_everything")
    chosen = {"_selected_action": [str(account.pk)]}
    assert "Pause everything" in text(desk.get(page))
    desk.post(page, chosen | {"action": "pause"})
    account.refresh_from_db()
    assert account.paused_by and account.paused_by.username == "boss"
    desk.post(page, chosen | {"action": "resume"})
    account.refresh_from_db()
    assert account.paused_at is None
    history = reverse("admin:generations_provideraccount_history", args=[account.pk])
    assert "Paused." in text(desk.get(history))
    assert desk.post(switch, {"order": "pause"}).status_code == 302
    shown = desk.get(page)
    assert "Everything is paused by boss since" in text(shown)
    assert "unsafe" not in shown["Content-Security-Policy"]
    assert "Nothing has changed." in text(desk.post(switch, {"order": "?"}, follow=True))
    desk.post(switch, {"order": "resume"})
    assert SiteSwitch.objects.get().paused_at is None
    assert desk.get(switch).status_code == 405


def test_the_switch_is_for_staff_with_the_right(team: world.Team) -> None:
    switch = reverse("admin:generations_provideraccount_everything")
    for user, status in [
        (team.owner, 302),
        (world.person("clerk", is_staff=True), 403),
    ]:
        client = Client()
        client.force_login(user)
        assert client.post(switch, {"order": "pause"}).status_code == status
    assert not SiteSwitch.objects.exclude(paused_at=None).exists()
