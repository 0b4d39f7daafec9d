"""Two videos and a picture on a site, and a browser to look at them in English."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import BrowserContext, Page

from tests.running import Site

SHORT, LONG = 49, 121
MAKE = f"""
from generations.models import *
from tests import videos, world
demo, user = Project.objects.get(slug="demo"), User.objects.get(username="designer")
still = world.generation(demo, user, prompt="一只白鹤").assets.get()
run = videos.run(demo, user, {SHORT}, {LONG})
pair = [str(each.public_id) for each in run.assets.order_by("job__position")]
answer = {{"demo": str(demo.public_id), "still": str(still.public_id), "pair": pair}}
"""


def open_page(
    site: Site,
    new_context: Callable[..., BrowserContext],
    path: str,
    complaints: list[str],
    **options: object,
) -> Page:
    """A path as the designer sees it; what the browser complains about is added to `complaints`."""
    context = new_context(**options)
    english = {"name": "django_language", "value": "en", "url": site.url}
    context.add_cookies([*site.login_cookies(), english])  # type: ignore[list-item]
    page = context.new_page()
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on(
        "console",
        lambda said: complaints.append(said.text) if said.type == "error" else None,
    )
    page.goto(site.url + path, wait_until="load")
    return page
