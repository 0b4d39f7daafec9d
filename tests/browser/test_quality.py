"""Every page in both themes: accessible, quiet under the strict policy, and light."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from typing import Any, Literal

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests.browser.everywhere import NAMES, Shown, everywhere, prepare
from tests.running import Site, running_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
THEMES: tuple[Literal["dark", "light"], ...] = ("dark", "light")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
# Kilobytes after gzip, requests: what a first visit may cost (design/README.md).
BUDGET = {"script": 30, "stylesheet": 12, "sprite": 4, "document": 20}
MAX_REQUESTS = 12


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation with every kind of card on its pages."""
    folder = tmp_path_factory.mktemp("quality")
    with running_site(folder, ENGINE_LEASE="3", ENGINE_RENEW="1", ENGINE_ENSURE="0.5") as made:
        prepare(made)
        yield made


@pytest.fixture(scope="module")
def paths(site: Site, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Shown]:
    return everywhere(site, tmp_path_factory.mktemp("photo"))


@pytest.fixture(scope="module")
def cookies(site: Site) -> dict[str, list[dict[str, Any]]]:
    return {"": [], **{name: site.login_cookies(name) for name in ("designer", "admin")}}


def open_page(context: BrowserContext, url: str) -> tuple[Page, list[str]]:
    """The page, and everything the browser complained about while it loaded."""
    page = context.new_page()
    said: list[str] = []
    page.on(
        "console",
        lambda message: said.append(message.text) if message.type in ("error", "warning") else None,
    )
    page.on("pageerror", lambda error: said.append(str(error)))
    page.add_init_script(
        "document.addEventListener('securitypolicyviolation',"
        " e => console.error('CSP ' + e.violatedDirective + ' ' + e.blockedURI + ' ' + e.sample))"
    )
    page.goto(url, wait_until="load")
    page.wait_for_timeout(300)
    return page, said


@pytest.mark.parametrize("name", NAMES)
def test_accessible_and_quiet(
    name: str,
    site: Site,
    paths: dict[str, Shown],
    cookies: dict[str, list[dict[str, Any]]],
    new_context: Callable[..., BrowserContext],
) -> None:
    context = new_context(color_scheme=THEMES[0])
    shown = paths[name]
    context.add_cookies(cookies[shown.who])  # type: ignore[arg-type]
    page, said = open_page(context, site.url + shown.path)
    # The browser itself reports the 404 of the pages that are meant to be one.
    gone = name in ("missing", "join-gone")
    assert [each for each in said if not gone or "404" not in each] == []
    for theme in THEMES:
        page.emulate_media(color_scheme=theme)
        page.wait_for_timeout(400)  # colours fade into each other in the admin
        found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
        assert found.violations_count == 0, (theme, found.generate_report())
    if shown.who != "admin":
        page.set_viewport_size({"width": 390, "height": 844})
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, "sticks out of a phone"


def weigh(context: BrowserContext, url: str) -> tuple[dict[str, float], list[str]]:
    """Gzipped kilobytes by kind, and the addresses asked for besides pictures and the stream."""
    page = context.new_page()
    asked: dict[str, str] = {}

    def note(request: Any) -> None:
        address = request.url
        if "/events/" not in address and "/f/" not in address and address.startswith("http"):
            asked[address] = "sprite" if "sprite" in address else request.resource_type

    page.on("request", note)
    page.goto(url, wait_until="load")
    page.wait_for_timeout(1500)
    weights: dict[str, float] = {}
    for address, kind in asked.items():
        body = context.request.get(address).body()
        weights[kind] = weights.get(kind, 0) + len(gzip.compress(body, 9)) / 1000
    assert weights["script"] > 10, weights  # htmx at least: everything was weighed
    return weights, list(asked)


VISITED = ["studio", "gallery", "detail", "compare", "animate", "video", "two-videos"]


@pytest.mark.parametrize("name", VISITED)
def test_the_first_visit_is_light(
    name: str,
    site: Site,
    paths: dict[str, Shown],
    cookies: dict[str, list[dict[str, Any]]],
    new_context: Callable[..., BrowserContext],
) -> None:
    context = new_context()
    context.add_cookies(cookies["designer"])
    weights, asked = weigh(context, site.url + paths[name].path)
    print(name, {kind: round(size, 1) for kind, size in weights.items()}, len(asked), "requests")
    for kind, most in BUDGET.items():
        assert weights.get(kind, 0) <= most, (kind, weights)
    assert len(asked) <= MAX_REQUESTS, asked


def test_the_admin_is_quiet_under_the_policy_and_our_pages_hold_no_inline_style(
    site: Site, paths: dict[str, Shown], cookies: dict[str, list[dict[str, Any]]]
) -> None:
    session = site.session()
    for name in ("studio", "gallery", "detail", "compare", "projects", "settings"):
        text = session.get(site.url + paths[name].path, timeout=30).text
        assert " style=" not in text, name
        assert "<script>" not in text, name
        assert "&lt;b&gt;被丢弃的回答" in text or "被丢弃的回答" not in text
