"""What is a video and what is none: decoded whole, capped, and a refusal whatever else it is."""

from __future__ import annotations

import random
import subprocess
import sys
from itertools import pairwise
from pathlib import Path

import pytest

from generations import video
from tests.clips import FIRST, GOOD, HOSTILE, LAST, mp4
from tests.pictures import delta_e
from tests.running import ROOT


def saved(folder: Path, data: bytes) -> Path:
    path = folder / "video.bin"
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("codec", ["libx264", "libx265", "libvpx-vp9"])
def test_a_good_one_is_decoded_whole(codec: str, tmp_path: Path) -> None:
    found = video.probe(saved(tmp_path, mp4(49, (320, 192), codec=codec, sound=True)))
    assert (found.width, found.height, found.frames) == (320, 192, 49)
    assert found.fps == 24
    assert found.seconds == pytest.approx(49 / 24, abs=0.05)
    assert found.poster[:2] == (320, 192)
    assert len(found.poster.rgb) == 320 * 192 * 3
    assert delta_e(found.poster.rgb[:3], FIRST) < 12


@pytest.mark.parametrize("frames", [1, 7, 10, 121, 241])
def test_a_strip_goes_evenly_from_the_first_frame_to_the_last(frames: int, tmp_path: Path) -> None:
    found = video.probe(saved(tmp_path, mp4(frames)))
    assert len(found.strip) == 10
    reds = [each.rgb[0] for each in found.strip]
    steps = [one - other for one, other in pairwise(reds)]
    assert delta_e(found.strip[0].rgb[:3], FIRST) < 12
    if frames > 1:
        assert delta_e(found.strip[-1].rgb[:3], LAST) < 25
        assert max(steps) - min(steps) <= 255 / min(frames, 10)


@pytest.mark.parametrize(
    ("size", "small"),
    [((1504, 640), (240, 102)), ((704, 1248), (240, 425)), ((64, 1024), (27, 426))],
)
def test_frames_of_a_strip_lie_within_their_box(
    size: tuple[int, int], small: tuple[int, int], tmp_path: Path
) -> None:
    found = video.probe(saved(tmp_path, mp4(2, size)))
    assert {each[:2] for each in found.strip} == {small}
    assert len(found.strip[0].rgb) == small[0] * small[1] * 3


@pytest.mark.parametrize("name", HOSTILE)
def test_what_is_none_is_refused_by_name(name: str, tmp_path: Path) -> None:
    data, reason = HOSTILE[name]
    with pytest.raises(video.NotAVideo) as refused:
        video.probe(saved(tmp_path, data))
    assert refused.value.reason == reason, refused.value


@pytest.mark.parametrize(
    ("cap", "value", "reason"),
    [("MAX_FRAMES", 20, "long"), ("MAX_SECONDS", 1.0, "long"), ("DECODE_CPU_S", -1, "heavy")],
)
def test_every_cap_is_what_stops_it(
    cap: str, value: float, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, GOOD)
    assert video.probe(path).frames == 48
    monkeypatch.setattr(video, cap, value)
    with pytest.raises(video.NotAVideo) as refused:
        video.probe(path)
    assert refused.value.reason == reason


def test_the_decoder_itself_makes_no_larger_picture_whatever_the_file_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = saved(tmp_path, HOSTILE["too large"][0])
    monkeypatch.setattr(video, "MAX_PIXELS", 10**9)
    with pytest.raises(video.NotAVideo):
        video.probe(path)
    monkeypatch.setitem(video._OPTIONS, "max_pixels", str(10**9))
    assert video.probe(path).frames == 1  # it was that which stopped it


def test_without_the_look_at_its_boxes_a_cut_file_would_pass(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: the decoder alone does not notice that sound is missing at the end."""
    path = saved(tmp_path, GOOD + b"\0\0\1\0mdat")
    with pytest.raises(video.NotAVideo):
        video.probe(path)
    monkeypatch.setattr(video, "_require_whole", lambda path: None)
    assert video.probe(path).frames == 48


def test_whatever_comes_it_is_a_video_or_a_refusal(tmp_path: Path) -> None:
    rng = random.Random(62641578)
    kept = 0
    for _each in range(80):
        data = bytearray(GOOD)
        for _change in range(rng.choice((1, 4, 40))):
            data[rng.randrange(len(data))] = rng.randrange(256)
        try:
            kept += video.probe(saved(tmp_path, bytes(data))).frames > 0
        except video.NotAVideo as refused:
            assert refused.reason in ("kind", "damaged", "pixels", "long", "heavy")
    assert kept < 80


def test_a_process_that_sees_no_video_loads_no_decoder() -> None:
    code = "import sys, generations.services.verified; print('av' in sys.modules)"
    more = "import django; django.setup()"
    done = subprocess.run(
        [sys.executable, "-c", f"{more}; {code}"], cwd=ROOT, capture_output=True, text=True
    )
    assert done.stdout.strip() == "False", done.stderr
