"""AIGC labels in a browser: a policy set, a run that carries it, and a download that has to say why."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from generations.services import labels
from tests.running import Site, running_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ARRIVES_MS = 90_000


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    with running_site(tmp_path_factory.mktemp("labels"), demo=False) as made:
        made.begin()
        yield made


def made(page: Page, prompt: str) -> str:
    """Run a prompt; the address of its picture."""
    page.goto(page.url.partition("/p/")[0])
    page.locator("[name=prompt]").fill(prompt)
    page.locator("[name=count]").fill("1")
    page.wait_for_load_state("load")
    page.locator("[name=prompt]").press("Control+Enter")
    card = page.locator("article.batch", has_text=prompt).first
    expect(card.locator("[name=pick]")).to_have_count(1, timeout=ARRIVES_MS)
    return str(card.locator("figure.tile a").first.get_attribute("href"))


def set_policy(page: Page, settings: str) -> None:
    """Both marks; a mistake on the way loses nothing typed."""
    page.goto(settings)
    page.locator("#label-corner").select_option("tl")
    page.locator("#label-text").fill("Acme AI")
    page.locator("[name=implicit]").check()
    page.locator("#label-producer").fill("Acme")
    page.locator("#labels button").click()
    expect(page.locator("#label-producer_id-error")).to_be_visible()
    expect(page.locator("#label-text")).to_have_value("Acme AI")
    page.locator("#label-producer_id").fill("91310000")
    page.locator("#labels button").click()
    expect(page.locator("#label-producer_id-error")).to_have_count(0)


def take_without(page: Page, file: Path) -> None:
    """The picture of this page has no mark: say why, and take it."""
    expect(page.locator(".bar .aigc.none")).to_be_visible()
    page.locator("a[href$='/download/']").first.click()
    expect(page).to_have_url(re.compile(r"/download/$"))
    page.locator("form.card button").click()
    expect(page.locator("#reason-error")).to_be_visible()
    page.locator("#reason").fill("for print, marked there")
    with page.expect_download() as download:
        page.locator("form.card button").click()
    download.value.save_as(file)


def test_from_the_policy_to_the_register(
    site: Site, new_context: Callable[..., BrowserContext], tmp_path: Path
) -> None:
    context = new_context(accept_downloads=True, locale="en-GB")
    said = {"name": "django_language", "value": "en", "url": site.url}
    context.add_cookies([*site.login_cookies(), said])  # type: ignore[list-item]
    page = context.new_page()
    page.goto(site.url)
    before = made(page, "a cat, unlabelled")
    settings = page.url.split("?")[0].rstrip("/") + "/settings/"
    set_policy(page, settings)

    # A run carries it: on its tile, on its page, in its file.
    after = made(page, "a cat, labelled")
    expect(page.locator(f"figure.tile a[href='{after}'] .aigc.both")).to_be_visible()
    page.goto(site.url + after)
    expect(page.locator(".bar .aigc.both")).to_be_visible()
    expect(page.locator("table.diff")).to_contain_text("Acme")
    with page.expect_download() as download:
        page.locator("a[href$='/download/']").first.click()
    download.value.save_as(tmp_path / "labelled")
    assert labels.read(tmp_path / "labelled")["ProduceID"] == "91310000"

    # The one from before needs a reason, and the register has it.
    page.goto(site.url + before)
    take_without(page, tmp_path / "plain")
    assert labels.read(tmp_path / "plain") == {}
    page.goto(settings)
    page.locator("a[href$='/unlabelled/']").click()
    expect(page.locator("tbody tr")).to_have_count(1)
    expect(page.locator("tbody")).to_contain_text("for print, marked there")
    with page.expect_download() as download:
        page.locator("a[href$='/csv/']").click()
    assert "for print" in Path(download.value.path()).read_text()
