"""What the emulated model decides for itself: how many pictures, of which size, and how long it
takes.
"""

from __future__ import annotations

import math
import random
import re

from sandbox.engines import Asked
from sandbox.triggers import Triggers

QUEUE_SHARE = 0.15
SET_WITHOUT_NUMBER = 4
_STEP = 16
_NUMERALS = dict(zip("一二三四五六七八九十两", (1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 2), strict=True))
_WORDS = dict(
    zip(
        ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
        range(1, 11),
        strict=True,
    )
)
_NUMBER = rf"(\d{{1,2}}|[{''.join(_NUMERALS)}]|{'|'.join(_WORDS)})"
_THINGS = r"(?:pictures?|images?|photos?|illustrations?|paintings?|variations?|variants?)"
_COUNTS = (
    re.compile(rf"{_NUMBER}\s*[张幅]", re.IGNORECASE),
    re.compile(rf"\b{_NUMBER}\s+(?:\w+\s+)?{_THINGS}\b", re.IGNORECASE),
    re.compile(rf"\b(?:set|series)\s+of\s+{_NUMBER}\b", re.IGNORECASE),
)
_SET = re.compile(r"组图|一组|一套|系列图|\ba (?:set|series) of\b", re.IGNORECASE)
_RATIO = re.compile(r"(?<!\d)(\d{1,2})\s*[:：]\s*(\d{1,2})(?!\d)")
_SHAPES = (
    (re.compile(r"竖版|竖屏|竖构图|\bportrait\b|\bvertical\b", re.IGNORECASE), 3 / 4),
    (re.compile(r"全景|宽银幕|\bpanorama|\bwidescreen\b", re.IGNORECASE), 21 / 9),
    (re.compile(r"横版|横屏|横构图|\bhorizontal\b", re.IGNORECASE), 4 / 3),
)


def count_outputs(asked: Asked, triggers: Triggers) -> int:
    """Return how many pictures the task gives: 1 when single is forced, else what the prompt says,
    never above the limit.
    """
    wanted = triggers.images if triggers.images is not None else count_in(asked.prompt)
    return max(1, min(wanted, asked.most_outputs))


def count_in(prompt: str) -> int:
    """Return how many pictures the prompt asks for."""
    for pattern in _COUNTS:
        if match := pattern.search(prompt):
            text = match.group(1).lower()
            return int(text) if text.isdecimal() else _NUMERALS.get(text) or _WORDS[text]
    return SET_WITHOUT_NUMBER if _SET.search(prompt) else 1


def choose_size(asked: Asked) -> tuple[int, int]:
    """Return width and height in pixels: those asked for, else the engine's usual ones, or the ratio
    that the prompt names (or 1:1) inside ``size`` pixels.
    """
    if asked.width and asked.height:
        return asked.width, asked.height
    if "size" not in asked.settings:
        return asked.engine.usual
    area = int(asked.settings["size"] or 0)
    low, high = float(asked.settings["min_ratio"] or 0), float(asked.settings["max_ratio"] or 0)
    ratio = max(low, min(ratio_in(asked.prompt), high))
    width = max(_STEP, int(math.sqrt(area * ratio)) // _STEP * _STEP)
    return width, max(_STEP, int(width / ratio) // _STEP * _STEP)


def ratio_in(prompt: str) -> float:
    """Return the width / height that the prompt asks for."""
    if (match := _RATIO.search(prompt)) and int(match.group(1)) and int(match.group(2)):
        return int(match.group(1)) / int(match.group(2))
    return next((ratio for pattern, ratio in _SHAPES if pattern.search(prompt)), 1.0)


def choose_times(
    seed: int, task_id: str, latency: float, jitter: float, seconds: float | None
) -> tuple[float, float]:
    """Return seconds from submit to generating and to done.

    Repeatable from ``seed`` and ``task_id``; ``seconds`` overrides.
    """
    factor = 1 + jitter * random.Random(f"{seed}:{task_id}").uniform(-1, 1)
    total = latency * factor if seconds is None else seconds
    return total * QUEUE_SHARE, total
