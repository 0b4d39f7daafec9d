"""Every page in both themes: accessible, quiet under the strict policy, and light."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Iterator
from itertools import product
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page

from tests.browser.screens import places
from tests.running import Site, running_site, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
THEMES = ("dark", "light")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
ROWS = "from generations.models import *; "
EVERY = (
    *("studio", "refused", "uncertain", "gallery", "detail"),
    *("compare", "slider", "four", "empty-compare"),
    *("projects", "new", "members", "settings", "password", "missing", "rerun", "login"),
    *("admin", "allowances", "allowance", "jobs"),
    *("many", "batches", "batch", "queue", "news"),
    *("references", "own", "trash", "everything", "narrowed", "nothing"),
    *("prompts", "prompt", "restore", "usage"),
)
OF_PROJECT = {
    "references": "library/references/",
    "own": "library/references/?shelf=mine",
    "prompts": "library/prompts/",
    "restore": "recipe/",
    "trash": "trash/",
    "narrowed": "gallery/?q=城&sort=oldest",
    "nothing": "gallery/?q=nowhere",
}
# Kilobytes after gzip, requests: what a first visit may cost (design/README.md).
BUDGET = {"script": 30, "stylesheet": 12, "sprite": 4, "document": 20}
MAX_REQUESTS = 12


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    """An installation with every kind of card on its pages."""
    folder = tmp_path_factory.mktemp("quality")
    with running_site(folder, ENGINE_LEASE="3", ENGINE_RENEW="1", ENGINE_ENSURE="0.5") as made:
        busy = f"{ROWS}answer = Generation.objects.filter(state='active').count()"
        wait_until(lambda: made.shell(busy) == 0, timeout_s=120, every_s=2)
        generate = ["generate", "--project", "demo", "--skip-checks", "--size", "1024x1024"]
        made.manage(*generate, "敏感词测试")
        made.sandbox.set_faults(faults={"drop_after": 1.0})
        made.manage(*generate, "<b>被丢弃的回答</b>")
        wait_until(lambda: made.shell(busy) == 0, timeout_s=60, every_s=1)
        made.sandbox.set_faults(faults={}, latency=900)
        made.manage(*generate, "一只猫", "--count", "2")
        yield made


@pytest.fixture(scope="module")
def paths(site: Site) -> dict[str, str]:
    more: dict[str, str] = site.shell(
        f"{ROWS}p = Project.objects.get(slug='demo').public_id; "
        "g = Generation.objects.order_by('pk'); a = Allowance.objects.first().pk; "
        "b = Batch.objects.create(project=g[0].project, user=g[0].user, name='Ten cats'); "
        "l = BatchLine.objects.create(batch=b, position=1, prompt='一只猫', generation=g[0]); "
        "l = BatchLine.objects.create(batch=b, position=2, prompt='两只猫', problem='Its run was removed.'); "
        "u = g.get(state='uncertain').public_id; f = g.get(state='failed').public_id; "
        "from generations.services.library import prompts; "
        "q = prompts.create(project=g[0].project, user=g[0].user, "
        "wording=prompts.Wording('Cat', 'a {colour:red|blue} cat')); "
        "answer = {'gallery_of': f'/p/{p}/', 'prompt': f'/p/{p}/library/prompts/{q.public_id}/', 'many': f'/p/{p}/batches/new/', 'batches': f'/p/{p}/batches/', "
        "'batch': f'/p/{p}/batches/{b.public_id}/', 'queue': f'/p/{p}/queue/', 'uncertain': f'/p/{p}/g/{u}/', 'refused': f'/p/{p}/g/{f}/', "
        "'rerun': f'/p/{p}/?recipe={f}', 'allowance': f'/admin/generations/allowance/{a}/change/'}"
    )
    return {
        **places(site),
        **more,
        **{name: f"{more['gallery_of']}{rest}" for name, rest in OF_PROJECT.items()},
        "everything": "/everything/?sort=best&rating=1",
        "usage": "/usage/",
        "news": "/news/",
        "empty-compare": "/compare/",
        "new": "/projects/new/",
        "password": "/password/",
        "missing": "/projects/nowhere/",
        "login": "/login/",
        "admin": "/admin/",
        "allowances": "/admin/generations/allowance/",
        "jobs": "/admin/generations/job/",
    }


@pytest.fixture(scope="module")
def cookies(site: Site) -> dict[str, list[dict[str, Any]]]:
    return {name: site.login_cookies(name) for name in ("designer", "admin")}


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


@pytest.mark.parametrize(("name", "theme"), list(product(EVERY, THEMES)))
def test_accessible_and_quiet(
    name: str,
    theme: str,
    site: Site,
    paths: dict[str, str],
    cookies: dict[str, list[dict[str, Any]]],
    new_context: Callable[..., BrowserContext],
) -> None:
    context = new_context(color_scheme=theme)
    path = paths[name]
    if name != "login":
        context.add_cookies(cookies["admin" if path.startswith("/admin") else "designer"])
    page, said = open_page(context, site.url + path)
    # The browser itself reports the 404 of the page that is meant to be one.
    assert [each for each in said if name != "missing" or "404" not in each] == []
    found = Axe().run(page, options={"runOnly": {"type": "tag", "values": TAGS}})
    assert found.violations_count == 0, found.generate_report()


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


@pytest.mark.parametrize("name", ["studio", "gallery", "detail", "compare"])
def test_the_first_visit_is_light(
    name: str,
    site: Site,
    paths: dict[str, str],
    cookies: dict[str, list[dict[str, Any]]],
    new_context: Callable[..., BrowserContext],
) -> None:
    context = new_context()
    context.add_cookies(cookies["designer"])
    weights, asked = weigh(context, site.url + paths[name])
    print(name, {kind: round(size, 1) for kind, size in weights.items()}, len(asked), "requests")
    for kind, most in BUDGET.items():
        assert weights.get(kind, 0) <= most, (kind, weights)
    assert len(asked) <= MAX_REQUESTS, asked


@pytest.mark.parametrize(
    "name", ["studio", "gallery", "detail", "compare", "four", "projects", "login"]
)
def test_nothing_sticks_out_of_a_phone(
    name: str,
    site: Site,
    paths: dict[str, str],
    cookies: dict[str, list[dict[str, Any]]],
    new_context: Callable[..., BrowserContext],
) -> None:
    context = new_context(viewport={"width": 390, "height": 844})
    context.add_cookies(cookies["designer"] if name != "login" else [])
    page, _said = open_page(context, site.url + paths[name])
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_admin_is_quiet_under_the_policy_and_our_pages_hold_no_inline_style(
    site: Site, paths: dict[str, str], cookies: dict[str, list[dict[str, Any]]]
) -> None:
    session = site.session()
    for name in ("studio", "gallery", "detail", "compare", "projects", "settings"):
        text = session.get(site.url + paths[name], timeout=30).text
        assert " style=" not in text, name
        assert "<script>" not in text, name
        assert "&lt;b&gt;被丢弃的回答" in text or "被丢弃的回答" not in text
