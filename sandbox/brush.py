"""What every scene is painted with: soft shapes, noise, glows, ridges, reflections.

Places are fractions of width and height.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from sandbox.colour import RGB, Palette, Size, Tone, gradient

BICUBIC = Image.Resampling.BICUBIC
BILINEAR = Image.Resampling.BILINEAR
Point = tuple[float, float]


@dataclass(slots=True)
class Canvas:
    """A picture in progress; ``vigour`` (0–1) is how strongly the prompt is followed: more layers,
    light and detail.
    """

    image: Image.Image
    rng: random.Random
    palette: Palette
    vigour: float

    @property
    def size(self) -> Size:
        """Width and height in pixels."""
        return self.image.size

    @property
    def unit(self) -> int:
        """The shorter side in pixels: sizes of things are fractions of it."""
        return min(self.image.size)

    def count(self, least: int, most: int) -> int:
        """Return a number between ``least`` and ``most`` that grows with vigour."""
        return round(least + (most - least) * self.vigour)


def curve(mask: Image.Image, shape: Callable[[float], float]) -> Image.Image:
    """Return ``mask`` with each value v (0–1) replaced by ``shape(v)``."""
    return mask.point([round(255 * min(1.0, max(0.0, shape(value / 255)))) for value in range(256)])


def soft_mask(size: Size, draw: Callable[[ImageDraw.ImageDraw, int], None]) -> Image.Image:
    """Return an anti-aliased mask: ``draw`` is given a surface that is larger by the factor it is
    also given.
    """
    factor = 2
    mask = Image.new("L", (size[0] * factor, size[1] * factor))
    draw(ImageDraw.Draw(mask), factor)
    return mask.reduce(factor)


def noise(rng: random.Random, size: Size, cells: Size, octaves: int) -> Image.Image:
    """Return cloudy noise; ``cells`` is the coarsest grid.

    Painted at half size, as it has no edges.
    """
    half = (max(1, size[0] // 2), max(1, size[1] // 2))
    total = Image.new("L", half, 128)
    for octave in range(octaves):
        grid = (max(2, cells[0] << octave), max(2, cells[1] << octave))
        layer = Image.frombytes("L", grid, rng.randbytes(grid[0] * grid[1])).resize(half, BICUBIC)
        total = Image.blend(total, layer, 0.5 if octave == 0 else 0.5**octave * 0.6)
    return total.resize(size, BILINEAR)


def light_up(canvas: Canvas, light: Image.Image, strength: float = 1.0) -> None:
    """Add ``light`` (an RGB picture on black) to the canvas, as light adds up."""
    if strength < 1:
        light = light.point([round(value * strength) for value in range(256)] * 3)
    canvas.image = ImageChops.screen(canvas.image, light)


def glow(
    canvas: Canvas, at: Point, radius: float, colour: RGB, strength: float, fall: float = 2.2
) -> None:
    """Lay a round glow of ``radius`` units around ``at``."""
    reach = max(2, round(radius * canvas.unit))
    # Pillow's gradient reaches 1 in the corners; a glow has to end at the sides.
    mask = curve(
        Image.radial_gradient("L"),
        lambda value: strength * max(0.0, 1 - value * math.sqrt(2)) ** fall,
    ).resize((2 * reach, 2 * reach), BILINEAR)
    corner = (round(at[0] * canvas.size[0]) - reach, round(at[1] * canvas.size[1]) - reach)
    canvas.image.paste(colour, (*corner, corner[0] + 2 * reach, corner[1] + 2 * reach), mask)


def disc(canvas: Canvas, at: Point, radius: float, colour: RGB) -> None:
    """Lay a disc with a clean edge."""
    reach = max(2, round(radius * canvas.unit))
    side = 2 * reach + 2

    def draw(pen: ImageDraw.ImageDraw, factor: int) -> None:
        pen.ellipse((factor, factor, (side - 1) * factor, (side - 1) * factor), fill=255)

    mask = soft_mask((side, side), draw)
    corner = (round(at[0] * canvas.size[0]) - reach, round(at[1] * canvas.size[1]) - reach)
    canvas.image.paste(colour, (*corner, corner[0] + side, corner[1] + side), mask)


def sun(canvas: Canvas, at: Point, radius: float) -> None:
    """Lay the sun or the moon with its halo."""
    tone = canvas.palette.sun
    glow(
        canvas,
        at,
        radius * 8,
        tone.mixed(canvas.palette.horizon, 0.5).rgb(),
        0.6 + 0.25 * canvas.vigour,
        1.9,
    )
    glow(canvas, at, radius * 2.6, tone.rgb(), 0.6, 1.6)
    disc(canvas, at, radius, tone.rgb())


def stars(canvas: Canvas, lowest: float, number: int) -> None:
    """Scatter stars above ``lowest``."""
    width, height = canvas.size
    pen = ImageDraw.Draw(canvas.image, "RGBA")
    for _ in range(number):
        x, y = canvas.rng.random() * width, canvas.rng.random() ** 1.4 * lowest * height
        radius = canvas.unit * canvas.rng.choice((0.0006, 0.0009, 0.0016))
        alpha = round(canvas.rng.uniform(60, 220))
        pen.ellipse((x - radius, y - radius, x + radius, y + radius), fill=(255, 250, 240, alpha))


def clouds(canvas: Canvas, tone: Tone, amount: float, middle: float, spread: float) -> None:
    """Lay streaked clouds around the height ``middle``; ``amount`` (0–1) is how much of the band
    they cover.
    """
    mask = noise(canvas.rng, canvas.size, (3, 9), 5)
    mask = curve(mask, lambda value: (value - 0.62 + 0.3 * amount) * 2.4)
    band = Image.linear_gradient("L").resize(canvas.size, BILINEAR)
    band = curve(band, lambda value: 1 - abs(value - middle) / spread)
    mask = curve(ImageChops.multiply(mask, band), lambda value: value * 0.85)
    canvas.image.paste(tone.rgb(), (0, 0), mask)


def waves(rng: random.Random, roughness: float) -> Callable[[float], float]:
    """Return a smooth random line over 0–1 with values of about ±1; ``roughness`` (0–1) weighs the
    short waves.
    """
    parts = [
        (
            rng.uniform(0.8, 1.3) * 2.1**octave,
            rng.uniform(0, math.tau),
            (0.2 + 0.45 * roughness) ** octave,
        )
        for octave in range(5)
    ]
    total = sum(weight for _, _, weight in parts)
    return lambda x: (
        sum(weight * math.sin(math.tau * pace * x + phase) for pace, phase, weight in parts) / total
    )


def crags(rng: random.Random, jag: float) -> Callable[[float], float]:
    """Return a mountain line over 0–1 with values of about ±1, by midpoint displacement; ``jag``
    (0–1) is its raggedness.
    """
    line = [rng.uniform(-0.6, 0.6) for _ in range(4)]
    reach = 0.75
    for _ in range(7):
        middles = [
            (left + right) / 2 + rng.uniform(-reach, reach) for left, right in pairwise(line)
        ]
        line = [value for pair in zip(line, middles, strict=False) for value in pair] + [line[-1]]
        reach *= 0.42 + 0.12 * jag
    last = len(line) - 1

    def height(x: float) -> float:
        at = min(last - 1, max(0, int(x * last)))
        return line[at] + (line[at + 1] - line[at]) * (x * last - at)

    return height


def outline(
    canvas: Canvas, line: Callable[[float], float], base: float, swing: float
) -> list[Point]:
    """Return pixel points of ``line`` around the height ``base``, ``swing`` being its amplitude;
    both in heights.
    """
    width, height = canvas.size
    steps = max(24, width // 4)
    # A wide picture shows more of the land, not a stretched one.
    stretch = max(0.35, min(3.0, width / height))
    return [
        (width * step / steps, height * (base - swing * line(step / steps * stretch / 3)))
        for step in range(steps + 1)
    ]


def land(canvas: Canvas, points: Sequence[Point], top: Tone, bottom: Tone) -> None:
    """Fill from ``points`` down to the lower edge, fading from ``top`` to ``bottom``."""
    width, height = canvas.size
    highest = max(0, min(height - 2, math.floor(min(y for _, y in points))))
    size = (width, height - highest)

    def draw(pen: ImageDraw.ImageDraw, factor: int) -> None:
        shape = [(x * factor, (y - highest) * factor) for x, y in points]
        pen.polygon([*shape, (width * factor, size[1] * factor), (0, size[1] * factor)], fill=255)

    canvas.image.paste(gradient([top, bottom], size), (0, highest), soft_mask(size, draw))


def reflect(canvas: Canvas, horizon: float, tint: Tone, ripple: float, share: float = 0.45) -> None:
    """Fill below ``horizon`` with rippled water that mirrors what stands above; ``share`` is how
    much of ``tint`` is mixed in.
    """
    width, height = canvas.size
    top = max(1, min(height - 1, round(horizon * height)))
    depth = height - top
    mirrored = canvas.image.crop((0, max(0, top - depth), width, top)).transpose(
        Image.Transpose.FLIP_TOP_BOTTOM
    )
    mirrored = mirrored.resize((width, depth), BILINEAR).filter(
        ImageFilter.GaussianBlur(canvas.unit * 0.004)
    )
    mirrored = Image.blend(mirrored, Image.new("RGB", (width, depth), tint.rgb()), share)
    phase = canvas.rng.uniform(0, math.tau)
    step = max(1, canvas.unit // 350)
    for row in range(0, depth, step):
        near = row / depth
        wave = math.sin(phase + 60 * near / (0.25 + near)) + 0.25 * canvas.rng.uniform(-1, 1)
        shift = round(wave * ripple * canvas.unit * (0.2 + near))
        strip = mirrored.crop((0, row, width, row + step))
        canvas.image.paste(ImageChops.offset(strip, shift, 0), (0, top + row))


def glitter(canvas: Canvas, x: float, horizon: float, tone: Tone, number: int) -> None:
    """Lay the sun's broken path on water below ``horizon`` at ``x``."""
    width, height = canvas.size
    layer = Image.new("RGB", canvas.size)
    pen = ImageDraw.Draw(layer)
    for _ in range(number):
        near = canvas.rng.random() ** 1.5
        y = height * (horizon + (1 - horizon) * near)
        middle = width * x + canvas.rng.gauss(0, 0.012 + 0.07 * near) * canvas.unit
        half = canvas.unit * canvas.rng.uniform(0.004, 0.03) * (0.4 + 1.6 * near)
        thick = max(1, round(canvas.unit * 0.0022 * (0.4 + 2 * near)))
        pen.line((middle - half, y, middle + half, y), fill=tone.rgb(), width=thick)
    light_up(canvas, layer.filter(ImageFilter.GaussianBlur(canvas.unit * 0.0012)), 0.8)
