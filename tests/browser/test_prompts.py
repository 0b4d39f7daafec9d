"""The prompt field's memory in a browser: "/" inserts a saved prompt, alt+↑ brings back the last."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import BrowserContext, expect

from tests.running import Site

pytestmark = [pytest.mark.browser, pytest.mark.timeout(300)]
SEED = """
from generations.models import *
from generations.services.library import prompts
person = User.objects.get(username='designer')
project = Project.objects.visible_to(person).order_by('id').first()
prompts.create(user=person, project=None,
    wording=prompts.Wording('Cat in colours', 'a {colour:red|blue} cat, {mood=calm}'))
answer = str(project.public_id)
"""


def test_slash_and_history(site: Site, new_context: Callable[..., BrowserContext]) -> None:
    project = site.shell(SEED)
    context = new_context()
    context.add_cookies(site.login_cookies())
    page = context.new_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site.url}/p/{project}/")
    field = page.locator("#prompt")
    field.fill("")
    field.press_sequentially("Look: /colours")
    option = page.get_by_role("option", name="Cat in colours")
    expect(option).to_have_attribute("aria-selected", "true")
    field.press("Escape")
    expect(page.get_by_role("listbox")).to_have_count(0)
    field.press("Backspace")
    expect(option).to_be_visible()
    field.press("Enter")
    expect(field).to_have_value("Look: a {colour:red|blue} cat, {mood=calm}")
    expect(page.locator("#slot-0")).to_be_focused()
    page.locator("#slot-0").select_option("red|blue")
    page.locator("#slot-1").fill("")
    page.locator("#compose .send .btn.primary").click()
    expect(page.locator("#slot-1-error")).to_be_visible()
    expect(page.locator("#slot-0")).to_have_value("red|blue")
    page.locator("#compose [name=draft]").click()
    expect(page.locator("textarea#text")).to_have_value(
        "Look: a {colour:red|blue} cat, {mood=calm}"
    )
    page.goto(f"{site.url}/p/{project}/")
    field.fill("not sent yet")
    field.press("Alt+ArrowUp")
    expect(field).not_to_have_value("not sent yet")
    field.press("Alt+ArrowDown")
    expect(field).to_have_value("not sent yet")
    assert complaints == []
