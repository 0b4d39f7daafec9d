"""Pictures made by hand, and what colours they must show: an oracle that shares no code with Pillow.

Each is a row of patches, a few dozen pixels wide, so that a lossy format keeps their middles exact.
Files are put together from their specifications (PNG chunks, ICC tags); colours come from the published
formulas (sRGB, Display P3, CIE Lab, CIEDE2000), written out here.
"""

from __future__ import annotations

import math
import struct
import zlib
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any

from PIL import Image

Colour = tuple[int, int, int]
PATCH = 32
PATCHES: list[Colour] = [
    (0, 0, 0),
    (255, 255, 255),
    (128, 128, 128),
    (230, 40, 30),
    (40, 200, 60),
    (30, 60, 220),
    (250, 200, 170),
    (20, 90, 90),
]


# --- PNG, chunk by chunk --------------------------------------------------------------------------


def chunk(name: bytes, data: bytes) -> bytes:
    crc = zlib.crc32(name + data)
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", crc)


def png(
    width: int, height: int, bits: int, kind: int, rows: bytes, *chunks: tuple[bytes, bytes]
) -> bytes:
    """A PNG of `rows` (without their filter bytes); `chunks` come before the pixels."""
    size = len(rows) // height
    lines = b"".join(b"\0" + rows[at : at + size] for at in range(0, len(rows), size))
    head = struct.pack(">IIBBBBB", width, height, bits, kind, 0, 0, 0)
    more = b"".join(chunk(name, data) for name, data in chunks)
    pixels = chunk(b"IDAT", zlib.compress(lines, 1))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + more + pixels + chunk(b"IEND", b"")


def patches_png(
    samples: Sequence[bytes], bits: int, kind: int, *chunks: tuple[bytes, bytes]
) -> bytes:
    """A PNG with one patch for each of `samples`, the bytes of one of its pixels."""
    row = b"".join(sample * PATCH for sample in samples)
    return png(PATCH * len(samples), PATCH, bits, kind, row * PATCH, *chunks)


def header_only(width: int, height: int) -> bytes:
    """A PNG that says how large it is, and then has a few bytes only."""
    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = chunk(b"IDAT", zlib.compress(bytes(1000)))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + pixels + chunk(b"IEND", b"")


# --- ICC profiles, tag by tag ---------------------------------------------------------------------


def _s15(value: float) -> bytes:
    return struct.pack(">i", round(value * 65536))


def _text(text: str) -> bytes:
    data = text.encode("ascii") + b"\0"
    return b"desc\0\0\0\0" + struct.pack(">I", len(data)) + data + bytes(78)


def icc(space: bytes, pcs: bytes, kind: bytes, tags: dict[bytes, bytes]) -> bytes:
    """A version 2 profile."""
    table, data = b"", b""
    start = 128 + 4 + 12 * len(tags)
    for name, value in tags.items():
        table += name + struct.pack(">II", start + len(data), len(value))
        data += value + bytes(-len(value) % 4)
    size = start + len(data)
    head = struct.pack(">I4sI4s4s4s", size, b"test", 0x02400000, kind, space, pcs)
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    head += _s15(0.9642) + _s15(1.0) + _s15(0.8249)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + data


def display_p3() -> bytes:
    """Display P3's published primaries, adapted to D50, with sRGB's curve as a table."""
    columns = {
        b"rXYZ": (0.515121, 0.241196, -0.001053),
        b"gXYZ": (0.291977, 0.692245, 0.041885),
        b"bXYZ": (0.157104, 0.066574, 0.784073),
    }
    steps = [round(65535 * to_linear(at / 1023)) for at in range(1024)]
    curve = b"curv\0\0\0\0" + struct.pack(">I", len(steps)) + struct.pack(">1024H", *steps)
    tags = {b"desc": _text("P3 for a test"), b"cprt": b"text\0\0\0\0none\0"}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + _s15(0.9642) + _s15(1.0) + _s15(0.8249)
    for name, value in columns.items():
        tags[name] = b"XYZ \0\0\0\0" + b"".join(map(_s15, value))
    for name in (b"rTRC", b"gTRC", b"bTRC"):
        tags[name] = curve
    return icc(b"RGB ", b"XYZ ", b"mntr", tags)


def grey_profile(gamma: float) -> bytes:
    """Grey whose light is its number to the power of `gamma`."""
    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256))
    tags = {b"desc": _text("grey for a test"), b"cprt": b"text\0\0\0\0none\0"}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + _s15(0.9642) + _s15(1.0) + _s15(0.8249)
    return icc(b"GRAY", b"XYZ ", b"mntr", tags | {b"kTRC": curve})


def cmyk_profile(nodes: dict[tuple[int, int, int, int], tuple[float, float, float]]) -> bytes:
    """A printer whose sixteen solid overprints have the CIE Lab colours of `nodes`."""
    curve = bytes(range(256))
    grid = b""
    for at in range(16):
        inks = (at >> 3 & 1, at >> 2 & 1, at >> 1 & 1, at & 1)
        light, a, b = nodes[inks]
        grid += bytes((round(light * 2.55), round(a + 128), round(b + 128)))
    identity = b"".join(_s15(float(at in (0, 4, 8))) for at in range(9))
    lut = b"mft1\0\0\0\0" + bytes((4, 3, 2, 0)) + identity + curve * 4 + grid + curve * 3
    tags = {b"desc": _text("inks for a test"), b"cprt": b"text\0\0\0\0none\0"}
    tags[b"wtpt"] = b"XYZ \0\0\0\0" + _s15(0.9642) + _s15(1.0) + _s15(0.8249)
    tags |= {b"A2B0": lut, b"A2B1": lut, b"A2B2": lut}
    return icc(b"CMYK", b"Lab ", b"prtr", tags)


# --- Colours by the book --------------------------------------------------------------------------


def to_linear(value: float) -> float:
    return value / 12.92 if value <= 0.04045 else ((value + 0.055) / 1.055) ** 2.4


def from_linear(value: float) -> int:
    value = min(1.0, max(0.0, value))
    curved = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return round(255 * curved)


def _times(rows: Sequence[Sequence[float]], vector: Sequence[float]) -> list[float]:
    return [sum(a * b for a, b in zip(row, vector, strict=True)) for row in rows]


_P3_TO_SRGB = (
    (1.2249401763, -0.2249401763, 0.0),
    (-0.0420569547, 1.0420569547, 0.0),
    (-0.0196375546, -0.0786360456, 1.0982736001),
)
_D50_TO_SRGB = (
    (3.1338561, -1.6168667, -0.4906146),
    (-0.9787684, 1.9161415, 0.0334540),
    (0.0719453, -0.2289914, 1.4052427),
)
_SRGB_TO_D65 = (
    (0.4124564, 0.3575761, 0.1804375),
    (0.2126729, 0.7151522, 0.0721750),
    (0.0193339, 0.1191920, 0.9503041),
)


def p3_to_srgb(colour: Colour) -> Colour:
    red, green, blue = _times(_P3_TO_SRGB, [to_linear(each / 255) for each in colour])
    return from_linear(red), from_linear(green), from_linear(blue)


def lab50_to_srgb(light: float, a: float, b: float) -> Colour:
    """CIE Lab under D50 as sRGB (Bradford-adapted)."""
    middle = (light + 16) / 116
    white = (0.9642, 1.0, 0.8249)
    xyz = [
        w * (t**3 if t**3 > 216 / 24389 else (116 * t - 16) * 27 / 24389)
        for w, t in zip(white, (middle + a / 500, middle, middle - b / 200), strict=True)
    ]
    red, green, blue = _times(_D50_TO_SRGB, xyz)
    return from_linear(red), from_linear(green), from_linear(blue)


def lab(colour: Sequence[int]) -> tuple[float, float, float]:
    """An sRGB colour as CIE Lab under D65."""
    xyz = _times(_SRGB_TO_D65, [to_linear(each / 255) for each in colour[:3]])
    white = (0.95047, 1.0, 1.08883)
    x, y, z = (
        t ** (1 / 3) if t > 216 / 24389 else (t * 24389 / 27 + 16) / 116
        for t in (value / w for value, w in zip(xyz, white, strict=True))
    )
    return 116 * y - 16, 500 * (x - y), 200 * (y - z)


def delta_e(one: Sequence[int], other: Sequence[int]) -> float:
    """The CIE 1976 distance, which is never smaller than the newer ones for what is alike."""
    return math.dist(lab(one), lab(other))


# --- Reading back ---------------------------------------------------------------------------------


def middles(source: Path | bytes, count: int) -> list[tuple[int, ...]]:
    """The colour in the middle of each of `count` patches."""
    with Image.open(BytesIO(source) if isinstance(source, bytes) else source) as opened:
        image = opened.convert("RGBA" if "A" in opened.getbands() else "RGB")
        step = image.width / count
        found: list[tuple[int, ...]] = []
        for at in range(count):
            pixel: Any = image.getpixel((int((at + 0.5) * step), image.height // 2))
            found.append(tuple(pixel))
        return found


def patches(colours: Sequence[Colour] = PATCHES) -> Image.Image:
    image = Image.new("RGB", (PATCH * len(colours), PATCH))
    for at, colour in enumerate(colours):
        image.paste(colour, (at * PATCH, 0, (at + 1) * PATCH, PATCH))
    return image


def encoded(image: Image.Image, format: str, **more: Any) -> bytes:
    out = BytesIO()
    image.save(out, format, **more)
    return out.getvalue()


def photo(width: int = 900, height: int = 600, format: str = "JPEG") -> bytes:
    """Noise, which no format compresses well."""
    return encoded(Image.effect_noise((width, height), 50).convert("RGB"), format)
