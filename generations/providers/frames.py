"""How a picture becomes a frame of a video: the shape it is cut to, and which part of it stays."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction


@dataclass(frozen=True, slots=True)
class Crop:
    """The part of a picture that stays, in its pixels; `shape` such as "16:9"."""

    shape: str
    left: int
    top: int
    width: int
    height: int


def centre_crop(width: int, height: int, shapes: Iterable[str]) -> Crop:
    """What the provider keeps of a picture: the middle, in the nearest shape (wire-protocol.md 2.6)."""
    ratio = Fraction(width, height)
    shape = min(shapes, key=lambda each: abs(_ratio(each) - ratio))
    wanted = _ratio(shape)
    wide, high = width, height
    if ratio < wanted:
        high = max(1, round(width / wanted))
    else:
        wide = max(1, round(height * wanted))
    return Crop(shape, (width - wide) // 2, (height - high) // 2, wide, high)


def _ratio(shape: str) -> Fraction:
    across, _colon, down = shape.partition(":")
    return Fraction(int(across), int(down))
