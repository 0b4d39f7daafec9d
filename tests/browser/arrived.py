"""Waiting in a browser for what a page shows."""

from __future__ import annotations

from playwright.sync_api import Page, expect


def wait_for_pictures(page: Page) -> None:
    """Until every picture the page loads at once is there. A predicate given as a string would be
    evaluated inside the page again and again, which our own policy forbids."""
    for picture in page.locator("img:not([loading=lazy])").all():
        expect(picture).to_have_js_property("complete", True, timeout=30_000)
        expect(picture).not_to_have_js_property("naturalWidth", 0)
