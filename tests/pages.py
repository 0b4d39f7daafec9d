"""What tests of pages say again and again: addresses, texts, the cards on a page."""

from __future__ import annotations

import re
from typing import Any

from django.urls import reverse

from generations.models import Asset
from tests import world

HTMX = {"HX-Request": "true", "HX-Request-Type": "partial"}


def url(team: world.Team, name: str = "studio", *more: object) -> str:
    return reverse(name, args=[team.project.public_id, *more])


def text(response: Any) -> str:
    return str(response.content.decode())


def address(*assets: Asset, **more: str) -> str:
    """Where these pictures are compared, as A, B, C and so on."""
    letters = zip("abcdefghijklm", assets, strict=False)
    named = [f"{letter}={each.public_id}" for letter, each in letters]
    return f"{reverse('compare')}?{'&'.join([*named, *(f'{k}={v}' for k, v in more.items())])}"


def ids(page: str) -> list[str]:
    """The generations whose cards stand on a page, in order."""
    return re.findall(r'<article class="batch" id="g-([^"]+)"', page)
