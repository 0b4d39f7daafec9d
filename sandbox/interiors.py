"""Scenes without a horizon: a city at night, beams of light, a prism."""

from __future__ import annotations

import math

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from sandbox.brush import (
    BILINEAR,
    Canvas,
    Point,
    clouds,
    curve,
    glow,
    light_up,
    noise,
    reflect,
    soft_mask,
    sun,
)
from sandbox.colour import Tone, gradient, ramp


def city(canvas: Canvas) -> None:
    """A skyline with lit windows and neon, mirrored in wet ground."""
    palette, rng = canvas.palette, canvas.rng
    canvas.image = gradient([palette.zenith, palette.middle, palette.horizon], canvas.size)
    sun(canvas, (rng.uniform(0.2, 0.8), rng.uniform(0.16, 0.34)), rng.uniform(0.04, 0.07))
    clouds(canvas, palette.horizon, 0.3, 0.4, 0.35)
    rows = canvas.count(2, 4)
    for row in range(rows):
        depth = (row + 1) / rows
        _street(canvas, depth, 0.74)
    for _ in range(canvas.count(1, 6)):
        _neon(canvas, 0.74)
    reflect(canvas, 0.74, palette.near.lit(0.02), 0.007, 0.3)
    if rng.random() < 0.6:
        _rain(canvas)


def _street(canvas: Canvas, depth: float, ground: float) -> None:
    palette, rng = canvas.palette, canvas.rng
    width, height = canvas.size
    tone = palette.far.mixed(palette.near, depth)
    pen = ImageDraw.Draw(canvas.image)
    x = -rng.random() * 0.1 * canvas.unit
    while x < width:
        wide = canvas.unit * rng.uniform(0.05, 0.12) * (0.7 + 0.5 * depth)
        tall = height * rng.uniform(0.14, 0.46) * (1.15 - 0.45 * depth)
        top = ground * height - tall
        pen.rectangle(
            (x, top, x + wide, ground * height), fill=tone.lit(rng.uniform(-0.02, 0.02)).rgb()
        )
        if rng.random() < 0.3:
            pen.line(
                (x + wide / 2, top - tall * 0.16, x + wide / 2, top),
                fill=tone.rgb(),
                width=max(1, canvas.unit // 300),
            )
        _windows(canvas, pen, (x, top, wide, tall), depth)
        x += wide + canvas.unit * rng.uniform(-0.01, 0.03)


def _windows(
    canvas: Canvas, pen: ImageDraw.ImageDraw, house: tuple[float, float, float, float], depth: float
) -> None:
    rng, palette = canvas.rng, canvas.palette
    x, top, wide, tall = house
    step = canvas.unit * (0.008 + 0.008 * depth)
    lit = 0.08 + 0.25 * canvas.vigour * depth
    tones = [
        tone.lit(-0.12).rgb()
        for tone in (palette.sun, palette.accent, palette.accent, palette.second)
    ]
    for row in range(1, int(tall / step / 1.4)):
        for column in range(1, int(wide / step)):
            if rng.random() < lit:
                left, upper = x + column * step - step * 0.25, top + row * step * 1.4
                pen.rectangle(
                    (left, upper, left + step * 0.45, upper + step * 0.6), fill=rng.choice(tones)
                )


def _neon(canvas: Canvas, ground: float) -> None:
    """Hang one glowing sign: a bar, its bloom, and the light it throws."""
    rng, palette = canvas.rng, canvas.palette
    width, height = canvas.size
    tone = rng.choice((palette.accent, palette.second))
    x, y = rng.uniform(0.05, 0.95), rng.uniform(ground - 0.3, ground - 0.1)
    tall, wide = rng.uniform(0.06, 0.16) * height, canvas.unit * rng.uniform(0.006, 0.014)
    layer = Image.new("RGB", canvas.size)
    box = (x * width - wide, y * height, x * width + wide, y * height + tall)
    ImageDraw.Draw(layer).rounded_rectangle(box, wide, fill=tone.rgb())
    light_up(canvas, layer.filter(ImageFilter.BoxBlur(canvas.unit * 0.018)), 1.0)
    light_up(canvas, layer)
    glow(canvas, (x, y + tall / height / 2), 0.16, tone.rgb(), 0.3)


def _rain(canvas: Canvas) -> None:
    width, height = canvas.size
    layer = Image.new("RGB", canvas.size)
    pen = ImageDraw.Draw(layer)
    for _ in range(canvas.count(80, 420)):
        x, y = canvas.rng.uniform(-0.1, 1.1) * width, canvas.rng.random() * height
        long = canvas.unit * canvas.rng.uniform(0.02, 0.06)
        pen.line(
            (x, y, x - long * 0.18, y + long), fill=(70, 74, 86), width=max(1, canvas.unit // 700)
        )
    light_up(canvas, layer, 0.75)


def beams(canvas: Canvas) -> None:
    """Crossing beams of light before dark vertical panels."""
    palette, rng = canvas.palette, canvas.rng
    width, height = canvas.size
    dark = palette.near.mixed(palette.zenith, 0.25)
    canvas.image = Image.new("RGB", canvas.size, dark.rgb())
    pen = ImageDraw.Draw(canvas.image)
    x = 0.0
    while x < width:
        wide = canvas.unit * rng.uniform(0.03, 0.12)
        pen.rectangle((x, 0, x + wide, height), fill=dark.lit(rng.uniform(-0.05, 0.09)).rgb())
        x += wide
    shade = gradient([Tone(0.95, 0, 0), Tone(0.6, 0, 0)], canvas.size)
    canvas.image = ImageChops.multiply(canvas.image, shade)
    for tone in (palette.accent, palette.second, palette.sun.mixed(palette.accent, 0.5)):
        at = (rng.random(), rng.uniform(0.6, 1.05))
        glow(
            canvas,
            at,
            rng.uniform(0.4, 0.75),
            tone.lit(-0.1).rgb(),
            0.5 + 0.25 * canvas.vigour,
            1.7,
        )
    for beam in range(canvas.count(2, 6)):
        _beam(canvas, palette.accent if beam % 2 else palette.second)


def _beam(canvas: Canvas, tone: Tone) -> None:
    rng = canvas.rng
    width, height = canvas.size
    foot, head = rng.uniform(0.1, 0.9) * width, rng.uniform(0.25, 0.75) * width
    wide = canvas.unit * rng.uniform(0.008, 0.035)

    def draw(pen: ImageDraw.ImageDraw, factor: int) -> None:
        corners: list[Point] = [
            (head - wide * 0.4, 0),
            (head + wide * 0.4, 0),
            (foot + wide, height),
            (foot - wide, height),
        ]
        pen.polygon([(x * factor, y * factor) for x, y in corners], fill=255)

    mask = soft_mask(canvas.size, draw)
    layer = Image.new("RGB", canvas.size)
    layer.paste(gradient([tone.lit(0.1), tone, tone.lit(-0.15)], canvas.size), (0, 0), mask)
    light_up(canvas, layer.filter(ImageFilter.BoxBlur(canvas.unit * 0.02)), 0.9)
    light_up(canvas, layer, 0.85)


def prism(canvas: Canvas) -> None:
    """Colours swept around a point, seen through discs of glass."""
    rng, palette = canvas.rng, canvas.palette
    tones = [
        palette.near.lit(0.2),
        palette.second,
        palette.accent,
        palette.sun,
        palette.middle,
        palette.near.lit(0.2),
    ]
    canvas.image = _sweep(canvas, (rng.uniform(0.3, 0.7), rng.uniform(0.35, 0.65)), tones)
    for _ in range(canvas.count(1, 4)):
        at, radius = (rng.uniform(0.2, 0.8), rng.uniform(0.2, 0.8)), rng.uniform(0.12, 0.3)
        _glass(canvas, at, radius, _sweep(canvas, at, list(reversed(tones))))
    veil = curve(noise(rng, canvas.size, (3, 3), 3), lambda value: (value - 0.45) * 0.6)
    canvas.image.paste(palette.sun.rgb(), (0, 0), veil)


def _sweep(canvas: Canvas, at: Point, tones: list[Tone]) -> Image.Image:
    """Return a conic gradient around ``at``: wedges at half size, blurred away."""
    width, height = max(8, canvas.size[0] // 2), max(8, canvas.size[1] // 2)
    swept = Image.new("RGB", (width, height))
    pen = ImageDraw.Draw(swept)
    x, y, reach = at[0] * width, at[1] * height, 2 * (width + height)
    wedges = 360
    begin = canvas.rng.uniform(0, math.tau)
    for wedge, colour in enumerate(ramp(tones, wedges)):
        first, last = begin + math.tau * wedge / wedges, begin + math.tau * (wedge + 1.5) / wedges
        corners = [
            (x + reach * math.cos(angle), y + reach * math.sin(angle)) for angle in (first, last)
        ]
        pen.polygon([(x, y), *corners], fill=colour)
    return swept.filter(ImageFilter.GaussianBlur(min(width, height) * 0.006)).resize(
        canvas.size, BILINEAR
    )


def _glass(canvas: Canvas, at: Point, radius: float, inside: Image.Image) -> None:
    width, height = canvas.size
    reach = radius * canvas.unit
    x, y = at[0] * width, at[1] * height
    box = (x - reach, y - reach, x + reach, y + reach)

    def fill(pen: ImageDraw.ImageDraw, factor: int) -> None:
        pen.ellipse(tuple(side * factor for side in box), fill=225)

    def rim(pen: ImageDraw.ImageDraw, factor: int) -> None:
        pen.ellipse(
            tuple(side * factor for side in box),
            outline=150,
            width=max(2, round(canvas.unit * 0.004 * factor)),
        )

    shadow = soft_mask(canvas.size, fill).filter(ImageFilter.BoxBlur(canvas.unit * 0.03))
    canvas.image.paste(
        canvas.palette.near.rgb(),
        (0, round(canvas.unit * 0.02)),
        curve(shadow, lambda value: value * 0.4),
    )
    canvas.image.paste(inside, (0, 0), soft_mask(canvas.size, fill))
    canvas.image.paste((255, 255, 255), (0, 0), soft_mask(canvas.size, rim))
    glow(
        canvas,
        (at[0] - 0.4 * reach / width, at[1] - 0.45 * reach / height),
        radius * 0.55,
        (255, 255, 255),
        0.5,
        2.5,
    )
