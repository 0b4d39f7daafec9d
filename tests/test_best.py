"""Picking the best of a comparison, and putting back what it was."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from generations.models import Asset, Event
from generations.services.gallery import marks
from tests import world
from tests.pages import address, text

pytestmark = pytest.mark.django_db
DONE = world.JobState.SUCCEEDED


def pick(client: Client, asset: Asset, *among: Asset, **more: str) -> int:
    back = address(*among).partition("?")[2]
    url = reverse("asset-best", args=[asset.public_id])
    return client.post(url, {"back": back, **more}).status_code


def mark(asset: Asset) -> tuple[int | None, bool]:
    asset.refresh_from_db()
    return asset.rating, asset.favourite


def test_the_best_is_marked_moved_and_put_back(
    writer: Client, reader: Client, five: list[Asset]
) -> None:
    a, b = five[:2]
    Asset.objects.filter(pk=a.pk).update(rating=3)
    assert pick(writer, a, a, b) == 302
    assert mark(a) == (5, True)
    page = text(writer.get(address(a, b)))
    assert page.count('name="undo"') == 1
    assert 'class="pane a best"' in page
    assert 'class="pane a best"' in text(reader.get(address(a, b)))  # others see it too
    pick(writer, a, a, b)  # once more: what it was before stays remembered
    pick(writer, b, a, b)
    assert (mark(a), mark(b)) == ((3, False), (5, True))
    pick(writer, b, a, b, undo="1")
    assert (mark(a), mark(b)) == ((3, False), (None, False))


def test_what_others_judged_stays(writer: Client, five: list[Asset]) -> None:
    a, b, c = five[:3]
    Asset.objects.filter(pk=b.pk).update(rating=5, favourite=True)
    pick(writer, a, a, b, c)
    assert (mark(a), mark(b)) == ((5, True), (5, True))
    assert text(writer.get(address(a, b, c))).count('name="undo"') == 1  # only of one's own
    pick(writer, b, a, b, c, undo="1")
    assert (mark(a), mark(b)) == ((5, True), (5, True))
    pick(writer, c, c, b)  # a comparison without A leaves A alone
    assert mark(a) == (5, True)


def test_a_run_keeps_the_best_rating_and_its_card_is_told(
    team: world.Team, five: list[Asset]
) -> None:
    run = five[0].generation
    assert run
    before = marks.pick_best(asset=five[0], actor=team.editor)
    run.refresh_from_db()
    assert run.rating == 5
    assert Event.objects.filter(name=f"g-{run.public_id}").count() == 1
    marks.put_back(asset=five[0], mark=before, actor=team.editor)
    run.refresh_from_db()
    assert run.rating is None


def test_only_writers_pick_and_only_what_they_see(
    reader: Client, writer: Client, five: list[Asset]
) -> None:
    foreign = world.team("rivals").asset
    assert pick(reader, five[0], *five[:2]) == 403
    assert pick(writer, foreign, *five[:2]) == 404
    assert pick(writer, five[0], five[0], foreign) == 404
    assert {mark(five[0]), mark(foreign)} == {(None, False)}
    for back in ("a=x", "\0", "a=%00"):
        url = reverse("asset-best", args=[five[0].public_id])
        assert writer.post(url, {"back": back}).status_code in (302, 404)


def test_the_way_back_is_always_the_comparison(writer: Client, five: list[Asset]) -> None:
    url = reverse("asset-best", args=[five[0].public_id])
    for back in ("", "https://evil.example/", "//evil.example", "next=//evil&mode=grid"):
        assert writer.post(url, {"back": back})["Location"].startswith("/compare/")


def test_the_session_remembers_a_bounded_number(writer: Client, team: world.Team) -> None:
    many = world.generation(team.project, team.editor, states=(DONE,) * 25).assets.order_by("pk")
    for asset in many:
        pick(writer, asset)
    assert len(writer.session["picked"]) == 20
