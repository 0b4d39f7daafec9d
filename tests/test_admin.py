"""The admin: what an administrator sees, may edit, and may not."""

from __future__ import annotations

import pytest
from django.contrib import admin
from django.test import Client
from django.urls import reverse

from generations.models import Allowance, Balance, JobState, LedgerEntry, User
from generations.services import compose, quota
from tests import world

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
            "provideraccount",
            "job",
            "generation",
            "ledgerentry",
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
    for model in admin.site._registry:
        name = f"admin:{model._meta.app_label}_{model._meta.model_name}"
        pages = [reverse(f"{name}_changelist")]
        row = model._default_manager.first()
        if row is not None:
            pages.append(reverse(f"{name}_change", args=[row.pk]))
        for page in pages:
            response = desk.get(page)
            assert response.status_code == 200, page
            assert "unsafe" not in response["Content-Security-Policy"]
            assert b"<script>alert(1)" not in response.content


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
