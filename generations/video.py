"""Videos: the one door to PyAV. Decides what a file is by decoding every frame of it, once.

Whatever is handed in is untrusted. Bytes are capped by whoever fetched them; pixels, seconds, frames and
the processor's time are capped here. The demuxer is named, so no other format is even tried, and neither
are codecs outside the allow-list. One thread decodes: more would take memory, and nobody waits.

PyAV is loaded by the first video a process looks at: most processes never see one.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from av import VideoFrame
    from av.container import InputContainer
    from av.video.stream import VideoStream

FORMAT, CONTENT_TYPE = "mp4", "video/mp4"
# What browsers play. The provider's page names none; H.264 is what such services give.
CODECS = frozenset({"h264", "hevc", "av1", "vp9"})
MAX_PIXELS = 4096 * 2304
MAX_SECONDS = 60.0
MAX_FRAMES = 3600
# Ten seconds at 1080P take three; this thread's own time, so that a busy machine fails nothing.
DECODE_CPU_S = 20.0
STRIP = 10
# A frame of the strip lies within this, in pixels.
STRIP_WIDTH, STRIP_HEIGHT = 240, 426


class NotAVideo(Exception):
    """The bytes are no complete video of an allowed format and size.

    `reason`: "kind", "damaged", "pixels", "long", or "heavy" (more memory or time than it gets).
    """

    def __init__(self, reason: str, detail: str = "") -> None:
        super().__init__(f"{reason}: {detail}" if detail else reason)
        self.reason = reason


class Pixels(NamedTuple):
    """One frame: width and height in pixels, and three bytes (red, green, blue) for each of them."""

    width: int
    height: int
    rgb: bytes


@dataclass(frozen=True, slots=True)
class Video:
    """What decoding found: pixels, seconds, frames a second, frames; the first frame whole, and STRIP
    small ones, evenly from the first to the last (some of them twice where there are not so many).
    """

    width: int
    height: int
    seconds: float
    fps: Fraction
    frames: int
    poster: Pixels
    strip: tuple[Pixels, ...]


def probe(path: Path) -> Video:
    """Decode every frame of the mp4 at `path`; raise NotAVideo."""
    import av  # see above

    with _refusals():
        _require_whole(path)
        # The file itself, under a name that says nothing; and what it refers to is never opened.
        with av.open(
            str(path), "r", format=FORMAT, options=_OPTIONS, metadata_errors="replace"
        ) as box:
            return _decoded(box, _only_stream(box))


_OPTIONS = {
    "max_pixels": str(MAX_PIXELS),
    "enable_drefs": "0",
    "protocol_whitelist": "file",
}


@contextmanager
def _refusals() -> Iterator[None]:
    """Turn whatever a decoder raises into NotAVideo; they raise nearly anything on hostile bytes."""
    try:
        yield
    except NotAVideo:
        raise
    except MemoryError:
        raise NotAVideo("heavy") from None
    except Exception as error:  # noqa: BLE001 - see above
        raise NotAVideo("damaged", type(error).__name__) from None


def _require_whole(path: Path) -> None:
    """An mp4 is a row of boxes, each saying how long it is: a file that was cut off ends within one."""
    at, size = 0, path.stat().st_size
    with path.open("rb") as file:
        if file.read(12)[4:8] != b"ftyp":
            raise NotAVideo("kind")
        while at < size:
            file.seek(at)
            head = file.read(16)
            length, least = int.from_bytes(head[:4], "big"), 8
            if length == 1:
                length, least = int.from_bytes(head[8:16], "big"), 16
            if length == 0:
                return  # to the end of the file
            if length < least or at + length > size:
                raise NotAVideo("damaged", "cut off")
            at += length


def _only_stream(box: InputContainer) -> VideoStream:
    found = box.streams.video
    if len(found) != 1 or found[0].codec_context.name not in CODECS:
        raise NotAVideo("kind", f"{len(found)} pictures")
    stream = found[0]
    if stream.width * stream.height > MAX_PIXELS:
        raise NotAVideo("pixels")
    if _declared(stream) > MAX_SECONDS:
        raise NotAVideo("long")
    context = stream.codec_context
    context.thread_count = 1
    context.options = _OPTIONS
    return stream


def _declared(stream: VideoStream) -> float:
    """Seconds, as the file says; 0 where it says nothing."""
    if stream.duration is None or stream.time_base is None:
        return 0.0
    return float(stream.duration * stream.time_base)


@dataclass(slots=True)
class _Sampled:
    """Frames at even distance, not many: whenever they are twice too many, every other one goes."""

    every: int = 1
    kept: list[Pixels] = field(default_factory=list)

    def see(self, frame: VideoFrame, number: int) -> None:
        if number % self.every:
            return
        self.kept.append(_pixels(frame, *_within(frame.width, frame.height)))
        if len(self.kept) == 4 * STRIP:
            self.kept = self.kept[::2]
            self.every *= 2

    def strip(self) -> tuple[Pixels, ...]:
        last = len(self.kept) - 1
        return tuple(self.kept[round(at * last / (STRIP - 1))] for at in range(STRIP))


def _decoded(box: InputContainer, stream: VideoStream) -> Video:
    ends = time.thread_time() + DECODE_CPU_S
    poster, count, sampled = None, 0, _Sampled()
    for frame in _frames(box, stream):
        if time.thread_time() > ends:
            raise NotAVideo("heavy", "time")
        if poster is None:
            poster = _pixels(frame, frame.width, frame.height)
        if (frame.width, frame.height) != poster[:2]:
            raise NotAVideo("damaged", "its size changes")
        sampled.see(frame, count)
        count += 1
        if count > MAX_FRAMES:
            raise NotAVideo("long")
    if poster is None:
        raise NotAVideo("kind", "no frame")
    fps = stream.average_rate or Fraction(0)
    seconds = _declared(stream) or (float(count / fps) if fps else 0.0)
    if seconds <= 0 or fps <= 0:
        raise NotAVideo("damaged", "no duration")
    return Video(poster.width, poster.height, seconds, fps, count, poster, sampled.strip())


def _frames(box: InputContainer, stream: VideoStream) -> Iterator[VideoFrame]:
    for packet in box.demux(stream):
        if packet.is_corrupt:
            raise NotAVideo("damaged", "a packet")
        for frame in packet.decode():
            if frame.is_corrupt:
                raise NotAVideo("damaged", "a frame")
            if frame.width * frame.height > MAX_PIXELS:
                raise NotAVideo("pixels")
            yield frame


def _within(width: int, height: int) -> tuple[int, int]:
    scale = min(STRIP_WIDTH / width, STRIP_HEIGHT / height)
    return max(1, round(width * scale)), max(1, round(height * scale))


def _pixels(frame: VideoFrame, width: int, height: int) -> Pixels:
    """`frame` at that size; rows are copied without the padding that decoders put at their ends."""
    plane = frame.reformat(width=width, height=height, format="rgb24").planes[0]
    data, row = bytes(plane), 3 * width
    if plane.line_size == row:
        return Pixels(width, height, data)
    rows = (data[at : at + row] for at in range(0, plane.line_size * height, plane.line_size))
    return Pixels(width, height, b"".join(rows))
