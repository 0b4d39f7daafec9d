"""What binds a person is seen before and when it binds: page, top bar, footer, refusal, and on from there."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import translation

from generations.models import Allowance, Balance, LedgerEntry, Membership, Project, User
from generations.services import compose, quota
from tests import test_access, world
from tests.pages import HTMX, text, url
from tests.people import client_of

pytestmark = pytest.mark.django_db
UTC = ZoneInfo("UTC")
Scope, Period = Allowance.Scope, Allowance.Period


def allow(limit: int, scope: str = Scope.PERSON, **more: object) -> Allowance:
    return Allowance.objects.create(scope=scope, limit=limit, **more)


def run(team: world.Team, count: int = 1, user: User | None = None) -> None:
    compose.submit(
        project=team.project,
        user=user or team.editor,
        engine=world.ENGINE,
        prompt="一只柯基",
        settings={},
        count=count,
    )


def press(client: Client, team: world.Team, count: int) -> Any:
    body = test_access._compose_body(team) | {"count": str(count)}
    return client.post(url(team, "compose"), body, headers=HTMX)


def words(response: Any) -> str:
    """The page's words, without markup."""
    plain = re.sub(r"<[^>]*>", " ", text(response))
    return re.sub(r"\s+", " ", plain)


def test_spend_it_see_it_get_more_go_on(team: world.Team) -> None:
    """The whole way, with an administrator at the other end."""
    allowance = allow(4)
    editor = client_of(team.editor)
    assert press(editor, team, 4).status_code == 200
    usage = words(editor.get(reverse("usage")))
    assert "Today nothing left" in usage
    assert "0 used, 4 reserved, of 4" in usage
    refused = press(editor, team, 2)
    assert refused.status_code == 422
    assert "This needs 2 images, but you have 0 left today." in text(refused)
    assert "That limit starts anew on" in text(refused)
    assert 'value="2"' in text(refused)  # what was typed is still there
    boss = world.person("boss", is_staff=True, is_superuser=True)
    desk = client_of(boss)
    page = reverse("admin:generations_allowance_changelist")
    chosen = {"action": "give_more", "_selected_action": [str(allowance.pk)]}
    asked = desk.post(page, chosen)
    assert "It is added to what is left" in text(asked)
    body = chosen | {"apply": "1", "amount": "3", "why": "big pitch"}
    assert desk.post(page, body).status_code == 302
    assert press(editor, team, 2).status_code == 200
    assert "1 image left" in words(editor.get(reverse("usage")))
    entry = LedgerEntry.objects.get(kind=LedgerEntry.Kind.ADJUST, balance__user=team.editor)
    assert (entry.amount, entry.actor, entry.why) == (3, boss, "big pitch")
    assert quota.discrepancies() == []


def test_the_page_shows_everything_that_binds(team: world.Team) -> None:
    allow(50, Scope.SITE, period=Period.MONTH)
    allow(10)
    allow(20, Scope.PROJECT, project=team.project)
    other = world.team("rivals")
    allow(7, Scope.PROJECT, project=other.project)
    allow(99, user=other.owner)
    allow(3, Scope.SITE, enabled=False)
    run(team, 2)
    shown = words(client_of(team.viewer).get(reverse("usage")))
    assert "Today 10 images left" in shown
    assert "Site this month 48 images left" in shown
    assert "acme" in shown and "Project today 18 images left" in shown
    assert "rivals" not in shown
    assert "of 99" not in shown and "of 3 " not in shown
    own = quota.usage(user=other.owner)
    assert [meter.limit for meter in own.mine] == [99, 50]


def test_without_limits_it_says_so(team: world.Team) -> None:
    assert "Nothing limits you here." in words(client_of(team.viewer).get(reverse("usage")))


def test_constant_queries_however_many_projects(team: world.Team) -> None:
    allow(5)
    allow(20, Scope.PROJECT, project=team.project)
    viewer, counts = client_of(team.viewer), []
    viewer.get(reverse("usage"))
    for n in range(2):
        with CaptureQueriesContext(connection) as caught:
            viewer.get(reverse("usage"))
        counts.append(len(caught))
        for each in range(5):
            more = Project.objects.create(name=f"P{n}{each}", slug=f"p{n}{each}")
            Membership.objects.create(project=more, user=team.viewer)
            allow(3, Scope.PROJECT, project=more)
            allow(3, Scope.PROJECT, project=more, period=Period.MONTH)
    assert counts[0] == counts[1]


def test_at_four_fifths_bar_and_footer_warn(team: world.Team) -> None:
    allow(5)
    editor = client_of(team.editor)
    assert press(editor, team, 3).status_code == 200
    calm = text(editor.get(url(team)))
    assert 'class="quota"' in calm and 'class="left"' in calm
    answer = text(press(editor, team, 1))
    assert 'class="quota near"' in answer and "only 1 left until" in answer
    page = text(editor.get(url(team)))
    assert 'class="quota near"' in page and "starts anew on" in page


def test_the_top_bar_knows_the_projects_limit_too(team: world.Team) -> None:
    allow(100)
    allow(6, Scope.PROJECT, project=team.project)
    editor = client_of(team.editor)
    assert "Project today: 6 left" in words(editor.get(url(team)))
    assert "Project today: 4 left" in words(press(editor, team, 2))


@pytest.mark.parametrize(
    ("scope", "period", "says"),
    [
        (Scope.SITE, Period.DAY, "1 left for the whole site today"),
        (Scope.SITE, Period.MONTH, "1 left for the whole site this month"),
        (Scope.PROJECT, Period.MONTH, "1 left for this project this month"),
        (Scope.PERSON, Period.MONTH, "you have 1 left this month"),
    ],
)
def test_a_refusal_names_the_limit_and_when_it_starts_anew(
    team: world.Team, scope: str, period: str, says: str
) -> None:
    more = {"project": team.project} if scope == Scope.PROJECT else {}
    allow(1, scope, period=period, **more)
    with translation.override("en"), pytest.raises(quota.OverLimit) as refused:
        run(team, 2)
    assert says in refused.value.message
    assert re.search(r"starts anew on \w+ \d+ 00:00;", refused.value.message)


@pytest.mark.parametrize(
    ("period", "now", "then"),
    [
        ("day", datetime(2026, 11, 21, 15, 59, tzinfo=UTC), "2026-11-21T16:00"),
        ("day", datetime(2026, 11, 21, 16, 0, tzinfo=UTC), "2026-11-22T16:00"),
        ("month", datetime(2026, 11, 30, 15, 59, tzinfo=UTC), "2026-11-30T16:00"),
        ("month", datetime(2026, 12, 31, 15, 0, tzinfo=UTC), "2026-12-31T16:00"),
        ("month", datetime(2027, 1, 30, 20, 0, tzinfo=UTC), "2027-01-31T16:00"),
    ],
)
def test_when_a_period_ends(period: str, now: datetime, then: str) -> None:
    ends = quota.resets_at(period, now)
    assert ends.astimezone(UTC).isoformat()[:16] == then
    assert quota.period_key(period, ends) != quota.period_key(period, now)


# --- What administrators give -------------------------------------------------------------------


def test_more_for_everyone_reaches_each_person_whom_it_binds(team: world.Team) -> None:
    each = allow(2)
    own = allow(9, user=team.owner)
    User.objects.filter(pk=team.viewer.pk).update(is_active=False)
    assert quota.grant(allowances=[each], amount=5, actor=team.owner, why="x") == 1
    balance = Balance.objects.get(allowance=each)
    assert (balance.user, balance.granted) == (team.editor, 7)
    assert not Balance.objects.filter(allowance=own).exists()
    assert quota.discrepancies() == []


def test_what_was_given_stays_when_the_limit_changes(team: world.Team) -> None:
    allowance = allow(4, Scope.SITE)
    quota.grant(allowances=[allowance], amount=3, actor=team.owner, why="limit changed")
    for limit, granted in ((4, 7), (10, 13), (1, 4), (0, 3), (4, 7)):
        allowance.limit = limit
        allowance.save()
        quota.apply_limit(allowance=allowance, actor=team.owner)
        assert Balance.objects.get().granted == granted
        assert quota.discrepancies() == []


def test_an_allowance_of_ones_own_takes_the_place_of_everyones(team: world.Team) -> None:
    allow(1)
    people = [team.editor, team.viewer]
    wish: dict[str, Any] = {"period": "day", "actor": team.owner, "why": "lead"}
    assert quota.give_own(users=people, limit=6, **wish) == 2
    run(team, 5)
    assert quota.give_own(users=people, limit=2, **wish) == 2
    assert Allowance.objects.filter(user__in=people, limit=2).count() == 2
    assert Balance.objects.get(user=team.editor).granted == 5
    with pytest.raises(quota.OverLimit):
        run(team, 1)
    opened = LedgerEntry.objects.filter(kind=LedgerEntry.Kind.GRANT, actor=team.owner)
    assert set(opened.values_list("why", flat=True)) == {"lead"}
    assert quota.discrepancies() == []
