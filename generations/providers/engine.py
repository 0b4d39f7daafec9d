"""What an engine declares about itself. The declarations are in catalog.py."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Literal

from generations.providers.base import N_
from generations.providers.labels import Label
from generations.providers.parameters import BoolParam, Choice, ChoiceParam, NumberParam, SeedParam
from generations.providers.sizes import FixedRatios, RatioRule, SizeParam

Param = NumberParam | BoolParam | ChoiceParam | SizeParam | SeedParam
Rule = RatioRule | FixedRatios


@dataclass(frozen=True, slots=True)
class ReferenceRule:
    """Input pictures: how many, what they may be (bytes, and pixels of a side), and how they travel
    ("url": addresses, "data": data URIs, "base64": without any prefix). `max_bytes` counts what travels.
    `one_shape`: all of them have the ratio of the first.
    """

    maximum: int
    formats: tuple[str, ...]
    max_bytes: int
    max_side: int
    min_ratio: Fraction
    max_ratio: Fraction
    transport: Literal["url", "data", "base64"]
    minimum: int = 0
    min_side: int = 1
    one_shape: bool = False

    @property
    def file_bytes(self) -> int:
        """What a picture itself may have: base64 makes four characters of three bytes."""
        return self.max_bytes // 4 * 3 if self.transport == "base64" else self.max_bytes


@dataclass(frozen=True, slots=True)
class FrameRule:
    """References that are frames of a video: what each is by its place (msgids), and the shapes
    ("16:9") of which the provider cuts a picture to the nearest (wire-protocol.md 2.6).
    """

    names: tuple[str, ...]
    shapes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OutputRule:
    """Pictures that come back: inputs and outputs together are at most `max_total`.

    `limited_by`: the setting in which a person says how many a set may have at most.
    """

    max_total: int
    can_force_single: bool
    limited_by: str = ""


@dataclass(frozen=True, slots=True)
class Engine:
    """One model on offer.

    `revision` grows when a change would make an old recipe mean something else.

    `typical_latency_s` is from accepted to done; `deadline_s` is when the provider forgets the
    task.

    `result_lives_s` is how long the address of a result works; a fresh one may be asked for until the
    deadline.

    `synchronous`: the answer to the submit is the result; the deadline is that of its addresses.

    `finals`: slugs of the engines that make a draft of this one again as it is, and better.

    `labels`: the AIGC labels that its result can be asked to carry.

    `count_max`: how many of a run may be asked for at once, where that is less than everywhere.
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
    rules: tuple[Rule, ...]
    references: ReferenceRule
    outputs: OutputRule
    price_unit: Literal["image", "second"]
    typical_latency_s: float
    deadline_s: float
    result_lives_s: float = 24 * 3600.0
    prompt_advised: int | None = None
    synchronous: bool = False
    frames: FrameRule | None = None
    finals: tuple[str, ...] = ()
    labels: tuple[Label, ...] = ()
    count_max: int | None = None

    def param(self, name: str) -> Param:
        """The parameter called `name`; KeyError if there is none."""
        for param in self.params:
            if param.name == name:
                return param
        raise KeyError(name)

    @property
    def seed(self) -> SeedParam | None:
        """Its seed; None where the same recipe gives another picture each time."""
        return next((param for param in self.params if isinstance(param, SeedParam)), None)


def one_or_set(wire_name: str) -> BoolParam:
    """The setting of engines that can make a set: one picture a run, or several that belong together."""
    return BoolParam(
        name="single",
        form_field="output",
        wire_name=wire_name,
        label=N_("Pictures per run"),
        help=N_(
            "As a set, the model decides from the prompt how many pictures to make; each is charged."
        ),
        yes=Choice("single", N_("One picture"), N_("Saves time and money.")),
        no=Choice("set", N_("As a set"), N_("Up to 15 pictures that belong together.")),
        default=True,
    )
