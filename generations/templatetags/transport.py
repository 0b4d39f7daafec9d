"""The bar that moves the videos of a comparison, as it stands before anything is played."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from generations.models import Asset

RATE = 24  # frames a second, of every model (wire-protocol.md 2.6)


@dataclass(frozen=True, slots=True)
class Transport:
    """`last` is the last frame of the longest video, counted from 0; `clock` its end: "0:05.04"."""

    rate: int
    last: int
    clock: str


def transport(assets: Iterable[Asset]) -> Transport | None:
    """None where nothing plays."""
    lengths = [each.duration_ms or 0 for each in assets if each.kind == "video"]
    if not lengths:
        return None
    frames = round(max(lengths) * RATE / 1000)
    minutes, seconds = divmod(frames / RATE, 60)
    return Transport(RATE, max(0, frames - 1), f"{minutes:.0f}:{seconds:05.2f}")
