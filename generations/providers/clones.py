"""A model under another id: an engine of the catalogue with a name, an id and limits of its own.

What a clone takes and how it is asked for is its parent's declaration; its limits only ever narrow that.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from generations.providers.engine import Engine, Param
from generations.providers.parameters import ChoiceParam
from generations.providers.sizes import SizeParam

Narrowable = ChoiceParam | SizeParam


@dataclass(frozen=True, slots=True)
class Limits:
    """How far a clone stays below its parent; None, or a setting that is not named, is no limit.

    `count`: how many of a run at once. `references`: pictures to start from. `offered`: of a setting
    (by name), the values that may be chosen.
    """

    count: int | None = None
    references: int | None = None
    offered: Mapping[str, Sequence[str]] = field(default_factory=dict)


def clone(parent: Engine, *, slug: str, req_key: str, label: str, good_for: str) -> Engine:
    """The parent under another slug and id, with nothing narrowed: what a run in flight and a page about
    an old one go by, whatever was narrowed since.
    """
    good_for = good_for or parent.good_for
    return replace(parent, slug=slug, req_key=req_key, label=label, good_for=good_for)


def narrowable(engine: Engine) -> Iterator[Narrowable]:
    """The settings of which a clone may offer a part: those with named values."""
    for param in engine.params:
        if isinstance(param, ChoiceParam | SizeParam):
            yield param


def values_of(param: Narrowable) -> tuple[str, ...]:
    """The named values of a setting, in its order."""
    if isinstance(param, SizeParam):
        return param.values
    return tuple(each.value for each in param.choices)


def narrowed(engine: Engine, limits: Limits) -> Engine:
    """What is on offer: `engine` within `limits`. What they name and the engine does not know counts
    as nothing, so that limits outlive a change of the catalogue.
    """
    rule = engine.references
    most = rule.maximum if limits.references is None else min(rule.maximum, limits.references)
    return replace(
        engine,
        params=tuple(_narrowed(each, limits.offered.get(each.name, ())) for each in engine.params),
        references=replace(rule, maximum=max(most, rule.minimum)),
        count_max=limits.count,
    )


def _narrowed(param: Param, offered: Sequence[str]) -> Param:
    if not isinstance(param, ChoiceParam | SizeParam):
        return param
    left = [value for value in values_of(param) if value in offered]
    if not left:
        return param
    default = param.default if param.default in left else left[0]
    if isinstance(param, SizeParam):
        presets = tuple(each for each in param.presets if each.value in left)
        autos = tuple(each for each in param.autos if each.value in left)
        return replace(param, presets=presets, autos=autos, default=default, custom=False)
    choices = tuple(each for each in param.choices if each.value in left)
    return replace(param, choices=choices, default=default)
