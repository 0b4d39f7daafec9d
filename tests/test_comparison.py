"""The page that compares two to four pictures: its address, its strip, what it tells."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generations.models import (
    Asset,
)
from generations.models.files import AssetQuerySet
from generations.services import gallery
from tests import world
from tests.comparing import DONE, made
from tests.pages import address, text

pytestmark = pytest.mark.django_db


def shown(page: str) -> list[tuple[str, str]]:
    """Letter and picture of every pane."""
    return [
        (letter, asset)
        for asset, letter in re.findall(r'data-asset="([0-9a-f-]{36})" data-letter="(\w)"', page)
    ]


def lettered(*assets: Asset) -> list[tuple[str, str]]:
    return [(letter, str(each.public_id)) for letter, each in zip("abcd", assets, strict=False)]


def strip(page: str) -> list[str]:
    """Where each picture of the strip below leads."""
    film = page.split('<nav class="thumbs"')[1].split("</nav>", maxsplit=1)[0]
    return re.findall(r'href="([^"]+)"', film.replace("&amp;", "&"))


# --- what the address says ---


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_address_is_the_comparison(reader: Client, five: list[Asset], count: int) -> None:
    page = text(reader.get(address(*five[:count])))
    assert shown(page) == lettered(*five[:count])
    usual = "grid" if count == 4 else "side"
    assert f'class="stage n{count} {usual}"' in page
    for mode in ("slider", "side", "grid", "flicker"):
        page = text(reader.get(address(*five[:count], mode=mode)))
        assert f'class="stage n{count} {mode}"' in page
    assert f'class="stage n{count} {usual}"' in text(reader.get(address(*five[:count], mode="<b>")))


def test_more_than_four_are_the_first_four_and_a_sentence(reader: Client, team: world.Team) -> None:
    many = world.generation(team.project, team.editor, states=(DONE,) * 13).assets.order_by("pk")
    page = text(reader.get(address(*many)))
    assert shown(page) == lettered(*many)
    assert "Up to four pictures can be compared. These are the first four of 13." in page
    again = "&".join(f"a={each.public_id}" for each in many)
    page = text(reader.get(f"{reverse('compare')}?{again}"))
    assert shown(page) == lettered(*many)
    assert "first four of 13" in page


def test_a_picture_named_twice_is_shown_once(reader: Client, five: list[Asset]) -> None:
    page = text(reader.get(address(five[0], five[1], five[0])))
    assert shown(page) == lettered(*five[:2])
    assert "named more than once" in page
    assert "named more than once" not in text(reader.get(address(*five[:2])))


def test_one_picture_waits_for_another(reader: Client, five: list[Asset]) -> None:
    for page in (text(reader.get(address(five[0]))), text(reader.get(address(five[0], five[0])))):
        assert shown(page) == lettered(five[0])
        assert "Choose B in the strip below" in page
        assert address(five[0], five[2], mode="side") in strip(page)
    Asset.objects.exclude(pk=five[0].pk).delete()
    assert "There is no other picture here yet" in text(reader.get(address(five[0])))
    assert "Choose pictures in the studio or the gallery" in text(reader.get(reverse("compare")))


@pytest.mark.parametrize("bad", ["x", "%00", "1", "%F0%9F%90%B1", "a" * 10_000, "%ED%A0%80"])
@pytest.mark.parametrize("name", ["a", "b", "d", "m", "pick"])
def test_what_is_no_id_is_not_found(reader: Client, team: world.Team, name: str, bad: str) -> None:
    page = f"{reverse('compare')}?a={team.asset.public_id}&{name}={bad}"
    assert reader.get(page).status_code == 404


@pytest.mark.parametrize("letter", ["a", "b", "c", "d"])
def test_a_foreign_or_deleted_picture_is_not_found(
    reader: Client, five: list[Asset], letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = world.team("rivals").asset
    for gone in (str(foreign.public_id), str(uuid4())):
        ids = dict(zip("abcd", (str(each.public_id) for each in five), strict=False))
        assert reader.get(reverse("compare"), ids).status_code == 200
        assert reader.get(reverse("compare"), ids | {letter: gone}).status_code == 404
    # With the guard gone the foreign one is shown: the 404 above is the guard's.
    monkeypatch.setattr(AssetQuerySet, "visible_to", lambda self, user: self.all())
    assert reader.get(reverse("compare"), {"a": str(foreign.public_id)}).status_code == 200


def test_a_picture_in_the_trash_says_so_and_leaves_the_strip(
    reader: Client, five: list[Asset]
) -> None:
    Asset.objects.filter(pk__in=[five[1].pk, five[4].pk]).update(trashed_at=timezone.now())
    page = text(reader.get(address(*five[:2])))
    assert page.count("In the trash") == 1
    assert len([each for each in strip(page) if str(five[4].public_id) in each]) == 0
    assert "In the trash" not in text(reader.get(address(five[0], five[2])))


def test_a_plain_form_of_chosen_pictures_leads_to_the_address(
    reader: Client, five: list[Asset]
) -> None:
    picks = [str(each.public_id) for each in five[:3]]
    answer = reader.get(reverse("compare"), {"pick": picks})
    assert answer.status_code == 302
    assert answer["Location"] == address(*five[:3])
    all_five = reader.get(
        reverse("compare"), {"pick": [str(each.public_id) for each in five]}, follow=True
    )
    assert "first four of 5" in text(all_five)


# --- the strip ---


def test_the_strip_puts_a_picture_at_the_letter_that_is_chosen(
    reader: Client, five: list[Asset]
) -> None:
    three = five[:3]
    page = text(reader.get(address(*three, at="c")))
    ways = strip(page)
    assert address(three[0], three[1], five[3], mode="side", at="c") in ways
    assert (
        address(three[2], three[1], three[0], mode="side", at="c") in ways
    )  # changes places with A
    assert page.split('<nav class="thumbs"')[1].count('aria-current="true"') == 1
    added = strip(text(reader.get(address(*three, at="d"))))
    assert address(*three, five[3], mode="side", at="d") in added
    for odd in ("z", "", "<", "aa"):
        assert address(three[0], five[3], three[2], mode="side") in strip(
            text(reader.get(address(*three, at=odd)))
        )


def test_swap_remove_and_letters_are_links(reader: Client, five: list[Asset]) -> None:
    page = text(reader.get(address(*five[:3], at="c", mode="flicker"))).replace("&amp;", "&")
    assert address(five[2], five[1], five[0], mode="flicker", at="c") in page  # swapped
    assert address(five[0], five[2], mode="flicker") in page  # without B
    assert address(*five[:3], mode="flicker", at="a") in page
    four = text(reader.get(address(*five[:4]))).replace("&amp;", "&")
    assert address(*five[1:4], mode="side") in four  # a grid of three is no grid
    assert "out of the comparison" not in text(reader.get(address(*five[:2])))


def test_of_long_runs_the_strip_shows_what_is_around_both(team: world.Team) -> None:
    states = (DONE,) * 8
    runs = [world.generation(team.project, team.editor, states=states) for _each in range(2)]
    one, two = (gallery.siblings(each.assets.all()[0]) for each in runs)
    for place, around in ((0, two[0:3]), (4, two[3:6]), (7, two[5:8])):
        assert gallery.strip([one[0], two[place]], each=3, least=0) == around + one[:3]
    assert gallery.strip([one[0], one[7]], each=3, least=0) == one[:3] + one[5:]
    alone = made(team)
    assert gallery.strip([alone], least=4) == [alone, *two[5:]]


def test_stepping_along_the_strip_gets_to_its_end(team: world.Team) -> None:
    """Each step makes a new strip; were its order that of the letters, two pictures would take turns."""
    singles = [made(team) for _each in range(6)][::-1]
    a, b = singles[4], singles[0]
    seen = [b]
    while True:
        row = [each for each in gallery.strip([a, b], least=6) if each != a]
        place = row.index(b) + 1
        if place == len(row):
            break
        b = row[place]
        assert b not in seen
        seen.append(b)
    assert seen[:5] == [*singles[:4], singles[5]]
