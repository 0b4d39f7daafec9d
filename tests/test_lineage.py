"""Where a picture comes from and what became of it, as far as the person may see it."""

from __future__ import annotations

from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generations.models import Asset, Generation, Membership, Role, Use
from generations.services import gallery
from tests import world
from tests.pages import text

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> world.Team:
    world.account()
    return world.team("acme")


def used(asset: Asset, run: Generation, position: int = 0) -> None:
    """Make `run` one that was made from `asset`."""
    made = world.shelved(run.user, run.project, world.picture((9, 200, 20 * position)))
    made.from_asset = asset
    made.save()
    Use.objects.create(generation=run, reference=made, position=position)


def page(client: Client, asset: Asset) -> str:
    return text(client.get(reverse("asset", args=[asset.public_id])))


def test_up_and_down_the_line(team: world.Team) -> None:
    child = world.generation(team.project, team.editor, prompt="the child")
    used(team.asset, child)
    again = world.generation(team.project, team.editor, prompt="another wording")
    again.rerun_of = team.generation
    again.save()
    own = child.assets.get()
    up = gallery.lineage(asset=own, user=team.viewer)
    assert [step.asset for step in up.parents] == [team.asset]
    assert not up.children
    down = gallery.lineage(asset=team.asset, user=team.viewer)
    assert [(step.generation, step.edge) for step in down.children] == [
        (child, ["reference"]),
        (again, ["prompt"]),
    ]
    assert [
        step.generation
        for step in gallery.lineage(asset=again.assets.get(), user=team.viewer).parents
    ] == [team.generation]


def test_the_page_says_what_changed(team: world.Team) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.viewer)
    assert "Made from" not in page(client, team.asset)
    child = world.generation(team.project, team.editor, scale="0.9")
    child.rerun_of = team.generation
    child.save()
    assert "other settings" in page(client, team.asset)
    assert "Made from" in page(client, child.assets.get())


def test_what_another_team_made_of_it_is_not_told(team: world.Team) -> None:
    other = world.team("rivals")
    Membership.objects.create(project=team.project, user=other.editor, role=Role.VIEWER)
    secret = world.generation(other.project, other.editor, prompt="a secret")
    used(team.asset, secret)
    assert not gallery.lineage(asset=team.asset, user=team.owner)
    assert gallery.lineage(asset=team.asset, user=other.editor).children
    (parent,) = gallery.lineage(asset=secret.assets.get(), user=other.owner).parents
    assert parent.asset is None and parent.reference is not None


def test_many_neighbours_ask_no_more_than_one(team: world.Team) -> None:
    client = Client()
    client.force_login(team.viewer)

    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            page(client, team.asset)
        return len(asked)

    def child(**more: Any) -> None:
        made = world.generation(team.project, team.editor, prompt="more", **more)
        made.rerun_of = team.generation
        made.save()

    child()
    count()
    few = count()
    for _ in range(15):
        child()
    assert count() == few
