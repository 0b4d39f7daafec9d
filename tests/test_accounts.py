"""Several accounts of one provider: where a job goes, where it stays, and what becomes of their keys."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generations.models import Job, JobState, Outcome, ProviderAccount, Submission
from generations.providers import catalog, http
from generations.providers.base import Credentials
from generations.services import accounts, driver, jobs
from generations.services.driver import claims, lease
from studio import env
from tests import driving, world
from tests.driving import count, until
from tests.pages import text
from tests.running import Sandbox, running_sandbox

S = JobState
SECOND = ("AKSECOND", "SKSECOND", "")
THIRD = ("AKTHIRD", "SKTHIRD", "")
ENGINE = catalog.get_engine(world.ENGINE)


def two(settings: Any) -> tuple[ProviderAccount, ProviderAccount]:
    settings.SANDBOX_KEYS = [*settings.SANDBOX_KEYS[:1], SECOND]
    accounts.ensure_accounts()
    ProviderAccount.objects.update(max_concurrent=2, rate_per_s=1000.0)
    first, second = ProviderAccount.objects.filter(provider="jimeng").order_by("pk")
    return first, second


def old(*queued: Job) -> None:
    Job.objects.filter(pk__in=[job.pk for job in queued]).update(
        queued_at=timezone.now() - 2 * claims.WAITED
    )


def holding(account: ProviderAccount) -> lease.Lease:
    found = lease.take(account)
    assert found is not None
    return found


# --- Where a job goes ---------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_new_job_goes_where_there_is_most_room(team: world.Team, settings: Any) -> None:
    Job.objects.all().delete()
    first, second = two(settings)
    places = [driving.ask(team, team.editor, 1)[0].account_id for _each in range(6)]
    assert Counter(places) == {first.pk: 3, second.pk: 3}
    jobs.pause_sending(account=first, actor=team.owner)
    assert driving.ask(team, team.editor, 1)[0].account_id == second.pk
    ProviderAccount.objects.filter(pk=second.pk).update(unreachable_since=timezone.now())
    jobs.resume_sending(account=first)
    assert driving.ask(team, team.editor, 1)[0].account_id == first.pk


@pytest.mark.django_db
def test_an_account_can_be_for_some_projects_only(team: world.Team, settings: Any) -> None:
    Job.objects.all().delete()
    first, second = two(settings)
    rivals = world.team("rivals")
    Job.objects.all().delete()
    first.projects.add(rivals.project)
    for _each in range(4):
        (mine,) = driving.ask(team, team.editor, 1)
        assert mine.account_id == second.pk
    (theirs,) = driving.ask(rivals, rivals.editor, 1)
    assert theirs.account_id == first.pk
    # Nor does the account with room take them over.
    old(*Job.objects.all())
    mine_too = claims.take_over(holding(first), 9, Counter(), {}, [second.pk])
    assert mine_too == []
    second.projects.add(rivals.project)
    assert accounts.account_for(ENGINE, team.project) is None


@pytest.mark.django_db
def test_what_waits_elsewhere_is_taken_over_if_it_was_never_sent(
    team: world.Team, settings: Any
) -> None:
    Job.objects.all().delete()
    first, second = two(settings)
    made = world.generation(team.project, team.editor, states=(S.QUEUED,) * 7)
    waiting, sent, again, tried, claimed, _fresh, running = made.jobs.order_by("pk")
    made.jobs.update(account=first)
    old(waiting, sent, again, tried, claimed, running)
    Submission.objects.create(job=sent, body_sha256="0" * 64, outcome=Outcome.REJECTED)
    Job.objects.filter(pk=again.pk).update(round=2)
    Job.objects.filter(pk=tried.pk).update(tries=1)
    Job.objects.filter(pk=claimed.pk).update(lease_expires_at=timezone.now() + timedelta(hours=1))
    Job.objects.filter(pk=running.pk).update(state=S.RUNNING, remote_id="71")
    mine = holding(second)
    assert claims.wait_elsewhere(mine, [first.pk])
    taken = claims.take_over(mine, 9, Counter(), {}, [first.pk])
    assert [job.pk for job in taken] == [waiting.pk]
    assert Counter(made.jobs.values_list("account", flat=True)) == {first.pk: 6, second.pk: 1}
    # The other driver had read it before: it finds the row gone from its account.
    assert waiting.pk not in [job.pk for job in claims.claim(holding(first), 9, Counter())]


# --- By real drivers ----------------------------------------------------------------------------


@pytest.fixture
def mill(tmp_path: Path) -> Iterator[Sandbox]:
    keys = ",".join(":".join(pair[:2]) for pair in (SECOND, THIRD))
    options = ("--latency", "0.5", "--jitter", "0", "--fast-media", "--more-keys", keys)
    with running_sandbox(tmp_path / "sandbox", *options) as running:
        yield running


@pytest.fixture
def signed(monkeypatch: pytest.MonkeyPatch) -> dict[str, set[str]]:
    """By task: the access keys with which it was submitted and asked after."""
    found: dict[str, set[str]] = {}
    real = http.request

    def noted(method: str, url: str, **given: Any) -> http.Answer:
        answer = real(method, url, **given)
        headers = {name.lower(): value for name, value in given["headers"].items()}
        key = headers["authorization"].partition("Credential=")[2].partition("/")[0]
        asked = json.loads(given["body"] or b"{}").get("task_id")
        got = (json.loads(answer.body).get("data") or {}).get("task_id")
        found.setdefault(str(asked or got), set()).add(key)
        return answer

    monkeypatch.setattr(http, "request", noted)
    return found


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(180)
def test_a_paused_accounts_jobs_run_elsewhere_and_no_task_changes_hands(
    mill: Sandbox, settings: Any, signed: dict[str, set[str]]
) -> None:
    driving.at(mill, settings)
    first, second = two(settings)
    team = world.team("acme")
    Job.objects.all().delete()
    driving.quick(team)
    for _each in range(6):
        driving.ask(team, team.editor, 2)
    assert count(S.QUEUED, account=first) == count(S.QUEUED, account=second) == 6
    driving.follow(first, until(lambda: count(S.RUNNING, account=first)))
    jobs.pause_sending(account=first, actor=team.owner)
    never_sent = count(S.QUEUED, account=first)
    driving.follow(second, until(lambda: count(S.COLLECTING) == 6 + never_sent))
    assert count(S.QUEUED) == 0
    driving.follow(first, until(lambda: count(S.COLLECTING) == 12))
    assert len(mill.ledger()) == 12
    by_job = dict(Job.objects.filter(state=S.COLLECTING).values_list("remote_id", "account"))
    names = {first.pk: "AKSANDBOX", second.pk: "AKSECOND"}
    assert {task: signed[task] for task in by_job} == {
        task: {names[account]} for task, account in by_job.items()
    }
    assert Counter(by_job.values())[second.pk] == 6 + never_sent


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(180)
def test_a_key_is_replaced_with_jobs_in_flight(
    mill: Sandbox, settings: Any, signed: dict[str, set[str]]
) -> None:
    account = driving.at(mill, settings, renew_s=0.3)
    mill.set_faults(latency=4.0)
    team = world.team("acme")
    Job.objects.all().delete()
    driving.quick(team)
    driving.ask(team, team.editor, 3)

    def script() -> driving.Script:
        yield from until(lambda: count(S.RUNNING) == 3)
        settings.SANDBOX_KEYS = [*settings.SANDBOX_KEYS, THIRD]
        fingerprint = Credentials(*THIRD).fingerprint
        accounts.replace_key(account=account, fingerprint=fingerprint)
        settings.SANDBOX_KEYS = [THIRD]
        yield from until(lambda: count(S.COLLECTING) == 3)

    driving.follow(account, script())
    for task in Job.objects.filter(state=S.COLLECTING).values_list("remote_id", flat=True):
        assert "AKTHIRD" in signed[task]
    assert len(mill.ledger()) == 3


# --- Keys ---------------------------------------------------------------------------------------


def test_key_pairs_are_read_by_number_and_from_files(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text("SKTWO\n")
    monkeypatch.setenv("VOLC_ACCESS_KEY", "AKONE")
    monkeypatch.setenv("VOLC_SECRET_KEY", "SKONE")
    monkeypatch.setenv("VOLC_ACCESS_KEY_2", "AKTWO")
    monkeypatch.setenv("VOLC_SECRET_KEY_2_FILE", str(secret))
    monkeypatch.setenv("VOLC_ACCESS_KEY_4", "AKFOUR")
    assert env.key_pairs("VOLC") == [("AKONE", "SKONE", ""), ("AKTWO", "SKTWO", "")]
    assert env.half_pairs("VOLC") == ["VOLC_SECRET_KEY_4"]


@pytest.mark.django_db
def test_the_row_of_a_new_key_gives_way_unless_it_was_used(team: world.Team, settings: Any) -> None:
    first, second = two(settings)
    with pytest.raises(accounts.KeyProblem):
        accounts.replace_key(account=first, fingerprint="0" * 16)
    Job.objects.filter(pk=team.jobs[S.FAILED].pk).update(account=second)
    with pytest.raises(accounts.KeyProblem):
        accounts.replace_key(account=first, fingerprint=second.key_fingerprint)
    Job.objects.update(account=first)
    accounts.replace_key(account=first, fingerprint=second.key_fingerprint)
    row = ProviderAccount.objects.get(provider="jimeng")
    assert (row.pk, row.key_fingerprint) == (first.pk, Credentials(*SECOND).fingerprint)
    assert driver.drive(account_id=second.pk, stop=lambda: True) is False


@pytest.fixture
def desk(db: None) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(world.person("boss", is_staff=True, is_superuser=True))
    return client


def test_an_administrator_replaces_a_key(desk: Client, settings: Any) -> None:
    page = reverse("admin:generations_provideraccount_changelist")
    row = world.account()
    chosen = {"_selected_action": [str(row.pk)], "action": "replace_key"}
    assert "a second key first" in text(desk.post(page, chosen, follow=True))
    first, second = two(settings)
    asked = desk.post(page, chosen)
    assert second.key_fingerprint in text(asked)
    assert not any(word in text(asked) for word in ("SKSECOND", "AKSECOND", "SKSANDBOX"))
    wrong = desk.post(page, chosen | {"apply": "1", "fingerprint": "nonsense"})
    assert (wrong.status_code, "errorlist" in text(wrong)) == (422, True)
    right = chosen | {"apply": "1", "fingerprint": second.key_fingerprint}
    assert desk.post(page, right).status_code == 302
    first.refresh_from_db()
    assert first.key_fingerprint == Credentials(*SECOND).fingerprint


def test_an_old_key_is_said_to_be_old(desk: Client, settings: Any) -> None:
    page, row = reverse("admin:generations_provideraccount_changelist"), world.account()
    assert "0 days" in text(desk.get(page))
    ProviderAccount.objects.update(key_since=timezone.now() - timedelta(days=200))
    assert "200 days: replace it" in text(desk.get(page))
    settings.SANDBOX_KEYS = [SECOND]
    assert "not in the environment" in text(desk.get(page))
    form = reverse("admin:generations_provideraccount_change", args=[row.pk])
    assert "Only for these projects" in text(desk.get(form))
