"""Looking closely, in a real browser: zoom, pan, pinch, slider, flicker, keys, strip, the drawer."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.arrived import wait_for_pictures
from tests.running import Site, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ROWS = "from generations.models import *; "
# Which point of a pane's picture stands under a point of the window, as parts of its size; and how
# many screen pixels one of its own pixels takes.
SEEN = """(image, [x, y]) => {
    const {width, height} = image.parentElement.dataset, box = image.getBoundingClientRect();
    const part = Math.min(box.width / width, box.height / height);
    const left = box.left + (box.width - width * part) / 2;
    const top = box.top + (box.height - height * part) / 2;
    return [(x - left) / (width * part), (y - top) / (height * part), part];
}"""
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
Open = Callable[..., tuple[Page, list[str]]]


@dataclass(frozen=True, slots=True)
class Pictures:
    """Public ids of two 4:3 ones of one run, a 16:9 and a square picture of the demo."""

    standard: str
    twin: str
    wide: str
    square: str


@pytest.fixture(scope="module")
def pictures(site: Site) -> Pictures:
    busy = f"{ROWS}answer = Generation.objects.filter(state='active').count()"
    wait_until(lambda: site.shell(busy) == 0, timeout_s=120, every_s=2)
    runs = site.shell(
        f"{ROWS}answer = [[str(a.public_id) for a in g.assets.order_by('job__position')]"
        " for g in Generation.objects.order_by('pk')[:4]]"
    )
    return Pictures(standard=runs[0][0], twin=runs[0][1], wide=runs[2][0], square=runs[3][0])


@pytest.fixture
def open_page(site: Site, new_context: Callable[..., BrowserContext]) -> Open:
    """Open a path as the designer: the page, and what its scripts complain about."""

    def opened(path: str, **options: object) -> tuple[Page, list[str]]:
        context = new_context(**options)
        context.add_cookies(site.login_cookies())
        page = context.new_page()
        complaints: list[str] = []
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.goto(site.url + path, wait_until="load")
        return page, complaints

    return opened


def middle(page: Page, pane: str = ".pane") -> tuple[float, float]:
    box = page.locator(pane).first.bounding_box()
    assert box is not None
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2


def seen(page: Page, pane: str = ".pane", at: Iterable[float] | None = None) -> list[float]:
    point = list(at or middle(page, pane))
    found: list[float] = page.locator(f"{pane} > img").first.evaluate(SEEN, point)
    return found


def compare(a: str, b: str, mode: str) -> str:
    return f"/compare/?a={a}&b={b}&mode={mode}"


def test_both_panes_move_alike_around_the_pointer(open_page: Open, pictures: Pictures) -> None:
    page, complaints = open_page(compare(pictures.standard, pictures.twin, "side"))
    x, y = middle(page, ".pane.b")
    spot = (x + 60, y - 40)
    before = seen(page, ".pane.b", spot)
    page.mouse.move(*spot)
    page.mouse.wheel(0, -500)
    page.wait_for_timeout(100)
    after = seen(page, ".pane.b", spot)
    assert after[:2] == pytest.approx(before[:2], abs=0.002)
    assert after[2] > 2 * before[2]
    assert seen(page, ".pane.a") == pytest.approx(seen(page, ".pane.b"), abs=0.002)

    page.mouse.down()
    page.mouse.move(spot[0] - 50, spot[1] + 30, steps=4)
    page.mouse.up()
    moved = (spot[0] - 50, spot[1] + 30)
    assert seen(page, ".pane.b", moved) == pytest.approx(after, abs=0.002)
    assert seen(page, ".pane.a") == pytest.approx(seen(page, ".pane.b"), abs=0.002)

    dragged = seen(page)
    page.keyboard.press("h")
    assert seen(page)[0] < dragged[0]
    page.keyboard.press("0")
    assert seen(page, ".pane.b", spot) == pytest.approx(before, abs=0.002)
    assert complaints == []


def test_the_slider_leaves_other_keys_to_the_page(open_page: Open, pictures: Pictures) -> None:
    page, complaints = open_page(compare(pictures.standard, pictures.wide, "slider"))
    wipe = page.locator(".wipe")
    x, y = middle(page, ".stage")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 150, y, steps=4)
    page.mouse.up()
    expect(wipe).to_be_focused()
    moved = float(wipe.input_value())
    assert moved > 60
    page.keyboard.press("ArrowLeft")
    assert float(wipe.input_value()) < moved
    assert "mode=slider" in page.url  # an arrow of the slider walks no strip
    before = seen(page)
    page.keyboard.press("+")
    page.keyboard.press("+")
    assert seen(page)[2] > before[2]
    page.keyboard.press("2")
    expect(page.locator(".stage.side")).to_be_visible()
    assert "mode=side" in page.url
    assert complaints == []


def test_another_mode_or_size_looks_at_the_same_spot(open_page: Open, pictures: Pictures) -> None:
    page, _complaints = open_page(compare(pictures.standard, pictures.wide, "side"))
    x, y = middle(page)
    page.mouse.move(x + 30, y + 20)
    page.mouse.wheel(0, -900)
    page.wait_for_timeout(100)
    looked = seen(page)
    page.keyboard.press("1")
    assert seen(page) == pytest.approx(looked, abs=0.005)
    page.keyboard.press("2")
    assert seen(page) == pytest.approx(looked, abs=0.005)
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_timeout(200)
    assert seen(page) == pytest.approx(looked, abs=0.005)


def test_in_the_half_of_a_nothing_of_b_shows(open_page: Open, pictures: Pictures) -> None:
    page, _complaints = open_page(compare(pictures.square, pictures.wide, "slider"))
    wait_for_pictures(page)
    box = page.locator(".stage").bounding_box()
    assert box is not None
    left, right = int(box["x"]) + 8, int(box["x"] + box["width"]) - 8
    with Image.open(BytesIO(page.screenshot())) as shot:
        beside_a = shot.convert("RGB").getpixel((left, int(box["y"] + box["height"] / 2)))
        above_b = shot.convert("RGB").getpixel((right, int(box["y"]) + 60))
    assert beside_a == above_b  # the bare stage


def test_full_size_by_the_key_on_its_button(open_page: Open, pictures: Pictures) -> None:
    page, complaints = open_page(f"/a/{pictures.standard}/")
    page.keyboard.press("1")
    assert seen(page)[2] == pytest.approx(1, abs=0.01)
    expect(page.locator(".zoom output")).to_have_text("100%")
    page.keyboard.press("ArrowRight")
    page.wait_for_url(lambda url: "/a/" in url and pictures.standard not in url)
    assert complaints == []


def test_two_fingers_hold_what_is_between_them(open_page: Open, pictures: Pictures) -> None:
    page, complaints = open_page(compare(pictures.standard, pictures.wide, "side"), **PHONE)
    session = page.context.new_cdp_session(page)
    x, y = middle(page, ".pane.b")

    def touch(kind: str, *points: tuple[float, float]) -> None:
        fingers = [{"x": x, "y": y, "id": n} for n, (x, y) in enumerate(points)]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": fingers})

    before = seen(page, ".pane.b")
    touch("touchStart", (x - 20, y), (x + 20, y))
    for step in range(1, 11):
        touch("touchMove", (x - 20 - 4 * step, y), (x + 20 + 4 * step, y))
    touch("touchEnd")
    after = seen(page, ".pane.b")
    assert after[2] > 2 * before[2]
    assert after[:2] == pytest.approx(before[:2], abs=0.02)
    assert complaints == []


@pytest.mark.parametrize("script", [True, False])
@pytest.mark.parametrize("width", [390, 1000])
def test_on_narrow_screens_the_panel_is_a_drawer(
    script: bool, width: int, open_page: Open, pictures: Pictures
) -> None:
    size = {"viewport": {"width": width, "height": 844}, "java_script_enabled": script}
    page, complaints = open_page(compare(pictures.standard, pictures.wide, "side"), **size)
    drawer = page.locator("aside.side")
    expect(drawer).to_be_hidden()
    page.locator(".peek label").click()
    expect(drawer).to_be_visible()
    expect(drawer.locator("a[href*='recipe=']").first).to_be_in_viewport()
    if script:
        expect(drawer).to_be_focused()
        page.keyboard.press("Escape")
    else:
        drawer.locator("label.closer").click()
    expect(drawer).to_be_hidden()
    assert complaints == []


def test_wide_screens_have_no_drawer(open_page: Open, pictures: Pictures) -> None:
    page, _complaints = open_page(f"/a/{pictures.standard}/")
    expect(page.locator("aside.side")).to_be_visible()
    expect(page.locator("#panel")).to_be_hidden()
    expect(page.locator(".peek")).to_be_hidden()


def test_another_picture_comes_into_the_same_view(open_page: Open, pictures: Pictures) -> None:
    """Stepping, flicker, best and swap, all without another page load."""
    page, complaints = open_page(compare(pictures.standard, pictures.wide, "side"))
    page.evaluate("window.same = true")
    x, y = middle(page)
    page.mouse.move(x + 30, y + 20)
    page.mouse.wheel(0, -900)
    page.wait_for_timeout(100)
    looked = seen(page)

    page.keyboard.press("ArrowLeft")  # B: another one of the strip
    expect(page.locator(".pane.b")).not_to_have_attribute("data-asset", pictures.wide)
    changed = page.locator(".pane.b").get_attribute("data-asset")
    expect(page).to_have_url(re.compile(f"a={pictures.standard}&b={changed}"))
    page.keyboard.press("x")
    expect(page.locator(".pane.b")).to_have_attribute("data-asset", pictures.standard)
    page.keyboard.press("x")
    expect(page.locator(".pane.a")).to_have_attribute("data-asset", pictures.standard)
    assert seen(page) == pytest.approx(looked, abs=0.005)

    page.mouse.move(0, 0)
    page.keyboard.press("b")
    expect(page.locator(".pane.b.best")).to_be_visible()
    page.keyboard.press("b")
    expect(page.locator(".best")).to_have_count(0)
    page.keyboard.press(" ")
    expect(page.locator(".stage.flicker .pane.b")).to_be_visible()
    expect(page.locator(".pane.a")).to_be_hidden()
    page.keyboard.down(" ")
    expect(page.locator(".pane.a")).to_be_visible()
    page.wait_for_timeout(500)
    page.keyboard.up(" ")
    expect(page.locator(".pane.b")).to_be_visible()
    assert seen(page) == pytest.approx(looked, abs=0.005)
    assert page.evaluate("window.same")
    assert complaints == []


def test_a_third_and_a_fourth_by_touch(open_page: Open, pictures: Pictures) -> None:
    page, complaints = open_page(compare(pictures.standard, pictures.wide, "side"), **PHONE)
    for count in (3, 4):
        page.locator(".lets a").last.tap()
        expect(page.locator(".lets a").last).to_have_attribute("aria-current", "true")
        page.locator(".thumbs a:not(.on)").first.tap()
        expect(page.locator(".pane")).to_have_count(count)
    page.locator("[data-mode=grid]").tap()
    expect(page.locator(".stage.grid .pane.d")).to_be_visible()
    page.locator(".pane.c [data-best]").tap()
    expect(page.locator(".pane.c.best")).to_be_visible()
    page.locator(".pane.c [data-best]").tap()
    expect(page.locator(".best")).to_have_count(0)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    assert complaints == []


def test_fit_never_enlarges(open_page: Open, pictures: Pictures) -> None:
    large = {"viewport": {"width": 5400, "height": 3600}}
    for path in (f"/a/{pictures.square}/", compare(pictures.square, pictures.wide, "slider")):
        page, _complaints = open_page(path, **large)
        assert seen(page)[2] <= 1.001
        page.close()
