"""Uploads: whatever they are, the master shows the same colours upright, or the refusal says why."""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from pillow_heif import register_heif_opener

from tests.pictures import (
    PATCH,
    PATCHES,
    Colour,
    cmyk_profile,
    delta_e,
    display_p3,
    encoded,
    from_linear,
    grey_profile,
    lab50_to_srgb,
    middles,
    p3_to_srgb,
    patches,
    patches_png,
    png,
)
from tests.uploads import TakeIn, take_in

__all__ = ["take_in"]
register_heif_opener()
JUST_NOTICEABLE = 2.0
MEMORY_KB = 700 * 1024


def shows(path: Path, colours: list[Colour]) -> None:
    found = middles(path, len(colours))
    worst = max(delta_e(one, other) for one, other in zip(found, colours, strict=True))
    assert worst <= JUST_NOTICEABLE, (found, colours)


# --- Colours --------------------------------------------------------------------------------------


def grey(value: int) -> Colour:
    return (value, value, value)


def of_grey16() -> tuple[bytes, list[Colour]]:
    levels = [0, 1000, 9000, 20000, 32768, 50000, 60001, 65535]
    data = patches_png([struct.pack(">H", level) for level in levels], 16, 0)
    return data, [grey(round(level / 257)) for level in levels]


def of_rgb16() -> tuple[bytes, list[Colour]]:
    samples = [struct.pack(">3H", *(each * 257 for each in colour)) for colour in PATCHES]
    return patches_png(samples, 16, 2), PATCHES


def of_p3() -> tuple[bytes, list[Colour]]:
    data = encoded(patches(), "JPEG", quality=97, subsampling=0, icc_profile=display_p3())
    return data, [p3_to_srgb(colour) for colour in PATCHES]


def of_grey_with_an_rgb_profile() -> tuple[bytes, list[Colour]]:
    levels = [0, 60, 128, 200, 255, 30, 90, 170]
    image = patches([grey(level) for level in levels]).convert("L")
    return encoded(image, "PNG", icc_profile=display_p3()), [grey(level) for level in levels]


def of_grey_with_its_profile() -> tuple[bytes, list[Colour]]:
    levels = [0, 60, 128, 200, 255, 30, 90, 170]
    image = patches([grey(level) for level in levels]).convert("L")
    data = encoded(image, "PNG", icc_profile=grey_profile(1.8))
    return data, [grey(from_linear((level / 255) ** 1.8)) for level in levels]


def p3_in(format: str, **more: object) -> Callable[[], tuple[bytes, list[Colour]]]:
    """Display P3 in another format: phones save it in HEIC."""
    return lambda: (
        encoded(patches(), format, icc_profile=display_p3(), **more),
        [p3_to_srgb(colour) for colour in PATCHES],
    )


INKS = {(c, m, y, k): 0 for c in (0, 1) for m in (0, 1) for y in (0, 1) for k in (0, 1)}


def of_cmyk_with_its_profile() -> tuple[bytes, list[Colour]]:
    solids = {
        (0, 0, 0, 0): (100.0, 0.0, 0.0),
        (1, 0, 0, 0): (60.0, -20.0, -30.0),
        (0, 1, 0, 0): (50.0, 55.0, 0.0),
        (0, 0, 1, 0): (88.0, -4.0, 70.0),
    }
    nodes = {inks: solids.get(inks, (0.0, 0.0, 0.0)) for inks in INKS}
    image = Image.new("CMYK", (PATCH * len(solids), PATCH))
    for at, inks in enumerate(solids):
        ink = tuple(255 * each for each in inks)
        image.paste(ink, (at * PATCH, 0, (at + 1) * PATCH, PATCH))
    data = encoded(image, "JPEG", quality=98, icc_profile=cmyk_profile(nodes))
    return data, [lab50_to_srgb(*colour) for colour in solids.values()]


def of_cmyk_without_one() -> tuple[bytes, list[Colour]]:
    """Adobe's way, inverted, as every program writes it: ink by ink subtracted from white."""
    inks = [(0, 0, 0, 0), (0, 0, 0, 255), (200, 20, 20, 0), (0, 180, 90, 40)]
    image = Image.new("CMYK", (PATCH * len(inks), PATCH))
    for at, ink in enumerate(inks):
        image.paste(ink, (at * PATCH, 0, (at + 1) * PATCH, PATCH))
    data = encoded(image, "JPEG", quality=98)
    assert b"Adobe" in data[:200]
    lit = [tuple(round((255 - ink[at]) * (255 - ink[3]) / 255) for at in range(3)) for ink in inks]
    return data, lit  # type: ignore[return-value]


def of_palette() -> tuple[bytes, list[Colour]]:
    colours = b"".join(map(bytes, PATCHES))
    samples = [bytes((at,)) for at in range(len(PATCHES))]
    return patches_png(samples, 8, 3, (b"PLTE", colours)), PATCHES


def of_one_bit() -> tuple[bytes, list[Colour]]:
    row = b"\0" * (PATCH // 8) + b"\xff" * (PATCH // 8)
    return png(2 * PATCH, PATCH, 1, 0, row * PATCH), [grey(0), grey(255)]


COLOURS: dict[str, Callable[[], tuple[bytes, list[Colour]]]] = {
    "jpeg": lambda: (encoded(patches(), "JPEG", quality=95, subsampling=0), PATCHES),
    "progressive": lambda: (encoded(patches(), "JPEG", quality=95, progressive=True), PATCHES),
    "png": lambda: (encoded(patches(), "PNG"), PATCHES),
    "webp": lambda: (encoded(patches(), "WEBP", lossless=True), PATCHES),
    "heic": lambda: (encoded(patches(), "HEIF", quality=-1, chroma=444), PATCHES),
    "avif": lambda: (encoded(patches(), "AVIF", quality=98, subsampling="4:4:4"), PATCHES),
    "16-bit grey": of_grey16,
    "16-bit colour": of_rgb16,
    "Display P3": of_p3,
    "Display P3 in HEIC": p3_in("HEIF", quality=-1, chroma=444),
    "Display P3 in AVIF": p3_in("AVIF", quality=98, subsampling="4:4:4"),
    "Display P3 in WebP": p3_in("WEBP", lossless=True),
    "grey with its own profile": of_grey_with_its_profile,
    "grey with a profile for colours": of_grey_with_an_rgb_profile,
    "CMYK with a profile": of_cmyk_with_its_profile,
    "CMYK without a profile": of_cmyk_without_one,
    "palette": of_palette,
    "one bit": of_one_bit,
    "a profile that is none": lambda: (
        encoded(patches(), "PNG", icc_profile=b"no profile at all" * 20),
        PATCHES,
    ),
}


@pytest.mark.parametrize("kind", COLOURS)
def test_the_master_shows_the_colours_of_the_upload(kind: str, take_in: TakeIn) -> None:
    data, colours = COLOURS[kind]()
    made, path = take_in(data)
    assert made.picture.format in ("jpeg", "png")
    shows(path, colours)
    shows_webp = [each for each in made.renditions if each.spec == "320"]
    assert len(shows_webp) == (made.picture.width > 320) or made.picture.width <= 320


def test_the_oracle_would_notice() -> None:
    """What Pillow's own conversion makes of 16-bit grey is far from what it shows."""
    _data, colours = of_grey16()
    assert max(delta_e(grey(255), each) for each in colours[1:-1]) > 20
    assert max(delta_e(a, b) for a, b in zip(PATCHES, of_p3()[1], strict=True)) > 3


def test_a_transparent_palette_stays_transparent(take_in: TakeIn) -> None:
    chunks = ((b"PLTE", b"".join(map(bytes, PATCHES))), (b"tRNS", bytes((0, 255, 128))))
    made, path = take_in(patches_png([bytes((at,)) for at in range(8)], 8, 3, *chunks))
    found = middles(path, 8)
    assert made.picture.format == "png"
    assert [pixel[3] for pixel in found] == [0, 255, 128, *[255] * 5]
    assert [pixel[:3] for pixel in found[1:]] == PATCHES[1:]


def test_16_bit_grey_with_a_transparent_level(take_in: TakeIn) -> None:
    levels = [0, 30000, 65535]
    samples = [struct.pack(">H", level) for level in levels]
    _made, path = take_in(patches_png(samples, 16, 0, (b"tRNS", struct.pack(">H", 30000))))
    assert [pixel[3] for pixel in middles(path, 3)] == [255, 0, 255]


def test_alpha_survives_its_colours_being_converted(take_in: TakeIn) -> None:
    image = patches()
    image.putalpha(Image.linear_gradient("L").resize(image.size).rotate(90, expand=False))
    image.putalpha(77)
    _made, path = take_in(encoded(image, "PNG", icc_profile=display_p3()))
    found = middles(path, len(PATCHES))
    assert {pixel[3] for pixel in found} == {77}
    shows(path, [p3_to_srgb(colour) for colour in PATCHES])


def test_an_alpha_channel_that_says_nothing_goes(take_in: TakeIn) -> None:
    image = patches()
    image.putalpha(255)
    _made, path = take_in(encoded(image, "PNG"))
    with Image.open(path) as kept:
        assert kept.mode == "RGB"


# --- Upright --------------------------------------------------------------------------------------

# What EXIF says was done to the upright picture, so that undoing it is the test.
DONE = {
    1: None,
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_90,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_270,
}


@pytest.mark.parametrize("format", ["JPEG", "PNG", "WEBP", "AVIF", "HEIF"])
@pytest.mark.parametrize("orientation", DONE)
def test_every_orientation_comes_out_upright(
    format: str, orientation: int, take_in: TakeIn
) -> None:
    turn = DONE[orientation]
    image = patches() if turn is None else patches().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    made, path = take_in(encoded(image, format, exif=exif.tobytes(), quality=98))
    assert (made.picture.width, made.picture.height) == (PATCH * len(PATCHES), PATCH)
    found = middles(path, len(PATCHES))
    assert (
        max(max(map(abs, map(int.__sub__, a, b))) for a, b in zip(found, PATCHES, strict=True)) < 14
    )


def test_broken_exif_harms_nothing(take_in: TakeIn) -> None:
    _made, path = take_in(
        encoded(patches(), "JPEG", exif=b"Exif\0\0MM\0*\0\0\0\x08\xff\xff" + b"\xee" * 40)
    )
    shows(path, PATCHES)


# --- Nothing but the picture ----------------------------------------------------------------------


def with_everything() -> dict[str, bytes]:
    exif = Image.Exif()
    exif[0x010F] = "SECRET-MAKER"
    exif.get_ifd(0x8825)[2] = (31.0, 13.0, 49.0)
    exif.get_ifd(0x8825)[1] = "N"
    text = PngImagePlugin.PngInfo()
    text.add_text("prompt", "SECRET-PROMPT")
    text.add_itxt("XML:com.adobe.xmp", "<x>SECRET-XMP</x>")
    xmp = b"<x:xmpmeta>SECRET-XMP</x:xmpmeta>"
    profile = display_p3()
    opaque, clear = patches(), patches()
    clear.putalpha(90)
    return {
        "jpeg": encoded(
            opaque, "JPEG", exif=exif, xmp=xmp, icc_profile=profile, comment=b"SECRET-COMMENT"
        ),
        "png": encoded(opaque, "PNG", exif=exif, pnginfo=text, icc_profile=profile, dpi=(72, 72)),
        "transparent png": encoded(clear, "PNG", exif=exif, pnginfo=text, icc_profile=profile),
        "webp": encoded(opaque, "WEBP", exif=exif, xmp=xmp, icc_profile=profile),
        "heic": encoded(opaque, "HEIF", exif=exif.tobytes(), xmp=xmp),
        "avif": encoded(opaque, "AVIF", exif=exif, xmp=xmp, icc_profile=profile),
    }


def segments(data: bytes) -> set[bytes]:
    """The kinds of parts a file is made of: PNG chunks, JPEG markers."""
    if data.startswith(b"\x89PNG"):
        return set(re.findall(rb"(IHDR|IDAT|IEND|[a-z][A-Z][A-Z][a-zA-Z](?=.{0,40}SECRET))", data))
    found, at = set(), 2
    while data[at] == 0xFF and data[at + 1] != 0xDA:
        found.add(data[at : at + 2])
        at += 2 + int.from_bytes(data[at + 2 : at + 4])
    return found


@pytest.mark.parametrize("kind", with_everything())
def test_no_metadata_is_left(kind: str, take_in: TakeIn) -> None:
    data = with_everything()[kind]
    assert b"SECRET" in data
    made, path = take_in(data)
    for each in (path.read_bytes(), *(each.data for each in made.renditions)):
        assert not re.search(rb"SECRET|Exif|ICC_PROFILE|iCCP|EXIF|eXIf|XMP|tEXt|iTXt", each)
    if made.picture.format == "jpeg":
        # JFIF, the tables, the frame: no APP1, no APP2, no comment.
        assert segments(path.read_bytes()) <= {b"\xff\xe0", b"\xff\xdb", b"\xff\xc0", b"\xff\xc4"}
    with Image.open(path) as kept:
        assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}
