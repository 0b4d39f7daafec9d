"""Uploads that are refused, and the process apart that reads them all."""

from __future__ import annotations

import json
import os
import zlib
from functools import cache
from pathlib import Path

import pytest
from PIL import Image
from pillow_heif import register_heif_opener

from generations import imaging
from generations.imaging import apart, limits, master, webp
from tests.pictures import (
    PATCHES,
    chunk,
    delta_e,
    display_p3,
    encoded,
    header_only,
    middles,
    patches,
    png,
)
from tests.uploads import TakeIn, take_in

__all__ = ["take_in"]
register_heif_opener()
MEMORY_KB = 700 * 1024


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
    text = zlib.compress(bytes(80 * 1024 * 1024), 9)
    note = chunk(b"zTXt", b"a\0\0" + text) * 4
    small = png(8, 8, 8, 0, bytes(64))
    return small[:33] + note + small[33:]


@pytest.mark.parametrize("name", bad())
def test_what_is_refused_says_why(name: str, take_in: TakeIn) -> None:
    data, reason = bad()[name]
    with pytest.raises(imaging.NotAPicture) as caught:
        take_in(data)
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


def test_a_phones_side_picture_is_no_animation(take_in: TakeIn) -> None:
    """Phones put a gain map or a second view behind a JPEG: the first picture is meant."""
    data = encoded(patches(), "MPO", save_all=True, append_images=[patches()], quality=95)
    _made, path = take_in(data)
    found = middles(path, len(PATCHES))
    assert max(map(delta_e, found, PATCHES)) <= 2


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
    format: str, more: dict[str, int], take_in: TakeIn
) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6 if format == "JPEG" else 1
    made, path = take_in(encoded(phone_photo(9_480, 6_320), format, exif=exif, **more))
    assert made.picture.width * made.picture.height > 59_900_000
    assert peak_kb(path.parent) <= MEMORY_KB


def test_an_ordinary_phone_photo_just_works(take_in: TakeIn) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = phone_photo(6_000, 4_000)
    made, path = take_in(encoded(photo, "JPEG", quality=90, exif=exif, icc_profile=display_p3()))
    assert (made.picture.format, made.picture.width, made.picture.height) == ("jpeg", 4_000, 6_000)
    assert [each.spec for each in made.renditions] == ["640", "320"]
    assert made.placeholder.startswith("data:image/webp;base64,")
    assert path.stat().st_size < 30_000_000


def test_the_same_upload_gives_the_same_bytes(take_in: TakeIn) -> None:
    data = encoded(phone_photo(800, 600), "JPEG")
    first = take_in(data)[1].read_bytes()
    assert take_in(data)[1].read_bytes() == first


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
    limited: bool, tmp_path: Path, take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second run is the negative control: the same program without its limits gets its memory."""
    (tmp_path / "greedy.py").write_text(GREEDY.format(limited=limited))
    monkeypatch.setattr(apart, "PROGRAM", "greedy")
    monkeypatch.setattr(
        apart,
        "_bare_environment",
        lambda: {"PATH": os.defpath, "PYTHONPATH": str(tmp_path)},
    )
    if not limited:
        assert take_in(b"x")[0].picture.format == "png"
        return
    with pytest.raises(imaging.NotAPicture) as caught:
        take_in(b"x")
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
    does: str, reason: str, tmp_path: Path, take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "doomed.py").write_text(does)
    monkeypatch.setattr(apart, "PROGRAM", "doomed")
    monkeypatch.setattr(apart, "TIMEOUT_S", 3.0)
    environment = {"PATH": os.defpath, "PYTHONPATH": str(tmp_path)}
    monkeypatch.setattr(apart, "_bare_environment", lambda: environment)
    with pytest.raises(imaging.NotAPicture) as caught:
        take_in(b"x")
    assert caught.value.reason == reason


def test_who_comes_while_others_are_read_waits_and_is_told(
    take_in: TakeIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(apart, "_WAIT_S", 0.01)
    data = encoded(patches(), "PNG")
    with apart._AT_ONCE, apart._AT_ONCE:
        with pytest.raises(imaging.NotAPicture) as caught:
            take_in(data)
        assert caught.value.reason == "heavy"
    assert take_in(data)[0].picture.format == "png"


def test_the_process_apart_sees_no_secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VOLC_SECRET_KEY", "SKEXAMPLE")
    monkeypatch.setenv("SECRET_KEY", "SKEXAMPLE")
    assert "SKEXAMPLE" not in apart._bare_environment().values()
