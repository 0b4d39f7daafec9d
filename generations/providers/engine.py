"""What an engine declares about itself. The declarations are in catalog.py."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from generations.providers.parameters import BoolParam, NumberParam
from generations.providers.sizes import RatioRule, SizeParam

Param = NumberParam | BoolParam | SizeParam


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    """Input pictures: how many, what they may be, and how they travel ("url", "data" or
    "base64").
    """

    maximum: int
    formats: tuple[str, ...]
    max_bytes: int
    max_side: int
    min_ratio: Fraction
    max_ratio: Fraction
    transport: Literal["url", "data", "base64"]


@dataclass(frozen=True, slots=True)
class OutputRule:
    """Pictures that come back: inputs and outputs together are at most `max_total`."""

    max_total: int
    can_force_single: bool


@dataclass(frozen=True, slots=True)
class Engine:
    """One model on offer.

    `revision` grows when a change would make an old recipe mean something else.

    `typical_latency_s` is from accepted to done; `deadline_s` is when the provider forgets the
    task.
    """

    slug: str
    revision: int
    label: str
    good_for: str
    kind: Literal["image", "video"]
    provider: str
    req_key: str
    prompt_max: int
    params: tuple[Param, ...]
    rules: tuple[RatioRule, ...]
    references: ReferenceRule
    outputs: OutputRule
    price_unit: Literal["image", "second"]
    typical_latency_s: float
    deadline_s: float
    prompt_advised: int | None = None

    def param(self, name: str) -> Param:
        """The parameter called `name`; KeyError if there is none."""
        for param in self.params:
            if param.name == name:
                return param
        raise KeyError(name)
