"""The pictures that a video begins and ends with: checked as the real service checks them, and cut to
the size of the video.

The limits are those of docs 85621/1777001: JPEG or PNG, 4.7 MB (of base64, where that is how it came),
4096 × 4096, a side of 320 pixels at least, a ratio from 1:3 to 3:1. Two frames have one ratio.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import io
import math

from PIL import Image

from sandbox.brush import BICUBIC
from sandbox.colour import Size
from sandbox.references import Limits, fetch, opened
from sandbox.videos import AskedVideo, Sizes
from sandbox.wire import ServiceRefusal

FRAMES = Limits(4_700_000, min_side=320)
# No page says how equal two ratios must be; sides are whole numbers.
SAME_RATIO = 0.01


async def take_frames(asked: AskedVideo) -> tuple[Size, list[str]]:
    """Return the video's size in pixels, and each frame cut to it: JPEGs as base64.

    Raises ServiceRefusal for the first frame that is wrong.
    """
    if not asked.given:
        return asked.engine.sizes[asked.ratio], []
    return await asyncio.to_thread(_taken, asked)


def _taken(asked: AskedVideo) -> tuple[Size, list[str]]:
    frames = [_open(text, at, packed=asked.packed) for at, text in enumerate(asked.given)]
    ratios = [frame.width / frame.height for frame in frames]
    if max(ratios) > min(ratios) * (1 + SAME_RATIO):
        raise ServiceRefusal(50200, "the two pictures must have the same aspect ratio")
    size = nearest(asked.engine.sizes, frames[0].size)
    return size, [_packed(cut(frame, size)) for frame in frames]


def _open(text: str, at: int, *, packed: bool) -> Image.Image:
    name = f"{'binary_data_base64' if packed else 'image_urls'}[{at}]"
    return opened(_unpacked(text, name) if packed else fetch(text, name, FRAMES), name, FRAMES)


def _unpacked(text: str, name: str) -> bytes:
    if len(text) > FRAMES.max_bytes:
        raise ServiceRefusal(50205, f"{name} has more than {FRAMES.max_bytes} characters")
    try:
        return base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        raise ServiceRefusal(50207, f"{name} is not base64") from None


def nearest(sizes: Sizes, size: Size) -> Size:
    """Return the one of ``sizes`` whose ratio is next to that of ``size``."""
    ratio = math.log(size[0] / size[1])
    return min(sizes.values(), key=lambda each: abs(math.log(each[0] / each[1]) - ratio))


def cut(frame: Image.Image, size: Size) -> Image.Image:
    """Return the middle of ``frame`` that has the ratio of ``size``, at that size."""
    (wide, high), (across, down) = frame.size, size
    if wide * down < high * across:
        kept = (wide, max(1, round(wide * down / across)))
    else:
        kept = (max(1, round(high * across / down)), high)
    left, top = (wide - kept[0]) // 2, (high - kept[1]) // 2
    return frame.crop((left, top, left + kept[0], top + kept[1])).resize(size, BICUBIC)


def _packed(frame: Image.Image) -> str:
    out = io.BytesIO()
    frame.save(out, "JPEG", quality=92, subsampling=0)
    return base64.b64encode(out.getvalue()).decode("ascii")
