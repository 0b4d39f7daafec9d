"""The compose panel's settings as a template draws them, each from its declaration in the catalogue."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any, Protocol

from django.utils.translation import gettext as _

from generations.providers import catalog

GLYPH = 20  # the longer side of a shape's drawing, in px


class Filled(Protocol):
    """What is asked of a form: its engine, what was typed, and what is wrong with it."""

    engine_on_offer: catalog.Engine

    def typed(self, name: str) -> str: ...

    def field_errors(self, name: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Option:
    """One radio button. `width` and `height` are those of its drawing; `shape` is its caption."""

    value: str
    label: str
    checked: bool
    help: str = ""
    shape: str = ""
    width: int = 0
    height: int = 0

    @property
    def left(self) -> float:
        return -self.width / 2

    @property
    def top(self) -> float:
        return -self.height / 2


@dataclass(frozen=True, slots=True)
class Tier:
    """Sizes of one class (1K, 2K, 4K), or the custom size; `open` when the chosen one is here."""

    name: str
    options: list[Option]
    open: bool
    hint: str = ""


@dataclass(frozen=True, slots=True)
class Control:
    """One setting, drawn by `kind`. `advanced` ones are folded away; `low` asks for the size hint."""

    kind: str
    name: str
    label: str
    help: str
    value: str
    errors: list[str]
    param: catalog.Param
    options: list[Option] = field(default_factory=list)
    tiers: list[Tier] = field(default_factory=list)
    sides: Mapping[str, str] = field(default_factory=dict)
    shown: str = ""
    low: bool = False
    advanced: bool = False

    @property
    def unusual(self) -> bool:
        return bool(self.errors) or self.value != _usual(self.param)


def controls(form: Filled) -> list[Control]:
    """Every setting of the form's engine, in the engine's order."""
    return [_control(form, param) for param in form.engine_on_offer.params]


def engines() -> list[dict[str, object]]:
    """The models on offer: slug, label, what each is good for, usual seconds."""
    return [
        {
            "slug": each.slug,
            "label": say(each.label),
            "good_for": say(each.good_for),
            "seconds": round(each.typical_latency_s),
        }
        for each in catalog.ENGINES.values()
    ]


def say(msgid: str) -> str:
    """A declared text in the reader's language; gettext would answer "" with its own header."""
    return _(msgid) if msgid else ""


def _control(form: Filled, param: catalog.Param) -> Control:
    name = param.form_field if isinstance(param, catalog.BoolParam) else param.name
    value = form.typed(name) or _usual(param)
    drawn: dict[str, Any] = {}
    if isinstance(param, catalog.SizeParam):
        drawn = _size(form, param, value)
    elif isinstance(param, catalog.BoolParam):
        drawn["options"] = [
            Option(each.value, say(each.label), each.value == value, say(each.help))
            for each in param.choices
        ]
    else:
        drawn["advanced"] = param.omit_default
    return Control(
        kind=param.kind,
        name=name,
        label=say(param.label),
        help=say(param.help),
        value=value,
        errors=[text for each in param.fields for text in form.field_errors(each)],
        param=param,
        **drawn,
    )


def _usual(param: catalog.Param) -> str:
    if isinstance(param, catalog.BoolParam):
        return (param.yes if param.default else param.no).value
    return param.default


def _size(form: Filled, param: catalog.SizeParam, value: str) -> dict[str, Any]:
    tiers = list(_tiers(param, value))
    sides = {side: form.typed(side) for side in ("width", "height")}
    area = param.area("x".join(sides.values()))
    custom = tiers[-1].open
    chosen = [option.label for tier in tiers for option in tier.options if option.checked]
    return {
        "tiers": tiers,
        "sides": sides,
        "shown": (" × ".join(sides.values()) if area else "") if custom else chosen[0],
        "low": custom and 0 < area < param.hint_below,
    }


def _tiers(param: catalog.SizeParam, value: str) -> Iterator[Tier]:
    """The size classes in the order 1K, 2K, 4K, each with its free shape first; then custom."""
    presets = sorted(param.presets, key=lambda each: each.tier)
    found = False
    for name, group in groupby(presets, key=lambda each: each.tier):
        members = list(group)
        options = [
            Option(auto.value, say(auto.label), auto.value == value, shape=_("Auto"))
            for auto in param.autos
            if auto.tier == name
        ]
        options += [_preset(each, value) for each in members]
        chosen = any(option.checked for option in options)
        found |= chosen
        small = all(each.width * each.height < param.hint_below for each in members)
        yield Tier(name, options, chosen, say(param.hint) if small else "")
    own = Option(param.CUSTOM, _("Custom"), not found)
    yield Tier(param.CUSTOM, [own], not found, say(param.hint))


def _preset(preset: catalog.SizePreset, value: str) -> Option:
    longer = max(preset.width, preset.height)
    across, down = (max(5, round(GLYPH * side / longer)) for side in (preset.width, preset.height))
    return Option(
        preset.value,
        preset.label,
        preset.value == value,
        shape=preset.shape,
        width=across,
        height=down,
    )
