"""Videos in a real browser: compared in step, scrubbed by hovering, made from a picture."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.filmed import LONG, MAKE, SHORT, open_page
from tests.running import Site, running_site, wait_until
from tests.videos import RATE, gray

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SHOWN = """video => {
    const canvas = Object.assign(document.createElement("canvas"), { width: 1, height: 1 });
    const context = canvas.getContext("2d");
    context.drawImage(video, 0, 0, 1, 1);
    return context.getImageData(0, 0, 1, 1).data[0];
}"""


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("video"), demo=False, worker=False) as made:
        made.begin()
        yield made


@pytest.fixture(scope="module")
def made(site: Site) -> dict[str, Any]:
    found: dict[str, Any] = site.shell(MAKE)
    return found


@pytest.fixture
def opened(site: Site, new_context: Callable[..., BrowserContext]) -> Iterator[Callable[..., Page]]:
    """Open a path as the designer, in English; nothing was thrown or refused by the end."""
    complaints: list[str] = []
    yield lambda path, **options: open_page(site, new_context, path, complaints, **options)
    assert complaints == []


# --- Compared -------------------------------------------------------------------------------------


def comparing(opened: Callable[..., Page], made: dict[str, Any], **options: object) -> Page:
    page = opened(f"/compare/?a={made['pair'][0]}&b={made['pair'][1]}", **options)
    expect(page.locator("[data-clock]")).to_have_text("0:00.00 / 0:05.04 · frame 1")
    return page


def shows(page: Page, *frames: int) -> None:
    """Wait until the videos show these frames, going by their gray; fail when they do not."""
    wanted = [gray(each) for each in frames]

    def there() -> bool:
        seen = [video.evaluate(SHOWN) for video in page.locator(".pane video").all()]
        return all(abs(a - b) <= 2 for a, b in zip(seen, wanted, strict=True))

    wait_until(there, timeout_s=10, every_s=0.1, what=f"frames {frames}")


def test_two_videos_step_together_and_the_shorter_holds_its_last_frame(
    opened: Callable[..., Page], made: dict[str, Any]
) -> None:
    page = comparing(opened, made)
    shows(page, 0, 0)
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    shows(page, 3, 3)
    page.keyboard.press("ArrowLeft")
    shows(page, 2, 2)
    page.keyboard.press("Shift+ArrowRight")
    shows(page, 2 + RATE, 2 + RATE)
    page.locator("[data-scrub]").fill(str(LONG - 1))
    shows(page, SHORT - 1, LONG - 1)
    expect(page.locator("[data-clock]")).to_have_text("0:05.00 / 0:05.04 · frame 121")
    page.locator("[data-scrub]").focus()
    page.keyboard.press("ArrowLeft")
    shows(page, SHORT - 1, LONG - 2)
    for mode in ("slider", "grid", "side"):
        page.locator(f"[data-mode={mode}]").click()
        shows(page, SHORT - 1, LONG - 2)


def test_they_play_and_stop_at_the_same_moment(
    opened: Callable[..., Page], made: dict[str, Any]
) -> None:
    page = comparing(opened, made)
    button = page.locator("[data-play]")
    page.locator("body").press("Space")
    expect(button).to_have_attribute("aria-pressed", "true")
    times = "() => [...document.querySelectorAll('.pane video')].map((each) => each.currentTime)"
    wait_until(lambda: page.evaluate(times)[1] > 0.5, timeout_s=20, what="half a second")
    short, long = page.evaluate(times)
    assert abs(short - long) < 0.2
    page.locator("body").press("Space")
    expect(button).to_have_attribute("aria-pressed", "false")
    place = int(page.locator("[data-scrub]").input_value())
    assert place > 0
    shows(page, min(place, SHORT - 1), place)
    button.click()
    end = SHORT / RATE
    wait_until(lambda: page.evaluate(times)[1] > end + 0.5, timeout_s=30, what="after the shorter")
    assert page.evaluate(times)[0] == pytest.approx(end, abs=0.1)
    assert page.locator("video").first.evaluate("each => each.paused")


def test_a_picture_beside_a_video(opened: Callable[..., Page], made: dict[str, Any]) -> None:
    page = opened(f"/compare/?a={made['still']}&b={made['pair'][0]}&mode=slider")
    expect(page.locator("[data-clock]")).to_have_text("0:00.00 / 0:02.04 · frame 1")
    page.keyboard.press("ArrowRight")
    shows(page, 1)
    expect(page.locator(".pane img")).to_have_js_property("complete", True)
    # Another picture for the video's letter: what plays leaves with it.
    page.locator(".lets [data-key=at-b]").click()
    page.locator(f".thumbs [data-asset='{made['pair'][1]}']").click()
    expect(page.locator("[data-clock]")).to_have_text("0:00.04 / 0:05.04 · frame 2")
    shows(page, 1)


def test_without_scripts_each_video_has_its_own_controls(
    opened: Callable[..., Page], made: dict[str, Any]
) -> None:
    page = opened(f"/compare/?a={made['pair'][0]}&b={made['pair'][1]}", java_script_enabled=False)
    expect(page.locator(".pane video[controls]")).to_have_count(2)


# --- Tiles and the detail page ----------------------------------------------------------------------


def test_hovering_shows_a_tenth_of_the_video(
    opened: Callable[..., Page], made: dict[str, Any]
) -> None:
    page = opened(f"/p/{made['demo']}/gallery/?kind=video")
    tile = page.locator(f"[data-asset='{made['pair'][1]}']")
    strip = tile.locator(".strip")
    expect(strip).to_have_attribute("class", "strip")
    box = tile.bounding_box()
    assert box
    for part, place in ((0.02, 0), (0.55, 5), (0.98, 9)):
        page.mouse.move(box["x"] + part * box["width"], box["y"] + box["height"] / 2)
        expect(strip).to_have_attribute("class", f"strip on at{place}")
    href = strip.locator("image").get_attribute("href")
    assert page.request.get(page.url.partition("/p/")[0] + str(href)).ok
    left, width = strip.evaluate(
        "each => [each.firstElementChild.getBoundingClientRect().x - each.getBoundingClientRect().x,"
        " each.getBoundingClientRect().width]"
    )
    assert left == pytest.approx(-9 * width, rel=0.2)  # the last tenth fills the tile
    page.mouse.move(2, 2)
    expect(strip).to_have_attribute("class", "strip")
    tile.locator("a").first.press("Enter")
    expect(page.locator("video[controls]")).to_be_visible()


def test_space_plays_on_the_video_s_own_page(
    opened: Callable[..., Page], made: dict[str, Any]
) -> None:
    page = opened(f"/a/{made['pair'][0]}/")
    video = page.locator("video")
    expect(video).to_have_js_property("paused", True)
    page.locator("body").press("Space")
    expect(video).to_have_js_property("paused", False)
    page.locator("body").press("Space")
    expect(video).to_have_js_property("paused", True)
    page.locator("body").press("ArrowRight")
    expect(page).to_have_url(f"{page.url.partition('/a/')[0]}/a/{made['pair'][1]}/")


def test_animate_this_opens_the_panel_with_the_picture(
    opened: Callable[..., Page], made: dict[str, Any]
) -> None:
    page = opened(f"/p/{made['demo']}/gallery/")
    menu = page.locator(".tile-menu")

    def entries(asset: str) -> Locator:
        tile = page.locator(f"[data-asset='{asset}']")
        tile.hover()
        tile.locator("[data-menu]").click()
        return menu.locator("a:visible")

    entries(made["pair"][0])
    expect(menu.locator("[data-link=final]")).to_be_visible()
    for name in ("animate", "reference", "edit"):
        expect(menu.locator(f"[data-link={name}]")).to_be_hidden()
    page.keyboard.press("Escape")
    entries(made["still"])
    expect(menu.locator("[data-link=final]")).to_be_hidden()
    menu.locator("[data-link=animate]").click()
    expect(page.locator("#refs [name=reference]")).to_have_value(f"a.{made['still']}")
    expect(page.locator("#prompt")).to_have_value("一只白鹤")
    expect(page.locator("#picker > summary b")).to_have_text("Jimeng Video 3.0, first frame")
    expect(page.locator("#missing")).to_be_hidden()
    page.locator("#refs .use").click()
    expect(page.locator("#missing")).to_be_visible()
    expect(page.locator(".need:visible")).to_have_count(1)
