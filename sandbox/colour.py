"""Colours in OKLCH, where equal steps look equal, and the palettes of the scenes.

Lightness is 0–1, hue in degrees.
The conversion follows Björn Ottosson's published OKLab definition.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, fields, replace

from PIL import Image

RGB = tuple[int, int, int]
Size = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Tone:
    """One colour."""

    light: float
    chroma: float
    hue: float

    def rgb(self) -> RGB:
        """Return 8-bit sRGB, clipped to what a screen can show."""
        return _from_lab(self.light, *self._ab())

    def _ab(self) -> tuple[float, float]:
        angle = math.radians(self.hue)
        return self.chroma * math.cos(angle), self.chroma * math.sin(angle)

    def turned(self, degrees: float) -> Tone:
        """Return the same lightness and chroma at another hue."""
        return replace(self, hue=(self.hue + degrees) % 360)

    def lit(self, by: float) -> Tone:
        """Return a lighter (or, negative, darker) tone."""
        return replace(self, light=min(1.0, max(0.0, self.light + by)))

    def mixed(self, other: Tone, share: float) -> Tone:
        """Return the tone ``share`` of the way to ``other``, straight through OKLab."""
        (a, b), (a2, b2) = self._ab(), other._ab()
        a, b = a + (a2 - a) * share, b + (b2 - b) * share
        light = self.light + (other.light - self.light) * share
        return Tone(light, math.hypot(a, b), math.degrees(math.atan2(b, a)))


def _from_lab(light: float, a: float, b: float) -> RGB:
    long = (light + 0.3963377774 * a + 0.2158037573 * b) ** 3
    medium = (light - 0.1055613458 * a - 0.0638541728 * b) ** 3
    short = (light - 0.0894841775 * a - 1.2914855480 * b) ** 3
    red = 4.0767416621 * long - 3.3077115913 * medium + 0.2309699292 * short
    green = -1.2684380046 * long + 2.6097574011 * medium - 0.3413193965 * short
    blue = -0.0041960863 * long - 0.7034186147 * medium + 1.7076147010 * short
    return _gamma(red), _gamma(green), _gamma(blue)


def _gamma(value: float) -> int:
    value = min(1.0, max(0.0, value))
    curved = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return round(255 * curved)


@dataclass(frozen=True, slots=True)
class Palette:
    """The tones of one mood: three of the sky from zenith to horizon, the sun or moon, far and near
    land, two accents.
    """

    zenith: Tone
    middle: Tone
    horizon: Tone
    sun: Tone
    far: Tone
    near: Tone
    accent: Tone
    second: Tone

    @property
    def night(self) -> bool:
        """Whether stars are to be seen."""
        return self.zenith.light < 0.3

    def turned(self, degrees: float) -> Palette:
        """Return the palette with all hues turned."""
        return Palette(*(getattr(self, tone.name).turned(degrees) for tone in fields(self)))


def _palette(*tones: tuple[float, float, float]) -> Palette:
    return Palette(*(Tone(light / 100, chroma, hue) for light, chroma, hue in tones))


PALETTES: dict[str, Palette] = {
    "dusk": _palette(
        (36, 0.1, 278),
        (64, 0.13, 15),
        (82, 0.11, 60),
        (93, 0.09, 72),
        (46, 0.1, 310),
        (17, 0.05, 268),
        (78, 0.14, 45),
        (60, 0.14, 350),
    ),
    "moon": _palette(
        (22, 0.06, 262),
        (48, 0.1, 228),
        (78, 0.08, 196),
        (97, 0.03, 210),
        (44, 0.08, 214),
        (14, 0.04, 238),
        (82, 0.1, 200),
        (70, 0.1, 250),
    ),
    "jade": _palette(
        (64, 0.07, 192),
        (80, 0.06, 150),
        (92, 0.05, 105),
        (99, 0.02, 95),
        (60, 0.07, 160),
        (26, 0.05, 152),
        (84, 0.1, 110),
        (72, 0.09, 190),
    ),
    "ember": _palette(
        (44, 0.13, 22),
        (74, 0.15, 50),
        (91, 0.09, 85),
        (97, 0.06, 95),
        (52, 0.13, 38),
        (20, 0.06, 28),
        (86, 0.14, 75),
        (62, 0.18, 28),
    ),
    "rose": _palette(
        (40, 0.09, 330),
        (68, 0.11, 5),
        (90, 0.05, 45),
        (97, 0.03, 60),
        (58, 0.09, 355),
        (24, 0.06, 330),
        (82, 0.1, 20),
        (62, 0.13, 330),
    ),
    "day": _palette(
        (52, 0.13, 255),
        (76, 0.09, 242),
        (94, 0.03, 220),
        (99, 0.02, 100),
        (66, 0.06, 235),
        (34, 0.07, 165),
        (90, 0.09, 95),
        (64, 0.12, 250),
    ),
    "violet": _palette(
        (20, 0.09, 290),
        (40, 0.15, 300),
        (72, 0.14, 345),
        (94, 0.05, 20),
        (40, 0.13, 300),
        (12, 0.05, 285),
        (80, 0.16, 350),
        (78, 0.13, 205),
    ),
    "mist": _palette(
        (66, 0.03, 240),
        (82, 0.02, 225),
        (94, 0.015, 90),
        (99, 0.01, 90),
        (74, 0.03, 225),
        (30, 0.03, 235),
        (86, 0.05, 60),
        (70, 0.05, 200),
    ),
}


# So many colours of a gradient are computed; what is between them differs by less than one can see.
_STEPS = 64


def ramp(tones: list[Tone], steps: int) -> list[RGB]:
    """Return ``steps`` colours that run evenly through ``tones``."""
    spans = len(tones) - 1
    colours = []
    for step in range(steps):
        place = step / max(1, steps - 1) * spans
        at = min(int(place), spans - 1)
        colours.append(tones[at].mixed(tones[at + 1], place - at).rgb())
    return colours


def gradient(tones: list[Tone], size: Size) -> Image.Image:
    """Return a vertical gradient of ``size`` pixels through ``tones``, top to bottom."""
    colours = ramp(tones, _STEPS)
    strip = Image.frombytes(
        "RGB", (1, _STEPS), bytes(channel for colour in colours for channel in colour)
    )
    return strip.resize(size, Image.Resampling.BICUBIC)
