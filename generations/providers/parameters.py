"""The kinds of setting an engine can declare, and how each reads what a person or a program typed.

A parameter reads raw values under its `fields`, reports every problem it finds, and gives the one
canonical spelling of a good value: equal input makes equal recipes, so equal hashes.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from decimal import Decimal
from fractions import Fraction
from typing import ClassVar, Literal

from generations.providers.base import N_

# Decimals travel as strings, so that a recipe has one spelling.
SettingValue = str | int | bool
Raw = Mapping[str, object]

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)")
_TEXT_CAP = 1000


@dataclass(frozen=True, slots=True)
class FieldError:
    """One problem: the field it belongs to, a msgid, and what fills the msgid's places."""

    field: str
    message: str
    params: Mapping[str, object] = dataclass_field(default_factory=dict)


class SettingsError(ValueError):
    """Every problem found in a set of settings, never only the first."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__(
            "; ".join(f"{each.field}: {each.message % each.params}" for each in errors)
        )
        self.errors = errors


@dataclass(frozen=True, slots=True)
class SettingRow:
    """One setting to show.

    `value` is safe to pass through gettext: a msgid, or text that has none.
    """

    name: str
    label: str
    value: str
    raw: SettingValue
    is_default: bool


def plain(raw: object) -> str:
    """`raw` as trimmed text with full-width forms made plain; "" when nothing was given."""
    if raw is None:
        return ""
    try:
        text = str(raw)
    except ValueError:
        text = "…"  # an integer of more digits than Python spells
    return unicodedata.normalize("NFKC", text[:_TEXT_CAP]).strip()


def number(raw: object) -> Decimal | None:
    """`raw` as an exact finite number, or None when it is not one.

    True and False are not numbers.
    """
    if isinstance(raw, bool):
        return None
    if isinstance(raw, int | Decimal | float):
        value = Decimal(repr(raw)) if isinstance(raw, float) else Decimal(raw)
        return value if value.is_finite() else None
    text = plain(raw) if isinstance(raw, str) else ""
    return Decimal(text) if _NUMBER.fullmatch(text) else None


def canonical(value: Decimal) -> str:
    """The shortest plain spelling: 0.50 is "0.5", 3.0 is "3", -0 is "0"."""
    text = format(value, "f")
    text = text.rstrip("0").rstrip(".") if "." in text else text
    return "0" if text in ("-0", "") else text


@dataclass(frozen=True, slots=True)
class NumberParam:
    """A decimal from `minimum` to `maximum`. `default_exact` is what the default stands for (1/3).

    `omit_default`: the default is asked for by leaving the parameter out, as the provider's own
    is exact.
    """

    kind: ClassVar[Literal["number"]] = "number"
    name: str
    label: str
    help: str
    minimum: Decimal
    maximum: Decimal
    step: Decimal
    decimals: int
    default: str
    unit: str = ""
    default_exact: Fraction | None = None
    omit_default: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.name,)

    def clean(self, raw: Raw, problems: list[FieldError]) -> dict[str, SettingValue]:
        given = raw.get(self.name)
        if given is None or plain(given) == "":
            return {self.name: self.default}
        value = number(given)
        if value is None:
            message = N_("“%(value)s” is not a number.")
            problems.append(FieldError(self.name, message, {"value": plain(given)[:40]}))
            return {}
        if not self.minimum <= value <= self.maximum:
            message = N_("Choose a number from %(minimum)s to %(maximum)s.")
            limits = {
                "minimum": canonical(self.minimum),
                "maximum": canonical(self.maximum),
            }
            problems.append(FieldError(self.name, message, limits))
            return {}
        rounded = value.quantize(Decimal(1).scaleb(-self.decimals))
        if rounded != value:
            message = N_("Use at most %(decimals)s decimals.")
            problems.append(FieldError(self.name, message, {"decimals": self.decimals}))
            return {}
        return {self.name: canonical(rounded)}

    def exact(self, settings: Mapping[str, object]) -> Fraction:
        """The value of a cleaned setting as an exact fraction."""
        text = str(settings.get(self.name, self.default))
        if self.default_exact is not None and text == self.default:
            return self.default_exact
        return Fraction(text)

    def show(self, value: SettingValue) -> str:
        return f"{value} {self.unit}".strip()

    def accepts(self) -> str:
        return (
            f"{canonical(self.minimum)} to {canonical(self.maximum)}, step {canonical(self.step)}"
        )


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str
    help: str = ""


@dataclass(frozen=True, slots=True)
class ChoiceParam:
    """One of several words. `whole`: on the wire it is a number. `silent`: the word that is asked for
    by leaving the parameter out; `alone`: with references only that one may be chosen.
    """

    kind: ClassVar[Literal["choice"]] = "choice"
    name: str
    label: str
    help: str
    choices: tuple[Choice, ...]
    default: str
    whole: bool = False
    silent: str = ""
    alone: bool = False

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.name,)

    def clean(self, raw: Raw, problems: list[FieldError]) -> dict[str, SettingValue]:
        given = plain(raw.get(self.name)).lower()
        if not given or any(given == each.value for each in self.choices):
            return {self.name: given or self.default}
        message = N_("“%(value)s” is not one of these: %(choices)s.")
        choices = ", ".join(each.value for each in self.choices)
        facts = {"value": given[:40], "choices": choices}
        problems.append(FieldError(self.name, message, facts))
        return {}

    def show(self, value: SettingValue) -> str:
        found = (each.label for each in self.choices if each.value == value)
        return next(found, str(value))

    def accepts(self) -> str:
        return ", ".join(each.value for each in self.choices)


@dataclass(frozen=True, slots=True)
class BoolParam:
    """Yes or no, asked as a choice between two words under `form_field` (or as a boolean under
    `name`).
    """

    kind: ClassVar[Literal["bool"]] = "bool"
    name: str
    form_field: str
    wire_name: str
    label: str
    help: str
    yes: Choice
    no: Choice
    default: bool

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.name, self.form_field)

    @property
    def choices(self) -> tuple[Choice, Choice]:
        return (self.yes, self.no)

    def clean(self, raw: Raw, problems: list[FieldError]) -> dict[str, SettingValue]:
        words = {"true": True, "1": True, self.yes.value: True}
        words |= {"false": False, "0": False, self.no.value: False}
        given = [text.lower() for name in self.fields if (text := plain(raw.get(name)))]
        read = {words.get(text) for text in given}
        if len(read) > 1 or None in read:
            message = N_("Choose “%(yes)s” or “%(no)s”.")
            problems.append(
                FieldError(
                    self.form_field,
                    message,
                    {"yes": self.yes.value, "no": self.no.value},
                )
            )
            return {}
        return {self.name: words[given[0]] if given else self.default}

    def show(self, value: SettingValue) -> str:
        return self.yes.label if value else self.no.label

    def accepts(self) -> str:
        return f"{self.yes.value} or {self.no.value}"


@dataclass(frozen=True, slots=True)
class SeedParam:
    """A whole number from 0 to `maximum` that makes a run repeatable; "" (or -1) has one drawn.

    A recipe that is run always holds a number: see `recipes.with_seed`.
    """

    kind: ClassVar[Literal["seed"]] = "seed"
    default: ClassVar[str] = ""
    name: str
    label: str
    help: str
    maximum: int

    @property
    def fields(self) -> tuple[str, ...]:
        return (self.name,)

    def clean(self, raw: Raw, problems: list[FieldError]) -> dict[str, SettingValue]:
        given = raw.get(self.name)
        if given is None or plain(given) in ("", "-1"):
            return {self.name: self.default}
        value = number(given)
        if value is None or value != value.to_integral_value():
            message = N_("“%(value)s” is not a whole number.")
            problems.append(FieldError(self.name, message, {"value": plain(given)[:40]}))
            return {}
        if not 0 <= value <= self.maximum:
            message = N_("Choose a number from %(minimum)s to %(maximum)s.")
            limits = {"minimum": 0, "maximum": self.maximum}
            problems.append(FieldError(self.name, message, limits))
            return {}
        return {self.name: int(value)}

    def after(self, seed: int, steps: int) -> int:
        """The seed so many steps on; after the last comes 0."""
        return (seed + steps) % (self.maximum + 1)

    def show(self, value: SettingValue) -> str:
        return N_("Drawn by the studio") if value == self.default else str(value)

    def accepts(self) -> str:
        return f"a whole number from 0 to {self.maximum}, or nothing"
