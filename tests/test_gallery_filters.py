"""What the gallery is narrowed to and how it is ordered: all in the address, nonsense counts as nothing."""

from __future__ import annotations

import re
from datetime import timedelta
from html import unescape
from typing import Any
from urllib.parse import parse_qs

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generations.models import Asset, Membership, Role
from generations.services import gallery
from generations.services.gallery import Filters, Place
from tests import world
from tests.pages import text, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> world.Team:
    return world.team("acme")


@pytest.fixture
def many(team: world.Team) -> list[Asset]:
    """Eight pictures, a day apart, of two people; rated 1 to 5, some favourites."""
    for n in range(8):
        made = world.generation(team.project, team.owner if n % 2 else team.editor, prompt=f"n{n}")
        picture = made.assets.get()
        moment = picture.created_at - timedelta(days=n)
        Asset.objects.filter(pk=picture.pk).update(
            created_at=moment, rating=n % 6 or None, favourite=n in (2, 3)
        )
    return list(Asset.objects.filter(generation__prompt__startswith="n").order_by("-created_at"))


def shown(team: world.Team, **query: str) -> list[str]:
    found = gallery.assets(project=team.project, filters=Filters.of(query), limit=50).assets
    return [each.generation.prompt for each in found if each.generation]


def test_each_filter_narrows(team: world.Team, many: list[Asset]) -> None:
    everything = shown(team)
    assert len(everything) == 9
    assert set(shown(team, person=team.owner.username)) == {"n1", "n3", "n5", "n7"}
    assert set(shown(team, rating="4")) == {"n4", "n5"}
    assert set(shown(team, favourite="1")) == {"n2", "n3"}
    assert shown(team, favourite="1", rating="3") == ["n3"]
    assert shown(team, engine="no-such") == []
    assert len(shown(team, engine=world.ENGINE)) == 9
    assert shown(team, kind="video") == []
    day = many[3].created_at.astimezone(tz=None).date().isoformat()
    assert "n7" not in shown(team, since=day)
    assert "n0" not in shown(team, until=day)


@pytest.mark.parametrize(
    "query",
    [
        {"rating": "9"},
        {"rating": "x"},
        {"since": "yesterday"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"sort": "random"},
        {"kind": "\0"},
        {"favourite": "maybe"},
        {"after": "5.nonsense"},
        {"after": "x" * 500},
    ],
)
def test_nonsense_counts_as_nothing(team: world.Team, query: dict[str, str]) -> None:
    client = Client()
    client.force_login(team.viewer)
    page = client.get(url(team, "gallery"), query)
    assert page.status_code == 200
    assert text(page).count('class="shot"') == 1


@pytest.mark.parametrize("sort", ["", "oldest", "best"])
def test_pages_of_every_order_neither_miss_nor_repeat(
    team: world.Team, many: list[Asset], sort: str
) -> None:
    filters = Filters.of({"sort": sort})
    whole = [each.pk for each in gallery.assets(project=team.project, filters=filters).assets]
    pieces: list[int] = []
    place: Place | None = None
    for _ in range(9):
        page = gallery.assets(project=team.project, filters=filters, after=place, limit=2)
        pieces += [each.pk for each in page.assets]
        if page.next is None:
            break
        place = Place.parse(str(page.next))
    assert pieces == whole
    assert len(whole) == 9
    if sort == "best":
        ratings = [Asset.objects.get(pk=pk).rating or 0 for pk in whole]
        assert ratings == sorted(ratings, reverse=True)


def test_the_address_keeps_the_filters_and_the_page_shows_them(
    team: world.Team, many: list[Asset], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generations.views.gallery.PAGE", 2)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.viewer)
    page = text(client.get(url(team, "gallery"), {"rating": "2", "sort": "best"}))
    assert "rating=2&amp;sort=best&amp;after=" in page
    assert '<option value="2" selected>' in page
    nothing = text(client.get(url(team, "gallery"), {"q": "nowhere"}))
    assert "Nothing matches" in nothing
    hostile = text(client.get(url(team, "gallery"), {"q": '"><script>alert(1)</script>'}))
    assert "<script>alert" not in hostile


def test_everything_i_made_is_mine_and_only_where_i_still_am(team: world.Team) -> None:
    other = world.team("rivals")
    Membership.objects.create(project=other.project, user=team.editor, role=Role.EDITOR)
    mine = world.generation(other.project, team.editor, prompt="elsewhere").assets.get()
    client = Client()
    client.force_login(team.editor)
    page = text(client.get(reverse("everything")))
    assert str(mine.public_id) in page
    assert str(team.asset.public_id) in page
    assert str(other.asset.public_id) not in page
    Membership.objects.filter(project=other.project, user=team.editor).delete()
    assert str(mine.public_id) not in text(client.get(reverse("everything")))


@pytest.mark.parametrize("name", ["gallery", "everything"])
def test_as_many_queries_for_many_as_for_few(team: world.Team, name: str) -> None:
    client = Client()
    client.force_login(team.editor)
    page = reverse(name) if name == "everything" else url(team, name)

    def count(query: dict[str, Any]) -> int:
        with CaptureQueriesContext(connection) as asked:
            assert client.get(page, query).status_code == 200
        return len(asked)

    query = {"q": "柯基", "sort": "best"}
    count(query)
    few = count(query)
    for _ in range(12):
        world.generation(team.project, team.editor)
    assert count(query) == few


@pytest.mark.parametrize("sort", ["", "oldest", "best"])
def test_every_page_is_read_along_an_index(team: world.Team, many: list[Asset], sort: str) -> None:
    """Neither the whole table nor a sort of it: at 100,000 pictures that would be the page's time."""
    if connection.vendor != "sqlite":
        pytest.skip("the plan is read in SQLite's words")
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")  # one project only: the planner knows that it narrows nothing
    filters = Filters.of({"sort": sort})
    first = gallery.assets(project=team.project, filters=filters, limit=2)
    with CaptureQueriesContext(connection) as asked:
        gallery.assets(project=team.project, filters=filters, after=first.next, limit=2)
        gallery.assets(project=team.project, filters=filters, limit=2)
    pages = [each["sql"] for each in asked if 'FROM "generations_asset"' in each["sql"]]
    assert len(pages) >= 2
    for sql in pages:
        with connection.cursor() as cursor:
            cursor.execute(f"EXPLAIN QUERY PLAN {sql}")
            plan = " ".join(str(row[3]) for row in cursor.fetchall())
        assert "SEARCH generations_asset USING INDEX asset_" in plan, (plan, sql)
        assert "TEMP B-TREE" not in plan.replace("LAST TERM", ""), plan


CHIP = re.compile(r'<a class="chip" href="\?([^"]*)"[^>]*><span>([^<]*)</span>')


def test_each_filter_is_a_chip_that_leads_to_the_address_without_it(team: world.Team) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.viewer)
    query = {
        "q": '白鹤 "<b>',
        "person": team.editor.username,
        "engine": world.ENGINE,
        "rating": "3",
        "state": "succeeded",
        "favourite": "1",
        "since": "2026-01-02",
        "until": "2026-03-04",
        "kind": "image",
    }
    page = text(client.get(url(team, "gallery"), query | {"sort": "best"}))
    chips = {unescape(words): parse_qs(unescape(href)) for href, words in CHIP.findall(page)}
    assert len(chips) == len(query)
    left_out = [set(query) - set(address) for address in chips.values()]
    assert {name for names in left_out for name in names} == set(query)
    assert all(len(names) == 1 for names in left_out)
    assert all(address["sort"] == ["best"] for address in chips.values())
    assert "Up to March 4, 2026" in chips
    assert "★ 3+" in chips
    assert '“白鹤 "<b>”' in chips
    assert '<a class="btn ghost sm" href="?sort=best">Clear all</a>' in page
    plain = text(client.get(url(team, "gallery"), {"sort": "best", "rating": "9"}))
    assert "Clear all" not in plain  # an order is no filter, nonsense is none
    assert not CHIP.findall(plain)


def test_without_people_to_name_a_person_is_shown_as_asked_for(team: world.Team) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.viewer)
    page = text(client.get(reverse("everything"), {"person": "x<i>", "engine": "gone-1.0"}))
    assert [words for _href, words in CHIP.findall(page)] == ["x&lt;i&gt;", "gone-1.0"]


def test_each_day_can_be_chosen_whole(team: world.Team, many: list[Asset]) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.viewer)
    page = text(client.get(url(team, "gallery")))
    assert page.count("data-whole-day") == page.count("data-day=") == 8
    assert "data-whole-day" not in text(client.get(url(team, "gallery"), {"sort": "best"}))
