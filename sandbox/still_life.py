"""A scene of things: vessels on a table in the light of a window."""

from __future__ import annotations

import math

from PIL import Image, ImageDraw, ImageFilter

from sandbox.brush import Canvas, Point, curve, glow, soft_mask
from sandbox.colour import Tone, gradient


def still(canvas: Canvas) -> None:
    """Vessels on a table in the light of a window."""
    palette, rng = canvas.palette, canvas.rng
    wall = palette.horizon.mixed(palette.middle, 0.4)
    canvas.image = gradient([wall.lit(-0.04), wall.lit(0.03), wall], canvas.size)
    _window_light(canvas)
    table = rng.uniform(0.7, 0.78)
    width, height = canvas.size
    top = round(table * height)
    boards = gradient(
        [palette.far.mixed(palette.horizon, 0.35), palette.near.lit(0.1)], (width, height - top)
    )
    canvas.image.paste(boards, (0, top))
    number = canvas.count(1, 4)
    for vessel in range(number):
        x = (vessel + 0.5) / number + rng.uniform(-0.06, 0.06)
        tone = (palette.accent, palette.second, palette.far, palette.sun)[
            (vessel + rng.randrange(2)) % 4
        ]
        _vessel(canvas, (0.5 + (x - 0.5) * 0.8, table + rng.uniform(0.05, 0.13)), tone)
    glow(canvas, (rng.choice((0.05, 0.95)), 0.05), 1.1, palette.sun.rgb(), 0.35, 1.6)


def _window_light(canvas: Canvas) -> None:
    """Throw the slanted panes of a window on the wall."""
    rng = canvas.rng
    width, height = canvas.size
    mask = Image.new("L", canvas.size)
    pen = ImageDraw.Draw(mask)
    left, wide, slant = rng.uniform(0.1, 0.4) * width, 0.16 * canvas.unit, 0.12 * canvas.unit
    for column in range(2):
        for row in range(3):
            x, y = left + column * wide * 1.12, height * 0.1 + row * wide * 1.3
            pen.polygon(
                [
                    (x, y),
                    (x + wide, y - slant * 0.4),
                    (x + wide, y + wide * 1.15 - slant * 0.4),
                    (x, y + wide * 1.15),
                ],
                fill=190,
            )
    mask = mask.filter(ImageFilter.BoxBlur(canvas.unit * 0.012))
    canvas.image.paste(
        canvas.palette.sun.rgb(),
        (0, 0),
        curve(mask, lambda value: value * (0.5 + 0.4 * canvas.vigour)),
    )


def _vessel(canvas: Canvas, foot: Point, tone: Tone) -> None:
    """Turn one vessel on the wheel: a random profile, lit from the left, with its shadow."""
    rng = canvas.rng
    tall, belly = canvas.unit * rng.uniform(0.22, 0.4), canvas.unit * rng.uniform(0.07, 0.12)
    swell, neck = rng.uniform(0.3, 0.6), rng.uniform(0.25, 0.6)
    side = [
        belly
        * (neck + (1 - neck) * math.exp(-(((step / 40 - swell) / 0.28) ** 2)))
        * (1.12 if step < 2 else 1.0)
        for step in range(41)
    ]
    x, bottom = foot[0] * canvas.size[0], foot[1] * canvas.size[1]
    rows = [bottom - tall + tall * step / 40 for step in range(41)]
    right = [(x + half, y) for half, y in zip(side, rows, strict=True)]
    left = [(x - half, y) for half, y in zip(side, rows, strict=True)]

    def draw(pen: ImageDraw.ImageDraw, factor: int) -> None:
        pen.polygon([(px * factor, py * factor) for px, py in (*right, *reversed(left))], fill=255)
        base = (x - side[-1], bottom - side[-1] * 0.25, x + side[-1], bottom + side[-1] * 0.25)
        pen.ellipse(tuple(value * factor for value in base), fill=255)

    shadow = Image.new("L", canvas.size)
    ImageDraw.Draw(shadow).ellipse(
        (x - belly * 0.7, bottom - belly * 0.22, x + belly * 2.4, bottom + belly * 0.3), fill=170
    )
    canvas.image.paste(
        canvas.palette.near.rgb(), (0, 0), shadow.filter(ImageFilter.BoxBlur(canvas.unit * 0.015))
    )
    mask = soft_mask(canvas.size, draw)
    round_light = gradient(
        [tone.lit(-0.08), tone.lit(0.1), tone, tone.lit(-0.2), tone.lit(-0.3)],
        (round(tall), round(2.4 * belly) + 1),
    )
    turned = round_light.transpose(Image.Transpose.ROTATE_90)
    glaze = Image.new("RGB", canvas.size, tone.rgb())
    glaze.paste(turned, (round(x - 1.2 * belly), round(bottom - tall)))
    canvas.image.paste(glaze, (0, 0), mask)
    mouth = (x - side[0], rows[0] - side[0] * 0.16, x + side[0], rows[0] + side[0] * 0.16)
    ImageDraw.Draw(canvas.image).ellipse(mouth, fill=tone.lit(-0.32).rgb())
