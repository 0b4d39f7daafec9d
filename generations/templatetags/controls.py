"""The compose panel's settings as a template draws them, each from its declaration in the catalogue."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Protocol

from django.utils.translation import gettext as _

from generations.providers import catalog
from generations.services.library.picks import Pick

GLYPH = 20  # the longer side of a shape's drawing, in px
SEGMENTS = 3  # more choices than this, or longer words, are a list to choose from
SHORT = 12
_SHAPE = re.compile(r"(\d+):(\d+)")


class Filled(Protocol):
    """What is asked of a form: its engine, what was typed, and what is wrong with it."""

    engine_on_offer: catalog.Engine
    picks: list[Pick]

    def typed(self, name: str) -> str: ...

    def field_errors(self, name: str) -> list[str]: ...


@dataclass(frozen=True, slots=True)
class Option:
    """One radio button. `width` and `height` are those of its drawing; `shape` is its caption.

    `off`: it cannot be chosen beside the references.
    """

    value: str
    label: str
    checked: bool
    help: str = ""
    shape: str = ""
    width: int = 0
    height: int = 0
    off: bool = False

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
    """One setting, drawn by `kind`. `advanced` ones are folded away; `low` asks for the size hint.

    Of a choice, `look` is how: "seg" (a few short words), "shapes" or "list".
    """

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
    look: str = ""

    @property
    def unusual(self) -> bool:
        return bool(self.errors) or self.value != _usual(self.param)


def controls(form: Filled) -> list[Control]:
    """Every setting of the form's engine, in the engine's order."""
    return [_control(form, param) for param in form.engine_on_offer.params]


def say(msgid: str) -> str:
    """A declared text in the reader's language; gettext would answer "" with its own header."""
    return _(msgid) if msgid else ""


def _control(form: Filled, param: catalog.Param) -> Control:
    name = param.form_field if isinstance(param, catalog.BoolParam) else param.name
    value = form.typed(name) or _usual(param)
    drawn: dict[str, Any] = {}
    if isinstance(param, catalog.SizeParam):
        drawn = _size(form, param, value)
    elif isinstance(param, catalog.ChoiceParam):
        drawn = _choice(form, param, value)
    elif isinstance(param, catalog.BoolParam):
        drawn["options"] = [
            Option(each.value, say(each.label), each.value == value, say(each.help))
            for each in param.choices
        ]
    else:
        drawn["advanced"] = isinstance(param, catalog.SeedParam) or param.omit_default
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


def _choice(form: Filled, param: catalog.ChoiceParam, value: str) -> dict[str, Any]:
    """Shapes are drawn, a few short words stand beside one another, the rest is a list."""
    fixed = param.alone and bool(form.picks)
    options = [
        Option(each.value, say(each.label), each.value == value, say(each.help))
        for each in param.choices
    ]
    named = [each for each in options if each.value != param.silent]
    if all(_SHAPE.fullmatch(each.value) for each in named):
        drawn = [_drawn(each, off=fixed and each.value != param.default) for each in options]
        return {"options": drawn, "look": "shapes"}
    short = len(options) <= SEGMENTS and all(len(each.label) <= SHORT for each in options)
    return {"options": options, "look": "seg" if short else "list"}


def _drawn(option: Option, *, off: bool) -> Option:
    match = _SHAPE.fullmatch(option.value)
    if match is None:
        return replace(option, shape=_("Auto"), off=off)
    width, height = _glyph(int(match[1]), int(match[2]))
    return replace(option, shape=option.label, width=width, height=height, off=off)


def _glyph(width: int, height: int) -> tuple[int, int]:
    longer = max(width, height)
    return max(5, round(GLYPH * width / longer)), max(5, round(GLYPH * height / longer))


def _size(form: Filled, param: catalog.SizeParam, value: str) -> dict[str, Any]:
    tiers = list(_tiers(param, value))
    sides = {side: form.typed(side) for side in ("width", "height")}
    area = param.area("x".join(sides.values()))
    custom = param.custom and tiers[-1].open
    chosen = [option.label for tier in tiers for option in tier.options if option.checked]
    return {
        "tiers": tiers,
        "sides": sides,
        "shown": (" × ".join(sides.values()) if area else "") if custom else next(iter(chosen), ""),
        "low": custom and 0 < area < param.hint_below,
    }


def _tiers(param: catalog.SizeParam, value: str) -> Iterator[Tier]:
    """The size classes from small to large, each with its free shape first; then custom."""
    names = {each.tier for each in param.autos} | {each.tier for each in param.presets}
    found = False
    for name in sorted(names, key=lambda each: float(each.rstrip("K"))):
        members = [each for each in param.presets if each.tier == name]
        options = [
            Option(auto.value, say(auto.label), auto.value == value, shape=_("Auto"))
            for auto in param.autos
            if auto.tier == name
        ]
        options += [_preset(each, value) for each in members]
        chosen = any(option.checked for option in options)
        found |= chosen
        small = members and all(each.width * each.height < param.hint_below for each in members)
        yield Tier(name, options, chosen, say(param.hint) if small else "")
    if param.custom:
        own = Option(param.CUSTOM, _("Custom"), not found)
        yield Tier(param.CUSTOM, [own], not found, say(param.hint))


def _preset(preset: catalog.SizePreset, value: str) -> Option:
    across, down = _glyph(preset.width, preset.height)
    return Option(
        preset.value,
        preset.label,
        preset.value == value,
        shape=preset.shape,
        width=across,
        height=down,
    )
