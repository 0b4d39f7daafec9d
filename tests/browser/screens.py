"""Photograph the pages: `python -m tests.browser.screens [FOLDER/] [NAME …]` (FOLDER: docs/screens).

Every page of everywhere.py, or those named, in both themes and languages, at 1440 x 900 and 390 x 844,
with pictures that the sandbox really made. Existing files are replaced.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import product
from pathlib import Path

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.arrived import wait_for_pictures
from tests.browser.everywhere import ROWS, Shown, everywhere, prepare
from tests.conftest import CHROMIUM, CHROMIUM_ARGS
from tests.running import ROOT, Site, running_site

SIZES = {"wide": (1440, 900), "phone": (390, 844)}
LANGUAGES = {"zh": "zh-hans", "en": "en"}
THEMES = ("dark", "light")


def photograph(browser: Browser, site: Site, folder: Path, wanted: dict[str, Shown]) -> int:
    """Take every wanted page in every combination; how many there were."""
    cookies = {who: site.login_cookies(who) for who in ("designer", "admin")}
    taken = 0
    for (language, code), theme, (size, (width, height)) in product(
        LANGUAGES.items(), THEMES, SIZES.items()
    ):
        site.shell(f"{ROWS}answer = User.objects.update(theme='{theme}', language='{code}')")
        for name, shown in wanted.items():
            context = browser.new_context(
                viewport={"width": width, "height": height},
                locale="zh-CN" if language == "zh" else "en-GB",
                timezone_id="Asia/Shanghai",
                reduced_motion="reduce",
                color_scheme=theme,  # type: ignore[arg-type]
            )
            said = {"name": "django_language", "value": code, "url": site.url}
            context.add_cookies([*cookies.get(shown.who, []), said])  # type: ignore[list-item]
            file = folder / f"{name}-{theme}-{language}-{size}.png"
            shoot(context.new_page(), site.url + shown.path, file)
            context.close()
            taken += 1
    return taken


def shoot(page: Page, url: str, file: Path) -> None:
    """Open, wait until every visible picture is there, photograph the window."""
    page.goto(url, wait_until="load")
    wait_for_pictures(page)
    page.wait_for_timeout(600)
    page.screenshot(path=file)


def main(folder: Path, only: list[str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as place,
        running_site(Path(place), sandbox_options=("--latency", "2")) as site,
        sync_playwright() as playwright,
    ):
        prepare(site)
        wanted = everywhere(site, Path(place))
        wanted = {name: shown for name, shown in wanted.items() if not only or name in only}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        print(photograph(browser, site, folder, wanted), "screens in", folder.name)
        browser.close()


if __name__ == "__main__":
    names = [each for each in sys.argv[1:] if "/" not in each]
    folders = [Path(each) for each in sys.argv[1:] if "/" in each]
    main(folders[0] if folders else ROOT / "docs" / "screens", names)
