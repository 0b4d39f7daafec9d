"""How the emulated camera moves: where it looks at each moment, by template, strength and seed.

At the first moment every move shows the whole picture, because the first frame is the given one.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass

_STRENGTHS = {"weak": 0.5, "": 1.0, "medium": 1.0, "strong": 1.8}
_TURN = 2 * math.pi


@dataclass(frozen=True, slots=True)
class View:
    """``zoom`` above 1 is closer, below 1 farther away; ``across`` and ``down`` are from -1 to 1, of the
    room that the zoom leaves.
    """

    zoom: float
    across: float
    down: float


Path = Callable[[float], tuple[float, float, float]]
"""The extra zoom, and the place, at a moment from 0 to 1."""


def ease(t: float) -> float:
    """Return ``t`` with a soft beginning and a soft end."""
    return t * t * (3 - 2 * t)


def _soon(t: float) -> float:
    """From 0 to 1 in the first quarter."""
    return ease(min(1.0, 4 * t))


def _shake(t: float) -> tuple[float, float]:
    across = 0.6 * math.sin(5 * _TURN * t) + 0.4 * math.sin(13 * _TURN * t)
    return across, 0.7 * math.sin(7 * _TURN * t) + 0.3 * math.sin(17 * _TURN * t)


_PATHS: dict[str, Path] = {
    "hitchcock_dolly_in": lambda t: (0.35 * ease(t), 0.0, 0.0),
    "hitchcock_dolly_out": lambda t: (-0.3 * ease(t), 0.0, 0.0),
    "robo_arm": lambda t: (0.25 * _soon(t), 0.7 * math.sin(_TURN * t), -ease(t)),
    "dynamic_orbit": lambda t: (0.3 * _soon(t), math.sin(_TURN * t), 0.5 * math.sin(2 * _TURN * t)),
    "central_orbit": lambda t: (0.2 * _soon(t), math.sin(_TURN * t), 0.0),
    "crane_push": lambda t: (0.3 * ease(t), 0.0, -ease(t)),
    "quick_pull_back": lambda t: (-0.35 * _soon(t), 0.0, 0.0),
    "counterclockwise_swivel": lambda t: (0.25 * _soon(t), -ease(t), 0.0),
    "clockwise_swivel": lambda t: (0.25 * _soon(t), ease(t), 0.0),
    "handheld": lambda t: (0.08 * _soon(t), *_shake(t)),
    "rapid_push_pull": lambda t: (0.3 * math.sin(_TURN * t) ** 2, 0.0, 0.0),
}


@dataclass(frozen=True, slots=True)
class Camera:
    """One move. Without a ``template`` it drifts closer, the way that ``rng`` has it."""

    path: Path
    strength: float

    @classmethod
    def of(cls, template: str, strength: str, rng: random.Random) -> Camera:
        speed = _STRENGTHS[strength]
        return cls(_PATHS.get(template) or _drift(rng), speed * rng.uniform(0.9, 1.1))

    def at(self, t: float) -> View:
        """Where it looks at the moment ``t``, from 0 to 1."""
        zoom, across, down = self.path(t)
        return View(max(0.4, 1 + self.strength * zoom), across, down)


def _drift(rng: random.Random) -> Path:
    closer, angle = rng.uniform(0.12, 0.25), rng.uniform(0, _TURN)

    def path(t: float) -> tuple[float, float, float]:
        return closer * ease(t), math.cos(angle) * ease(t), math.sin(angle) * ease(t)

    return path
