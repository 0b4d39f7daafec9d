"""Many prompts in a real browser: pasted, reloaded, the worker restarted in the middle; the bell."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.running import Site, running_site, wait_until

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ROWS = "from generations.models import *; "
PROMPTS = [f"第 {n} 只柯基在雪地里" for n in range(1, 21)]


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("batches")
    options = ("--latency", "3", "--jitter", "0.3", "--fast-media")
    engine = {"ENGINE_LEASE": "4", "ENGINE_RENEW": "1", "ENGINE_ENSURE": "1"}
    with running_site(folder, demo=False, sandbox_options=options, **engine) as made:
        made.begin()
        yield made


# Somebody who has not been asked yet, and says yes when they are.
ANSWERS = """
let answer = "default";
Object.defineProperty(Notification, "permission", { get: () => answer });
Notification.requestPermission = async () => {
  window.asked = (window.asked ?? 0) + 1;
  answer = "granted";
};
"""


def opened(
    site: Site, new_context: Callable[..., BrowserContext], path: str, language: str = "zh-CN"
) -> tuple[Page, list[str]]:
    context = new_context(locale=language)
    context.add_cookies(site.login_cookies())
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda said: (
            complaints.append(f"{said.text} {said.location}") if said.type == "error" else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(site.url + path, wait_until="load")
    return page, complaints


def idle(site: Site) -> None:
    """Nothing of another test of this file is under way."""
    site.sandbox.set_faults(latency=3)
    busy = f"{ROWS}answer = Generation.objects.filter(state='active').count()"
    wait_until(lambda: site.shell(busy) == 0, timeout_s=60, every_s=1)


def project(site: Site) -> str:
    found: str = site.shell(f"{ROWS}answer = str(Project.objects.get(slug='demo').public_id)")
    return found


@pytest.mark.parametrize("language", ["zh-CN", "en-GB"])
def test_twenty_prompts_arrive_once_through_reload_and_a_restarted_worker(
    site: Site, new_context: Callable[..., BrowserContext], language: str
) -> None:
    page, complaints = opened(site, new_context, f"/p/{project(site)}/", language)
    idle(site)
    batches = site.shell(f"{ROWS}answer = Batch.objects.count()")
    before = len(site.sandbox.ledger())
    page.locator("#compose a[href$='/batches/new/']").click()
    page.locator("#lines").fill("\n".join(PROMPTS))
    expect(page.locator("#lines-count")).to_contain_text("20")
    page.locator("button[value=preview]").click()
    expect(page.locator(".preview tbody tr")).to_have_count(20)
    page.locator("button[value=start]").dblclick()
    expect(page).to_have_url(re.compile(r"/batches/[0-9a-f-]{36}/$"))
    expect(page.locator(".line")).to_have_count(20)
    assert site.shell(f"{ROWS}answer = Batch.objects.count()") == batches + 1

    expect(page.locator(".thumbs img").first).to_be_visible(timeout=40_000)
    site.stop_worker()
    page.reload()
    expect(page.locator(".line")).to_have_count(20)
    site.start_worker()
    expect(page.locator("#lines-now > progress")).to_have_js_property("value", 20, timeout=150_000)
    expect(page.locator(".thumbs img")).to_have_count(20)
    sent = site.sandbox.ledger()[before:]
    assert len({row["task_id"] for row in sent}) == len(sent) == 20
    last = "Batch.objects.order_by('-pk')[0]"
    rows = f"{ROWS}answer = list(Asset.objects.filter(generation__batch={last})"
    assert Counter(site.shell(f"{rows}.values_list('generation__prompt', flat=True))")) == Counter(
        PROMPTS
    )
    assert complaints == []


def test_a_page_in_the_background_counts_what_ends_and_the_bell_lists_it(
    site: Site, new_context: Callable[..., BrowserContext]
) -> None:
    idle(site)
    site.shell(f"{ROWS}answer = User.objects.update(news_seen_at='2099-01-01T00:00:00Z')")
    page, complaints = opened(site, new_context, f"/p/{project(site)}/gallery/")
    expect(page.locator("#bell .unread")).to_have_count(0)
    title = page.title()
    site.shell(f"{ROWS}answer = User.objects.update(news_seen_at='2020-01-01T00:00:00Z')")
    site.sandbox.set_faults(latency=6)
    site.manage("generate", "背景里的猫", "--project", "demo", "--skip-checks")
    hide(page, True)
    expect(page).to_have_title(f"(1) {title}", timeout=40_000)
    hide(page, False)
    expect(page).to_have_title(title)
    page.reload()
    expect(page.locator("#bell .unread")).to_have_text(re.compile(r"\d"))
    page.locator("#bell").click()
    expect(page.locator("#news li").first).to_contain_text("背景里的猫")
    expect(page.locator("#bell .unread")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#news")).to_be_hidden()
    page.reload()
    expect(page.locator("#bell .unread")).to_have_count(0)
    assert complaints == []


def hide(page: Page, hidden: bool) -> None:
    """What the browser does when another tab comes to the front."""
    page.evaluate(
        "hidden => { Object.defineProperty(document, 'hidden', {configurable: true, get: () => hidden});"
        " document.dispatchEvent(new Event('visibilitychange')) }",
        hidden,
    )


def test_the_queue_moves_by_itself(site: Site, new_context: Callable[..., BrowserContext]) -> None:
    idle(site)
    site.sandbox.set_faults(latency=30)
    page, complaints = opened(site, new_context, f"/p/{project(site)}/queue/")
    expect(page.locator(".line")).to_have_count(0)
    generate = ["generate", "--project", "demo", "--skip-checks", "--count", "6"]
    for prompt in ("先来的", "后来的"):
        site.manage(*generate, prompt)
    expect(page.locator(".line")).to_have_count(12, timeout=20_000)
    waiting = page.locator(".line:has([value=front])")
    expect(waiting.last).to_contain_text("后来的")
    moved = waiting.last.get_attribute("id")
    waiting.last.locator("[value=front]").click()
    expect(page.locator(".line:has(.n:text-is('1'))")).to_have_attribute("id", str(moved))
    page.locator("[value=cancel-all]").click()
    expect(page.locator(".line .n:text-matches('[0-9]')")).to_have_count(0)
    assert complaints == []


def test_notifications_are_asked_for_by_a_button_only(
    site: Site, new_context: Callable[..., BrowserContext]
) -> None:
    page, complaints = opened(site, new_context, "/news/")
    # A browser without a screen always refuses, and nobody can tell it otherwise:
    expect(page.locator("notify-switch [data-when=denied]")).to_be_visible()
    expect(page.locator("notify-switch button:visible")).to_have_count(0)
    # so what a person answers is put in its place.
    page.add_init_script(ANSWERS)
    page.reload()
    assert page.evaluate("window.asked") is None
    page.locator("notify-switch [data-when=off]").click()
    expect(page.locator("notify-switch [data-when=on]")).to_be_focused()
    assert page.evaluate("window.asked") == 1
    page.locator("notify-switch [data-when=on]").click()
    expect(page.locator("notify-switch [data-when=off]")).to_be_visible()
    assert page.evaluate("window.asked") == 1
    assert complaints == []
