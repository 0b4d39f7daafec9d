"""Pictures: the one door to Pillow. Decides what a file is by decoding it, and makes renditions.

Whatever is handed in is untrusted. Bytes are capped by whoever fetched them; pixels are capped here,
before anything is decoded.
"""

from __future__ import annotations

import base64
import warnings
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path

from PIL import Image, ImageOps

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
MAX_PIXELS = 60_000_000
RENDITION_WIDTHS = (1280, 640, 320)
RENDITION_TYPE = "image/webp"
PLACEHOLDER_PX = 16

Image.MAX_IMAGE_PIXELS = MAX_PIXELS


class NotAPicture(Exception):
    """The bytes are no complete picture of an allowed format and size."""


@dataclass(frozen=True, slots=True)
class Picture:
    """What decoding found: `format` is jpeg, png or webp; width and height in pixels."""

    format: str
    content_type: str
    width: int
    height: int


@dataclass(frozen=True, slots=True)
class Made:
    """One rendition: WebP bytes, at most `spec` pixels wide."""

    spec: str
    data: bytes
    width: int
    height: int


def verify(path: Path) -> Picture:
    """Decode every pixel of the file at `path`, or raise NotAPicture."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path, formats=list(FORMATS)) as image:
                if getattr(image, "n_frames", 1) != 1:
                    raise NotAPicture("more than one frame")
                image.load()
                name = image.format or ""
                return Picture(name.lower(), FORMATS[name], image.width, image.height)
    except NotAPicture:
        raise
    except Exception as error:  # noqa: BLE001 - decoders raise nearly anything on hostile bytes
        raise NotAPicture(type(error).__name__) from None


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
    if not wanted:
        return
    image = _opened(path, wanted[0])
    full_width, full_height = _size(path)
    for width in wanted:
        if width >= full_width:
            continue
        height = max(1, round(full_height * width / full_width))
        image = image.resize((width, height), Image.Resampling.LANCZOS, reducing_gap=2.0)
        out = BytesIO()
        image.save(out, "WEBP", quality=80, method=4)
        yield Made(str(width), out.getvalue(), width, height)


def _size(path: Path) -> tuple[int, int]:
    with Image.open(path, formats=list(FORMATS)) as image:
        return image.size


def placeholder(path: Path) -> str:
    """A data URI of a tiny WebP, a few hundred bytes: shown until the rendition has arrived."""
    image = _opened(path, 64).convert("RGB")
    image.thumbnail((PLACEHOLDER_PX, PLACEHOLDER_PX))
    out = BytesIO()
    image.save(out, "WEBP", quality=40, method=4)
    return "data:image/webp;base64," + base64.b64encode(out.getvalue()).decode("ascii")


def master(source: Path, target: Path) -> Picture:
    """Write the oriented sRGB copy without metadata of the upload at `source`; raise NotAPicture."""
    verify(source)
    with Image.open(source, formats=list(FORMATS)) as image:
        upright = ImageOps.exif_transpose(image)
        plain = upright.convert("RGBA" if "A" in upright.getbands() else "RGB")
        plain.info.clear()
        plain.save(target, "PNG", compress_level=3)
    return Picture("png", FORMATS["PNG"], *plain.size)
