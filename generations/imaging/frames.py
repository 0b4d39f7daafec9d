"""What is shown of a video: its first frame as renditions, and ten frames side by side for the pointer."""

from __future__ import annotations

from collections.abc import Sequence
from io import BytesIO

from PIL import Image

from generations.imaging.decode import refusals
from generations.imaging.renditions import RENDITION_WIDTHS, Made, placeholder, smaller

STRIP_SPEC = "strip"
# Width, height, and three bytes a pixel.
Frame = tuple[int, int, bytes]


def shown(poster: Frame, strip: Sequence[Frame]) -> tuple[str, tuple[Made, ...]]:
    """The placeholder and the renditions of a video; the largest is the first frame as it is, where
    that is no wider than the widest rendition: a video itself cannot stand where a picture is wanted.
    """
    with refusals():
        first = _image(poster)
        small = smaller(first, RENDITION_WIDTHS)
        widest = RENDITION_WIDTHS[0]
        whole = () if first.width > widest else (_made(str(widest), first),)
        made = (*whole, *small)
        return placeholder(first, made), (*made, _made(STRIP_SPEC, _side_by_side(strip)))


def _side_by_side(strip: Sequence[Frame]) -> Image.Image:
    tiles = [_image(each) for each in strip]
    width, height = tiles[0].size
    row = Image.new("RGB", (width * len(tiles), height))
    for at, tile in enumerate(tiles):
        row.paste(tile, (at * width, 0))
    return row


def _image(frame: Frame) -> Image.Image:
    width, height, data = frame
    return Image.frombytes("RGB", (width, height), data)


def _made(spec: str, image: Image.Image) -> Made:
    out = BytesIO()
    image.save(out, "WEBP", quality=80, method=1)
    return Made(spec, out.getvalue(), *image.size)
