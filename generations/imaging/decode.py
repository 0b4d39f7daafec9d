"""What a file is, decided by decoding it. Nothing outside the allow-list is even tried."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from PIL import AvifImagePlugin, Image, UnidentifiedImageError
from pillow_heif import register_heif_opener

FORMATS = {"JPEG": "image/jpeg", "PNG": "image/png", "WEBP": "image/webp"}
UPLOADS = ("JPEG", "PNG", "WEBP", "AVIF", "HEIF")
# These hold one picture, or an animation. The others may hold a phone's side pictures.
_MAY_MOVE = frozenset({"PNG", "WEBP", "AVIF"})
MAX_PIXELS = 60_000_000

Image.MAX_IMAGE_PIXELS = MAX_PIXELS
AvifImagePlugin.DEFAULT_MAX_THREADS = 1
register_heif_opener(thumbnails=False, aux_images=False, depth_images=False, decode_threads=1)


class NotAPicture(Exception):
    """The bytes are no complete picture of an allowed format and size.

    `reason`: "kind", "damaged", "animated", "pixels", or "heavy" (more memory or time than it gets).
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Picture:
    """What decoding found: `format` is jpeg, png or webp; width and height in pixels."""

    format: str
    content_type: str
    width: int
    height: int


@contextmanager
def refusals() -> Iterator[None]:
    """Turn whatever a decoder raises into NotAPicture; they raise nearly anything on hostile bytes."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            yield
    except NotAPicture:
        raise
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise NotAPicture("pixels") from None
    except UnidentifiedImageError:
        raise NotAPicture("kind") from None
    except MemoryError:
        raise NotAPicture("heavy") from None
    except Exception as error:  # noqa: BLE001 - see above
        raise NotAPicture("damaged", type(error).__name__) from None


def opened_output(path: Path) -> tuple[Picture, Image.Image]:
    """The file at `path` and every pixel of it, decoded; NotAPicture where that cannot be done."""
    with refusals():
        image = Image.open(path, formats=list(FORMATS))
        if getattr(image, "n_frames", 1) != 1:
            raise NotAPicture("animated")
        image.load()
        name = image.format or ""
        return Picture(name.lower(), FORMATS[name], image.width, image.height), image


def opened_upload(path: Path) -> Image.Image:
    """The upload at `path`, looked at but not yet decoded: its kind, its pixels, its frames."""
    image = Image.open(path, formats=UPLOADS)
    if image.width * image.height > MAX_PIXELS:
        raise NotAPicture("pixels")
    if image.format in _MAY_MOVE and getattr(image, "n_frames", 1) != 1:
        raise NotAPicture("animated")
    return image
