"""Choosing in the gallery: a whole day by the keyboard, and a comparison from a picture's menu."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.running import Site, running_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
# Rows with pictures that cannot be loaded: what is looked at here are boxes and addresses.
FIVE = """
from datetime import timedelta
from django.utils import timezone
from generations.models import *
from generations.providers import catalog
from generations.services import accounts, compose
user, project = User.objects.get(username="designer"), Project.objects.get(slug="demo")
blob = Blob.objects.create(sha256="0" * 64, size=1, content_type="image/jpeg", uses=5)
recipe = compose.build_recipe(catalog.get_engine("jimeng-image-4.0"), "x", {})
for run, count in enumerate((2, 3)):
    made = Generation.objects.create(project=project, user=user, recipe=recipe, engine="jimeng-image-4.0",
        recipe_sha256=catalog.recipe_sha256(recipe), kind="image", prompt=f"run {run}", count=count,
        state="succeeded")
    for n in range(count):
        job = Job.objects.create(generation=made, account=accounts.ensure_accounts(), user=user, position=n,
            state="succeeded", remote_id=f"{run}{n}")
        Asset.objects.create(project=project, generation=made, job=job, blob=blob, kind="image", format="jpeg",
            width=96, height=64, created_at=timezone.now() - timedelta(days=2 * (1 - run)))
answer = str(project.public_id)
"""


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("gallery"), demo=False) as made:
        made.begin()
        yield made


@pytest.fixture(scope="module")
def project(site: Site) -> str:
    """Five pictures: three of one run today, two of another two days before."""
    return str(site.shell(FIVE))


@pytest.fixture
def wall(site: Site, project: str, new_context: Callable[..., BrowserContext]) -> Page:
    context = new_context()
    context.add_cookies(site.login_cookies())  # type: ignore[arg-type]
    page = context.new_page()
    page.goto(f"{site.url}/p/{project}/gallery/", wait_until="load")
    expect(page.locator(".shot")).to_have_count(5)
    return page


def test_a_day_is_chosen_and_let_go_by_its_button(wall: Page) -> None:
    today, before = wall.locator("[data-whole-day]").all()
    checked = wall.locator("[name=pick]:checked")
    today.focus()
    wall.keyboard.press("Enter")
    expect(checked).to_have_count(3)
    expect(today).to_have_attribute("aria-pressed", "true")
    expect(before).to_have_attribute("aria-pressed", "false")
    expect(wall.locator(".selbar span").first).to_contain_text("3")
    before.focus()
    wall.keyboard.press("Space")
    expect(checked).to_have_count(5)
    wall.locator(".shot").first.hover()
    wall.locator(".shot .sel input").first.click(force=True)
    expect(today).to_have_attribute("aria-pressed", "false")
    today.press("Enter")  # one was missing: the day is whole again
    expect(checked).to_have_count(5)
    today.press("Enter")
    expect(checked).to_have_count(2)
    wall.keyboard.press("Escape")
    expect(checked).to_have_count(0)
    expect(before).to_have_attribute("aria-pressed", "false")
    expect(wall.locator(".selbar")).to_be_hidden()


def test_a_menu_compares_with_the_next_of_the_run_or_with_what_is_chosen(wall: Page) -> None:
    shots = wall.locator(".shot")
    ids = [str(each.get_attribute("data-asset")) for each in shots.all()]

    def leads_to(place: int) -> str:
        shots.nth(place).hover()
        shots.nth(place).locator("[data-menu]").click()
        link = wall.locator(".tile-menu [data-link=compare]")
        expect(link).to_be_visible()
        found = str(link.get_attribute("href"))
        wall.keyboard.press("Escape")
        expect(link).to_be_hidden()
        return found.removeprefix("/compare/")

    assert leads_to(0) == f"?a={ids[0]}&b={ids[1]}"
    assert leads_to(2) == f"?a={ids[2]}&b={ids[1]}"  # the last of its run: not the next run's first
    assert leads_to(3) == f"?a={ids[3]}&b={ids[4]}"
    shots.nth(4).locator(".sel input").click(force=True)
    assert leads_to(0) == f"?a={ids[0]}&b={ids[4]}"
    expect(wall.locator("[name=pick]:checked")).to_have_count(1)  # Escape closed the menu alone
    shots.nth(0).hover()
    shots.nth(0).locator("[data-menu]").click()
    wall.locator(".tile-menu [data-link=compare]").click()
    expect(wall.locator(".pane")).to_have_count(2)
