"""What the tests of batches say again and again."""

from __future__ import annotations

from typing import Any

from django.test import Client

from generations.models import Batch
from generations.services import batches
from generations.services.batches.lines import Draft
from tests import world
from tests.pages import text

CATS = "一只猫在窗台\n\n两只猫在屋顶\r\n三只猫在花园\n"


def plan(text: str, template: str | None = None, **more: Any) -> Draft:
    asked = {"engine": world.ENGINE, "settings": {}, "count": 1} | more
    return batches.plan(text=text, template=template, **asked)


def started(team: world.Team, text: str = CATS, *, count: int = 1, token: str = "t") -> Batch:
    return batches.start(
        project=team.project,
        user=team.editor,
        draft=plan(text, count=count),
        name="",
        form_token=token,
    )


def problems(draft: Draft) -> dict[int, str]:
    return {line.number: line.problem % line.params for line in draft.lines if line.problem}


def order(browser: Client, batch: Batch, name: str) -> str:
    address = url_of(batch)
    assert browser.post(address, {"order": name})["Location"] == address
    return text(browser.get(address))


def url_of(batch: Batch) -> str:
    return f"/p/{batch.project.public_id}/batches/{batch.public_id}/"
