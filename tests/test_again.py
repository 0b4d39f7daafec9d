"""Running a recipe again: the panel says what stays the same and what has changed since."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from generations.models import Generation, Use
from generations.services.library.references import hide
from tests import world
from tests.pages import text, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> world.Team:
    world.account()
    return world.team("acme")


def panel(team: world.Team, made: Generation) -> str:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.editor)
    return html.unescape(text(client.get(url(team), {"recipe": made.public_id})))


def test_the_same_but_for_the_pixels(team: world.Team) -> None:
    page = panel(team, team.generation)
    assert "Prompt, settings and references are the same." in page
    assert "takes no seed: the pixels will differ" in page


def test_a_revised_model_and_references_off_the_shelf_are_said(team: world.Team) -> None:
    made = world.generation(team.project, team.editor)
    kept = world.shelved(team.editor, team.project)
    gone = world.shelved(team.editor, team.project, world.picture((1, 2, 200)))
    for position, each in enumerate((kept, gone)):
        Use.objects.create(generation=made, reference=each, position=position)
    named = [{"sha256": each.blob_id, "role": ""} for each in (kept, gone)]
    made.recipe |= {"revision": 0, "references": named}
    made.save()
    hide(reference=gone)
    page = panel(team, made)
    assert "revision 1 instead of 0" in page
    assert "1 of its 2 references are not on a shelf any more" in page
    assert "are the same." not in page
    assert f'value="{kept.public_id}"' in page
    assert f'value="{gone.public_id}"' not in page


def test_a_model_that_has_gone_is_said(team: world.Team) -> None:
    Generation.objects.filter(pk=team.generation.pk).update(engine="no-longer")
    assert "not on offer any more" in panel(team, team.generation)
