"""Pictures of one call that arrive one by one: each is kept as it comes."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from generations.models import Asset, Event, Job, JobState
from generations.providers import base
from generations.providers.base import Finished, Part
from generations.services import outputs
from generations.services.driver.slice import Slice
from generations.services.jobs import parts
from generations.templatetags import tiles
from tests import world
from tests.sending import BROKEN, NO, Sending, money, part, sending

__all__ = ["sending"]
pytestmark = pytest.mark.django_db
S = JobState


# --- As they arrive -----------------------------------------------------------------------------


def test_a_picture_is_kept_while_its_call_goes_on(sending: Sending) -> None:
    events = Event.objects.count()
    sending.hears(part(0))
    assert (Event.objects.count(), sending.asked) == (events, [(sending.job.pk, 0)])
    sending.fetches()
    sending.job.refresh_from_db()
    assert (sending.job.state, sending.places) == (S.SUBMITTING, [0])
    assert Event.objects.count() == events + 1
    assert sending.job.crashes == 0
    parts.keep(job_id=sending.job.pk, place=0)  # the message came twice
    assert Event.objects.count() == events + 1


def test_its_card_grows(sending: Sending) -> None:
    def kinds() -> list[str]:
        return [tile.kind for tile in tiles.tiles(sending.job.generation)]

    assert kinds() == ["pending"]
    sending.hears(part(0))
    sending.hears(part(1))
    sending.fetches()
    assert kinds() == ["picture", "picture", "pending"]
    sending.ends(BROKEN)
    sending.job.generation.refresh_from_db()
    assert kinds() == ["picture", "picture", "uncertain"]


def test_the_whole_answer_brings_only_what_is_missing(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = [part(index) for index in range(4)]
    for each in found[:2]:
        sending.hears(each)
    sending.fetches()
    assert sending.ends(Finished(tuple(found))).state == S.COLLECTING
    assert money() == (4, 0)
    fetched: list[int] = []
    real = outputs.keep

    def keep(*, job: Job, position: int, source: outputs.Source) -> Asset:
        fetched.append(position)
        return real(job=job, position=position, source=source)

    monkeypatch.setattr(outputs, "keep", keep)
    assert sending.finishes().state == S.SUCCEEDED
    assert (fetched, sending.places) == ([2, 3], [0, 1, 2, 3])
    assert money() == (0, 4)


def test_pictures_may_come_in_any_order(sending: Sending) -> None:
    found = [part(index) for index in range(3)]
    for each in reversed(found):
        sending.hears(each)
    sending.fetches()
    sending.ends(Finished(tuple(found)))
    sending.finishes()
    for each in found:
        asset = sending.job.assets.get(position=each.index)
        assert each.url.split(":")[1] == asset.blob_id


def test_a_refused_picture_is_neither_fetched_nor_charged(sending: Sending) -> None:
    found = (part(0), Part(1, refusal=NO), part(2))
    for each in found:
        sending.hears(each)
    assert [place for _job, place in sending.asked] == [0, 2]
    sending.fetches()
    sending.ends(Finished(found))
    job = sending.finishes()
    assert (job.state, job.reason, sending.places) == (S.SUCCEEDED, "moderated_output", [0, 2])
    assert money() == (0, 2)
    assert [tile.kind for tile in tiles.tiles(job.generation)] == ["picture", "picture", "lost"]


def test_bytes_are_on_the_disk_before_they_are_told(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    run = Slice(sending.watch.lease, base.Credentials("k"), lambda: False)
    run.part_arrived(sending.job, sending.row, Part(0, image=world.picture()))
    (result,) = run.pool.gather(1)
    assert isinstance(result.answer, Part)
    assert (result.verb, result.answer.image, run.pool.busy) == ("part", b"", 0)

    def full(data: bytes) -> str:
        raise OSError(28, "no space")

    monkeypatch.setattr(outputs, "lay_down", full)
    run.part_arrived(sending.job, sending.row, Part(1, image=world.picture()))
    assert run.pool.gather(0) == []


def test_a_driver_tells_the_provider_where_to_report(
    sending: Sending, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread of the call hands each picture to the driver's own, which writes it down."""
    run = Slice(sending.watch.lease, base.Credentials("k"), lambda: False)
    found = part(0)

    def submit(call: base.Call, *, arrived: Callable[[Part], None], **_more: object) -> Finished:
        arrived(found)
        return Finished((found,), "r")

    monkeypatch.setattr(run.provider, "submit", submit)
    monkeypatch.setattr(run, "may_still", lambda _ready: True)
    call = base.Call("seedream-4.0", "images/generations", "v3", b"{}", 4, True)
    run.send_one(sending.job, call, sending.row)
    results = run.pool.gather(5)
    results += run.pool.gather(5) if len(results) < 2 else []
    assert [each.verb for each in results] == ["part", "submit"]
    run.absorb(results)
    assert sending.asked == [(sending.job.pk, 0)]
