"""A model that takes a seed: every run has one, each of its pictures its own, and all can be made again."""

from __future__ import annotations

import html

import pytest
from django.test import Client

from generations.models import Allowance, Asset, Generation, JobState
from generations.providers import catalog
from generations.services import compose, engines
from generations.services.gallery import comparison, export
from generations.services.library import prompts
from tests import world
from tests.pages import text, url

pytestmark = pytest.mark.django_db
ENGINE = catalog.get_engine("jimeng-image-3.1")
LAST = 2**31 - 1


@pytest.fixture
def team() -> world.Team:
    world.account()
    Allowance.objects.create(scope=Allowance.Scope.SITE, limit=100)
    return world.team("acme")


def ask(team: world.Team, count: int = 1, **settings: object) -> Generation:
    return compose.submit(
        project=team.project,
        user=team.editor,
        engine=ENGINE.slug,
        prompt="一只柯基",
        settings=settings,
        count=count,
    )


def test_the_studio_draws_what_nobody_gives_and_another_each_time(team: world.Team) -> None:
    drawn = [ask(team, seed=blank).recipe["settings"]["seed"] for blank in ("", "-1", None)]
    assert all(isinstance(seed, int) and 0 <= seed <= LAST for seed in drawn)
    assert len(set(drawn)) == 3


def test_each_picture_of_a_run_takes_the_next_seed(team: world.Team) -> None:
    made = ask(team, count=3, seed=LAST - 1)
    seeds = [
        engines.recipe_at(made.recipe, job.position)["settings"]["seed"]
        for job in made.jobs.order_by("position")
    ]
    assert seeds == [LAST - 1, LAST, 0]  # after the last one comes the first


def test_what_is_sent_shown_and_exported_is_the_pictures_own(team: world.Team) -> None:
    made = ask(team, count=2, seed=41)
    job = made.jobs.get(position=1)
    made.jobs.update(state=JobState.SUCCEEDED, remote_id="")
    asset = world.asset(job)
    asset = Asset.objects.select_related("job", "generation__user", "blob").get(pk=asset.pk)
    told = {fact.key: fact.value for fact in comparison.facts(asset)}
    assert told["seed"] == "42"
    recipe = export.describe(asset)["recipe"]
    assert recipe["settings"]["seed"] == 42
    assert export.describe(asset)["recipe_sha256"] == catalog.recipe_sha256(recipe)


def test_models_without_one_are_left_as_they_are(team: world.Team) -> None:
    recipe = team.generation.recipe
    assert engines.recipe_at(recipe, 3) == recipe
    assert "seed" not in recipe["settings"]


def test_running_it_again_offers_the_seed_and_does_not_excuse_itself(team: world.Team) -> None:
    made = ask(team, seed=7)
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.editor)
    page = html.unescape(text(client.get(url(team), {"recipe": made.public_id})))
    assert 'name="seed" value="7"' in page
    assert "takes no seed" not in page
    assert "Prompt, settings and references are the same." in page


def test_a_prompt_saved_from_a_run_does_not_pin_its_picture(team: world.Team) -> None:
    made = ask(team, seed=7)
    _wording, settings = prompts.of_generation(generation=made)
    assert "seed" not in settings.settings
    assert settings.settings["size"] == "1328x1328"


@pytest.mark.parametrize("bad", ["-2", "1.5", "seven", str(LAST + 1), "９" * 30])
def test_what_is_no_seed_is_a_sentence_and_nothing_is_lost(team: world.Team, bad: str) -> None:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.editor)
    form = {"prompt": "a heron", "engine": ENGINE.slug, "count": "1", "seed": bad}
    page = client.post(url(team, "compose"), form)
    assert page.status_code == 422
    assert f'name="seed" value="{bad}"' in text(page)
    assert 'id="error-seed"' in text(page)
    assert "a heron" in text(page)
