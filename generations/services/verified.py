"""What a result is: a picture or a video, decided by decoding it whole, with what is shown of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from generations import imaging, video

# What a provider may hand over, in bytes, by the kind of its engine.
MAX_BYTES = {"image": 64 * 1024 * 1024, "video": 256 * 1024 * 1024}


class Unfit(Exception):
    """The bytes are not what they should be; its text says why, for the log."""


@dataclass(frozen=True, slots=True)
class Verified:
    """One file that is kept: its format, sides in pixels, milliseconds (of a video), and copies."""

    format: str
    content_type: str
    width: int
    height: int
    duration_ms: int | None
    placeholder: str
    renditions: tuple[imaging.Made, ...]


def verify(path: Path, kind: str) -> Verified:
    """What the file at `path` is, if it is of the `kind` that was asked for; raise Unfit."""
    try:
        return _video(path) if kind == "video" else _picture(path)
    except (imaging.NotAPicture, video.NotAVideo) as why:
        raise Unfit(str(why)) from None


def _picture(path: Path) -> Verified:
    made = imaging.verify(path)
    found = made.picture
    return Verified(
        found.format,
        found.content_type,
        found.width,
        found.height,
        None,
        made.placeholder,
        made.renditions,
    )


def _video(path: Path) -> Verified:
    found = video.probe(path)
    placeholder, renditions = imaging.shown(found.poster, found.strip)
    return Verified(
        video.FORMAT,
        video.CONTENT_TYPE,
        found.width,
        found.height,
        round(found.seconds * 1000),
        placeholder,
        renditions,
    )
