"""The designer's main job in a real browser: from sign-in to sign-out, with and without JavaScript."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, expect

from tests.running import Site, running_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ARRIVES_MS = 90_000


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("journey")
    options = ("--latency", "4", "--jitter", "0.5", "--fast-media")
    with running_site(folder, demo=False, sandbox_options=options) as made:
        made.begin()
        yield made


def sign_in(page: Page, site: Site) -> None:
    page.goto(site.url)
    page.locator("[name=username]").fill("designer")
    page.locator("[name=password]").fill(site.password)
    page.locator(
        "form:has([name=password]) button[type=submit], form:has([name=password]) button:not([type])"
    ).first.click()
    expect(page.locator("[name=prompt]")).to_be_visible()
    page.wait_for_load_state("load")  # before that, keys are nobody's


def compose(page: Page, prompt: str, count: int) -> None:
    page.locator("[name=prompt]").fill(prompt)
    page.locator("[name=count]").fill(str(count))
    page.wait_for_load_state("load")
    page.locator("[name=prompt]").press("Control+Enter")


def newest(page: Page, prompt: str) -> str:
    """The id of the card of this prompt."""
    card = page.locator("article.batch", has_text=prompt).first
    expect(card).to_be_visible()
    found = card.get_attribute("id")
    assert found
    return f"#{found}"


def test_from_sign_in_to_sign_out(
    site: Site, new_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    context = new_context(accept_downloads=True)
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    sign_in(page, site)

    # Four placeholders at once, each picture without a reload, a reload in the middle loses nothing.
    page.evaluate("window.here = true")
    compose(page, "雨夜的霓虹街道，一只白鹤", 4)
    card = newest(page, "雨夜的霓虹街道")
    expect(page.locator(f"{card} figure.tile")).to_have_count(4)
    expect(page.locator(f"{card} figure.tile.load")).to_have_count(4, timeout=2_000)
    expect(page.locator(f"{card} figure.tile a img").first).to_be_visible(timeout=ARRIVES_MS)
    assert page.evaluate("window.here") is True
    page.reload()
    assert page.evaluate("window.here") is None
    expect(page.locator(f"{card} figure.tile")).to_have_count(4)
    expect(page.locator(f"{card} figure.tile [name=pick]")).to_have_count(4, timeout=ARRIVES_MS)
    expect(page.locator(f"{card} progress")).to_have_count(0)

    # Open one.
    page.locator(f"{card} figure.tile a").first.click()
    expect(page).to_have_url(re.compile(r"/a/[0-9a-f-]{36}/"))
    expect(page.locator("body")).to_contain_text("2048")

    # Download it: the picture, with its recipe in it.
    with page.expect_download() as download:
        page.locator("a[href$='/download/']").first.click()
    file = tmp_path / "one"
    download.value.save_as(file)
    assert download.value.suggested_filename.endswith((".jpg", ".jpeg"))
    with Image.open(file) as image:
        image.load()
        assert image.size == (2048, 2048)

    # Run it again, changed: compose holds the same recipe.
    page.locator("a[href*='recipe=']").first.click()
    prompt = page.locator("[name=prompt]")
    expect(prompt).to_have_value("雨夜的霓虹街道，一只白鹤")
    compose(page, "雨夜的霓虹街道，一只黑鹤", 1)
    other = newest(page, "一只黑鹤")
    expect(page.locator(f"{other} [name=pick]")).to_have_count(1, timeout=ARRIVES_MS)

    # Compare two, by keyboard; zoom in sync; what differs is marked.
    page.locator(f"{card} [name=pick]").first.check(force=True)
    page.locator(f"{other} [name=pick]").first.check(force=True)
    page.locator("body").press("c")
    expect(page).to_have_url(re.compile(r"/compare/\?a=[0-9a-f-]{36}&b=[0-9a-f-]{36}"))
    expect(page.locator("ins").first).to_have_text("黑")
    expect(page.locator("del").first).to_have_text("白")
    panes = page.locator(".pane img")
    page.keyboard.press("+")
    page.keyboard.press("+")
    page.wait_for_timeout(300)
    moved = [
        panes.nth(each).evaluate(
            "e => { for (let n = e; n; n = n.parentElement) {"
            " const t = getComputedStyle(n).transform; if (t !== 'none') return t } return 'none' }"
        )
        for each in range(2)
    ]
    assert moved[0] == moved[1] != "none"
    page.screenshot(path=tmp_path / "compare.png")

    # Out; and the way back is closed.
    page.locator("button[popovertarget=me]").click()
    page.locator("#me form button").click()
    expect(page.locator("[name=password]")).to_be_visible()
    page.goto(site.url + "/projects/")
    expect(page.locator("[name=password]")).to_be_visible()
    assert complaints == []


def test_compose_to_result_without_javascript(
    site: Site, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context(java_script_enabled=False).new_page()
    sign_in(page, site)
    page.locator("[name=prompt]").fill("江南水乡，白墙黛瓦")
    page.locator("[name=count]").fill("2")
    page.locator("form:has([name=prompt]) button.primary").click()
    card = newest(page, "江南水乡")
    expect(page.locator(f"{card} figure.tile")).to_have_count(2)
    for _each in range(30):
        page.wait_for_timeout(1_000)
        page.reload()
        if page.locator(f"{card} [name=pick]").count() == 2:
            break
    assert page.locator(f"{card} [name=pick]").count() == 2
    page.locator(f"{card} figure.tile a").first.click()
    expect(page.locator("body")).to_contain_text("江南水乡")


def test_bad_input_says_so_where_the_person_looks_and_keeps_what_was_typed(
    site: Site, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context().new_page()
    sign_in(page, site)
    before = page.locator("article.batch").count()
    for prompt, count in [("长" * 801, "1"), ("   ", "1"), ("好", "99")]:
        page.locator("form:has([name=prompt])").evaluate("f => f.noValidate = true")
        page.locator("[name=prompt]").evaluate("e => e.removeAttribute('maxlength')")
        page.locator("[name=prompt]").fill(prompt)
        page.locator("[name=count]").fill(count)
        # Each answer is waited for: one that comes late would put the round before back.
        with page.expect_response(lambda answer: answer.url.endswith("/compose/")):
            page.locator("[name=prompt]").press("Control+Enter")
        expect(page.locator("[aria-invalid=true]").first).to_be_visible()
        page.wait_for_timeout(300)
        assert page.locator("[name=prompt]").input_value().strip() == prompt.strip()
    assert page.locator("article.batch").count() == before


def test_a_double_click_makes_one_generation(
    site: Site, new_context: Callable[..., BrowserContext]
) -> None:
    page = new_context().new_page()
    sign_in(page, site)
    page.locator("[name=prompt]").fill("只要一次，孤舟蓑笠翁")
    page.locator("[name=count]").fill("1")
    page.locator("form:has([name=prompt]) button.primary").dblclick()
    newest(page, "孤舟蓑笠翁")
    page.wait_for_timeout(1_500)
    page.reload()
    expect(page.locator("article.batch", has_text="孤舟蓑笠翁")).to_have_count(1)


def test_the_stream_down_the_page_still_gets_there(
    site: Site, new_context: Callable[..., BrowserContext]
) -> None:
    context = new_context()
    page = context.new_page()
    page.route("**/events/**", lambda route: route.abort())
    sign_in(page, site)
    compose(page, "没有信号的山谷", 1)
    card = newest(page, "没有信号的山谷")
    expect(page.locator(f"{card} [name=pick]")).to_have_count(1, timeout=ARRIVES_MS)
