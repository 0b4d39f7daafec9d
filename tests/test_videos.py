"""Videos on pages: tiles, the detail page, comparison, gallery, files, and what is not offered for them."""

from __future__ import annotations

import re
from io import BytesIO
from zipfile import ZipFile

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generations.models import Asset, Generation
from generations.services import gallery
from generations.services.library import picks
from generations.templatetags import sentences
from tests import videos, world
from tests.pages import HTMX, address, text, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def run(team: world.Team) -> Generation:
    """Two videos, of 49 and of 121 frames."""
    return videos.run(team.project, team.editor, 49, 121, seed="77")


@pytest.fixture
def pair(run: Generation) -> list[Asset]:
    return list(run.assets.order_by("job__position"))


def test_a_tile_shows_length_and_strip_and_offers_no_reference(
    writer: Client, team: world.Team, run: Generation, pair: list[Asset]
) -> None:
    page = text(writer.get(url(team, "generation", run.public_id)))
    assert page.count('class="len num"') == 2
    assert ">0:02<" in re.sub(r"<svg.*?</svg>", "", page, flags=re.DOTALL)
    for asset in pair:
        assert f'data-strip="{reverse("file-strip", args=[asset.public_id])}"' in page
        assert f"reference={asset.public_id}" not in page
    assert page.count("data-video") == 2
    assert "Video 2 of 2, 0:05: " in page
    assert "Picture 1" not in page
    assert "16:9" in page and "5 s" in page


def test_the_strip_is_ten_frames_wide(writer: Client, pair: list[Asset]) -> None:
    answer = writer.get(reverse("file-strip", args=[pair[0].public_id]))
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    assert "immutable" in answer["Cache-Control"]
    page = text(writer.get(reverse("asset", args=[pair[0].public_id])))
    assert "data-strip" not in page  # the detail page plays the video itself


def test_a_picture_has_no_strip(writer: Client, team: world.Team) -> None:
    assert writer.get(reverse("file-strip", args=[team.asset.public_id])).status_code == 404


def test_the_poster_is_the_largest_there_is_and_never_the_video(
    writer: Client, pair: list[Asset]
) -> None:
    poster = reverse("file-rendition", args=[pair[0].public_id, 1280])
    answer = writer.get(poster)
    assert (answer.status_code, answer["Content-Type"]) == (200, "image/webp")
    strip = reverse("file-strip", args=[pair[0].public_id])
    assert b"".join(answer) != b"".join(writer.get(strip))  # though that is wider than 1280
    pair[0].renditions.exclude(spec="strip").delete()
    assert writer.get(poster).status_code == 404


def test_a_video_plays_by_its_own_controls_on_its_page(
    writer: Client, team: world.Team, pair: list[Asset]
) -> None:
    page = text(writer.get(reverse("asset", args=[pair[1].public_id])))
    tag = page.partition("<video ")[2].partition(">")[0]
    assert reverse("file-original", args=[pair[1].public_id]) in tag
    for word in ("controls", "loop", "playsinline", 'preload="metadata"', "poster="):
        assert word in tag
    assert "autoplay" not in page
    assert "5.04 s" in page
    assert "?reference=" not in page
    assert "animate=" not in page
    assert "data-zoom" not in page


def test_the_bytes_come_in_ranges(writer: Client, pair: list[Asset]) -> None:
    where = reverse("file-original", args=[pair[0].public_id])
    whole = writer.get(where)
    part = writer.get(where, headers={"Range": "bytes=10-19"})
    assert whole["Content-Type"] == "video/mp4"
    assert part.status_code == 206
    assert b"".join(part) == b"".join(whole)[10:20]


def test_downloads_take_videos(writer: Client, run: Generation, pair: list[Asset]) -> None:
    alone = writer.get(reverse("download", args=[pair[0].public_id]))
    assert alone["Content-Type"] == "video/mp4"
    assert ".mp4" in alone["Content-Disposition"]
    assert b"".join(alone) == videos.clip(49)
    zipped = writer.get(reverse("generation-export", args=[run.public_id]))
    with ZipFile(BytesIO(b"".join(zipped))) as archive:
        assert sum(name.endswith(".mp4") for name in archive.namelist()) == 2


def test_a_comparison_plays_videos_and_takes_a_picture_beside_one(
    writer: Client, team: world.Team, pair: list[Asset]
) -> None:
    two = text(writer.get(address(*pair)))
    assert two.count("<video ") == 2
    assert two.count("data-scrub") == 1
    assert "Actual length" in two
    assert "2.04 s" in two and "5.04 s" in two
    beside = text(writer.get(address(team.asset, pair[0])))
    assert beside.count("<video ") == 1
    assert beside.count('<figure class="pane') == 2
    assert "data-scrub" not in text(writer.get(address(team.asset)))


def test_a_shape_that_came_otherwise_is_marked(
    writer: Client, team: world.Team, pair: list[Asset]
) -> None:
    assert "came as" not in text(writer.get(address(pair[0])))
    Asset.objects.filter(pk=pair[0].pk).update(width=180, height=180)
    assert "came as 180 × 180" in text(writer.get(address(pair[0])))
    Asset.objects.filter(pk=pair[0].pk).update(
        width=1920, height=1088
    )  # what a codec makes of 16:9
    assert "came as" not in text(writer.get(address(pair[0])))


def test_the_gallery_tells_kinds_apart(writer: Client, team: world.Team, pair: list[Asset]) -> None:
    wall = url(team, "gallery")
    both, clips, stills = (
        text(writer.get(wall, {"kind": kind} if kind else {})) for kind in ("", "video", "image")
    )
    ids = {str(each.public_id) for each in pair}
    assert {each for each in ids if f'data-asset="{each}"' in both} == ids
    assert {each for each in ids if f'data-asset="{each}"' in clips} == ids
    assert f'data-asset="{team.asset.public_id}"' not in clips
    assert {each for each in ids if f'data-asset="{each}"' in stills} == set()
    assert '<option value="video" selected>' in clips


def test_the_wall_asks_no_more_for_more_videos(writer: Client, team: world.Team) -> None:
    def asked() -> int:
        with CaptureQueriesContext(
            connection,
        ) as caught:
            assert writer.get(url(team, "gallery")).status_code == 200
            assert writer.get(url(team)).status_code == 200
        return len(caught)

    videos.run(team.project, team.editor, 9)
    asked()  # what is learned once
    one = asked()
    for _ in range(4):
        videos.run(team.project, team.editor, 9, 9)
    assert asked() == one


def test_no_video_becomes_a_reference(team: world.Team, pair: list[Asset]) -> None:
    found = picks.find(tokens=[f"a.{pair[0].public_id}"], roles={}, user=team.editor)
    assert (found.picks, found.missing) == ([], 1)


def test_a_video_is_compared_with_a_video_first(team: world.Team, pair: list[Asset]) -> None:
    alone = videos.run(team.project, team.editor, 9).assets.get()
    found = gallery.counterpart(alone, [alone])
    assert found is not None
    assert found.kind == "video"


def test_a_video_goes_into_the_trash_and_comes_back(
    writer: Client, team: world.Team, pair: list[Asset]
) -> None:
    body = {"asset": str(pair[0].public_id)}
    writer.post(reverse("mark"), body | {"trash": "1"}, headers=HTMX)
    assert 'class="len num"' in text(writer.get(url(team, "trash")))
    writer.post(reverse("mark"), body | {"restore": "1"}, headers=HTMX)
    pair[0].refresh_from_db()
    assert pair[0].trashed_at is None


@pytest.mark.parametrize(
    ("duration_ms", "said"),
    [(None, ""), (0, "0:00"), (5041, "0:05"), (59_600, "1:00"), (70_000, "1:10")],
)
def test_play_time(duration_ms: int | None, said: str) -> None:
    assert sentences.playtime(duration_ms) == said
