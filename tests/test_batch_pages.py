"""The pages of batches: a fixed number of queries, long lists, who sees which button."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext

from generations.models import (
    Batch,
    Job,
    JobState,
)
from generations.services import batches
from tests import world
from tests.batching import started, url_of
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db
S = JobState


# --- Pages --------------------------------------------------------------------------------------


def counted(writer: Client, address: str, **headers: str) -> int:
    writer.get(address, headers=headers)
    with CaptureQueriesContext(connection) as caught:
        assert writer.get(address, headers=headers).status_code == 200
    return len(caught)


def test_pages_ask_a_fixed_number_of_queries(
    writer: Client, team: world.Team, woken: list[int]
) -> None:
    addresses: list[Callable[[], str]] = [
        lambda: url_of(batch),
        lambda: url(team, "batch-list"),
    ]
    batch = started(team, "猫\n狗")
    batches.feed(batch_id=batch.pk)
    few = [counted(writer, each()) for each in addresses]
    for n in range(3):
        batch = started(team, "\n".join(f"第 {n} 只猫" for n in range(40)), token=f"t{n}")
        batches.feed(batch_id=batch.pk)
        job = Job.objects.filter(generation__batch=batch).first()
        world.asset(job)
    assert [counted(writer, each()) for each in addresses] == few


def test_a_long_batch_and_a_long_list_go_on(
    writer: Client, team: world.Team, woken: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generations.views.batches.LINES", 2)
    monkeypatch.setattr("generations.views.batches.PAGE", 1)
    batch, other = started(team), started(team, token="other")
    first = text(writer.get(url_of(batch)))
    assert "两只猫" in first
    assert "三只猫" not in first
    rest = text(writer.get(f"{url_of(batch)}?after=3", headers=HTMX))
    assert rest.lstrip().startswith("<section")
    assert "三只猫" in rest
    for odd in ("x", "-1", "9" * 18):
        assert writer.get(f"{url_of(batch)}?after={odd}").status_code == 200
    page = text(writer.get(url(team, "batch-list")))
    assert str(other.public_id) in page
    more = re.search(r'href="([^"]+after=[^"]+)"', page)
    assert more
    assert str(batch.public_id) in text(writer.get(more[1]))


def test_first_pictures_can_be_compared(writer: Client, team: world.Team, woken: list[int]) -> None:
    batch = started(team)
    batches.feed(batch_id=batch.pk)
    assets = [
        world.asset(job) for job in Job.objects.filter(generation__batch=batch).order_by("pk")
    ]
    page = text(writer.get(url_of(batch)))
    wanted = "&amp;".join(
        f"{name}={each.public_id}" for name, each in zip("abc", assets, strict=True)
    )
    assert f"?{wanted}" in page


def test_viewers_look_and_order_nothing(team: world.Team, woken: list[int]) -> None:
    batch = started(team)
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.viewer)
    assert 'name="order"' not in text(client.get(url_of(batch)))
    assert 'name="order" value="pause"' in text_of_editor(team, batch)
    assert "Many prompts" not in text(client.get(url(team, "batch-list")))


def text_of_editor(team: world.Team, batch: Batch) -> str:
    client = Client()
    client.force_login(team.editor)
    return text(client.get(url_of(batch)))


def test_the_card_of_a_run_leads_back_to_its_batch(
    writer: Client, team: world.Team, woken: list[int]
) -> None:
    batch = started(team)
    batches.feed(batch_id=batch.pk, limit=1)
    assert f'href="{url_of(batch)}"' in text(writer.get(url(team)))
