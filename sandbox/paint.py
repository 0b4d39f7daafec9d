"""Pictures out of nothing but a prompt, its parameters and a seed.

The same input gives the same bytes.

The prompt chooses scene and mood, the seed the composition, ``scale`` contrast, saturation and
richness, the size the framing. A scene is
painted small, enlarged to the exact size, grained, and marked SANDBOX.
"""

from __future__ import annotations

import hashlib
import io
import random
from collections.abc import Callable
from dataclasses import dataclass

from PIL import Image, ImageChops, ImageDraw, ImageEnhance, ImageFont

from sandbox import collage, interiors, landscapes, still_life
from sandbox.brush import BICUBIC, BILINEAR, Canvas, curve
from sandbox.colour import PALETTES, Palette, Size
from sandbox.labels import Logo, draw

_LONG_SIDE = 1280
_FAST_DIVISOR = 8
_SMALLEST = 24
_GRAIN = 5
_GRAIN_TILE = 256

Scene = Callable[[Canvas], None]
_SCENES: tuple[tuple[Scene, str, str], ...] = (
    (
        interiors.city,
        "城 街 楼 霓虹 赛博 雨夜 city street neon cyber skyline tokyo rain",
        "violet moon dusk",
    ),
    (landscapes.aurora, "极光 星空 银河 星夜 aurora northern stars galaxy", "moon violet"),
    (landscapes.dunes, "沙 丘 漠 骆驼 dune desert sand", "ember dusk rose"),
    (
        landscapes.sea,
        "海 湖 江 浪 船 岛 水 帆 sea ocean lake river water boat island wave",
        "dusk moon day ember rose",
    ),
    (
        still_life.still,
        "静物 花 瓶 茶 杯 陶 瓷 产品 香薰 桌 still vase flower tea cup ceramic product table",
        "rose jade mist ember",
    ),
    (
        landscapes.peaks,
        "山 峰 云 雪 雾 mountain peak snow alp cloud fog",
        "jade mist day dusk moon rose",
    ),
    (interiors.beams, "光束 激光 舞台 电 laser beam stage concert light", "violet moon"),
    (
        interiors.prism,
        "抽象 渐变 玻璃 海报 几何 abstract gradient glass poster geometric prism",
        "violet ember jade day rose",
    ),
    (
        landscapes.hills,
        "草 田 森 林 树 春 柯基 狗 猫 grass hill field forest tree meadow corgi dog cat",
        "jade day dusk ember moon rose",
    ),
)
_MOODS: dict[str, str] = {
    "violet": "霓虹 赛博 紫 neon cyber purple violet",
    "moon": "夜 月 蓝调 night moon midnight",
    "dusk": "黄昏 日落 夕阳 晚霞 暮 dusk sunset evening",
    "ember": "火 秋 暖 橙 金 autumn fire warm golden orange",
    "jade": "翠 青 绿 春 jade green spring",
    "mist": "雾 烟雨 水墨 白 mist fog ink white",
    "rose": "粉 樱 玫瑰 pink rose sakura blossom",
    "day": "晴 蓝天 夏 noon sunny summer blue",
}


@dataclass(frozen=True, slots=True)
class Picture:
    """One picture to paint: ``size`` in pixels, ``scale`` 0–1, ``seed`` any text; ``fast`` paints
    small and enlarges roughly; ``references`` are small JPEGs that take part; ``logo`` is the AIGC mark.
    """

    prompt: str
    size: Size
    scale: float
    seed: str
    fast: bool = False
    references: tuple[bytes, ...] = ()
    logo: Logo | None = None


def paint(picture: Picture) -> bytes:
    """Return ``picture`` as a baseline JPEG of exactly its size, without metadata."""
    image = unmarked(picture)
    mark(image)
    if picture.logo:
        draw(image, picture.logo)
    out = io.BytesIO()
    image.save(
        out, "JPEG", quality=60 if picture.fast else 90, subsampling=2 if picture.fast else 0
    )
    return out.getvalue()


def unmarked(picture: Picture) -> Image.Image:
    """Return ``picture`` painted, and not yet marked SANDBOX."""
    rng = random.Random(f"{_digest(picture.prompt)}:{picture.seed}")
    scene, palette = _read_prompt(picture.prompt, rng)
    canvas = Canvas(Image.new("RGB", _work_size(picture)), rng, palette, picture.scale)
    scene(canvas)
    inputs = collage.opened(picture.references)
    image = _grade(collage.tinted(canvas.image, inputs, picture.scale), picture.scale)
    image = image.resize(picture.size, BILINEAR if picture.fast else BICUBIC)
    collage.hang(image, inputs)
    return image if picture.fast else _grain(image, rng)


def as_png(jpeg: bytes) -> bytes:
    """Return the same picture as PNG."""
    out = io.BytesIO()
    Image.open(io.BytesIO(jpeg)).save(out, "PNG", compress_level=1)
    return out.getvalue()


def _digest(prompt: str) -> str:
    return hashlib.sha256(prompt.encode("utf-8", "surrogatepass")).hexdigest()


def _read_prompt(prompt: str, rng: random.Random) -> tuple[Scene, Palette]:
    """Choose scene and palette by the words of the prompt, else by its hash; the picture's own rng
    adds a turn of hue.
    """
    own = random.Random(_digest(prompt))
    text = prompt.lower()
    scores = [sum(word in text for word in words.split()) for _, words, _ in _SCENES]
    best = max(scores)
    scene, _, moods = _SCENES[scores.index(best)] if best else own.choice(_SCENES)
    named = [mood for mood, words in _MOODS.items() if any(word in text for word in words.split())]
    fitting = [mood for mood in moods.split() if mood in named] or moods.split()
    palette = PALETTES[fitting[0] if named and fitting[0] in named else rng.choice(fitting)]
    return scene, palette.turned(own.uniform(-14, 14) + rng.uniform(-10, 10))


def _work_size(picture: Picture) -> Size:
    width, height = picture.size
    factor = 1 / _FAST_DIVISOR if picture.fast else min(1.0, _LONG_SIDE / max(width, height))
    return max(_SMALLEST, round(width * factor)), max(_SMALLEST, round(height * factor))


def _grade(image: Image.Image, scale: float) -> Image.Image:
    """Develop the picture: the stronger ``scale``, the more colour and contrast; and darken the
    corners a little.
    """
    image = ImageEnhance.Color(image).enhance(0.5 + 0.9 * scale)
    image = ImageEnhance.Contrast(image).enhance(0.72 + 0.5 * scale)
    corners = curve(Image.radial_gradient("L"), lambda value: 1 - 0.22 * value**3).resize(
        image.size, BILINEAR
    )
    return ImageChops.multiply(image, Image.merge("RGB", (corners, corners, corners)))


def _grain(image: Image.Image, rng: random.Random) -> Image.Image:
    """Add film grain, which also hides the steps of an 8-bit gradient: one tile, repeated by
    doubling.
    """
    tile = Image.frombytes("L", (_GRAIN_TILE, _GRAIN_TILE), rng.randbytes(_GRAIN_TILE**2))
    tile = tile.point([128 + round((value - 127.5) / 127.5 * _GRAIN) for value in range(256)])
    sheet = Image.new("L", image.size)
    for left in range(0, image.width, _GRAIN_TILE):
        sheet.paste(tile, (left, 0))
    row, filled = sheet.crop((0, 0, image.width, _GRAIN_TILE)), _GRAIN_TILE
    while filled < image.height:
        sheet.paste(row, (0, filled))
        filled += _GRAIN_TILE
    return ImageChops.add(image, Image.merge("RGB", (sheet, sheet, sheet)), 1, -128)


def mark(image: Image.Image) -> None:
    """Write SANDBOX into the lower right corner, on a dark label that is legible on anything."""
    side = max(11, min(image.size) // 52)
    font = ImageFont.load_default(side)
    left, top, right, bottom = font.getbbox("SANDBOX")
    pad = side // 2
    width, height = round(right - left) + 2 * pad, round(bottom - top) + 2 * pad
    label = Image.new("L", (width, height))
    ImageDraw.Draw(label).rounded_rectangle((0, 0, width - 1, height - 1), pad, fill=130)
    corner = (image.width - width - side, image.height - height - side)
    image.paste((8, 9, 12), corner, label)
    ImageDraw.Draw(image).text(
        (corner[0] + pad - left, corner[1] + pad - top), "SANDBOX", (246, 246, 248), font
    )
