"""Small WebP copies of a picture, and the tiny one that is shown until they have arrived."""

from __future__ import annotations

import base64
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image

from generations.imaging.decode import FORMATS

RENDITION_WIDTHS = (1280, 640, 320)
RENDITION_TYPE = "image/webp"
PLACEHOLDER_PX = 16
# What WebP can hold: a very tall picture has no rendition of that width.
_WEBP_SIDE = 16_383


@dataclass(frozen=True, slots=True)
class Made:
    """One rendition: WebP bytes, at most `spec` pixels wide."""

    spec: str
    data: bytes
    width: int
    height: int


def _opened(path: Path, size: int) -> Image.Image:
    """The picture in RGB or RGBA, decoded at a reduced scale where JPEG allows it."""
    image = Image.open(path, formats=list(FORMATS))
    image.draft("RGB", (size, size))
    image.load()
    has_alpha = image.mode in ("RGBA", "LA", "PA") or "transparency" in image.info
    return image.convert("RGBA" if has_alpha else "RGB")


def renditions(path: Path, *, skip: Collection[str] = ()) -> Iterator[Made]:
    """WebP copies 1280, 640 and 320 wide, each resized from the one before; never larger than the source."""
    wanted = [width for width in RENDITION_WIDTHS if str(width) not in skip]
    if wanted:
        yield from smaller(_opened(path, wanted[0]), wanted, _size(path))


def smaller(image: Image.Image, widths: list[int], full: tuple[int, int]) -> Iterator[Made]:
    """WebP copies of `image`, which may be a reduced copy of one of `full` pixels."""
    for width in widths:
        height = max(1, round(full[1] * width / full[0]))
        if width >= full[0] or height > _WEBP_SIDE:
            continue
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
        out = BytesIO()
        image.save(out, "WEBP", quality=80, method=4)
        yield Made(str(width), out.getvalue(), width, height)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path, formats=list(FORMATS)) as image:
        return image.size


def placeholder(path: Path) -> str:
    """A data URI of a tiny WebP, a few hundred bytes: shown until the rendition has arrived."""
    return tiny(_opened(path, 64))


def tiny(image: Image.Image) -> str:
    """The placeholder of `image`, as a data URI."""
    image = image.convert("RGB")
    image.thumbnail((PLACEHOLDER_PX, PLACEHOLDER_PX))
    out = BytesIO()
    image.save(out, "WEBP", quality=40, method=4)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")
