"""A master made to an engine's limits: cropped, scaled, encoded until it fits.

Runs in the process apart: a master is ours, but it may have 60 megapixels.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from generations.imaging import limits
from generations.imaging.decode import FORMATS, NotAPicture, Picture, refusals
from generations.imaging.master import JPEG_QUALITY, save

FITTED = "fitted"
# The first that is small enough is taken.
_QUALITIES = (JPEG_QUALITY, 90, 85, 75, 60, 40)
_WHITE = (255, 255, 255)
# What no quality makes small enough gets fewer pixels, down to a quarter of its sides.
_SMALLER, _TIMES = 0.7, 4


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a picture (left, upper, right, lower), how large, and as what. Where that has too
    many bytes it may become smaller, with no side below `min_side`.
    """

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    formats: tuple[str, ...]
    max_bytes: int
    min_side: int = 1


def fit(source: Path, folder: Path, wanted: Wanted) -> Picture:
    """Write the fitted copy of the master at `source` into `folder`; raise NotAPicture."""
    limits.require()
    with refusals():
        image: Image.Image = Image.open(source, formats=list(FORMATS))
        lossless = image.format == "PNG"
        image.load()
        image = _cut(image, wanted)
        image.info.clear()
        for _each in range(_TIMES + 1):
            if found := _written(image, folder / FITTED, wanted, lossless=lossless):
                return Picture(found.lower(), FORMATS[found], *image.size)
            image = _smaller(image, wanted.min_side)
    raise NotAPicture("heavy")


def _written(image: Image.Image, target: Path, wanted: Wanted, *, lossless: bool) -> str:
    """The format in which `image` has few enough bytes; "" when there is none."""
    for name, quality in _attempts(wanted.formats, lossless):
        save(_for(name, image), target, name, quality)
        if target.stat().st_size <= wanted.max_bytes:
            return name
    return ""


def _smaller(image: Image.Image, min_side: int) -> Image.Image:
    factor = max(_SMALLER, min_side / min(image.size))
    if factor >= 1:
        raise NotAPicture("heavy")
    size = round(image.width * factor), round(image.height * factor)
    return image.resize(size, Image.Resampling.LANCZOS, reducing_gap=3.0)


def _cut(image: Image.Image, wanted: Wanted) -> Image.Image:
    whole = wanted.box == (0, 0, *image.size)
    if whole and wanted.size == image.size:
        return image
    if wanted.size == (wanted.box[2] - wanted.box[0], wanted.box[3] - wanted.box[1]):
        return image.crop(wanted.box)
    return image.resize(wanted.size, Image.Resampling.LANCZOS, box=wanted.box, reducing_gap=3.0)


def _attempts(formats: tuple[str, ...], lossless: bool) -> Iterator[tuple[str, int]]:
    if "png" in formats and (lossless or "jpeg" not in formats):
        yield "PNG", 0
    if "jpeg" in formats:
        for quality in _QUALITIES:
            yield "JPEG", quality


def _for(name: str, image: Image.Image) -> Image.Image:
    """JPEG knows no transparency: it is laid on white."""
    if name == "PNG" or image.mode != "RGBA":
        return image
    flat = Image.new("RGB", image.size, _WHITE)
    flat.paste(image, mask=image.getchannel("A"))
    return flat
