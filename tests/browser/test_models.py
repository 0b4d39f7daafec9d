"""Every kind of model in one browser: one prompt to three, a set by stream, a picture brought to life."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.filmed import open_page
from tests.browser.test_quality import TAGS
from tests.running import Site, running_site, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ARRIVES_MS = 90_000
ROWS = "from generations.models import *; "
DEMO = f"{ROWS}answer = str(Project.objects.get(slug='demo').public_id)"


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("models"), demo=False) as made:
        made.begin()
        yield made


@pytest.fixture
def page(site: Site, new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """The studio as the designer sees it, in English; nothing was thrown or refused by the end."""
    complaints: list[str] = []
    yield open_page(site, new_context, f"/p/{site.shell(DEMO)}/", complaints)
    assert complaints == []


def choose(page: Page, label: str) -> None:
    page.locator("#picker > summary").click()
    page.locator("#picker .models .model", has=page.get_by_text(label, exact=True)).click()
    expect(page.locator("#picker > summary b")).to_have_text(label)


def also(page: Page, *labels: str) -> None:
    """Choose further models by keys alone: the list stays open from one to the next."""
    page.locator("#also > summary").press("Enter")
    for label in labels:
        box = page.locator("#also .models .model", has=page.get_by_text(label, exact=True))
        box.locator("input").press("Space")
        expect(page.locator("#also > summary")).to_contain_text(label)
        expect(page.locator("#also[open]")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator("#also[open]")).to_have_count(0)


def test_one_prompt_to_three_models_in_one_row_and_compared(page: Page) -> None:
    page.locator("#prompt").fill("海边的白色灯塔，清晨")
    page.locator("#count").fill("1")
    also(page, "Seedream 4.5", "Jimeng Video 3.0")
    expect(page.locator("#also > summary")).to_contain_text("1 video")
    expect(page.locator("#compose .send .primary")).to_contain_text("on 3 models")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert found.violations_count == 0, found.generate_report()
    page.locator("#prompt").press("Control+Enter")
    row = page.locator(".together")
    expect(row.locator("article.batch")).to_have_count(3)
    expect(row.locator(".words").first).to_have_text("海边的白色灯塔，清晨")
    expect(page.locator("#also > summary")).to_contain_text("Seedream 4.5")  # for the next press
    arrived = row.locator("figure.tile:not(.load)")
    expect(arrived).to_have_count(3, timeout=ARRIVES_MS)
    expect(row.locator("article.batch").last.locator(".len")).to_have_text("0:05")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert found.violations_count == 0, found.generate_report()
    row.get_by_role("link", name="Compare them").click()
    expect(page.locator(".pane")).to_have_count(3)
    expect(page.locator(".pane video")).to_have_count(1)
    expect(page.locator("body")).to_contain_text("Jimeng Video 3.0")


def test_a_set_comes_by_stream_one_tile_after_the_other(page: Page) -> None:
    choose(page, "Seedream 4.5")
    page.locator("#prompt").fill("sandbox:images=4 sandbox:slow=10 四季的庭院")
    page.locator("#count").fill("1")
    page.locator("label", has=page.locator("[name=output][value=set]")).click()
    page.locator("#prompt").press("Control+Enter")
    card = page.locator("article.batch", has_text="四季的庭院").first
    arrived = card.locator("figure.tile:not(.load)")
    for number in (1, 2, 3):
        expect(arrived).to_have_count(number, timeout=ARRIVES_MS)
        expect(card.locator("figure.tile.load")).not_to_have_count(0)
    expect(arrived).to_have_count(4, timeout=ARRIVES_MS)
    expect(card.locator("figure.tile.load")).to_have_count(0, timeout=ARRIVES_MS)


def test_a_picture_is_brought_to_life(page: Page, tmp_path: Path) -> None:
    page.locator("#prompt").fill("一只白鹤在荷塘边")
    page.locator("#count").fill("1")
    page.locator("#prompt").press("Control+Enter")
    card = page.locator("article.batch", has_text="一只白鹤在荷塘边").first
    tile = card.locator("figure.tile:not(.load)").first
    expect(tile).to_be_visible(timeout=ARRIVES_MS)
    tile.hover()
    tile.locator("[data-menu]").click()
    page.locator(".tile-menu [data-link=animate]").click()
    expect(page.locator("#picker > summary b")).to_have_text("Jimeng Video 3.0, first frame")
    page.locator("#prompt").press("Control+Enter")
    film = page.locator("article.batch", has_text="first frame").first
    film = film.locator("figure.tile:not(.load)")
    expect(film).to_have_count(1, timeout=ARRIVES_MS)
    film.locator("a").first.click()
    played = page.locator("video")
    wait_until(lambda: played.evaluate("it => it.duration > 0"), timeout_s=30, what="its length")
    assert played.evaluate("it => it.duration") == pytest.approx(121 / 24, abs=0.01)
