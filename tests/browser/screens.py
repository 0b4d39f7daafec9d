"""Photograph the pages: `python -m tests.browser.screens [FOLDER]` (by default docs/screens).

Studio, Gallery, Detail and Compare, in both themes and languages, at 1440 x 900 and 390 x 844, with
pictures that the sandbox really made. Existing files are replaced.
"""

from __future__ import annotations

import sys
import tempfile
from itertools import product
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.arrived import wait_for_pictures
from tests.conftest import CHROMIUM, CHROMIUM_ARGS
from tests.running import ROOT, Site, running_site, wait_until

SIZES = {"wide": (1440, 900), "phone": (390, 844)}
LANGUAGES = {"zh": "zh-hans", "en": "en"}
THEMES = ("dark", "light")
ROWS = "from generations.models import *; "


def places(site: Site) -> dict[str, str]:
    """Paths of the four pages, with the demo's own pictures."""
    first = "Generation.objects.order_by('pk')"
    code = (
        f"{ROWS}p = Project.objects.get(slug='demo').public_id; "
        f"a = {first}[0].assets.order_by('pk')[0].public_id; "
        f"b = {first}[1].assets.order_by('pk')[0].public_id; "
        f"four = [r.assets.order_by('pk')[0].public_id for r in {first}[:4]]; "
        "four = '&'.join(f'{k}={v}' for k, v in zip('abcd', four)); "
        "answer = {'studio': f'/p/{p}/', 'gallery': f'/p/{p}/gallery/', 'detail': f'/a/{a}/', "
        "'compare': f'/compare/?a={a}&b={b}', 'slider': f'/compare/?a={a}&b={b}&mode=slider', "
        "'four': f'/compare/?{four}', "
        "'projects': '/projects/', 'members': f'/p/{p}/settings/', 'settings': '/settings/'}"
    )
    found: dict[str, str] = site.shell(code)
    return found


def prepare(site: Site) -> None:
    """Wait for the demo's pictures, then leave one run under way and one refused."""
    state = f"{ROWS}answer = Generation.objects.filter(state='active').count()"
    wait_until(lambda: site.shell(state) == 0, timeout_s=180, every_s=2, what="the demo's runs")
    generate = ["generate", "--project", "demo", "--skip-checks"]
    site.manage(*generate, "一只敏感词测试的猫", "--size", "2048x2048")
    wait_until(lambda: site.shell(state) == 0, timeout_s=60, every_s=1)
    site.sandbox.set_faults(latency=900)
    prompt = "陶瓷香薰静物，暖灰背景，柔和的窗光，产品摄影"
    site.manage(*generate, prompt, "--size", "2048x2048", "--count", "4")


def photograph(browser: Browser, site: Site, folder: Path, wanted: dict[str, str]) -> int:
    cookies: list[Any] = site.login_cookies()
    taken = 0
    for (language, code), theme, (size, (width, height)) in product(
        LANGUAGES.items(), THEMES, SIZES.items()
    ):
        site.shell(f"{ROWS}answer = User.objects.update(theme='{theme}', language='{code}')")
        context = browser.new_context(
            viewport={"width": width, "height": height},
            locale="zh-CN" if language == "zh" else "en-GB",
            timezone_id="Asia/Shanghai",
            reduced_motion="reduce",
            color_scheme=theme,  # type: ignore[arg-type]
        )
        context.add_cookies([*cookies, {"name": "django_language", "value": code, "url": site.url}])
        for name, path in wanted.items():
            page = context.new_page()
            shoot(page, site.url + path, folder / f"{name}-{theme}-{language}-{size}.png")
            page.close()
            taken += 1
        context.close()
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
        wanted = {name: path for name, path in places(site).items() if not only or name in only}
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=CHROMIUM_ARGS)
        print(photograph(browser, site, folder, wanted), "screens in", folder.name)
        browser.close()


if __name__ == "__main__":
    names = [each for each in sys.argv[1:] if "/" not in each]
    folders = [Path(each) for each in sys.argv[1:] if "/" in each]
    main(folders[0] if folders else ROOT / "docs" / "screens", names)
