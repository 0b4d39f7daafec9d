"""The size of a picture as a setting, and the rule that ties it to the ratio settings."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from generations.providers.base import N_
from generations.providers.parameters import (
    FieldError,
    NumberParam,
    Raw,
    SettingValue,
    number,
    plain,
)

_SIZE = re.compile(r"(\d{1,6})\s*[x×*✕]\s*(\d{1,6})")


def dimensions(size: object) -> tuple[int, int] | None:
    """Width and height of a size such as "2048x2048" (also ×, X, *, full-width); None for
    others.
    """
    match = _SIZE.fullmatch(plain(size).lower())
    return (int(match[1]), int(match[2])) if match else None


@dataclass(frozen=True, slots=True)
class SizePreset:
    """A recommended size; `tier` is "1K", "2K" or "4K", `shape` such as "16:9"."""

    width: int
    height: int
    tier: str
    shape: str

    @property
    def value(self) -> str:
        return f"{self.width}x{self.height}"

    @property
    def label(self) -> str:
        return f"{self.width} × {self.height}"


def both_ways(tier: str, *landscape: tuple[int, int, str]) -> tuple[SizePreset, ...]:
    """Each landscape size and its portrait twin."""
    presets: list[SizePreset] = []
    for width, height, shape in landscape:
        across, down = shape.split(":")
        presets.append(SizePreset(width, height, tier, shape))
        if width != height:
            presets.append(SizePreset(height, width, tier, f"{down}:{across}"))
    return tuple(presets)


@dataclass(frozen=True, slots=True)
class AutoSize:
    """An area in pixels; the model picks the shape. `wire`: the word that asks for it, where a
    provider takes words instead of areas.
    """

    value: str
    area: int
    tier: str
    label: str
    wire: str = ""


@dataclass(frozen=True, slots=True)
class SizeParam:
    """A preset, an area, or (where `custom`) width × height of a person's own.

    Raw keys: size ("custom" for the other two), width, height.
    """

    kind: ClassVar[Literal["size"]] = "size"
    CUSTOM: ClassVar[str] = "custom"
    name: str
    label: str
    help: str
    presets: tuple[SizePreset, ...]
    autos: tuple[AutoSize, ...]
    default: str
    min_area: int
    max_area: int
    min_side: int
    max_side: int
    hint: str
    hint_below: int
    custom: bool = True

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.name, "width", "height")

    def auto(self, value: object) -> AutoSize | None:
        return next((auto for auto in self.autos if auto.value == value), None)

    def clean(self, raw: Raw, problems: list[FieldError]) -> dict[str, SettingValue]:
        chosen = plain(raw.get(self.name)).lower()
        typed = [side for side in ("width", "height") if plain(raw.get(side))]
        if chosen == self.CUSTOM or (typed and not chosen):
            return self._custom(raw, typed, problems)
        value = chosen or self.default
        sides = dimensions(value)
        if sides is None and not self._offers(value, problems):
            return {}
        if self.auto(value) is None and sides is None:
            message = N_("“%(value)s” is not a size. Write width × height, such as 2048x2048.")
            problems.append(FieldError(self.name, message, {"value": value[:40]}))
            return {}
        if typed and not self._repeats(sides, raw):
            message = N_("Choose the custom size to use width and height, or clear them.")
            problems.append(FieldError(self.name, message))
            return {}
        return self._checked(sides, problems) if sides else {self.name: value}

    def _repeats(self, sides: tuple[int, int] | None, raw: Raw) -> bool:
        """Whether width and height say nothing but what the chosen size says."""
        typed = number(raw.get("width")), number(raw.get("height"))
        return sides is not None and typed == (Decimal(sides[0]), Decimal(sides[1]))

    def _custom(
        self, raw: Raw, typed: list[str], problems: list[FieldError]
    ) -> dict[str, SettingValue]:
        for side in ("width", "height"):
            if side not in typed:
                message = N_("Give both width and height.")
                problems.append(FieldError(side, message))
        sides = [self._side(side, raw[side], problems) for side in typed]
        if len(sides) < 2 or None in sides:
            return {}
        return self._checked((sides[0] or 0, sides[1] or 0), problems)

    def _side(self, name: str, raw: object, problems: list[FieldError]) -> int | None:
        value = number(raw)
        if value is None or value != value.to_integral_value():
            message = N_("“%(value)s” is not a whole number of pixels.")
            problems.append(FieldError(name, message, {"value": plain(raw)[:40]}))
            return None
        if not self.min_side <= value <= self.max_side:
            message = N_("Choose from %(minimum)s to %(maximum)s pixels.")
            limits = {"minimum": self.min_side, "maximum": self.max_side}
            problems.append(FieldError(name, message, limits))
            return None
        return int(value)

    def _checked(
        self, sides: tuple[int, int], problems: list[FieldError]
    ) -> dict[str, SettingValue]:
        width, height = sides
        if not self.min_area <= width * height <= self.max_area:
            message = N_("%(area)s pixels: this model makes %(minimum)s to %(maximum)s.")
            areas = {"area": width * height, "minimum": self.min_area, "maximum": self.max_area}
            facts = {name: f"{area:,}" for name, area in areas.items()}
            problems.append(FieldError(self.name, message, facts))
            return {}
        value = f"{width}x{height}"
        return {self.name: value} if self._offers(value, problems) else {}

    def _offers(self, value: str, problems: list[FieldError]) -> bool:
        if self.custom or value in self.values:
            return True
        message = N_("“%(value)s” is not one of these: %(choices)s.")
        facts = {"value": value[:40], "choices": ", ".join(self.values)}
        problems.append(FieldError(self.name, message, facts))
        return False

    @property
    def values(self) -> tuple[str, ...]:
        """What can be chosen by name: areas first, then sizes."""
        return *(each.value for each in self.autos), *(each.value for each in self.presets)

    def area(self, value: object) -> int:
        """Pixels of a cleaned size."""
        auto, sides = self.auto(value), dimensions(value)
        return auto.area if auto else sides[0] * sides[1] if sides else 0

    def show(self, value: SettingValue) -> str:
        auto, sides = self.auto(value), dimensions(value)
        return auto.label if auto else f"{sides[0]} × {sides[1]}" if sides else str(value)

    def accepts(self) -> str:
        if not self.custom:
            return ", ".join(self.values)
        autos = "".join(f"{auto.value}, " for auto in self.autos)
        last = "or " if autos else ""
        return f"{autos}{last}width x height of {self.min_area:,} to {self.max_area:,} pixels"


def _outside(
    size: SizeParam,
    settings: Mapping[str, SettingValue],
    ends: tuple[Fraction, Fraction],
    shown: tuple[object, object],
) -> list[FieldError]:
    sides = dimensions(settings.get(size.name))
    if sides is None or ends[0] <= Fraction(*sides) <= ends[1]:
        return []
    message = N_("%(width)s : %(height)s is outside the ratios %(minimum)s to %(maximum)s.")
    facts = {"width": sides[0], "height": sides[1], "minimum": shown[0], "maximum": shown[1]}
    return [FieldError(size.name, message, facts)]


@dataclass(frozen=True, slots=True)
class FixedRatios:
    """Width / height of an explicit size lies between two ratios, both included."""

    size: SizeParam
    minimum: Fraction
    maximum: Fraction

    def check(self, settings: Mapping[str, SettingValue]) -> list[FieldError]:
        ends = self.minimum, self.maximum
        low, high = (f"{each.numerator}:{each.denominator}" for each in ends)
        return _outside(self.size, settings, ends, (low, high))


@dataclass(frozen=True, slots=True)
class RatioRule:
    """Width / height of an explicit size lies within two other settings, which are in order."""

    size: SizeParam
    minimum: NumberParam
    maximum: NumberParam

    def check(self, settings: Mapping[str, SettingValue]) -> list[FieldError]:
        if self.minimum.name not in settings or self.maximum.name not in settings:
            return []
        low, high = self.minimum.exact(settings), self.maximum.exact(settings)
        if low > high:
            message = N_("The largest ratio must not be below the smallest.")
            return [FieldError(self.maximum.name, message)]
        shown = settings[self.minimum.name], settings[self.maximum.name]
        return _outside(self.size, settings, (low, high), shown)
