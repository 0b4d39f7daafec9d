"""Keeping what the provider made: every row in one transaction, and nothing counted twice."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from django.conf import settings
from django.db import IntegrityError

from bench import writes
from generations.models import Asset, Blob, Event, Job, Rendition
from generations.services import events, outputs
from generations.services.outputs import Source
from tests import world
from tests.pictures import photo
from tests.running import Site

pytestmark = pytest.mark.django_db(transaction=True)
RUNS = 10


@pytest.fixture
def job() -> Job:
    world.account()
    team = world.team("acme")
    return team.generation.jobs.filter(assets=None).first() or team.generation.jobs.get()


def kept(job: Job, position: int = 7, data: bytes = b"") -> Asset:
    return outputs.keep(job=job, position=position, source=Source(data=data or photo(900, 600)))


def uses() -> dict[str, int]:
    """Every blob's counter, beside what really points at it."""
    rows = Blob.objects.all()
    wrong = {
        blob.pk: blob.uses
        for blob in rows
        if blob.uses != blob.assets.count() + blob.references.count() + blob.renditions.count()
    }
    assert wrong == {}
    return dict(rows.values_list("pk", "uses"))


def test_kept_again_it_is_the_same_picture_counted_once(job: Job) -> None:
    data = photo(900, 600)
    first = kept(job, 7, data)
    before = uses()
    assert {each.spec for each in first.renditions.all()} == {"320", "640"}
    assert kept(job, 7, data) == first
    assert uses() == before


def test_the_same_bytes_twice_are_one_file_with_two_uses(job: Job) -> None:
    data = photo(900, 600)
    first, second = kept(job, 7, data), kept(job, 8, data)
    assert first != second
    assert first.blob == second.blob
    assert uses()[first.blob_id] == 2
    assert (settings.MEDIA_ROOT / first.blob.name).is_file()


def test_a_row_that_appears_in_the_same_moment_is_found_at_the_second_look(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    take = outputs._take
    met: list[int] = []

    def rival(bytes_: list[outputs.Laid]) -> None:
        if not met:
            met.append(1)
            raise IntegrityError("somebody else wrote it")
        take(bytes_)

    monkeypatch.setattr(outputs, "_take", rival)
    asset = kept(job)
    assert asset.renditions.count() == 2
    assert Asset.objects.filter(job=job, position=7).count() == 1


def test_nothing_of_a_picture_is_there_without_the_rest(
    job: Job, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The event is last: when it cannot be written, neither picture nor copies are."""
    before = (Asset.objects.count(), Rendition.objects.count(), Blob.objects.count())

    def full(*_anything: object) -> None:
        raise OSError("no space left")

    monkeypatch.setattr(events, "publish", full)
    with pytest.raises(OSError, match="no space"):
        kept(job)
    monkeypatch.undo()
    assert (Asset.objects.count(), Rendition.objects.count(), Blob.objects.count()) == before
    told = Event.objects.count()
    kept(job)
    assert Event.objects.count() == told + 1


@pytest.mark.parametrize("name", ["another team's", "a path", "a forged one"])
def test_a_provider_cannot_name_a_file_of_ours(job: Job, name: str) -> None:
    """Its addresses and ours for laid-down bytes stand in one list: only ours are signed."""
    ours = outputs.lay_down(photo(900, 600))
    digest = ours.split(":")[1]
    named = {
        "another team's": f"kept:{digest}",
        "a path": "kept:../../../../../etc/passwd",
        "a forged one": f"kept:{digest}:{'A' * 43}",
    }
    with pytest.raises(outputs.NotKept) as refused:
        outputs.keep(job=job, position=7, source=Source(url=named[name]))
    assert refused.value.reason == "refused_url"
    assert outputs.keep(job=job, position=7, source=Source(url=ours)).blob_id == digest


@pytest.mark.timeout(120)
def test_a_run_costs_the_database_little_and_waiting_nothing(
    start_site: Callable[..., Site],
) -> None:
    """Compose to settled, one picture: commits and write statements; polling writes nothing."""
    # Longer than the driver waits before it first asks; and no lease to renew meanwhile.
    options = ("--latency", "8", "--jitter", "0", "--fast-media")
    lease = {"ENGINE_LEASE": "90", "ENGINE_RENEW": "30"}
    site = start_site(web=False, worker=False, demo=False, sandbox_options=options, **lease)
    site.begin()
    commits, statements, waiting = site.shell(writes.HERE.format(count=RUNS))
    polls = sum(n for asked, n in site.sandbox.state()["answers"].items() if "GetResult" in asked)
    assert commits <= 8 * RUNS
    assert statements <= 30 * RUNS
    assert polls > 2 * RUNS
    assert waiting == 0
