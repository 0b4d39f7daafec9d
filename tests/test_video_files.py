"""A video's way from the provider to a browser: kept, shown, sent in ranges, taken away, thrown away."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image

from generations import video
from generations.models import Asset, Blob, Generation, Job, JobState, Rendition
from generations.providers import catalog
from generations.services import compose, outputs, verified
from generations.services.gallery import trash
from generations.services.outputs import NotKept, Source
from generations.templatetags import tiles
from tests import world
from tests.clips import GOOD, HOSTILE, mp4
from tests.pictures import delta_e, photo
from tests.running import running_site

VIDEO = "jimeng-video-3.0"


# --- Keeping one ----------------------------------------------------------------------------------


@pytest.fixture
def job(team: world.Team) -> Job:
    """A job of a video's run whose result waits to be kept."""
    engine = catalog.get_engine(VIDEO)
    recipe = compose.build_recipe(engine, "海浪", {"frames": "121"})
    made = Generation.objects.create(
        project=team.project,
        user=team.editor,
        recipe=recipe,
        recipe_sha256=catalog.recipe_sha256(recipe),
        engine=engine.slug,
        kind="video",
        prompt="海浪",
        count=1,
    )
    return Job.objects.create(
        generation=made, account=world.account(), user=team.editor, position=0, remote_id="77"
    )


def kept(job: Job, data: bytes = GOOD, position: int = 0) -> Asset:
    return outputs.keep(job=job, position=position, source=Source(data=data))


@pytest.mark.django_db
def test_its_bytes_are_the_providers_and_what_is_shown_of_it_is_pictures(job: Job) -> None:
    asset = kept(job, mp4(48, (1504, 640)))
    path = settings.MEDIA_ROOT / asset.blob.name
    assert path.read_bytes() == mp4(48, (1504, 640))
    assert (asset.kind, asset.format, asset.width, asset.height) == ("video", "mp4", 1504, 640)
    assert asset.duration_ms == 2000
    assert asset.placeholder.startswith("data:image/webp;base64,")
    sizes = {each.spec: (each.width, each.height) for each in asset.renditions.all()}
    assert sizes == {
        "1280": (1280, 545),
        "640": (640, 272),
        "320": (320, 136),
        "strip": (2400, 102),
    }
    for each in asset.renditions.all():
        with Image.open(settings.MEDIA_ROOT / each.blob.name) as image:
            assert (image.format, image.size) == ("WEBP", (each.width, each.height))
    assert kept(job).pk == asset.pk  # again is the same row


@pytest.mark.django_db
def test_one_that_is_small_has_its_whole_first_frame_as_the_widest(job: Job) -> None:
    sizes = {each.spec: each.width for each in kept(job).renditions.all()}
    assert sizes == {"1280": 320, "strip": 2400}


@pytest.mark.django_db
@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_no_video_is_a_bad_output_and_leaves_nothing(name: str, job: Job) -> None:
    if not HOSTILE[name][0]:
        return  # no bytes at all stand for an address
    before = (Asset.objects.count(), Blob.objects.count(), Rendition.objects.count())
    with pytest.raises(NotKept) as refused:
        kept(job, HOSTILE[name][0])
    assert refused.value.reason == "bad_output"
    assert (Asset.objects.count(), Blob.objects.count(), Rendition.objects.count()) == before


@pytest.mark.django_db
def test_a_picture_is_no_video_and_a_video_no_picture(job: Job, team: world.Team) -> None:
    with pytest.raises(NotKept):
        kept(job, photo(900, 600))
    with pytest.raises(NotKept):
        kept(team.jobs[JobState.QUEUED], GOOD)


def test_a_video_may_be_larger_than_a_picture() -> None:
    assert verified.MAX_BYTES["video"] > verified.MAX_BYTES["image"]
    assert set(verified.MAX_BYTES) == {engine.kind for engine in catalog.ENGINES.values()}


# --- Its pages ------------------------------------------------------------------------------------


@pytest.fixture
def asset(job: Job) -> Asset:
    made = kept(job, mp4(48, (704, 1248)))
    Job.objects.filter(pk=job.pk).update(state=JobState.SUCCEEDED)
    return made


def bytes_of(answer: Any) -> bytes:
    return b"".join(answer.streaming_content)


@pytest.mark.django_db
def test_the_file_goes_out_in_ranges(asset: Asset, reader: Client) -> None:
    url = reverse("file-original", args=[asset.public_id])
    whole = reader.get(url)
    data = bytes_of(whole)
    assert (whole["Content-Type"], whole["Accept-Ranges"]) == ("video/mp4", "bytes")
    assert data == (settings.MEDIA_ROOT / asset.blob.name).read_bytes()
    part = reader.get(url, headers={"Range": "bytes=100-299"})
    assert part.status_code == 206
    assert part["Content-Range"] == f"bytes 100-299/{len(data)}"
    assert bytes_of(part) == data[100:300]
    assert bytes_of(reader.get(url, headers={"Range": "bytes=0-"})) == data


@pytest.mark.django_db
def test_where_a_picture_is_wanted_its_first_frame_stands(asset: Asset, reader: Client) -> None:
    for width, wide in ((320, 320), (640, 640), (1280, 704), (4000, 704), (0, 320)):
        answer = reader.get(reverse("file-rendition", args=[asset.public_id, width]))
        assert answer["Content-Type"] == "image/webp"
        with Image.open(io.BytesIO(bytes_of(answer))) as image:
            assert image.width == wide
    answer = reader.get(reverse("file-strip", args=[asset.public_id]))
    with Image.open(io.BytesIO(bytes_of(answer))) as image:
        assert image.size == (2400, 425)
    others = Asset.objects.exclude(pk=asset.pk).get()
    assert reader.get(reverse("file-strip", args=[others.public_id])).status_code == 404


@pytest.mark.django_db
def test_a_video_whose_copies_are_gone_is_never_called_a_picture(
    asset: Asset, reader: Client
) -> None:
    asset.renditions.all().delete()
    for name, *more in (("file-rendition", 320), ("file-strip",)):
        assert reader.get(reverse(name, args=[asset.public_id, *more])).status_code == 404


@pytest.mark.django_db
def test_it_is_taken_away_as_it_is(asset: Asset, reader: Client) -> None:
    data = (settings.MEDIA_ROOT / asset.blob.name).read_bytes()
    alone = reader.get(reverse("download", args=[asset.public_id]))
    assert alone["Content-Type"] == "video/mp4"
    assert '.mp4"' in alone["Content-Disposition"]
    assert bytes_of(alone) == data
    others = Asset.objects.exclude(pk=asset.pk).get()
    query = f"asset={asset.public_id}&asset={others.public_id}"
    answer = reader.get(f"{reverse('export')}?{query}")
    with ZipFile(io.BytesIO(bytes_of(answer))) as archive:
        told = json.loads(archive.read("manifest.json"))["files"]
        assert [each["name"].rpartition(".")[2] for each in told] == ["mp4", "jpg"]
        assert archive.read(told[0]["name"]) == data
    assert (told[0]["xmp"], told[0]["duration_ms"], told[0]["format"]) == (False, 2000, "mp4")
    assert told[0]["recipe"]["engine"] == VIDEO
    assert "duration_ms" not in told[1]


@pytest.mark.django_db
def test_thrown_away_every_byte_of_it_goes(asset: Asset) -> None:
    blobs = [asset.blob_id, *asset.renditions.values_list("blob_id", flat=True)]
    assert Blob.objects.filter(pk__in=blobs, uses=1).count() == len(blobs) == 5
    Asset.objects.filter(pk=asset.pk).update(trashed_at=timezone.now() - 2 * trash.KEPT)
    assert trash.sweep() == 1
    assert not Asset.objects.filter(pk=asset.pk).exists()
    assert not Blob.objects.filter(pk__in=blobs, uses__gt=0).exists()


@pytest.mark.django_db
def test_pages_that_meet_one_answer(asset: Asset, reader: Client, team: world.Team) -> None:
    (tile,) = tiles.tiles(asset.job.generation)
    assert (tile.kind, tile.width, tile.height) == ("picture", 704, 1248)
    for name in ("studio", "gallery"):
        assert reader.get(reverse(name, args=[team.project.public_id])).status_code == 200
    assert reader.get(reverse("asset", args=[asset.public_id])).status_code == 200


# --- The whole way --------------------------------------------------------------------------------


def test_from_a_picture_to_a_video_without_a_browser(built: None, tmp_path: Path) -> None:
    """A first and a last frame of other shapes, through the driver, the sandbox and back."""
    one, two = tmp_path / "one.png", tmp_path / "two.jpg"
    Image.new("RGB", (200, 150), (220, 60, 40)).save(one)
    Image.new("RGB", (900, 900), (40, 60, 220)).save(two)
    ask = ("generate", "由红变蓝", "--project", "demo", "--set", "frames=241")
    engine = ("--engine", "jimeng-video-3.0-first-last")
    given = ("--reference", str(one), "--reference", str(two))
    with running_site(tmp_path / "site", web=False, worker=False, demo=False) as site:
        site.manage(*ask, *engine, *given, "--out", str(tmp_path / "out"))
        refused = site.manage(*ask, *engine, *given[:2], check=False)
        assert refused.returncode == 1 and "Traceback" not in refused.stderr
        assert site.manage(*ask[:-1], "frames", *engine, *given, check=False).returncode == 1
        assert len(site.sandbox.ledger()) == 1
    (file,) = (tmp_path / "out").iterdir()
    assert file.suffix == ".mp4"
    found = video.probe(file)
    assert (found.width, found.height, found.frames) == (1120, 832, 241)
    assert delta_e(found.strip[0].rgb[:3], (220, 60, 40)) < 12
    assert delta_e(found.strip[-1].rgb[:3], (40, 60, 220)) < 30
