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


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which part of a picture (left, upper, right, lower), how large, and as what."""

    box: tuple[int, int, int, int]
    size: tuple[int, int]
    formats: tuple[str, ...]
    max_bytes: int


def fit(source: Path, folder: Path, wanted: Wanted) -> Picture:
    """Write the fitted copy of the master at `source` into `folder`; raise NotAPicture."""
    limits.require()
    with refusals():
        image: Image.Image = Image.open(source, formats=list(FORMATS))
        lossless = image.format == "PNG"
        image.load()
        image = _cut(image, wanted)
        image.info.clear()
        target = folder / FITTED
        for name, quality in _attempts(wanted.formats, lossless):
            save(_for(name, image), target, name, quality)
            if target.stat().st_size <= wanted.max_bytes:
                return Picture(name.lower(), FORMATS[name], *wanted.size)
    raise NotAPicture("heavy")


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
