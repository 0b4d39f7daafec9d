"""Input pictures: fetched, checked as the real service checks them, and kept small for painting.

Only addresses of this machine are fetched, over plain http, without following anything. The limits here
are those of docs 85621/1817045: JPEG or PNG, 15 MB, 4096 × 4096, a ratio from 1:3 to 3:1; frames of videos
have their own (frames.py). Which code answers what is told in README.md.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import time
import warnings
from dataclasses import dataclass
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from PIL import Image, UnidentifiedImageError

from sandbox.triggers import BARS
from sandbox.wire import ServiceRefusal

MAX_BYTES = 15 * 1024 * 1024
FETCH_SECONDS = 10.0
_STALL_SECONDS = 5.0
_CHUNK = 64 * 1024
_KEPT_SIDE = 256
_BAR_SHARE = 16
_BAR_SAMPLES = 24
_BAR_SLACK = 48


@dataclass(frozen=True, slots=True)
class Limits:
    """What an input picture may be: bytes, pixels of a side, longer side over shorter, pixels in all,
    and Pillow's names of its formats.
    """

    max_bytes: int
    max_side: int = 4096
    min_side: int = 1
    max_ratio: int = 3
    max_area: int = 4096 * 4096
    formats: tuple[str, ...] = ("JPEG", "PNG")


PICTURES = Limits(MAX_BYTES)


async def take_in(urls: tuple[str, ...]) -> list[str]:
    """Return a small JPEG of each address in ``urls``, base64.

    Raises ServiceRefusal for the first one that is wrong.
    """
    tries = (asyncio.to_thread(_take_one, url, at) for at, url in enumerate(urls))
    found = await asyncio.gather(*tries, return_exceptions=True)
    for each in found:
        if isinstance(each, BaseException):
            raise each
    return [each for each in found if isinstance(each, str)]


def _take_one(url: str, at: int) -> str:
    name = f"image_urls[{at}]"
    return small(opened(fetch(url, name, PICTURES), name, PICTURES))


def small(image: Image.Image) -> str:
    """Return ``image`` as what is kept of it: a small JPEG, base64."""
    image.thumbnail((_KEPT_SIDE, _KEPT_SIDE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return base64.b64encode(out.getvalue()).decode("ascii")


def fetch(url: str, name: str, limits: Limits) -> bytes:
    """Return the bytes at ``url``, or raise ServiceRefusal."""
    place = _own_machine(url)
    if place is None:
        raise ServiceRefusal(
            50207, f"{name} is not on this machine, and the sandbox goes nowhere else"
        )
    try:
        return _read(place, name, limits.max_bytes)
    except (OSError, http.client.HTTPException) as error:
        raise ServiceRefusal(50207, f"{name} cannot be fetched: {type(error).__name__}") from None


def _own_machine(url: str) -> SplitResult | None:
    """Return ``url`` taken apart if it is plain http to a loopback address, else None."""
    try:
        place = urlsplit(url)
        host, _port = place.hostname or "", place.port
        loopback = host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return None
    return place if loopback and place.scheme == "http" else None


def _read(place: SplitResult, name: str, most: int) -> bytes:
    """Return the body of a 200.

    Raises OSError when it takes too long, ServiceRefusal for another status or too many bytes.
    """
    ends = time.monotonic() + FETCH_SECONDS
    host = place.hostname or ""
    connection = http.client.HTTPConnection(host, place.port or 80, timeout=_STALL_SECONDS)
    try:
        target = f"{place.path or '/'}?{place.query}" if place.query else place.path or "/"
        connection.request("GET", target, headers={"Accept": "image/*"})
        answer = connection.getresponse()
        if answer.status != 200:
            raise ServiceRefusal(50207, f"{name} answers {answer.status}")
        data = bytearray()
        while chunk := answer.read1(_CHUNK):
            data += chunk
            if len(data) > most:
                raise ServiceRefusal(50205, f"{name} has more than {most} bytes")
            if time.monotonic() > ends:
                raise TimeoutError
        if answer.length:
            raise http.client.IncompleteRead(bytes(data[:0]), answer.length)
        return bytes(data)
    finally:
        connection.close()


def opened(data: bytes, name: str, limits: Limits) -> Image.Image:
    """Return the picture that ``data`` is, in RGB; ServiceRefusal when it is none, breaks a limit, or
    shows what is not allowed.
    """
    if not data:
        raise ServiceRefusal(50206, name)
    image = _decode(data, name, limits)
    _moderate(image, name)
    return image


def _decode(data: bytes, name: str, limits: Limits) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: Image.Image = Image.open(io.BytesIO(data))
            _check(image, name, limits)
            return image.convert("RGB")
    except UnidentifiedImageError:
        raise ServiceRefusal(50207, f"{name} is no picture") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ServiceRefusal(50207, f"{name} cannot be decoded") from None


def _check(image: Image.Image, name: str, limits: Limits) -> None:
    if image.format not in limits.formats:
        raise ServiceRefusal(50200, f"{name} must be {' or '.join(limits.formats)}")
    longest, shortest, most = max(image.size), min(image.size), limits.max_side
    if longest > most:
        raise ServiceRefusal(50205, f"{name} is larger than {most} x {most}")
    if image.width * image.height > limits.max_area:
        raise ServiceRefusal(50205, f"{name} has more than {limits.max_area} pixels")
    if shortest < limits.min_side:
        raise ServiceRefusal(50200, f"{name} has a side below {limits.min_side} pixels")
    if longest > limits.max_ratio * shortest:
        raise ServiceRefusal(50200, f"{name} is longer than {limits.max_ratio}:1")


def _moderate(image: Image.Image, name: str) -> None:
    """Raise ServiceRefusal when the picture begins with a bar of a trigger colour."""
    high = max(1, image.height // _BAR_SHARE)
    bar = image.crop((0, 0, image.width, high)).resize((_BAR_SAMPLES, 1), Image.Resampling.BOX)
    samples = [bar.getpixel((at, 0)) for at in range(_BAR_SAMPLES)]
    for code, (_called, colour) in BARS.items():
        if all(_near(sample, colour) for sample in samples):
            raise ServiceRefusal(code, name)


def _near(sample: object, colour: tuple[int, int, int]) -> bool:
    assert isinstance(sample, tuple)
    return all(abs(one - other) <= _BAR_SLACK for one, other in zip(sample, colour, strict=True))
