"""Favourites, stars, the trash and moving: who may, what follows, and that nothing is lost."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generations import imaging
from generations.models import (
    Asset,
    Batch,
    BatchLine,
    Blob,
    Event,
    Generation,
    LedgerEntry,
    Membership,
    Role,
)
from generations.services import gallery, outputs
from generations.services.gallery import marks, trash
from generations.services.projects import covers
from tests import world
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> world.Team:
    return world.team("acme")


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.editor)
    return client


def ask(client: Client, *assets: Asset, **what: str) -> Any:
    body = {"asset": [str(each.public_id) for each in assets], **what}
    return client.post(reverse("mark"), body, headers=HTMX)


def test_stars_and_hearts(browser: Client, team: world.Team) -> None:
    assert ask(browser, team.asset, rating="4").status_code == 200
    assert ask(browser, team.asset, favourite="1").status_code == 200
    team.asset.refresh_from_db()
    team.generation.refresh_from_db()
    assert (team.asset.rating, team.asset.favourite, team.generation.rating) == (4, True, 4)
    assert Event.objects.filter(name=f"g-{team.generation.public_id}").exists()
    ask(browser, team.asset, rating="0")
    team.generation.refresh_from_db()
    assert team.generation.rating is None


@pytest.mark.parametrize(
    "what", [{}, {"rating": "6"}, {"favourite": "2"}, {"rating": "-1"}, {"move": "x"}]
)
def test_what_nobody_can_ask_changes_nothing(
    browser: Client, team: world.Team, what: dict[str, str]
) -> None:
    before = Asset.objects.values_list("rating", "favourite", "trashed_at", "project").get()
    assert ask(browser, team.asset, **what).status_code == 404
    assert Asset.objects.values_list("rating", "favourite", "trashed_at", "project").get() == before


def test_one_foreign_picture_among_many_stops_all(browser: Client, team: world.Team) -> None:
    other = world.team("rivals")
    assert ask(browser, team.asset, other.asset, rating="5").status_code == 404
    garbage = browser.post(reverse("mark"), {"asset": ["x"], "rating": "5"})
    assert garbage.status_code == 404
    gone = browser.post(reverse("mark"), {"asset": [str(uuid4())], "rating": "5"})
    assert gone.status_code == 404
    assert not Asset.objects.filter(rating__isnull=False).exists()
    Membership.objects.create(project=other.project, user=team.editor, role=Role.VIEWER)
    assert ask(browser, team.asset, other.asset, rating="5").status_code == 403


def test_thrown_away_it_is_gone_from_every_list_and_comes_back(
    browser: Client, team: world.Team
) -> None:
    answer = ask(browser, team.asset, trash="1")
    assert f'data-undo="{team.asset.public_id}"' in text(answer)
    assert str(team.asset.public_id) not in text(browser.get(url(team, "gallery")))
    assert "In the trash" in text(browser.get(url(team)))
    (cover,) = covers(user=team.editor)
    assert cover.pictures == []
    assert str(team.asset.public_id) in text(browser.get(url(team, "trash")))
    assert browser.get(reverse("asset", args=[team.asset.public_id])).status_code == 200
    ask(browser, team.asset, restore="1")
    assert str(team.asset.public_id) in text(browser.get(url(team, "gallery")))
    assert "The trash is empty" in text(browser.get(url(team, "trash")))


def test_without_scripts_a_form_leads_back(browser: Client, team: world.Team) -> None:
    body = {"asset": str(team.asset.public_id), "rating": "3", "next": url(team, "gallery")}
    assert browser.post(reverse("mark"), body)["Location"] == url(team, "gallery")
    away = browser.post(reverse("mark"), body | {"next": "//evil.example"})
    assert away["Location"] == reverse("home")
    said = browser.post(reverse("mark"), body | {"trash": "1", "rating": ""}, follow=True)
    assert "1 picture is in the trash." in text(said)


def test_the_sweep_waits_thirty_days_and_takes_bytes_nobody_uses(team: world.Team) -> None:
    asset = team.asset
    for made in imaging.verify(settings.MEDIA_ROOT / asset.blob.name).renditions:
        outputs.add_rendition(owner=asset, made=made)
    before = asset.blob.uses
    trash.throw_away(assets=[asset], actor=team.editor)
    assert trash.sweep() == 0
    Asset.objects.filter(pk=asset.pk).update(trashed_at=timezone.now() - timedelta(days=31))
    assert trash.sweep() == 1
    assert not Asset.objects.filter(pk=asset.pk).exists()
    assert Blob.objects.get(pk=asset.blob_id).uses == before - 1
    assert (settings.MEDIA_ROOT / asset.blob.name).exists()
    assert Generation.objects.filter(pk=team.generation.pk).exists()


def test_brought_back_in_the_last_moment_it_stays(
    team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    trash.throw_away(assets=[team.asset], actor=team.editor)
    Asset.objects.update(trashed_at=timezone.now() - timedelta(days=31))

    def in_between(asset: Asset) -> list[str]:
        Asset.objects.update(trashed_at=None)
        return []

    monkeypatch.setattr(trash, "_rendered", in_between)
    trash.sweep()
    assert Asset.objects.filter(pk=team.asset.pk).exists()


def test_a_finished_run_moves_whole_and_its_books_stay(browser: Client, team: world.Team) -> None:
    other = world.team("second")
    Membership.objects.create(project=other.project, user=team.editor, role=Role.EDITOR)
    pair = world.generation(team.project, team.editor, states=("succeeded", "succeeded"))
    first, second = pair.assets.all()
    entries = LedgerEntry.objects.count()
    answer = ask(browser, first, move=str(other.project.public_id))
    assert "1 run moved to second." in text(answer)
    pair.refresh_from_db()
    second.refresh_from_db()
    assert (pair.project, second.project) == (other.project, other.project)
    assert LedgerEntry.objects.count() == entries
    assert Event.objects.filter(project=other.project, name="new").exists()
    assert str(first.public_id) not in text(browser.get(url(team, "gallery")))


def test_a_moved_run_leaves_its_batch_behind(browser: Client, team: world.Team) -> None:
    """Whoever is only in the old project could else order its jobs, and look at its pictures."""
    other = world.team("second")
    Membership.objects.create(project=other.project, user=team.editor, role=Role.EDITOR)
    batch = Batch.objects.create(project=team.project, user=team.editor, name="Ten")
    made = world.generation(team.project, team.editor, states=("succeeded", "failed"))
    made.batch = batch
    made.save()
    line = BatchLine.objects.create(batch=batch, position=1, prompt="x", generation=made)
    assert ask(browser, made.assets.get(), move=str(other.project.public_id)).status_code == 200
    made.refresh_from_db()
    line.refresh_from_db()
    assert (made.batch, line.generation) == (None, None)


def test_only_projects_one_may_write_in_are_offered_and_each_once(
    browser: Client, team: world.Team
) -> None:
    other = world.team("second")
    Membership.objects.create(project=other.project, user=team.editor, role=Role.VIEWER)
    third = world.team("third")
    Membership.objects.create(project=third.project, user=team.editor, role=Role.EDITOR)
    page = text(browser.get(url(team, "gallery")))
    assert page.count("data-move-to=") == 1
    assert f'data-move-to="{third.project.public_id}"' in page
    mine = world.generation(other.project, team.editor)
    assert 'data-write="0"' in text(browser.get(reverse("everything")))
    assert mine.assets.exists()


def test_a_run_under_way_stays_and_says_why(browser: Client, team: world.Team) -> None:
    other = world.team("second")
    Membership.objects.create(project=other.project, user=team.editor, role=Role.EDITOR)
    Generation.objects.filter(pk=team.generation.pk).update(state="active")
    answer = ask(browser, team.asset, move=str(other.project.public_id))
    assert answer.status_code == 422
    assert "under way" in text(answer)


@pytest.mark.parametrize("role", [None, Role.VIEWER])
def test_nothing_moves_where_one_may_not_write(
    browser: Client, team: world.Team, role: str | None
) -> None:
    other = world.team("second")
    if role:
        Membership.objects.create(project=other.project, user=team.editor, role=role)
    answer = ask(browser, team.asset, move=str(other.project.public_id))
    assert answer.status_code == (403 if role else 404)
    team.asset.refresh_from_db()
    assert team.asset.project == team.project


def test_ratings_are_one_to_five(team: world.Team) -> None:
    with pytest.raises(ValueError, match="1 to 5"):
        marks.rate(assets=[team.asset], actor=team.editor, rating=6)
    assert gallery.assets(project=team.project).assets == [team.asset]
