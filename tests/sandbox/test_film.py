"""Videos themselves: real H.264 of the right length, repeatable, and moving as they were told to."""

from __future__ import annotations

import io
import random
import time
from dataclasses import replace
from fractions import Fraction

import av
import pytest
from PIL import Image, ImageChops, ImageStat

from sandbox.camera import Camera
from sandbox.film import Clip, film
from sandbox.videos import SIZES_720, TEMPLATES
from tests.clips import decoded

SMALL = (320, 192)
CLIP = Clip("草地上的柯基", SMALL, 121, "seed 1", fast=True)


def jpeg(colours: tuple[tuple[int, int, int], ...] = ((220, 60, 40), (40, 60, 220))) -> bytes:
    image = Image.new("RGB", SMALL)
    for at, colour in enumerate(colours):
        image.paste(colour, (at * 160, 0, at * 160 + 160, 192))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=95, subsampling=0)
    return out.getvalue()


def checks() -> bytes:
    """A picture in which every move is seen."""
    image = Image.new("RGB", (8, 5))
    for at in range(40):
        image.putpixel((at % 8, at // 8), (37 * at % 256, 91 * at % 256, 151 * at % 256))
    out = io.BytesIO()
    image.resize(SMALL, Image.Resampling.NEAREST).save(out, "JPEG", quality=95)
    return out.getvalue()


def difference(one: Image.Image, other: Image.Image) -> float:
    """The mean distance of two pictures, of 255."""
    means = ImageStat.Stat(ImageChops.difference(one.convert("RGB"), other.convert("RGB"))).mean
    return sum(means) / 3


@pytest.mark.parametrize("frames", [121, 241])
@pytest.mark.parametrize("fast", [False, True])
def test_it_is_h264_of_so_many_frames_at_24_a_second(frames: int, fast: bool) -> None:
    data = film(replace(CLIP, frames=frames, fast=fast))
    assert data.index(b"moov") < data.index(b"mdat")  # it plays while it is being fetched
    with av.open(io.BytesIO(data)) as box:
        assert len(box.streams) == 1
        stream = box.streams.video[0]
        assert (stream.codec_context.name, stream.average_rate) == ("h264", Fraction(24))
        assert (stream.width, stream.height) == SMALL
        assert sum(1 for _frame in box.decode(stream)) == frames


@pytest.mark.parametrize("fast", [False, True])
def test_the_same_gives_the_same_bytes_and_anything_else_another(fast: bool) -> None:
    clip = replace(CLIP, fast=fast, given=(jpeg(),), template="robo_arm", strength="weak")
    others = [
        replace(clip, seed="seed 2"),
        replace(clip, prompt="雪山"),
        replace(clip, template="crane_push"),
        replace(clip, strength="strong"),
    ]
    made = [film(each) for each in (clip, clip, *others)]
    assert made[0] == made[1]
    assert len(set(made)) == 5


CORNER = (240, 165, 320, 192)


def test_a_given_frame_is_the_first_one_and_another_the_last() -> None:
    """They alone are not marked."""
    first, last = jpeg(), jpeg(((30, 200, 60), (240, 220, 40)))
    frames = decoded(film(replace(CLIP, given=(first, last))))
    for frame, given in ((frames[0], first), (frames[-1], last)):
        still = Image.open(io.BytesIO(given))
        assert difference(frame, still) < 4
        assert difference(frame.crop(CORNER), still.crop(CORNER)) < 8
    assert difference(frames[60].crop(CORNER), frames[60].crop((160, 165, 240, 192))) > 8
    assert difference(frames[60], Image.open(io.BytesIO(first))) > 20
    assert difference(frames[0], Image.open(io.BytesIO(last))) > 40


@pytest.mark.parametrize("template", TEMPLATES)
def test_every_template_moves_and_the_stronger_the_farther(template: str) -> None:
    clip = replace(CLIP, given=(checks(),), template=template)
    still = Image.open(io.BytesIO(checks()))
    ways = []
    for strength in ("weak", "strong"):
        frames = decoded(film(replace(clip, strength=strength)))
        assert difference(frames[0], still) < 4
        ways.append(max(difference(frame, still) for frame in frames))
    assert ways[1] > ways[0] > 0.5


def test_no_two_templates_are_one() -> None:
    ways = set()
    for template in TEMPLATES:
        camera = Camera.of(template, "medium", random.Random(1))
        ways.add(tuple(camera.at(t / 8) for t in range(9)))
    assert len(ways) == len(TEMPLATES)


def test_fast_is_cheap() -> None:
    """Five seconds at 720P, in a process's own time."""
    film(CLIP)  # what is loaded once
    began = time.process_time()
    film(replace(CLIP, size=SIZES_720["16:9"]))
    assert time.process_time() - began < 1.0
