"""Limits of an account and of single engines: honoured by the driver, kept, edited and shown."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from generations.models import (
    EngineLimit,
    Generation,
    Job,
    JobState,
    Outcome,
    ProviderAccount,
    Submission,
)
from generations.services import jobs
from generations.services.driver import claims, lease, pace
from generations.templatetags import sentences
from tests import world
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db
S = JobState
OTHER = "jimeng-image-3.1"  # any name will do: the limits ask no catalogue


@pytest.fixture
def account() -> ProviderAccount:
    row = world.account()
    ProviderAccount.objects.update(max_concurrent=8, rate_per_s=1000.0)
    row.refresh_from_db()
    return row


def full(mine: pace.Pace) -> pace.Pace:
    """With as many tokens as anybody needs."""
    for gate in (mine.gate, *mine.engines.values()):
        gate.tokens = 100.0
    return mine


def waiting(team: world.Team, user: Any, n: int, engine: str = world.ENGINE) -> list[Job]:
    made = world.generation(team.project, user, states=(S.QUEUED,) * n)
    Generation.objects.filter(pk=made.pk).update(engine=engine)
    return list(made.jobs.order_by("pk"))


def test_refusals_halve_and_good_answers_bring_it_back(account: ProviderAccount) -> None:
    mine = full(pace.Pace(account))
    assert (mine.room(0), mine.room(5)) == (8, 3)
    mine.spend(world.ENGINE, 10)
    mine.throttled(world.ENGINE, 10, None)
    assert (account.at_once, mine.room(0)) == (4, 0)
    account.cool_until = timezone.now() - timedelta(seconds=1)
    assert mine.room(0) == 4
    for number in range(11, 14):
        mine.accepted(world.ENGINE, number)
    assert account.at_once == 4  # as many good ones as there are slots bring one more
    mine.accepted(world.ENGINE, 14)
    assert account.at_once == 5
    account.refresh_from_db()
    assert (account.strikes, account.cool_until, account.reduced_to) == (0, None, 5)
    for number in range(21, 21 + 5 + 6 + 7):
        mine.accepted(world.ENGINE, number)
    account.refresh_from_db()
    assert (account.at_once, account.reduced_to) == (8, None)


def test_with_one_slot_left_one_good_answer_brings_another(account: ProviderAccount) -> None:
    """What is counted dies with a driver: with slow models none would live to see ten."""
    mine = full(pace.Pace(account))
    for number in (1, 2, 3, 4):
        mine.throttled(world.ENGINE, number, None)
    assert account.at_once == 1
    mine = full(pace.Pace(account))
    mine.accepted(world.ENGINE, 5)
    assert account.at_once == 2


def test_what_was_sent_together_is_refused_once(account: ProviderAccount) -> None:
    """Eight sent, seven refused, one taken: one halving, and the pause is not called off."""
    mine = full(pace.Pace(account))
    for number in range(1, 9):
        mine.spend(world.ENGINE, number)
    for number in range(1, 8):
        mine.throttled(world.ENGINE, number, None)
    mine.accepted(world.ENGINE, 8)
    account.refresh_from_db()
    assert (account.strikes, account.reduced_to) == (1, 4)
    assert account.cools_now
    mine.throttled(world.ENGINE, 3, 500.0)  # a longer pause that is asked for is kept
    account.refresh_from_db()
    assert account.cool_until and account.cool_until > timezone.now() + timedelta(seconds=400)


def test_a_pause_outlives_the_slice_that_earned_it(account: ProviderAccount) -> None:
    pace.Pace(account).throttled(world.ENGINE, 1, 60.0)
    after = full(pace.Pace(ProviderAccount.objects.get(pk=account.pk)))
    assert after.room(0) == 0
    after.account.cool_until = None
    assert after.room(0) == 4


def test_the_rate_is_a_bucket_that_a_new_slice_does_not_refill(
    team: world.Team, account: ProviderAccount
) -> None:
    account.rate_per_s = 2.0
    mine = pace.Pace(account)
    mine.gate.tokens = 2.0
    assert mine.room(0) == 2
    for number in (1, 2):
        mine.spend(world.ENGINE, number)
    assert mine.room(0) == 0
    account.rate_per_s = 0.001
    job = team.jobs[S.QUEUED]
    Submission.objects.create(job=job, body_sha256="0" * 64, outcome=Outcome.REJECTED)
    assert pace.Pace(account).room(0) == 0
    Submission.objects.all().delete()
    assert pace.Pace(account).room(0) == 1


def test_an_engine_with_limits_of_its_own_cools_alone(account: ProviderAccount) -> None:
    limit = EngineLimit.objects.create(account=account, engine=world.ENGINE, max_concurrent=4)
    mine = full(pace.Pace(account))
    mine.throttled(world.ENGINE, 1, None)
    limit.refresh_from_db()
    assert (limit.strikes, limit.reduced_to, limit.cools_now) == (1, 2, True)
    account.refresh_from_db()
    assert (account.strikes, account.reduced_to, account.cool_until) == (0, None, None)
    assert (mine.room(0), mine.rooms(Counter())) == (8, {world.ENGINE: 0})
    EngineLimit.objects.all().delete()
    mine.read()
    assert mine.rooms(Counter()) == {}


def test_a_full_engine_holds_up_nobody_who_waits_for_another(
    team: world.Team, account: ProviderAccount
) -> None:
    Job.objects.all().delete()
    slow = waiting(team, team.editor, 30, world.ENGINE)
    fast = waiting(team, team.editor, 3, OTHER)
    driver = lease.take(account)
    assert driver is not None
    first = claims.claim(driver, 3, Counter(), {world.ENGINE: 1})
    assert [job.pk for job in first] == [slow[0].pk]  # of three turns two find no room
    second = claims.claim(driver, 3, Counter(), {world.ENGINE: 0})
    assert [job.pk for job in second] == [job.pk for job in fast]
    assert len(claims.claim(driver, 3, Counter())) == 3


def test_what_an_earlier_driver_is_still_sending_counts(
    team: world.Team, account: ProviderAccount
) -> None:
    Job.objects.all().delete()
    driver = lease.take(account)
    assert driver is not None
    for job, epoch in zip(waiting(team, team.editor, 3), (0, 0, driver.epoch), strict=True):
        Job.objects.filter(pk=job.pk).update(state=S.SUBMITTING, lease_epoch=epoch)
    assert claims.sent_by_others(driver) == [(team.editor.pk, world.ENGINE)] * 2


# --- Edited and shown ---------------------------------------------------------------------------


@pytest.fixture
def desk() -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(world.person("boss", is_staff=True, is_superuser=True))
    return client


def inline(*rows: dict[str, object]) -> dict[str, object]:
    body: dict[str, object] = {
        "engine_limits-TOTAL_FORMS": len(rows),
        "engine_limits-INITIAL_FORMS": 0,
    }
    for n, row in enumerate(rows):
        body |= {f"engine_limits-{n}-{name}": value for name, value in row.items()}
    return body


def test_an_administrator_sets_limits(desk: Client, account: ProviderAccount) -> None:
    page = reverse("admin:generations_provideraccount_change", args=[account.pk])
    shown = desk.get(page)
    assert "unsafe" not in shown["Content-Security-Policy"]
    assert "cooling down until" in text(shown).lower()
    body = {"label": "Ours", "enabled": "on", "max_concurrent": 3, "rate_per_s": "1.5"}
    own = {"engine": world.ENGINE, "max_concurrent": 2, "rate_per_s": "0.5"}
    assert desk.post(page, body | inline(own)).status_code == 302
    account.refresh_from_db()
    assert (account.max_concurrent, account.rate_per_s) == (3, 1.5)
    limit = EngineLimit.objects.get()
    assert (limit.engine, limit.max_concurrent, limit.rate_per_s) == (world.ENGINE, 2, 0.5)


@pytest.mark.parametrize(
    "wrong",
    [
        {"max_concurrent": 0},
        {"max_concurrent": -1},
        {"rate_per_s": 0},
        {"rate_per_s": -2},
        {"rate_per_s": "nan"},
        {"rate_per_s": "inf"},
        {"max_concurrent": "9" * 30},
        {"engine": "no-such"},
    ],
)
def test_a_bad_limit_is_a_sentence(
    desk: Client, account: ProviderAccount, wrong: dict[str, object]
) -> None:
    page = reverse("admin:generations_provideraccount_change", args=[account.pk])
    body = {"label": "Ours", "enabled": "on", "max_concurrent": 3, "rate_per_s": "1.5"}
    own = {"engine": world.ENGINE, "max_concurrent": 2, "rate_per_s": "0.5"} | wrong
    answers = [desk.post(page, body | inline(own))]
    if "engine" not in wrong:
        answers.append(desk.post(page, body | wrong | inline()))
    for answer in answers:
        assert answer.status_code == 200
        assert "errorlist" in text(answer)
    assert not EngineLimit.objects.exists()


def test_the_pages_tell_the_place_and_the_pause(team: world.Team, account: ProviderAccount) -> None:
    Job.objects.all().delete()
    ProviderAccount.objects.update(max_concurrent=2)
    waiting(team, team.editor, 2)
    (third,) = waiting(team, team.editor, 1)
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(team.editor)
    card = reverse("generation", args=[team.project.public_id, third.generation.public_id])
    said = "2 ahead of you, this account runs 2 at a time"
    for page in (card, url(team, "queue")):
        assert said in text(browser.get(page, headers=HTMX)), page
    until = timezone.now() + timedelta(minutes=3)
    ProviderAccount.objects.update(cool_until=until, reduced_to=1)
    with translation.override("en"):
        cooling = f"cooling down until {sentences.clock(until)}"
    for page in (card, url(team, "queue")):
        assert cooling in text(browser.get(page, headers=HTMX)), page
    assert "Fewer than usual" in text(browser.get(url(team, "queue"), headers=HTMX))
    ProviderAccount.objects.update(cool_until=None, reduced_to=None)
    EngineLimit.objects.create(
        account=account, engine=world.ENGINE, max_concurrent=1, cool_until=until
    )
    for page in (card, url(team, "queue")):
        assert cooling in text(browser.get(page, headers=HTMX)), page
    assert "1 at once at most" in text(browser.get(url(team, "queue"), headers=HTMX))


def test_cards_are_told_when_a_pause_begins_and_ends(
    team: world.Team, account: ProviderAccount, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[int] = []
    monkeypatch.setattr(jobs, "touch", lambda ids: told.append(len(list(ids))))
    Generation.objects.update(state=Generation.State.ACTIVE)
    mine = pace.Pace(account)
    for number in (1, 2, 3):
        mine.spend(world.ENGINE, number)
    for number in (1, 2, 3):
        mine.throttled(world.ENGINE, number, None)
    assert told == [1]
    mine.accepted(world.ENGINE, 4)
    mine.accepted(world.ENGINE, 5)
    assert told == [1, 1]
