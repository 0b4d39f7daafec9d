"""Composing videos in a real browser: the switch, the list of models by keys alone, shots."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.filmed import MAKE, open_page
from tests.browser.test_quality import TAGS
from tests.running import Site, running_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


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


def test_a_model_is_chosen_by_keys_alone_and_nothing_is_sent(
    opened: Callable[..., Page], made: dict[str, Any]
) -> None:
    page = opened(f"/p/{made['demo']}/")
    sent: list[str] = []
    page.on("request", lambda asked: sent.append(asked.url) if asked.method == "POST" else None)
    page.locator("#prompt").fill("海浪")
    page.locator("[name=kind][value=video]").press("Enter")
    expect(page.locator("#compose .send .go")).to_have_text("Generate 1")
    expect(page.locator("#estimates")).to_contain_text("1 video")
    summary = page.locator("#picker > summary")
    summary.press("Enter")
    page.keyboard.press("Tab")
    page.keyboard.press("ArrowDown")
    expect(summary.locator("b")).to_have_text("Jimeng Video 3.0, first frame")
    expect(page.locator(".refs-field legend")).to_contain_text("First frame")
    expect(page.locator("#picker")).to_have_attribute("open", "")
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert found.violations_count == 0, found.generate_report()
    page.keyboard.press("Enter")
    expect(page.locator("#picker[open]")).to_have_count(0)
    expect(summary).to_be_focused()
    assert [each for each in sent if each.endswith("/compose/")] == []
    expect(page.locator("#prompt")).to_have_value("海浪")


@pytest.mark.parametrize("device", [{}, PHONE], ids=["1440 x 900", "390 x 844"])
def test_the_list_leaves_the_prompt_where_it_is(
    opened: Callable[..., Page], made: dict[str, Any], device: dict[str, Any]
) -> None:
    page = opened(f"/p/{made['demo']}/", **device)
    if device:
        page.locator(".opener").tap()
    prompt, button = page.locator("#prompt"), page.locator("#compose .send .btn.primary")
    page.locator("[name=kind][value=video]").click()
    expect(page.locator("#estimates")).to_contain_text("1 video")
    page.wait_for_timeout(300)
    before = prompt.bounding_box()
    page.locator("#picker > summary").click()
    expect(page.locator("#picker .models .model")).to_have_count(8)
    expect(page.locator("#picker .models .model").first).to_be_in_viewport()
    after = prompt.bounding_box()
    assert before and after
    assert after["height"] == before["height"]
    assert after["y"] + after["height"] > 60 or after["y"] == before["y"]
    expect(button).to_be_in_viewport(ratio=1)
    page.locator("#picker .models .model", has_text="3.0 Pro").click()
    expect(page.locator("#picker[open]")).to_have_count(0)
    expect(page.locator("#picker > summary b")).to_have_text("Jimeng Video 3.0 Pro")


def test_shots_write_the_prompt_and_are_read_from_it(
    opened: Callable[..., Page], made: dict[str, Any]
) -> None:
    page = opened(f"/p/{made['demo']}/")
    page.locator("[name=kind][value=video]").click()
    prompt, switch = page.locator("#prompt"), page.locator("[data-shots]")
    prompt.fill("水墨。\n镜头1：远山。 镜头 2: 一只鹤起飞")
    switch.click()
    lines = page.locator(".shots .shot textarea")
    expect(lines).to_have_count(2)
    expect(page.locator(".shots .all textarea")).to_have_value("水墨。")
    expect(lines.nth(1)).to_have_value("一只鹤起飞")
    lines.nth(1).press("End")
    page.keyboard.press("Enter")
    page.keyboard.type("镜头升起")
    expect(prompt).to_have_value("水墨。\n镜头1：远山。\n镜头2：一只鹤起飞\n镜头3：镜头升起")
    expect(page.locator("#prompt-count")).to_contain_text("/ 800")
    page.locator("#picker > summary").click()
    page.locator("#picker .models .model", has_text="3.0 Pro").click()
    expect(page.locator("#picker > summary b")).to_have_text("Jimeng Video 3.0 Pro")
    expect(lines).to_have_count(3)  # another model, the same shots
    expect(prompt).to_be_hidden()
    lines.nth(0).fill("")
    lines.nth(0).press("Backspace")
    page.locator(".shots .all textarea").fill("")
    for line, words in ((0, "a heron takes off"), (1, "the lens rises")):
        lines.nth(line).fill(words)
    expect(prompt).to_have_value("Shot 1: a heron takes off\nShot 2: the lens rises")
    switch.click()
    expect(prompt).to_be_visible()
    expect(prompt).to_be_focused()
    prompt.fill("one shot alone")
    switch.click()
    expect(lines).to_have_count(1)
    expect(prompt).to_have_value("one shot alone")
    page.locator("[name=kind][value=image]").click()
    expect(prompt).to_be_visible()
    expect(prompt).to_have_value("one shot alone")
