"""Uploads: whatever they are, the master shows the same colours upright, or the refusal says why."""

from __future__ import annotations

import json
import os
import re
import struct
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest
from PIL import Image, PngImagePlugin
from pillow_heif import register_heif_opener

from generations import imaging
from generations.imaging import apart, limits, master, webp
from tests.pictures import (
    PATCH,
    PATCHES,
    Colour,
    chunk,
    cmyk_profile,
    delta_e,
    display_p3,
    encoded,
    header_only,
    lab50_to_srgb,
    middles,
    p3_to_srgb,
    patches,
    patches_png,
    png,
)

register_heif_opener()
JUST_NOTICEABLE = 2.0
MEMORY_KB = 700 * 1024


@pytest.fixture
def take(tmp_path: Path) -> Callable[[bytes], tuple[imaging.Prepared, Path]]:
    """Take an upload in: what became of it, and the master."""

    def prepare(data: bytes) -> tuple[imaging.Prepared, Path]:
        source, folder = tmp_path / "upload", tmp_path / "made"
        source.write_bytes(data)
        folder.mkdir(exist_ok=True)
        return imaging.prepare(source, folder), folder / imaging.MASTER

    return prepare


Take = Callable[[bytes], tuple[imaging.Prepared, Path]]


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
def test_the_master_shows_the_colours_of_the_upload(kind: str, take: Take) -> None:
    data, colours = COLOURS[kind]()
    made, path = take(data)
    assert made.picture.format in ("jpeg", "png")
    shows(path, colours)
    shows_webp = [each for each in made.renditions if each.spec == "320"]
    assert len(shows_webp) == (made.picture.width > 320) or made.picture.width <= 320


def test_the_oracle_would_notice() -> None:
    """What Pillow's own conversion makes of 16-bit grey is far from what it shows."""
    _data, colours = of_grey16()
    assert max(delta_e(grey(255), each) for each in colours[1:-1]) > 20
    assert max(delta_e(a, b) for a, b in zip(PATCHES, of_p3()[1], strict=True)) > 3


def test_a_transparent_palette_stays_transparent(take: Take) -> None:
    chunks = ((b"PLTE", b"".join(map(bytes, PATCHES))), (b"tRNS", bytes((0, 255, 128))))
    made, path = take(patches_png([bytes((at,)) for at in range(8)], 8, 3, *chunks))
    found = middles(path, 8)
    assert made.picture.format == "png"
    assert [pixel[3] for pixel in found] == [0, 255, 128, *[255] * 5]
    assert [pixel[:3] for pixel in found[1:]] == PATCHES[1:]


def test_16_bit_grey_with_a_transparent_level(take: Take) -> None:
    levels = [0, 30000, 65535]
    samples = [struct.pack(">H", level) for level in levels]
    _made, path = take(patches_png(samples, 16, 0, (b"tRNS", struct.pack(">H", 30000))))
    assert [pixel[3] for pixel in middles(path, 3)] == [255, 0, 255]


def test_alpha_survives_its_colours_being_converted(take: Take) -> None:
    image = patches()
    image.putalpha(Image.linear_gradient("L").resize(image.size).rotate(90, expand=False))
    image.putalpha(77)
    _made, path = take(encoded(image, "PNG", icc_profile=display_p3()))
    found = middles(path, len(PATCHES))
    assert {pixel[3] for pixel in found} == {77}
    shows(path, [p3_to_srgb(colour) for colour in PATCHES])


def test_an_alpha_channel_that_says_nothing_goes(take: Take) -> None:
    image = patches()
    image.putalpha(255)
    _made, path = take(encoded(image, "PNG"))
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
def test_every_orientation_comes_out_upright(format: str, orientation: int, take: Take) -> None:
    turn = DONE[orientation]
    image = patches() if turn is None else patches().transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    made, path = take(encoded(image, format, exif=exif.tobytes(), quality=98))
    assert (made.picture.width, made.picture.height) == (PATCH * len(PATCHES), PATCH)
    found = middles(path, len(PATCHES))
    assert (
        max(max(map(abs, map(int.__sub__, a, b))) for a, b in zip(found, PATCHES, strict=True)) < 14
    )


def test_broken_exif_harms_nothing(take: Take) -> None:
    _made, path = take(
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
def test_no_metadata_is_left(kind: str, take: Take) -> None:
    data = with_everything()[kind]
    assert b"SECRET" in data
    made, path = take(data)
    for each in (path.read_bytes(), *(each.data for each in made.renditions)):
        assert not re.search(rb"SECRET|Exif|ICC_PROFILE|iCCP|EXIF|eXIf|XMP|tEXt|iTXt", each)
    if made.picture.format == "jpeg":
        # JFIF, the tables, the frame: no APP1, no APP2, no comment.
        assert segments(path.read_bytes()) <= {b"\xff\xe0", b"\xff\xdb", b"\xff\xc0", b"\xff\xc4"}
    with Image.open(path) as kept:
        assert set(kept.info) <= {"jfif", "jfif_version", "jfif_unit", "jfif_density"}


# --- Refused, and why -----------------------------------------------------------------------------


@cache
def bad() -> dict[str, tuple[bytes, str]]:
    jpeg = encoded(Image.effect_noise((400, 300), 60).convert("RGB"), "JPEG")
    heic = encoded(Image.effect_noise((400, 300), 60).convert("RGB"), "HEIF")
    frames = [Image.effect_noise((16, 16), 60) for _each in range(3)]
    moving = {"save_all": True, "append_images": frames[1:]}
    return {
        "nothing": (b"", "kind"),
        "text": (b"Dear all,\n", "kind"),
        "svg": (b"<svg xmlns='http://www.w3.org/2000/svg'><script>1</script></svg>", "kind"),
        "html": (b"<!doctype html><script>alert(1)</script>", "kind"),
        "pdf": (b"%PDF-1.7\n1 0 obj<<>>endobj\n%%EOF", "kind"),
        "gif": (encoded(frames[0], "GIF"), "kind"),
        "tiff": (encoded(frames[0], "TIFF"), "kind"),
        "truncated jpeg": (jpeg[: len(jpeg) // 2], "damaged"),
        "truncated heic": (heic[: len(heic) // 2], "damaged"),
        "truncated png": (encoded(frames[0], "PNG")[:-40], "damaged"),
        "30,000 x 30,000": (header_only(30_000, 30_000), "pixels"),
        "just too many pixels": (header_only(7_746, 7_747), "pixels"),
        "header without pixels": (header_only(3_000, 3_000), "damaged"),
        "bomb": (png(30_000, 30_000, 1, 0, bytes(3_750) * 30_000), "pixels"),
        "text bomb": (text_bomb(), "damaged"),
        "animated png": (encoded(frames[0], "PNG", **moving), "animated"),
        "animated webp": (encoded(frames[0], "WEBP", **moving), "animated"),
        "animated avif": (encoded(frames[0], "AVIF", **moving), "animated"),
        "jpeg head, html body": (jpeg[:30] + b"<script>alert(1)</script>" * 50, "kind"),
    }


def text_bomb() -> bytes:
    """A small PNG with hundreds of megabytes of text in it."""
    import zlib

    text = zlib.compress(bytes(80 * 1024 * 1024), 9)
    note = chunk(b"zTXt", b"a\0\0" + text) * 4
    small = png(8, 8, 8, 0, bytes(64))
    return small[:33] + note + small[33:]


@pytest.mark.parametrize("name", bad())
def test_what_is_refused_says_why(name: str, take: Take) -> None:
    data, reason = bad()[name]
    with pytest.raises(imaging.NotAPicture) as caught:
        take(data)
    assert caught.value.reason == reason


@pytest.mark.parametrize("found", [True, False])
def test_webp_is_the_same_with_and_without_the_short_cut(
    found: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not found:
        monkeypatch.setattr(webp, "_library", lambda: None)
    assert (webp._library() is not None) is found
    for colours in ("RGB", "RGBA"):
        source = tmp_path / colours
        image = patches().convert(colours)
        if colours == "RGBA":
            image.putalpha(Image.linear_gradient("L").resize(image.size))
        source.write_bytes(encoded(image, "WEBP", lossless=True, exact=True))
        made = webp.loaded(Image.open(source), source)
        assert (made.mode, made.tobytes()) == (colours, image.tobytes())


def test_a_phones_side_picture_is_no_animation(take: Take) -> None:
    """Phones put a gain map or a second view behind a JPEG: the first picture is meant."""
    data = encoded(patches(), "MPO", save_all=True, append_images=[patches()], quality=95)
    _made, path = take(data)
    shows(path, PATCHES)


# --- The process apart ----------------------------------------------------------------------------


def phone_photo(width: int, height: int) -> Image.Image:
    noise = Image.effect_noise((width // 8, height // 8), 40).resize((width, height))
    slope = Image.linear_gradient("L").resize((width, height))
    return Image.merge("RGB", (slope, noise, slope))


def peak_kb(folder: Path) -> int:
    return int(json.loads((folder / apart.ANSWER).read_text())["peak_kb"])


@pytest.mark.parametrize(
    ("format", "more"),
    [
        ("JPEG", {"quality": 60}),
        ("PNG", {"compress_level": 1}),
        ("AVIF", {"quality": 30, "speed": 10}),
        ("WEBP", {"quality": 30, "method": 0}),
        # Half a minute to encode; what is tested is the decoding.
        pytest.param("HEIF", {"quality": 30}, marks=pytest.mark.prove),
    ],
)
def test_60_megapixels_fit_into_700_megabytes(
    format: str, more: dict[str, int], take: Take
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6 if format == "JPEG" else 1
    made, path = take(encoded(phone_photo(9_480, 6_320), format, exif=exif, **more))
    assert made.picture.width * made.picture.height > 59_900_000
    assert peak_kb(path.parent) <= MEMORY_KB


def test_an_ordinary_phone_photo_just_works(take: Take) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = phone_photo(6_000, 4_000)
    made, path = take(encoded(photo, "JPEG", quality=90, exif=exif, icc_profile=display_p3()))
    assert (made.picture.format, made.picture.width, made.picture.height) == ("jpeg", 4_000, 6_000)
    assert [each.spec for each in made.renditions] == ["640", "320"]
    assert made.placeholder.startswith("data:image/webp;base64,")
    assert path.stat().st_size < 30_000_000


def test_the_same_upload_gives_the_same_bytes(take: Take) -> None:
    data = encoded(phone_photo(800, 600), "JPEG")
    first = take(data)[1].read_bytes()
    assert take(data)[1].read_bytes() == first


def test_without_limits_no_upload_is_decoded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whoever forgets the process apart is stopped; with the guard out, nothing would stop them."""
    source = tmp_path / "upload"
    source.write_bytes(encoded(patches(), "PNG"))
    with pytest.raises(limits.Unlimited):
        master.prepare(source, tmp_path)
    monkeypatch.setattr(limits, "require", lambda: None)
    assert master.prepare(source, tmp_path).picture.format == "png"


GREEDY = """
import json, sys
from generations.imaging import limits
request = json.loads(sys.argv[1])
if {limited}:
    limits.impose(request["parent"])
try:
    kept = bytearray(limits.MEMORY_BYTES)
    answer = {{"picture": ["png", "image/png", 1, 1], "placeholder": "", "renditions": []}}
except MemoryError:
    answer = {{"refused": "heavy"}}
open(request["folder"] + "/answer.json", "w").write(json.dumps(answer))
"""


@pytest.mark.parametrize("limited", [True, False])
def test_the_limits_are_what_stops_a_greedy_decoder(
    limited: bool, tmp_path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run is the negative control: the same program without its limits gets its memory."""
    (tmp_path / "greedy.py").write_text(GREEDY.format(limited=limited))
    monkeypatch.setattr(apart, "PROGRAM", "greedy")
    monkeypatch.setattr(
        apart,
        "_bare_environment",
        lambda: {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)},
    )
    if not limited:
        assert take(b"x")[0].picture.format == "png"
        return
    with pytest.raises(imaging.NotAPicture) as caught:
        take(b"x")
    assert caught.value.reason == "heavy"


@pytest.mark.parametrize(
    ("does", "reason"),
    [
        ("import os; os.abort()", "damaged"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGKILL)", "heavy"),
        ("import time; time.sleep(600)", "heavy"),
        ("import sys; open(sys.argv[1][-0:] and '/dev/null', 'w')", "damaged"),
    ],
)
def test_a_process_that_dies_or_hangs_is_a_refusal(
    does: str, reason: str, tmp_path: Path, take: Take, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doomed.py").write_text(does)
    monkeypatch.setattr(apart, "PROGRAM", "doomed")
    monkeypatch.setattr(apart, "TIMEOUT_S", 3.0)
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(tmp_path)}
    monkeypatch.setattr(apart, "_bare_environment", lambda: environment)
    with pytest.raises(imaging.NotAPicture) as caught:
        take(b"x")
    assert caught.value.reason == reason


def test_the_process_apart_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLC_SECRET_KEY", "SKEXAMPLE")
    monkeypatch.setenv("SECRET_KEY", "SKEXAMPLE")
    assert "SKEXAMPLE" not in apart._bare_environment().values()
