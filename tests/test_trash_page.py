"""The page of the trash: what went last stands first, and each picture says how long it has."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from generations.models import Asset
from generations.services import gallery
from generations.services.gallery import Place, trash
from tests import world
from tests.pages import text, url

pytestmark = pytest.mark.django_db


def thrown(team: world.Team, *days: int) -> list[Asset]:
    """A picture for each number of days, thrown away that long ago; the first is the oldest one."""
    found = []
    now = timezone.now()
    for number in days:
        picture = world.generation(team.project, team.editor).assets.get()
        Asset.objects.filter(pk=picture.pk).update(trashed_at=now - timedelta(days=number))
        picture.refresh_from_db()
        found.append(picture)
    return found


def test_what_went_last_stands_first_and_no_page_misses_one(team: world.Team) -> None:
    made = thrown(team, 3, 1, 2, 2, 2, 0, 29)
    wanted = [each.pk for each in sorted(made, key=lambda each: (each.trashed_at, each.pk))][::-1]
    assert [each.pk for each in gallery.trashed(project=team.project).assets] == wanted
    seen: list[int] = []
    place: Place | None = None
    for _page in range(9):
        page = gallery.trashed(project=team.project, after=place, limit=2)
        seen += [each.pk for each in page.assets]
        if page.next is None:
            break
        place = Place.parse(str(page.next))
    assert seen == wanted


def test_the_trash_is_read_along_its_index(team: world.Team) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("the plan is read in SQLite's words")
    thrown(team, 1, 2, 3)
    first = gallery.trashed(project=team.project, limit=1)
    with CaptureQueriesContext(connection) as asked:
        gallery.trashed(project=team.project, after=first.next, limit=1)
    with connection.cursor() as cursor:
        cursor.execute(f"EXPLAIN QUERY PLAN {asked[0]['sql']}")
        plan = " ".join(str(row[3]) for row in cursor.fetchall())
    assert "SEARCH generations_asset USING INDEX asset_trash_page" in plan, plan
    assert "TEMP B-TREE" not in plan.replace("LAST TERM", ""), plan


def test_each_says_how_many_days_it_has(team: world.Team) -> None:
    fresh, last, late = thrown(team, 0, 29, 31)
    assert [trash.days_left(each) for each in (fresh, last, late)] == [30, 1, 0]
    assert trash.days_left(team.asset) == 30
    reader = Client(headers={"Accept-Language": "en"})
    reader.force_login(team.viewer)
    page = text(reader.get(url(team, "trash")))
    assert re.findall(r'<span class="stars num">([^<]*)</span>', page) == [
        "30 days left",
        "1 day left",
        "Gone any moment",
    ]
