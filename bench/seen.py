"""What a person notices, in a real browser: click to accepted, and done to on the screen.

    python -m bench.seen

The provider's own moments come from the sandbox's database, the browser's from its own clock: all run
on one machine.
"""

from __future__ import annotations

import sqlite3
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

from bench import report
from bench.report import Figure
from tests import many
from tests.conftest import CHROMIUM, CHROMIUM_ARGS
from tests.many import ROWS
from tests.running import Site, running_site, wait_until

CLICKS, IN_FLIGHT = 40, 200
ACCEPTED_S, SEEN_S = 0.25, 1.5
ALIVE = "answer = DriverLease.objects.filter(account__provider='jimeng').exclude(owner='').count()"
UNDER_WAY = 'answer = Job.objects.filter(state__in=["queued", "submitting", "running", "collecting"]).count()'
OF_PICTURES = """
answer = [[f"t-{asset.public_id}", asset.job.remote_id]
          for asset in Asset.objects.select_related("job")]
"""
# The clock of the page, when a click begins and when a picture (not its placeholder) has loaded.
WATCH = """
window.clicks = []; window.seen = {};
document.addEventListener("click", (event) => {
  if (event.isTrusted && event.target.closest("#compose .primary")) window.clicks.push(Date.now());
}, true);
document.addEventListener("load", (event) => {
  const tile = event.target.closest && event.target.closest("figure.tile");
  if (tile && tile.id && !event.target.matches(".ph")) window.seen[tile.id] ??= Date.now();
}, true);
"""


@contextmanager
def studio(*sandbox_options: str) -> Iterator[tuple[Site, Page]]:
    """An installation whose account has room for everything, and its studio in a browser."""
    with (
        tempfile.TemporaryDirectory() as folder,
        running_site(
            Path(folder),
            demo=False,
            worker=False,
            web=False,
            sandbox_options=(*sandbox_options, "--fast-media"),
        ) as site,
        sync_playwright() as playwright,
    ):
        site.begin()
        project = many.make_room(site)
        site.start_worker()
        site.start_web()
        wait_until(lambda: site.shell(ROWS + ALIVE), timeout_s=60, every_s=0.5, what="the driver")
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        # As tall as twelve cards: what is below the window is not fetched.
        context = browser.new_context(viewport={"width": 1440, "height": 4800})
        context.add_cookies(site.login_cookies())  # type: ignore[arg-type]
        page = context.new_page()
        page.add_init_script(WATCH)
        page.goto(f"{site.url}/p/{project}/", wait_until="load")
        page.wait_for_timeout(1000)
        yield site, page
        browser.close()


def moments(site: Site, column: str) -> dict[str, float]:
    """By task: seconds since 1970, from the provider's rows."""
    database = sqlite3.connect(f"file:{site.sandbox.folder}/state.sqlite3?mode=ro", uri=True)
    try:
        return dict(database.execute(f"SELECT task_id, {column} FROM tasks"))
    finally:
        database.close()


def p95(values: list[float]) -> float:
    return sorted(values)[int(0.95 * len(values))]


def accepted() -> Figure:
    """One run after the other, each asked for by a click, with nothing else under way."""
    with studio("--latency", "1") as (site, page):
        page.locator("[name=count]").fill("1")
        for number in range(CLICKS):
            page.locator("[name=prompt]").fill(f"一只柯基 {number}")
            page.locator("#compose .primary").click()
            wait_until(lambda n=number: len(moments(site, "submitted")) > n, timeout_s=20)
            page.wait_for_timeout(1500 + 37 * number % 200)
        clicks = page.evaluate("window.clicks")
        known = sorted(moments(site, "submitted").values())
    late = [there - click / 1000 for click, there in zip(clicks, known, strict=True)]
    note = f"{len(late)} clicks, median {sorted(late)[len(late) // 2]:.3f} s"
    return Figure("click to accepted by the provider, idle, p95", p95(late), "s", ACCEPTED_S, note)


def on_screen() -> Figure:
    """Two hundred in flight that end one after the other; those of the cards in the window count."""
    with studio("--latency", "40", "--jitter", "0.5") as (site, page):
        many.ask(site, IN_FLIGHT // 4, pictures=4)
        wait_until(lambda: len(moments(site, "ends")) == IN_FLIGHT, timeout_s=30, what="all sent")
        time.sleep(62.0)
        wait_until(lambda: not site.shell(ROWS + UNDER_WAY), timeout_s=60, every_s=1.0)
        page.wait_for_timeout(2000)
        seen, ends = page.evaluate("window.seen"), moments(site, "ends")
        task_of = dict(site.shell(ROWS + OF_PICTURES))
    late = [moment / 1000 - ends[task_of[tile]] for tile, moment in seen.items()]
    note = f"{len(late)} pictures in the window, median {sorted(late)[len(late) // 2]:.2f} s"
    name = f"provider done to on the screen, {IN_FLIGHT} in flight, p95"
    return Figure(name, p95(late), "s", SEEN_S, note)


def figures() -> Iterator[Figure]:
    yield accepted()
    yield on_screen()


if __name__ == "__main__":
    sys.exit(0 if report.write(figures(), "seen") else 1)
