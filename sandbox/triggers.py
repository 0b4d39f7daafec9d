"""The documented words that make a prompt misbehave, and the bars that make an input picture do so.

The list for people is in README.md; a test compares the two.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from sandbox.wire import GATEWAY_CODES, SERVICE_CODES

SLOW_SECONDS = 30.0
ALIASES: dict[str, str] = {
    "敏感词测试": "sandbox:50412",
    "版权词测试": "sandbox:50413",
    "输出审核测试": "sandbox:50511",
    "输出版权测试": "sandbox:50519",
    "视频审核测试": "sandbox:50516",
    "音频审核测试": "sandbox:50517",
    "内部错误测试": "sandbox:50500",
    "慢任务测试": "sandbox:slow",
}
# A bar of this colour over the whole width, at the top of an input picture, has it refused.
BARS: dict[int, tuple[str, tuple[int, int, int]]] = {
    50411: ("magenta", (255, 0, 255)),
    50518: ("cyan", (0, 255, 255)),
}
_WORD = re.compile(r"sandbox:([A-Za-z]+|\d+)(?:=(\d+(?:\.\d+)?))?")


@dataclass(frozen=True, slots=True)
class Triggers:
    """What a prompt's words order: a service code, a gateway error, a duration in seconds, a number
    of pictures.
    """

    code: int | None = None
    gateway: str | None = None
    seconds: float | None = None
    images: int | None = None


def read_triggers(prompt: str) -> Triggers:
    """Return what the trigger words in ``prompt`` order; words that are not known mean nothing."""
    code, gateway, seconds, images = None, None, None, None
    for word, value in _words(prompt):
        if word.isdigit() and int(word) in SERVICE_CODES:
            code = int(word)
        elif word in GATEWAY_CODES:
            gateway = word
        elif word == "slow":
            seconds = float(value) if value else SLOW_SECONDS
        elif word == "images" and value:
            images = int(float(value))
    return Triggers(code, gateway, seconds, images)


def _words(prompt: str) -> list[tuple[str, str]]:
    for alias, word in ALIASES.items():
        prompt = prompt.replace(alias, f" {word} ")
    return _WORD.findall(prompt)
