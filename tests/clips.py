"""Videos made by hand, good ones and others, for tests that look into them."""

from __future__ import annotations

import io
import random
from fractions import Fraction

import av
from PIL import Image

Colour = tuple[int, int, int]
FIRST, LAST = (230, 40, 30), (30, 60, 220)


def colour_at(share: float) -> Colour:
    """From FIRST to LAST."""
    red, green, blue = (round(a + (b - a) * share) for a, b in zip(FIRST, LAST, strict=True))
    return red, green, blue


def mp4(
    frames: int = 24,
    size: tuple[int, int] = (320, 192),
    rate: Fraction | int = 24,
    *,
    codec: str = "libx264",
    container: str = "mp4",
    sound: bool = False,
    noise: bool = False,
) -> bytes:
    """A video whose colour goes from FIRST to LAST."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as box:
        stream = box.add_stream(codec, rate=rate)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        audio = box.add_stream("aac", rate=48000) if sound else None
        if audio is not None:
            audio.layout = "mono"
        for at in range(frames):
            box.mux(stream.encode(_frame(size, at / max(1, frames - 1), noise=noise)))
        box.mux(stream.encode())
        if audio is not None:
            _fill(box, audio, frames * 1024)
    return out.getvalue()


def _frame(size: tuple[int, int], share: float, *, noise: bool) -> av.VideoFrame:
    image = Image.new("RGB", size, colour_at(share))
    if noise:
        image = Image.blend(image, Image.effect_noise(size, 80).convert("RGB"), 0.5)
    found: av.VideoFrame = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call]
    return found


def _fill(box: av.container.OutputContainer, stream: av.AudioStream, samples: int) -> None:
    for at in range(0, samples, 1024):
        silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        for plane in silence.planes:
            plane.update(bytes(plane.buffer_size))
        silence.sample_rate, silence.pts = 48000, at
        box.mux(stream.encode(silence))
    box.mux(stream.encode())


def only_sound() -> bytes:
    """An mp4 without a picture."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as box:
        stream = box.add_stream("aac", rate=48000)
        stream.layout = "mono"
        _fill(box, stream, 48000)
    return out.getvalue()


def gif() -> bytes:
    """An animation, as browsers had them before there was video."""
    out = io.BytesIO()
    first, *rest = (Image.new("P", (64, 48), at) for at in range(6))
    first.save(out, "GIF", save_all=True, append_images=rest)
    return out.getvalue()


def decoded(data: bytes) -> list[Image.Image]:
    """Every frame, by PyAV alone."""
    with av.open(io.BytesIO(data)) as box:
        return [frame.to_image() for frame in box.decode(video=0)]


GOOD = mp4(48, sound=True, noise=True)


def _picture() -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (200, 100), FIRST).save(out, "JPEG")
    return out.getvalue()


def with_noise_inside(data: bytes) -> bytes:
    at = data.index(b"mdat") + 4
    rng = random.Random(1)
    return data[: at + 200] + rng.randbytes(4000) + data[at + 4200 :]


HOSTILE: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "kind"),
    "text": (b"<!doctype html><title>Welcome</title>", "kind"),
    "picture": (_picture(), "kind"),
    "gif": (gif(), "kind"),
    "gif in mp4's clothing": (GOOD[:32] + gif(), "damaged"),
    "matroska": (mp4(container="matroska"), "kind"),
    "only sound": (only_sound(), "kind"),
    "a codec no browser plays": (mp4(codec="mpeg4"), "kind"),
    "head only": (GOOD[:40], "damaged"),
    "half": (GOOD[: len(GOOD) // 2], "damaged"),
    "all but the end": (GOOD[:-1], "damaged"),
    "noise inside": (with_noise_inside(GOOD), "damaged"),
    "too long": (mp4(3, rate=Fraction(1, 40)), "long"),
    "too large": (mp4(1, (4096, 2320)), "pixels"),
    "boxes of no length": (GOOD[:4] + b"ftyp" + bytes(200), "damaged"),
    "a box without end": (b"\0\0\0\x14ftypisom" + bytes(8) + b"\xff" * 64, "damaged"),
}
