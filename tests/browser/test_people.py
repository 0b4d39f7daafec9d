"""People in a real browser: invited, joined, at work as an editor, refused as a viewer; pages without barriers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import BrowserContext, Page, expect

from tests.running import Site, running_site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
ROWS = "from generations.models import *; "
PASSWORD = "quite another 7 words"
ARRIVES_MS = 90_000
JOIN = re.compile("Join|加入")
TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


@pytest.fixture(scope="module")
def site(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("people")
    options = ("--latency", "1", "--fast-media")
    with running_site(folder, demo=False, sandbox_options=options) as made:
        made.begin()
        yield made


@pytest.fixture(scope="module")
def project(site: Site) -> str:
    found: str = site.shell(f"{ROWS}answer = Project.objects.get(slug='demo').public_id")
    return f"/p/{found}/"


def listen(page: Page, complaints: list[str]) -> Page:
    page.on("console", lambda said: complaints.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    return page


def invite(owner: Page, settings: str) -> str:
    """The owner makes a link for one editor; it is shown, ready to be copied."""
    owner.goto(settings)
    card = owner.locator("#invitations")
    card.locator("[name=role]").select_option("editor")
    card.locator("form[action*=invitations] button").last.click()
    expect(owner.locator("copy-text button")).to_be_visible()
    return owner.locator("#new-link").input_value()


def join(guest: Page, link: str, name: str) -> None:
    """Somebody new mistypes, loses nothing, and is in."""
    guest.goto(link)
    guest.locator("[name=first_name]").fill(name)
    guest.locator("[name=username]").fill(name)
    guest.locator("[name=password]").fill("short")
    guest.get_by_role("button", name=JOIN).click()
    expect(guest.locator("#error-password")).to_be_visible()
    expect(guest.locator("[name=username]")).to_have_value(name)
    guest.locator("[name=password]").fill(PASSWORD)
    guest.get_by_role("button", name=JOIN).click()


def generate(guest: Page, prompt: str) -> None:
    guest.locator("[name=prompt]").fill(prompt)
    guest.locator("[name=count]").fill("1")
    guest.wait_for_load_state("load")
    guest.locator("[name=prompt]").press("Control+Enter")


def make_viewer(owner: Page, settings: str, name: str) -> None:
    owner.goto(settings)
    form = owner.locator(".people li", has_text=name).locator("form")
    form.locator("[name=role]").select_option("viewer")
    form.locator("button:not([name])").click()
    expect(owner.locator(".flash")).to_be_visible()


@pytest.mark.parametrize("language", ["en-GB", "zh-CN"])
def test_invited_joined_at_work_then_only_looking(
    site: Site, project: str, new_context: Callable[..., BrowserContext], language: str
) -> None:
    complaints: list[str] = []
    name, settings = f"lin-{language}", f"{site.url}{project}settings/"
    owners = new_context(locale=language)
    owners.add_cookies(site.login_cookies())  # type: ignore[arg-type]  # plain dicts
    owner = listen(owners.new_page(), complaints)
    link = invite(owner, settings)
    assert re.fullmatch(rf"{site.url}/join/[\w-]{{43}}/", link)

    guest = listen(new_context(locale=language).new_page(), complaints)
    join(guest, link, name)
    expect(guest).to_have_url(site.url + project)
    generate(guest, f"一只柯基 {name}")
    mine = guest.locator("article.batch", has_text=name)
    expect(mine.locator("figure.tile [name=pick]")).to_have_count(1, timeout=ARRIVES_MS)

    # The link was for one: the next person finds it dead.
    late = new_context(locale="en-GB").new_page()
    dead = late.goto(link)
    assert dead is not None and dead.status == 404
    expect(late.locator("h1")).to_have_text("This link lets nobody in")

    # Made a viewer, they look on; what they had open still is refused.
    make_viewer(owner, settings, name)
    with guest.expect_response(lambda answer: answer.url.endswith("/compose/")) as refused:
        generate(guest, "一只猫")
    assert refused.value.status == 403
    guest.reload()
    expect(guest.locator("#compose")).to_have_count(0)
    expect(mine.locator("figure.tile")).to_have_count(1)
    # The browser itself reports the answers 422 and 403.
    assert [said for said in complaints if "422" not in said and "403" not in said] == []


@pytest.fixture(scope="module")
def places(site: Site, project: str) -> dict[str, list[str]]:
    """Paths by who looks at them."""
    found = site.shell(
        f"{ROWS}from generations.services import projects\n"
        "d = User.objects.get(username='designer'); p = Project.objects.get(slug='demo')\n"
        "t = projects.invite(project=p, by=d, role='viewer', days='7', once=False)\n"
        "o = projects.create(name='Old', owner=d); projects.archive(project=o)\n"
        "Allowance.objects.create(scope='project', project=p, limit=1000, period='month')\n"
        "answer = [f'/join/{t}/', f'/p/{o.public_id}/']"
    )
    site.session()  # a second browser for the list
    door, old = found
    return {
        "": [door, "/join/nothing/", "/password/forgotten/", "/password/forgotten/sent/"],
        "designer": [
            *("/usage/", "/settings/", "/projects/", project, f"{project}settings/"),
            *(old, f"{old}settings/"),
        ],
        "admin": [door, "/admin/generations/allowance/", "/admin/generations/allowance/1/change/"],
    }


def barriers(page: Page) -> list[str]:
    # So tall that nothing lies half under the bar at the bottom, which axe takes for a small target.
    page.set_viewport_size({"width": 390, "height": 3200})
    options: dict[str, Any] = {"runOnly": {"type": "tag", "values": TAGS}}
    found = Axe().run(page, options=options).response["violations"]
    return [f"{page.url} {each['id']}: {each['nodes'][0]['html'][:200]}" for each in found]


def overflow(page: Page) -> int:
    found: int = page.evaluate("document.documentElement.scrollWidth - innerWidth")
    return found


@pytest.mark.parametrize("theme", ["dark", "light"])
@pytest.mark.parametrize("who", ["", "designer", "admin"])
def test_the_pages_are_without_barriers(
    site: Site,
    places: dict[str, list[str]],
    new_context: Callable[..., BrowserContext],
    who: str,
    theme: str,
) -> None:
    """No axe violation, nothing blocked by the policy, nothing wider than a phone."""
    site.shell(f"{ROWS}answer = User.objects.update(theme='{theme}', language='en')")
    context = new_context(viewport={"width": 390, "height": 844}, color_scheme=theme)
    taste = {"name": "theme", "value": theme, "url": site.url}
    context.add_cookies([*(site.login_cookies(who) if who else []), taste])  # type: ignore[list-item]
    found: list[str] = []
    for path in places[who]:
        page = context.new_page()
        complaints: list[str] = []
        listen(page, complaints)
        page.goto(site.url + path, wait_until="load")
        if path.endswith("settings/") and page.locator("#invitations").count():
            page.locator("form[action*=invitations] button").last.click()
            page.wait_for_load_state("load")
        if path.endswith("allowance/"):
            found += [*complaints, *barriers(page)]
            complaints.clear()
            page.locator("#action-toggle").check()
            page.locator("select[name=action]").select_option("give_more")
            page.locator("button[name=index]").click()
            page.wait_for_load_state("load")
        # Before axe looks: it tries styles of its own, which the policy blocks.
        found += [said for said in complaints if "404" not in said]
        found += barriers(page)
        if "/admin/" not in path:
            assert overflow(page) <= 0, path
        page.close()
    assert found == []
