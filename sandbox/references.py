"""Input pictures: fetched, checked as the real service checks them, and kept small for painting.

Only addresses of this machine are fetched, over plain http, without following anything. The limits are
those of docs 85621/1817045: JPEG or PNG, 15 MB, 4096 × 4096, a ratio from 1:3 to 3:1. Which code answers
what is told in README.md.
"""

from __future__ import annotations

import asyncio
import base64
import http.client
import io
import time
import warnings
from ipaddress import ip_address
from urllib.parse import SplitResult, urlsplit

from PIL import Image, UnidentifiedImageError

from sandbox.triggers import BARS
from sandbox.wire import ServiceRefusal

MAX_BYTES = 15 * 1024 * 1024
MAX_SIDE = 4096
MAX_RATIO = 3
FETCH_SECONDS = 10.0
_STALL_SECONDS = 5.0
_CHUNK = 64 * 1024
_KEPT_SIDE = 256
_BAR_SHARE = 16
_BAR_SAMPLES = 24
_BAR_SLACK = 48


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
    data = _fetch(url, name)
    if not data:
        raise ServiceRefusal(50206, name)
    image = _decode(data, name)
    _moderate(image, name)
    image.thumbnail((_KEPT_SIDE, _KEPT_SIDE))
    out = io.BytesIO()
    image.save(out, "JPEG", quality=85)
    return base64.b64encode(out.getvalue()).decode("ascii")


def _fetch(url: str, name: str) -> bytes:
    place = _own_machine(url)
    if place is None:
        raise ServiceRefusal(
            50207, f"{name} is not on this machine, and the sandbox goes nowhere else"
        )
    try:
        return _read(place, name)
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


def _read(place: SplitResult, name: str) -> bytes:
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
            if len(data) > MAX_BYTES:
                raise ServiceRefusal(50205, f"{name} has more than 15 MB")
            if time.monotonic() > ends:
                raise TimeoutError
        if answer.length:
            raise http.client.IncompleteRead(bytes(data[:0]), answer.length)
        return bytes(data)
    finally:
        connection.close()


def _decode(data: bytes, name: str) -> Image.Image:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            image: Image.Image = Image.open(io.BytesIO(data))
            _check(image, name)
            return image.convert("RGB")
    except UnidentifiedImageError:
        raise ServiceRefusal(50207, f"{name} is no picture") from None
    except (OSError, ValueError, SyntaxError, Image.DecompressionBombError):
        raise ServiceRefusal(50207, f"{name} cannot be decoded") from None


def _check(image: Image.Image, name: str) -> None:
    if image.format not in ("JPEG", "PNG"):
        raise ServiceRefusal(50200, f"{name} must be JPEG or PNG")
    longest, shortest = max(image.size), min(image.size)
    if longest > MAX_SIDE:
        raise ServiceRefusal(50205, f"{name} is larger than 4096 x 4096")
    if longest > MAX_RATIO * shortest:
        raise ServiceRefusal(50200, f"{name} is longer than 3:1")


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
