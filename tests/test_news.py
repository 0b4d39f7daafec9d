"""The bell: what ended while one was away."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.models import Generation, JobState, Membership
from generations.services.gallery import news
from tests import world
from tests.pages import HTMX, text

pytestmark = pytest.mark.django_db
S = JobState
State = Generation.State


@pytest.fixture
def browser(team: world.Team) -> Client:
    team.editor.news_seen_at = timezone.now() - timedelta(hours=1)
    team.editor.save()
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.editor)
    return client


def ended(team: world.Team, prompt: str, **fields: Any) -> Generation:
    made = world.generation(team.project, fields.pop("user", team.editor), prompt=prompt)
    usual = {"finished_at": timezone.now() - timedelta(minutes=1), "state": State.SUCCEEDED}
    Generation.objects.filter(pk=made.pk).update(**(usual | fields))
    return made


def bell(browser: Client) -> str:
    page = text(browser.get("/projects/"))
    return page.partition('id="bell"')[2].partition("</a>")[0]


def test_mine_that_ended_since_i_looked(browser: Client, team: world.Team) -> None:
    rivals = world.team("rivals")
    ended(team, "新的猫")
    ended(team, "失败的猫", state=State.FAILED)
    ended(team, "旧的猫", finished_at=timezone.now() - timedelta(hours=2))
    ended(team, "别人的狗", user=team.owner)
    ended(team, "没完的猫", finished_at=None, state=State.ACTIVE)
    ended(rivals, "从前的项目")  # the person is no member there
    assert "News: 2 unread" in bell(browser)
    page = text(browser.get("/news/", headers=HTMX))
    assert page.count('class="fresh"') == 2
    assert page.index("失败的猫") < page.index("旧的猫")
    assert "Failed" in page
    assert "<img" in page
    for other in ("别人的狗", "没完的猫", "从前的项目"):
        assert other not in page


def test_opening_marks_what_was_shown_as_seen(browser: Client, team: world.Team) -> None:
    ended(team, "猫")
    page = text(browser.get("/news/", headers=HTMX))
    until = page.partition('data-until="')[2].partition('"')[0]
    ended(team, "后来的猫", finished_at=timezone.now())
    assert browser.post("/news/", {"until": until}, headers=HTMX).status_code == 204
    assert "News: 1 unread" in bell(browser)
    browser.post("/news/", {"until": "2020-01-01T00:00:00+00:00"}, headers=HTMX)
    assert "News: 1 unread" in bell(browser)  # never back
    browser.post("/news/", {"until": "2999-01-01T00:00:00+00:00"}, headers=HTMX)
    assert "unread" not in bell(browser)
    ended(team, "将来的猫", finished_at=timezone.now())
    assert "News: 1 unread" in bell(browser)  # never past now


@pytest.mark.parametrize("odd", ["", "x", "2026-11-21", "2026-13-45T00:00:00+00:00", "\0"])
def test_without_scripts_a_button_does_it(browser: Client, team: world.Team, odd: str) -> None:
    assert "Nothing has ended yet." in text(browser.get("/news/"))
    ended(team, "猫")
    assert "Mark as seen" in text(browser.get("/news/"))
    assert browser.post("/news/", {"until": odd})["Location"] == "/news/"
    assert "Mark as seen" not in text(browser.get("/news/"))


def test_a_page_in_the_background_counts_since_it_went_there(
    browser: Client, team: world.Team
) -> None:
    waits = ended(team, "没完的猫", finished_at=None, state=State.ACTIVE)
    began = browser.get("/news/count/").json()
    assert (began["ended"], began["more"]) == (0, True)
    Generation.objects.filter(pk=waits.pk).update(finished_at=timezone.now(), state=State.SUCCEEDED)
    now = browser.get("/news/count/", {"since": began["since"]}).json()
    assert (now["ended"], now["more"], now["newest"]) == (1, False, "没完的猫")
    assert now["text"] == "1 run has ended"


def test_twenty_are_shown_with_a_fixed_number_of_queries(browser: Client, team: world.Team) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as caught:
            browser.get("/news/")
        return len(caught)

    ended(team, "猫")
    count()
    few = count()
    for _each in range(30):
        ended(team, "猫")
    assert count() == few
    assert len(news.newest(user=team.editor)) == 20
    assert "News: 20 unread" in bell(browser)


def test_who_left_a_project_hears_no_more_of_it(browser: Client, team: world.Team) -> None:
    ended(team, "猫")
    assert "News: 1 unread" in bell(browser)
    Membership.objects.filter(user=team.editor).delete()
    assert "unread" not in bell(browser)
    assert "猫" not in text(browser.get("/news/", headers=HTMX))


def test_the_test_of_leaving_turns_red_without_the_guard(
    browser: Client, team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    monkeypatch.setattr(type(Generation.objects.all()), "visible_to", lambda self, user: self.all())
    with pytest.raises(AssertionError):
        test_who_left_a_project_hears_no_more_of_it(browser, team)
