"""The admin: what an administrator sees, may edit, and may not."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib import admin
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import formats, timezone

from generations.models import Allowance, Balance, Job, JobState, LedgerEntry, User
from generations.services import compose, jobs, quota
from tests import world

LONG = timedelta(minutes=30)
pytestmark = pytest.mark.django_db


@pytest.fixture
def boss() -> User:
    return world.person("boss", is_staff=True, is_superuser=True)


@pytest.fixture
def desk(boss: User) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(boss)
    return client


def lists() -> list[str]:
    return [f"{model._meta.app_label}_{model._meta.model_name}" for model in admin.site._registry]


def test_what_the_admin_holds() -> None:
    assert {name for name in lists() if name.startswith("generations_")} == {
        f"generations_{name}"
        for name in (
            "user",
            "project",
            "allowance",
            "customengine",
            "provideraccount",
            "job",
            "atriskjob",
            "episode",
            "uncertainjob",
            "generation",
            "ledgerentry",
            "price",
            "unlabelleddownload",
        )
    }
    # Task payloads are nobody's business.
    assert not [name for name in lists() if name.startswith("django_q")]


def test_every_list_and_form_answers_under_the_strict_policy(desk: Client, boss: User) -> None:
    team = world.team("acme")
    Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=5)
    compose.submit(
        project=team.project,
        user=team.editor,
        engine=world.ENGINE,
        prompt="<script>alert(1)</script>",
        settings={},
        count=1,
    )
    asked = RequestFactory().get("/")
    asked.user = boss
    for model, desk_of in admin.site._registry.items():
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages = [reverse(f"{name}_changelist")]
        row = desk_of.get_queryset(asked).first()
        if row is not None:
            pages.append(reverse(f"{name}_change", args=[row.pk]))
        for page in pages:
            response = desk.get(page)
            assert response.status_code == 200, page
            assert "unsafe" not in response["Content-Security-Policy"]
            assert b"<script>alert(1)" not in response.content


def test_what_is_not_archived_yet_stands_with_its_clock(desk: Client) -> None:
    team = world.team("acme")
    until = timezone.now().replace(hour=14, minute=5) + timedelta(days=1)
    job = team.jobs[JobState.QUEUED]
    page = reverse("admin:generations_atriskjob_changelist")
    assert str(job.public_id) not in desk.get(page).content.decode()
    fields = {"remote_id": "7", "deadline_at": until, "answered_at": timezone.now()}
    Job.objects.filter(pk=job.pk).update(state=JobState.COLLECTING, **fields)
    shown = desk.get(page).content.decode()
    assert str(job.public_id) in shown
    assert (
        formats.localize(timezone.localtime(until), use_l10n=True) in shown or "2:05 p.m" in shown
    )
    one = reverse("admin:generations_atriskjob_change", args=[job.pk])
    assert desk.post(one, {"state": "succeeded"}).status_code == 403


@pytest.mark.parametrize(
    ("fields", "found"),
    [
        ({"state": JobState.COLLECTING, "tries": 3}, True),
        ({"state": JobState.COLLECTING, "answered_at": -LONG}, True),
        ({"state": JobState.COLLECTING, "answered_at": -timedelta(seconds=5)}, False),
        ({"state": JobState.RUNNING, "deadline_at": LONG, "accepted_at": -LONG}, True),
        ({"state": JobState.RUNNING, "deadline_at": 9 * LONG, "accepted_at": -LONG}, False),
        ({"state": JobState.QUEUED}, False),
    ],
)
def test_what_is_at_risk(fields: dict[str, Any], found: bool) -> None:
    now = timezone.now()
    job = world.team("acme").jobs[JobState.QUEUED]
    times = {
        name: now + value if isinstance(value, timedelta) else value
        for name, value in fields.items()
    }
    Job.objects.filter(pk=job.pk).update(remote_id="7", **times)
    assert jobs.at_risk(now).exists() == found


def test_jobs_and_the_ledger_are_read_only(desk: Client) -> None:
    team = world.team("acme")
    job = team.jobs[JobState.QUEUED]
    page = reverse("admin:generations_job_change", args=[job.pk])
    assert desk.get(page).status_code == 200
    assert desk.post(page, {"state": "succeeded"}).status_code == 403
    assert desk.get(reverse("admin:generations_job_add")).status_code == 403
    assert desk.get(reverse("admin:generations_ledgerentry_add")).status_code == 403


def test_a_changed_limit_is_in_force_at_once_and_in_the_ledger(desk: Client, boss: User) -> None:
    team = world.team("acme")
    allowance = Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=2)
    wanted = {
        "project": team.project,
        "user": team.editor,
        "engine": world.ENGINE,
        "prompt": "x",
        "settings": {},
    }
    compose.submit(**wanted, count=2)
    with pytest.raises(quota.OverLimit):
        compose.submit(**wanted, count=1)
    page = reverse("admin:generations_allowance_change", args=[allowance.pk])
    assert desk.post(page, {"limit": "4", "enabled": "on"}).status_code == 302
    assert Balance.objects.get().left == 2
    entry = LedgerEntry.objects.get(kind=LedgerEntry.Kind.ADJUST)
    assert (entry.amount, entry.actor) == (2, boss)
    compose.submit(**wanted, count=2)
    assert quota.discrepancies() == []


@pytest.mark.parametrize("limit", ["-1", "", "1e9", "99999999999999999999", "abc"])
def test_a_bad_limit_is_a_sentence(desk: Client, limit: str) -> None:
    page = reverse("admin:generations_allowance_add")
    body = {"scope": "site", "unit": "image", "period": "day", "limit": limit, "enabled": "on"}
    response = desk.post(page, body)
    assert response.status_code == 200
    assert b"errorlist" in response.content
    assert not Allowance.objects.exists()


def test_a_scope_must_match_what_it_names(desk: Client, boss: User) -> None:
    page = reverse("admin:generations_allowance_add")
    body = {"scope": "project", "unit": "image", "period": "day", "limit": "5", "enabled": "on"}
    response = desk.post(page, body)
    assert response.status_code == 200
    assert b"errorlist" in response.content
    once = {**body, "scope": "site"}
    assert desk.post(page, once).status_code == 302
    assert desk.post(page, once).status_code == 200  # a second one for the same scope
    assert Allowance.objects.count() == 1


def test_usage_stands_beside_each_limit_in_constant_queries(desk: Client) -> None:
    team = world.team("acme")
    each = Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=5)
    Allowance.objects.create(scope=Allowance.Scope.SITE, limit=10)
    for user in (team.editor, team.owner):
        compose.submit(
            project=team.project,
            user=user,
            engine=world.ENGINE,
            prompt="x",
            settings={},
            count=4 if user == team.editor else 1,
        )
    page, counts = reverse("admin:generations_allowance_changelist"), []
    desk.get(page)
    for _round in range(2):
        with CaptureQueriesContext(connection) as caught:
            shown = desk.get(page).content.decode()
        counts.append(len(caught))
        for user in (team.editor, team.owner, team.viewer):
            more = {"user": user, "period": ("day", "month")[_round]}
            Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=3, **more)
    assert counts[0] == counts[1]
    assert "4 / 5 at most, of 2 people" in shown
    assert '<progress max="100" value="80"' in shown and 'class="near"' in shown
    assert "5 / 10" in shown
    assert each.balances.count() == 2


def test_a_chosen_persons_own_allowance(desk: Client, boss: User) -> None:
    team = world.team("acme")
    page = reverse("admin:generations_user_changelist")
    chosen = {"action": "give_own", "_selected_action": [str(team.editor.pk)]}
    asked = desk.post(page, chosen)
    assert asked.status_code == 200
    assert "acme-editor" in asked.content.decode()
    assert "unsafe" not in asked["Content-Security-Policy"]
    wrong = desk.post(page, chosen | {"apply": "1", "limit": "-1", "period": "week", "why": ""})
    assert wrong.status_code == 422
    assert not Allowance.objects.exists()
    right = chosen | {"apply": "1", "limit": "7", "period": "month", "why": "lead"}
    assert desk.post(page, right).status_code == 302
    made = Allowance.objects.get()
    assert (made.user, made.limit, made.period) == (team.editor, 7, "month")
    assert LedgerEntry.objects.get().actor == boss


@pytest.mark.parametrize("amount", ["", "0", "-3", "1e9", "9" * 30, "abc"])
def test_a_bad_amount_gives_nothing(desk: Client, amount: str) -> None:
    allowance = Allowance.objects.create(scope=Allowance.Scope.SITE, limit=10)
    body = {"action": "give_more", "_selected_action": [str(allowance.pk)], "apply": "1"}
    page = reverse("admin:generations_allowance_changelist")
    answer = desk.post(page, body | {"amount": amount, "why": "because"})
    assert answer.status_code == 422
    assert b"errorlist" in answer.content and b"because" in answer.content
    assert not LedgerEntry.objects.exists()


def test_who_changed_what_stands_on_the_allowances_page(desk: Client, boss: User) -> None:
    allowance = Allowance.objects.create(scope=Allowance.Scope.SITE, limit=10)
    page = reverse("admin:generations_allowance_change", args=[allowance.pk])
    assert desk.post(page, {"limit": "25", "enabled": "on"}).status_code == 302
    allowance.refresh_from_db()
    quota.grant(allowances=[allowance], amount=4, actor=boss, why="<b>pitch</b>")
    assert desk.post(page, {"limit": "25"}).status_code == 302
    shown = desk.get(page).content.decode()
    assert "Limit: 10 → 25" in shown
    assert "In force: True → False" in shown
    assert "Adjust +4" in shown and "&lt;b&gt;pitch" in shown
    assert shown.count("boss</td>") == 3


def test_staff_without_the_right_give_nothing() -> None:
    clerk = world.person("clerk", is_staff=True)
    clerk.user_permissions.set(
        Permission.objects.filter(codename__in=["view_allowance", "view_user", "change_user"])
    )
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(clerk)
    allowance = Allowance.objects.create(scope=Allowance.Scope.SITE, limit=10)
    more = {"apply": "1", "amount": "3", "limit": "3", "period": "day", "why": "x"}
    chosen = {"action": "give_more", "_selected_action": [str(allowance.pk)], **more}
    client.post(reverse("admin:generations_allowance_changelist"), chosen)
    chosen = {"action": "give_own", "_selected_action": [str(clerk.pk)], **more}
    answer = client.post(reverse("admin:generations_user_changelist"), chosen)
    assert answer.status_code == 403
    assert not LedgerEntry.objects.exists()
    assert Allowance.objects.count() == 1
