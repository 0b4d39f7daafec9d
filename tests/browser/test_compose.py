"""The compose panel in a browser while its answer is under way: what is typed meanwhile stays."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Callable, Iterator
from io import BytesIO

import pytest
from PIL import Image
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.running import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
DEMO = """
from generations.models import Project
answer = str(Project.objects.get(slug="demo").public_id)
"""
DROP = """data => {
    const bytes = Uint8Array.from(atob(data), (each) => each.charCodeAt(0));
    const dataTransfer = new DataTransfer();
    dataTransfer.items.add(new File([bytes], "late.png", { type: "image/png" }));
    const event = new DragEvent("drop", { dataTransfer, bubbles: true, cancelable: true });
    document.querySelector("compose-panel").dispatchEvent(event);
}"""


@pytest.fixture
def page(site: Site, new_context: Callable[..., BrowserContext]) -> Iterator[Page]:
    """The studio, with nothing thrown by the end of the test."""
    context = new_context()
    context.add_cookies(site.login_cookies())
    opened = context.new_page()
    complaints: list[str] = []
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.goto(f"{site.url}/p/{site.shell(DEMO)}/", wait_until="load")
    with opened.expect_response("**/keep.*js"):
        opened.locator("#prompt").focus()
    yield opened
    assert complaints == []


class Held:
    """Answers of compose, or of another address, that arrive when the test says so."""

    def __init__(self, page: Page, asked: str = "**/compose/") -> None:
        self.page = page
        self.routes: list[Route] = []
        page.route(asked, self.hold)

    def hold(self, route: Route) -> None:
        self.routes.append(route)

    def send(self) -> None:
        """Generate, and wait until the panel has asked."""
        with self.page.expect_request("**/compose/"):
            self.page.locator("#prompt").press("Control+Enter")

    def answer(self) -> None:
        """Let the answer come, and wait until it stands on the page."""
        token = self.page.locator("#form-token")
        before = token.input_value()
        with self.page.expect_response("**/compose/") as coming:
            self.routes.pop().continue_()
        if coming.value.status == 200:
            expect(token).not_to_have_value(before)
        else:
            expect(self.page.locator("#compose .err").first).to_be_visible()
        self.page.wait_for_timeout(100)


def drop(page: Page, size: tuple[int, int]) -> None:
    """A picture of this size, let fall on the panel."""
    page.evaluate(DROP, b64encode(painted(size)).decode())


def painted(size: tuple[int, int]) -> bytes:
    with BytesIO() as data:
        Image.new("RGB", size, "teal").save(data, "PNG")
        return data.getvalue()


def test_a_late_refusal_takes_nothing_back(page: Page) -> None:
    held = Held(page)
    prompt, count = page.locator("#prompt"), page.locator("#count")
    prompt.fill("长" * 801)
    count.fill("1")
    held.send()
    prompt.fill("a heron, shorter")
    page.locator("#size-field label", has_text="4:3").first.click()
    drop(page, (640, 480))
    picture = page.locator("#refs .ref:not(.wait)")
    expect(picture).to_have_count(1)
    picture.locator("select").select_option(index=1)
    role = picture.locator("select").input_value()
    size = page.locator("[name=size]:checked").input_value()
    count.fill("3")
    held.answer()
    expect(page.locator("#prompt-error")).to_be_visible()
    expect(prompt).to_have_value("a heron, shorter")
    expect(count).to_have_value("3")
    expect(count).to_be_focused()
    expect(page.locator("[name=size]:checked")).to_have_value(size)
    expect(picture).to_have_count(1)
    expect(picture.locator("select")).to_have_value(role)
    expect(page.locator("#prompt-count")).to_have_text("16 / 800")


def test_the_file_dialog_opens_without_waiting_for_code(page: Page) -> None:
    """A browser opens it only within moments of the click: fetching code first may take too long."""
    code = Held(page, "**/references.*js")
    with page.expect_file_chooser(timeout=5_000) as chooser:
        page.locator(".refs-field .file").click()
    file = {"mimeType": "image/png", "buffer": painted((64, 48))}
    for name in ("first.png", "again.png"):  # the same bytes: one reference, however often chosen
        chooser.value.set_files({"name": name, **file})
    code.routes.pop().continue_()
    expect(page.locator("#refs [name=reference]")).to_have_count(1)
    expect(page.locator(".refs-field .file input")).to_have_value("")


def test_a_refusal_leaves_the_caret_with_who_is_typing(page: Page) -> None:
    held = Held(page)
    prompt = page.locator("#prompt")
    page.locator("#count").fill("99")
    prompt.fill("a heron")
    held.send()
    prompt.press("Home")
    prompt.press_sequentially("In fog ")
    held.answer()
    expect(page.locator("#count-error")).to_be_visible()
    expect(prompt).to_be_focused()
    prompt.press_sequentially("and rain, ")
    expect(prompt).to_have_value("In fog and rain, a heron")


def test_a_refusal_that_nobody_typed_past_leads_to_the_field(page: Page) -> None:
    held = Held(page)
    page.locator("#count").fill("99")
    page.locator("#prompt").fill("a heron")
    held.send()
    held.answer()
    expect(page.locator("#count")).to_be_focused()


def test_success_keeps_the_next_prompt_begun_meanwhile(page: Page) -> None:
    held = Held(page)
    prompt, count = page.locator("#prompt"), page.locator("#count")
    prompt.fill("一行白鹭上青天")
    count.fill("1")
    held.send()
    prompt.fill("窗含西岭千秋雪")
    count.fill("2")
    held.answer()
    expect(page.locator("article.batch", has_text="一行白鹭上青天")).to_have_count(1)
    expect(prompt).to_have_value("窗含西岭千秋雪")
    expect(count).to_have_value("2")
    expect(count).to_be_focused()
    expect(page.locator(".go")).to_contain_text("2")


def test_another_model_draws_the_panel_anew_and_keeps_what_is_written(page: Page) -> None:
    drop(page, (900, 100))
    note = page.locator("#refs .ref .hint")
    expect(note).to_have_count(1)
    # There is one model: as if this picture had been looked at for another, which takes it whole.
    note.evaluate("e => e.remove()")
    page.locator("#prompt").fill("a heron")
    page.locator("[name=engine]:checked").dispatch_event("change")
    expect(note).to_have_count(1)
    expect(page.locator("#prompt")).to_have_value("a heron")
    expect(page.locator("#prompt")).to_be_focused()


def test_pictures_moved_or_on_their_way_stay_so(page: Page) -> None:
    held = Held(page)
    drop(page, (64, 48))
    drop(page, (48, 64))
    tokens = page.locator("#refs [name=reference]")
    expect(tokens).to_have_count(2)
    first, second = (tokens.nth(n).input_value() for n in (0, 1))
    page.locator("#count").fill("99")
    uploads = Held(page, "**/references/")
    drop(page, (32, 32))  # not there yet when Generate is pressed
    expect(page.locator("#refs .wait")).to_have_count(1)
    held.send()
    page.locator("#refs .ref").first.locator("[data-move='1']").click()
    held.answer()
    expect(page.locator("#refs .wait")).to_have_count(1)
    uploads.routes.pop().continue_()
    expect(tokens).to_have_count(3)
    assert [tokens.nth(n).input_value() for n in (0, 1)] == [second, first]
