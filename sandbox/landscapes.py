"""Scenes under a sky: hills, peaks, dunes, sea, northern lights."""

from __future__ import annotations

import math

from PIL import Image, ImageChops, ImageDraw, ImageFilter

from sandbox.brush import (
    BILINEAR,
    Canvas,
    Point,
    clouds,
    crags,
    curve,
    glitter,
    land,
    light_up,
    noise,
    outline,
    reflect,
    stars,
    sun,
    waves,
)
from sandbox.colour import gradient


def sky(canvas: Canvas) -> Point:
    """Paint sky, stars, sun and clouds; return where the sun is."""
    rng, palette = canvas.rng, canvas.palette
    canvas.image = gradient(
        [palette.zenith, palette.middle, palette.horizon, palette.horizon], canvas.size
    )
    if palette.night:
        stars(canvas, 0.6, canvas.count(60, 240))
    at = (rng.uniform(0.22, 0.78), rng.uniform(0.2, 0.42))
    sun(canvas, at, rng.uniform(0.05, 0.085))
    if rng.random() < 0.75:
        clouds(
            canvas,
            palette.sun.mixed(palette.horizon, 0.5),
            rng.uniform(0.1, 0.5),
            rng.uniform(0.25, 0.5),
            0.3,
        )
    return at


def hills(canvas: Canvas) -> None:
    """Rolling hills that fade into the distance, with trees on the nearest or a lake before them."""
    at = sky(canvas)
    palette, rng = canvas.palette, canvas.rng
    layers = canvas.count(3, 6)
    lake = rng.random() < 0.35
    floor = 0.78 if lake else 1.02
    for layer in range(layers):
        depth = layer / (layers - 1)
        tone = palette.far.mixed(palette.near, depth**1.2)
        base = 0.58 + (floor - 0.66) * depth
        points = outline(canvas, waves(rng, 0.25), base, 0.07 + 0.03 * depth)
        land(canvas, points, tone, tone.mixed(palette.horizon, 0.35 * (1 - 0.7 * depth)))
        if depth > 0.45:
            trees(canvas, points, 0.012 + 0.03 * depth, canvas.count(3, 26))
    if lake:
        reflect(canvas, floor, palette.near, 0.006)
        glitter(canvas, at[0], floor, palette.sun, canvas.count(40, 160))
    birds(canvas, at)


def trees(canvas: Canvas, points: list[Point], size: float, number: int) -> None:
    """Set conifers in loose groups along a ridge."""
    rng = canvas.rng
    tone = canvas.palette.near.lit(-0.02).rgb()
    pen = ImageDraw.Draw(canvas.image)
    group = rng.random()
    for _ in range(number):
        place = (group + rng.gauss(0, 0.07)) % 1 if rng.random() < 0.8 else rng.random()
        x, y = points[int(place * (len(points) - 1))]
        tall = canvas.unit * size * rng.uniform(0.6, 1.5)
        for tier in range(3):
            top, half = y - tall * (1 - 0.28 * tier), tall * (0.11 + 0.06 * tier)
            pen.polygon(
                [(x, top), (x - half, top + tall * 0.45), (x + half, top + tall * 0.45)], fill=tone
            )
        pen.rectangle((x - tall * 0.03, y - tall * 0.2, x + tall * 0.03, y + tall * 0.1), fill=tone)


def birds(canvas: Canvas, near: Point) -> None:
    """Let a few birds cross the light."""
    rng = canvas.rng
    width, height = canvas.size
    pen = ImageDraw.Draw(canvas.image)
    tone = canvas.palette.far.mixed(canvas.palette.near, 0.6).rgb()
    for _ in range(canvas.count(0, 7)):
        x = width * (near[0] + rng.gauss(0, 0.09))
        y = height * (near[1] + 0.12 + rng.gauss(0, 0.04))
        span = canvas.unit * rng.uniform(0.006, 0.013)
        wings = [(x - span, y - span * 0.5), (x - span * 0.4, y - span * 0.55), (x, y)]
        wings += [(x + span * 0.4, y - span * 0.55), (x + span, y - span * 0.5)]
        pen.line(wings, fill=tone, width=max(1, round(canvas.unit * 0.0022)), joint="curve")


def peaks(canvas: Canvas) -> None:
    """Mountain ranges that rise out of a sea of cloud."""
    sky(canvas)
    palette, rng = canvas.palette, canvas.rng
    layers = canvas.count(3, 5)
    for layer in range(layers):
        depth = layer / (layers - 1)
        tone = palette.far.mixed(palette.near, depth)
        points = outline(
            canvas, crags(rng, 0.3 + 0.7 * canvas.vigour), 0.56 + 0.36 * depth, 0.16 - 0.07 * depth
        )
        land(canvas, points, tone, tone.mixed(palette.horizon, 0.65 - 0.35 * depth))
        _lit_faces(canvas, points, 0.5 - 0.35 * depth)
        _mist(canvas, 0.66 + 0.32 * depth)
    birds(canvas, (rng.uniform(0.2, 0.8), 0.3))


def _lit_faces(canvas: Canvas, points: list[Point], strength: float) -> None:
    """Brighten the faces that look to the light: where the ridge falls to the right, a slanted
    sliver below it.
    """
    layer = Image.new("L", canvas.size)
    pen = ImageDraw.Draw(layer)
    reach = canvas.unit * 0.09
    for (x1, y1), (x2, y2) in zip(points[::4], points[4::4], strict=False):
        steep = (y2 - y1) / max(1.0, x2 - x1)
        if steep > 0:
            fall = reach * min(1.0, steep)
            slope = [(x1, y1), (x2, y2), (x2 + fall * 0.5, y2 + fall), (x1 + fall * 0.5, y1 + fall)]
            pen.polygon(slope, fill=round(150 * min(1.0, steep)))
    mask = curve(
        layer.filter(ImageFilter.GaussianBlur(canvas.unit * 0.009)), lambda value: value * strength
    )
    canvas.image.paste(canvas.palette.sun.rgb(), (0, 0), mask)


def _mist(canvas: Canvas, middle: float) -> None:
    mask = noise(canvas.rng, canvas.size, (3, 8), 4)
    mask = curve(mask, lambda value: (value - 0.3) * 1.9)
    band = curve(
        Image.linear_gradient("L").resize(canvas.size, BILINEAR),
        lambda value: 1 - abs(value - middle) / 0.14,
    )
    canvas.image.paste(
        canvas.palette.horizon.lit(0.03).rgb(), (0, 0), ImageChops.multiply(mask, band)
    )


def dunes(canvas: Canvas) -> None:
    """Dunes, each with a lit and a shaded side along a winding crest."""
    sky(canvas)
    palette, rng = canvas.palette, canvas.rng
    layers = canvas.count(3, 5)
    for layer in range(layers):
        depth = layer / (layers - 1)
        shade = palette.far.mixed(palette.near, 0.25 + 0.6 * depth)
        light = palette.accent.mixed(palette.far, 0.35 - 0.3 * depth)
        line, base, swing = waves(rng, 0.08), 0.6 + 0.3 * depth, 0.05 + 0.06 * depth
        points = outline(canvas, line, base, swing)
        land(canvas, points, light, light.mixed(shade, 0.7))
        _shaded_side(canvas, points, shade.rgb(), depth)
    _sand_ripples(canvas)


def _shaded_side(
    canvas: Canvas, points: list[Point], colour: tuple[int, int, int], depth: float
) -> None:
    """Cover one side of a dune, from its summit along a curve that winds down to the lower edge."""
    rng = canvas.rng
    width, height = canvas.size
    top = min(range(len(points)), key=lambda index: points[index][1])
    x, y = points[top]
    side = rng.choice((-1, 1))
    bend, turns = canvas.unit * rng.uniform(0.1, 0.22), rng.uniform(0.7, 1.2)
    drop = height * 1.05 - y
    crest = [
        (
            x
            - side * bend * math.sin(turns * math.pi * step / 30) * (step / 30) ** 0.5
            - side * step * width * 0.004,
            y + drop * step / 30,
        )
        for step in range(31)
    ]
    ridge = points[top:] if side > 0 else list(reversed(points[: top + 1]))
    edge = width if side > 0 else 0
    mask = Image.new("L", canvas.size)
    ImageDraw.Draw(mask).polygon([*reversed(crest), *ridge, (edge, height * 1.05)], fill=255)
    mask = mask.filter(ImageFilter.GaussianBlur(canvas.unit * (0.0015 + 0.002 * depth)))
    fade = curve(
        Image.linear_gradient("L").resize(canvas.size, BILINEAR),
        lambda value: 1.15 - max(0.0, value - y / height) * 1.3,
    )
    canvas.image.paste(colour, (0, 0), ImageChops.multiply(mask, fade))


def _sand_ripples(canvas: Canvas) -> None:
    width, height = canvas.size
    layer = Image.new("RGB", canvas.size)
    pen = ImageDraw.Draw(layer)
    line = waves(canvas.rng, 0.4)
    number = canvas.count(6, 26)
    for row in range(number):
        y = height * (0.86 + 0.16 * (row / number) ** 1.3)
        points = [
            (width * step / 60, y + canvas.unit * 0.012 * line(step / 60 + row * 0.013))
            for step in range(61)
        ]
        pen.line(points, fill=(46, 40, 34), width=max(1, canvas.unit // 420))
    light_up(canvas, layer.filter(ImageFilter.GaussianBlur(canvas.unit * 0.001)), 0.7)


def sea(canvas: Canvas) -> None:
    """Open water under a low sun, with islands."""
    palette, rng = canvas.palette, canvas.rng
    at = sky(canvas)
    horizon = rng.uniform(0.55, 0.64)
    for island in range(canvas.count(1, 4)):
        line, centre = crags(rng, 0.4), rng.random()
        wide, tall = rng.uniform(0.12, 0.3), rng.uniform(0.05, 0.13)
        steps = 90
        points = [
            (
                canvas.size[0] * (centre + wide * (2 * step / steps - 1)),
                canvas.size[1]
                * (
                    horizon
                    - tall * math.sin(math.pi * step / steps) * (0.75 + 0.45 * line(step / steps))
                    + 0.002
                ),
            )
            for step in range(steps + 1)
        ]
        tone = palette.far.mixed(palette.near, island / 4)
        land(canvas, points, tone, tone)
    reflect(canvas, horizon, palette.middle.mixed(palette.near, 0.35), 0.012, 0.35)
    glitter(canvas, at[0], horizon, palette.sun, canvas.count(120, 420))
    birds(canvas, at)


def aurora(canvas: Canvas) -> None:
    """Northern lights over peaks and a still lake."""
    palette, rng = canvas.palette, canvas.rng
    canvas.image = gradient(
        [palette.zenith.lit(-0.06), palette.zenith, palette.middle.lit(-0.1)], canvas.size
    )
    stars(canvas, 0.7, canvas.count(120, 420))
    for _ in range(canvas.count(2, 4)):
        _curtain(canvas)
    for depth in (0.35, 1.0):
        tone = palette.far.mixed(palette.near, depth).lit(-0.05)
        points = outline(canvas, crags(rng, 0.8), 0.66 + 0.06 * depth, 0.2 - 0.13 * depth)
        land(canvas, points, tone, tone)
    reflect(canvas, 0.76, palette.near, 0.005, 0.3)


def _curtain(canvas: Canvas) -> None:
    """One curtain of light: streaks of a single row of noise, waving from column to column, fading
    upwards.
    """
    rng, palette = canvas.rng, canvas.palette
    width, height = max(8, canvas.size[0] // 2), max(8, canvas.size[1] // 2)
    streaks = Image.frombytes("L", (48, 1), rng.randbytes(48)).resize(
        (width, height), Image.Resampling.BICUBIC
    )
    fade = curve(
        Image.linear_gradient("L").resize((width, height), BILINEAR),
        lambda v: (v / 0.8) ** 2.5 if v < 0.8 else (1 - v) * 5,
    )
    mask = curve(ImageChops.multiply(streaks, fade), lambda value: value * 1.1)
    colours = gradient(
        [palette.second.turned(60), palette.second, palette.accent.turned(-20), palette.accent],
        (width, height),
    )
    colours.paste((0, 0, 0), (0, 0), ImageChops.invert(mask))
    line, lift = waves(rng, 0.15), rng.uniform(0.3, 0.5)
    waving = Image.new("RGB", (width, height))
    for column in range(width):
        shift = round(height * (0.14 * line(column / width) - lift))
        waving.paste(colours.crop((column, 0, column + 1, height)), (column, shift))
    light_up(
        canvas,
        waving.filter(ImageFilter.GaussianBlur(canvas.unit * 0.002)).resize(canvas.size, BILINEAR),
        0.85,
    )
