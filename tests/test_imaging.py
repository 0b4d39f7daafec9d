"""Pictures: what is one, what is none, and what is made from them."""

from __future__ import annotations

import base64
from functools import cache
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from generations import imaging


def saved(path: Path, image: Image.Image, **more: object) -> Path:
    image.save(path, **more)
    return path


def noisy(size: tuple[int, int], mode: str = "RGB") -> Image.Image:
    return Image.effect_noise(size, 60).convert(mode)


@pytest.mark.parametrize("name", ["JPEG", "PNG", "WEBP"])
def test_the_format_is_what_decoding_says(tmp_path: Path, name: str) -> None:
    found = imaging.verify(saved(tmp_path / "a.bin", noisy((64, 48)), format=name)).picture
    assert (found.format, found.width, found.height) == (name.lower(), 64, 48)
    assert found.content_type == imaging.FORMATS[name]


@cache
def hostile() -> dict[str, bytes]:
    out = BytesIO()
    noisy((300, 300)).save(out, "JPEG")
    jpeg = out.getvalue()
    frames = BytesIO()
    pictures = [noisy((8, 8)) for _each in range(3)]
    pictures[0].save(frames, "WEBP", save_all=True, append_images=pictures[1:])
    gif = BytesIO()
    noisy((8, 8)).save(gif, "GIF")
    bomb = BytesIO()
    Image.new("1", (20_000, 20_000)).save(bomb, "PNG")
    return {
        "empty": b"",
        "html": b"<html><body>502 Bad Gateway</body></html>",
        "truncated": jpeg[: len(jpeg) // 2],
        "head only": jpeg[:20],
        "animated": frames.getvalue(),
        "gif": gif.getvalue(),
        "svg": b"<svg xmlns='http://www.w3.org/2000/svg'/>",
        "bomb": bomb.getvalue(),
        "noise": bytes(range(256)) * 40,
    }


@pytest.mark.parametrize("name", hostile())
def test_what_is_no_picture(tmp_path: Path, name: str) -> None:
    path = tmp_path / "x"
    path.write_bytes(hostile()[name])
    with pytest.raises(imaging.NotAPicture):
        imaging.verify(path)


def test_renditions_are_chained_and_never_larger(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.jpg", noisy((1600, 900)))
    made = imaging.verify(path).renditions
    assert [(each.spec, each.width, each.height) for each in made] == [
        ("1280", 1280, 720),
        ("640", 640, 360),
        ("320", 320, 180),
    ]
    for each in made:
        with Image.open(BytesIO(each.data)) as image:
            assert (image.format, image.size) == ("WEBP", (each.width, each.height))
    small = saved(tmp_path / "b.png", noisy((500, 10)))
    assert [each.spec for each in imaging.verify(small).renditions] == ["320"]


def test_transparency_survives(tmp_path: Path) -> None:
    path = saved(tmp_path / "a.png", Image.new("RGBA", (700, 700), (255, 0, 0, 0)))
    with Image.open(BytesIO(imaging.verify(path).renditions[0].data)) as image:
        assert image.convert("RGBA").getchannel("A").getextrema() == (0, 0)


def test_the_placeholder_is_a_tiny_picture(tmp_path: Path) -> None:
    for size in ((1200, 600), (200, 100)):  # with renditions, and without
        uri = imaging.verify(saved(tmp_path / "a.jpg", noisy(size))).placeholder
        assert len(uri) < 2000
        with Image.open(BytesIO(base64.b64decode(uri.partition(",")[2]))) as image:
            assert max(image.size) == imaging.PLACEHOLDER_PX
