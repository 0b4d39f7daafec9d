"""The feed: older cards, new ones, and what a page of them costs."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.models import Generation, JobState
from generations.services.gallery import Cursor
from tests import world
from tests.pages import HTMX, ids, text, url

pytestmark = pytest.mark.django_db
S = JobState


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.editor)
    return client


def test_the_feed_goes_back_without_gaps_or_doubles(browser: Client, team: world.Team) -> None:
    moment = timezone.now()
    made = [world.generation(team.project, team.editor, states=(S.CANCELLED,)) for _ in range(30)]
    Generation.objects.update(created_at=moment)  # equal times: the id decides
    page = text(browser.get(url(team)))
    seen = ids(page)
    while link := re.search(r'class="btn older" href="([^"]+)"', page):
        page = text(browser.get(link[1].replace("&amp;", "&"), headers=HTMX))
        seen += ids(page)
    wanted = [str(row.public_id) for row in [team.generation, *made]]
    assert seen == wanted[::-1]
    plain = text(browser.get(url(team, "feed"), {"after": str(Cursor(moment, made[5].pk))}))
    assert plain.startswith("<!doctype")
    assert ids(plain) == wanted[:6][::-1]


def test_what_came_meanwhile_is_put_on_top(browser: Client, team: world.Team) -> None:
    shown = Cursor(team.generation.created_at, team.generation.pk)
    newer = {"newer": str(shown)}
    assert ids(text(browser.get(url(team, "feed"), newer, headers=HTMX))) == []
    made = [world.generation(team.project, team.editor, states=(S.CANCELLED,)) for _ in range(2)]
    answer = browser.get(url(team, "feed"), newer, headers=HTMX)
    assert ids(text(answer)) == [str(row.public_id) for row in reversed(made)]
    assert "HX-Reswap" not in answer
    assert 'id="newest" hx-swap-oob="outerHTML"' in text(answer)
    for _ in range(25):
        world.generation(team.project, team.editor, states=(S.CANCELLED,))
    answer = browser.get(url(team, "feed"), newer, headers=HTMX)
    assert answer["HX-Reswap"] == "innerHTML"
    assert len(ids(text(answer))) == 12
    assert 'class="btn older"' in text(answer)


def test_the_page_costs_the_same_for_two_cards_and_for_twelve(
    browser: Client, team: world.Team
) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert browser.get(url(team)).status_code == 200
        return len(caught)

    states = (S.SUCCEEDED, S.FAILED, S.UNCERTAIN, S.QUEUED)
    world.generation(team.project, team.editor, states=states)
    browser.get(url(team))
    before = count()
    for _ in range(10):
        world.generation(team.project, team.editor, states=states)
    assert count() == before
    assert before <= 26
