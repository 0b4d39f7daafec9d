"""Tokens: made and shown once, kept as a hash, ended, limited; and nobody finds one by trying."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generations.models import ApiToken, Membership
from generations.services import people
from generations.services.people import tokens as rules
from tests import tokens, world
from tests.pages import text

pytestmark = pytest.mark.django_db
BODY = {"name": "nightly renders", "days": "90", "may": "run", "project": ""}


@pytest.fixture(autouse=True)
def nothing_guessed() -> None:
    cache.clear()


def make(browser: Client, **more: str) -> Any:
    return browser.post(reverse("token-make"), BODY | more)


def shown(answer: Any) -> str:
    """The token on the page that a new one is shown on."""
    found = re.search(r'id="new-token" value="(dpt_[\w-]{43})"', text(answer))
    assert found, text(answer)
    return found[1]


def works(value: str, **more: str) -> int:
    """How the API answers to it."""
    status: int = tokens.bearer(value, **more).get(reverse("api-projects")).status_code
    return status


# --- Made, shown once, kept as a hash -------------------------------------------------------------


def test_a_token_is_shown_once_and_works(owner: Client, team: world.Team) -> None:
    answer = make(owner)
    value = shown(answer)
    assert "no-store" in answer["Cache-Control"]
    assert "js/copy.js" in text(answer)  # what the button beside it needs
    assert works(value) == 200
    for page in (text(owner.get(reverse("settings"))), text(owner.get(reverse("api-docs")))):
        assert value not in page
        assert value[4:20] not in page
    assert "nightly renders" in text(owner.get(reverse("settings")))


def test_the_database_holds_nothing_that_lets_somebody_in(owner: Client, team: world.Team) -> None:
    """A thief of the rows has the hash, and the hash is no token."""
    value = shown(make(owner))
    row = ApiToken.objects.get()
    assert row.token_sha256 != value
    assert works(f"dpt_{row.token_sha256}"[:47]) == 401
    with connection.cursor() as cursor:
        cursor.execute("SELECT * FROM generations_apitoken")
        dumped = repr(cursor.fetchall())
    assert value not in dumped and value[4:] not in dumped
    assert row.token_sha256 in dumped


@pytest.mark.parametrize("days", ["30", "90", "365", "never"])
def test_how_long_it_works(owner: Client, team: world.Team, days: str) -> None:
    value = shown(make(owner, days=days))
    ends = ApiToken.objects.get().expires_at
    if days == "never":
        assert ends is None
    else:
        assert ends is not None
        assert abs(ends - timezone.now() - timedelta(days=int(days))) < timedelta(minutes=1)
        ApiToken.objects.update(expires_at=timezone.now())
        assert works(value) == 401
        assert "expired" in text(owner.get(reverse("settings")))


@pytest.mark.parametrize(
    "bad",
    [
        *({"name": ""}, {"name": " \n"}, {"name": "x" * 61}, {"name": "\0"}),
        *({"days": "31"}, {"days": ""}, {"days": "9" * 40}, {"days": "-1"}, {"days": "９０"}),
        *({"project": "x"}, {"project": "00000000-0000-4000-8000-000000000000"}),
    ],
)
def test_what_cannot_be_made_is_said(owner: Client, team: world.Team, bad: dict[str, str]) -> None:
    answer = make(owner, **bad)
    assert answer.status_code == 422
    assert 'id="token-error"' in text(answer)
    assert ApiToken.objects.count() == 0


def test_a_strangers_project_is_none_of_ones_own(owner: Client, team: world.Team) -> None:
    other = world.team("rivals").project
    assert make(owner, project=str(other.public_id)).status_code == 422
    assert "rivals" not in text(owner.get(reverse("settings")))
    assert make(owner, project=str(team.project.public_id)).status_code == 200


def test_nobody_has_any_number_of_them(
    owner: Client, team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rules, "MANY", 2)
    assert [make(owner).status_code for _each in range(3)] == [200, 200, 422]
    people.revoke_token(token=ApiToken.objects.all()[0])
    assert make(owner).status_code == 200


# --- Ended ----------------------------------------------------------------------------------------


def test_a_revoked_token_is_over_at_once(owner: Client, team: world.Team) -> None:
    value = shown(make(owner))
    assert works(value) == 200
    row = ApiToken.objects.get()
    assert owner.post(reverse("token-revoke", args=[row.public_id])).status_code == 302
    assert works(value) == 401
    assert "nightly renders" not in text(owner.get(reverse("settings")))


def test_nobody_revokes_anothers(owner: Client, writer: Client, team: world.Team) -> None:
    value = shown(make(owner))
    where = reverse("token-revoke", args=[ApiToken.objects.get().public_id])
    assert writer.post(where).status_code == 404
    assert "nightly renders" not in text(writer.get(reverse("settings")))
    assert works(value) == 200


def test_it_ends_with_its_person_and_with_their_membership(team: world.Team) -> None:
    value = tokens.token(team.editor, project=team.project)
    program = tokens.bearer(value)
    Membership.objects.filter(user=team.editor).delete()
    assert program.get(reverse("api-projects")).json() == {"projects": []}
    assert program.get(tokens.runs_of(team)).status_code == 404
    team.editor.is_active = False
    team.editor.save()
    assert works(value) == 401


# --- Used -----------------------------------------------------------------------------------------


def test_last_used_is_written_at_most_once_a_minute(
    team: world.Team, django_assert_num_queries: Any
) -> None:
    value = tokens.token(team.owner)
    people.admit(token=value, address="127.0.0.1")
    first = tokens.row(value).last_used_at
    assert first is not None
    with django_assert_num_queries(1):
        people.admit(token=value, address="127.0.0.1")
    assert tokens.row(value).last_used_at == first
    ApiToken.objects.update(last_used_at=timezone.now() - timedelta(seconds=61))
    with django_assert_num_queries(2):
        people.admit(token=value, address="127.0.0.1")
    later = tokens.row(value).last_used_at
    assert later is not None
    assert later > first


@pytest.mark.parametrize(
    "header",
    [
        *("", "Bearer", "Bearer ", "Basic dpt_x", "Token {}", "{}", "bearer={}", "Bearer {} {}"),
        *("Bearer {}x", "Bearer dpt_", "Bearer " + "x" * 10_000, "Bearer \udcff\x01", "Bearer é"),
    ],
)
def test_nothing_but_a_bearer_lets_in(team: world.Team, header: str) -> None:
    value = tokens.token(team.owner)
    program = Client(headers={"authorization": header.replace("{}", value)})
    assert program.get(reverse("api-projects")).status_code == 401
    for query in ({"token": value}, {"access_token": value}, {"Authorization": f"Bearer {value}"}):
        assert Client().get(reverse("api-projects"), query).status_code == 401


# --- Guessed --------------------------------------------------------------------------------------


def guess(number: int, address: str = "203.0.113.9") -> Any:
    value = f"dpt_{number:043d}"
    return tokens.bearer(value).get(reverse("api-projects"), REMOTE_ADDR=address)


def lookups(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Tokens that were really compared with the rows."""
    seen: list[str] = []
    inner = rules._working

    def look(token: str, digest: str) -> ApiToken | None:
        seen.append(token)
        return inner(token, digest)

    monkeypatch.setattr(rules, "_working", look)
    return seen


def test_a_thousand_guesses_are_ten(team: world.Team, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = lookups(monkeypatch)
    answers = [guess(number) for number in range(1000)]
    assert [each.status_code for each in answers[:10]] == [401] * 10
    assert {each.status_code for each in answers[10:]} == {429}
    assert int(answers[-1]["Retry-After"]) == 900
    assert len(compared) == 10
    # A right one from there is not looked at either; from elsewhere nothing has changed.
    value = tokens.token(team.owner)
    assert works(value) == 200
    there = tokens.bearer(value).get(reverse("api-projects"), REMOTE_ADDR="203.0.113.9")
    assert there.status_code == 429


def test_without_the_limit_they_would_all_be_compared(
    team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    compared = lookups(monkeypatch)
    monkeypatch.setattr(rules, "WRONG_MOST", 10**9)
    assert {guess(number).status_code for number in range(50)} == {401}
    assert len(compared) == 50


def test_a_forgotten_script_locks_nobody_out(team: world.Team) -> None:
    """One expired token, sent again and again from the office; and who has worked from there goes on."""
    value = tokens.token(team.owner)
    assert {guess(1).status_code for _each in range(40)} == {401}
    program = tokens.bearer(value)
    assert program.get(reverse("api-projects"), REMOTE_ADDR="203.0.113.9").status_code == 200
    assert {guess(number).status_code for number in range(2, 30)} == {401, 429}
    assert program.get(reverse("api-projects"), REMOTE_ADDR="203.0.113.9").status_code == 200


def test_an_address_is_not_told_by_a_header_and_a_household_is_one(team: world.Team) -> None:
    for number in range(11):
        forged = {"x-forwarded-for": f"198.51.100.{number}"}
        value = f"dpt_{number:043d}"
        answer = tokens.bearer(value, **forged).get(reverse("api-projects"))
    assert answer.status_code == 429
    for number in range(11):
        answer = guess(number, f"2001:db8::{number + 1:x}")
    assert answer.status_code == 429
    assert guess(99, "2001:db8:0:1::1").status_code == 401
    assert guess(99, "").status_code == 401  # behind a Unix socket


@pytest.mark.parametrize("path", ["/api/", "/api/v1/no-such/", "/api/v1/projects/x/y/"])
def test_an_address_that_is_none_is_refused_in_the_apis_shape(path: str) -> None:
    answer = Client(headers={"accept-language": "en"}).get(path)
    assert answer.status_code == 404
    assert [each["message"] for each in answer.json()["problems"]] == [
        "There is no call at this address. The documentation lists them all."
    ]
    page = Client().get("/no-such/")
    assert (page.status_code, page.headers["Content-Type"][:9]) == (404, "text/html")
