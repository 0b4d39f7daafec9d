"""From what was typed to a frozen recipe, and from a recipe back to what a page shows.

Everything here follows from an engine's declaration; nothing knows an engine by name.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import secrets
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from generations.providers.base import N_
from generations.providers.engine import Engine, Param
from generations.providers.parameters import (
    ChoiceParam,
    FieldError,
    SettingRow,
    SettingsError,
    SettingValue,
)
from generations.providers.sizes import SizeParam, dimensions


class PromptError(ValueError):
    """A prompt that cannot be sent: a msgid and what fills its places."""

    def __init__(self, message: str, params: Mapping[str, object]) -> None:
        super().__init__(message % params)
        self.message = message
        self.params = params


@dataclass(frozen=True, slots=True)
class DocRow:
    name: str
    label: str
    accepts: str
    default: str
    help: str


def defaults(engine: Engine) -> dict[str, SettingValue]:
    return clean_settings(engine, {})


def clean_settings(engine: Engine, raw: Mapping[str, object]) -> dict[str, SettingValue]:
    """Validate what a form, a program or an old recipe gives; absent and blank mean the default.

    Returns every setting in canonical form. Raises SettingsError with all problems, those between
    settings included.
    """
    known = {name for param in engine.params for name in param.fields}
    message = N_("There is no setting called “%(name)s”.")
    problems = [
        FieldError(str(key), message, {"name": str(key)[:60]}) for key in raw if key not in known
    ]
    cleaned: dict[str, SettingValue] = {}
    for param in engine.params:
        cleaned |= param.clean(raw, problems)
    for rule in engine.rules:
        problems += rule.check(cleaned)
    if problems:
        raise SettingsError(problems)
    return cleaned


def check_references(
    engine: Engine, settings: Mapping[str, SettingValue], count: int
) -> list[FieldError]:
    """What is wrong with so many references beside these settings (which may lack bad ones)."""
    rule = engine.references
    problems = []
    if count > rule.maximum:
        message = N_("%(count)s references are chosen; this model takes at most %(max)s.")
        problems.append(FieldError("references", message, {"count": count, "max": rule.maximum}))
    if count < rule.minimum == 1:
        problems.append(FieldError("references", N_("This model starts from a picture: add one.")))
    elif count < rule.minimum:
        message = N_("This model needs two pictures: the first frame and the last one.")
        problems.append(FieldError("references", message))
    for param in engine.params:
        alone = isinstance(param, ChoiceParam) and param.alone and count > 0
        if alone and settings.get(param.name, param.default) != param.default:
            message = N_("With a first frame the video takes its shape: choose “%(usual)s”.")
            problems.append(FieldError(param.name, message, {"usual": param.default}))
    return problems


def with_seed(engine: Engine, settings: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
    """The settings of a run: with a seed drawn, where the engine takes one and none was given."""
    param = engine.seed
    if param is None or settings[param.name] != param.default:
        return dict(settings)
    return {**settings, param.name: secrets.randbelow(param.maximum + 1)}


def clean_prompt(engine: Engine, text: str) -> str:
    """The prompt with CRLF and CR made LF, or PromptError. Its length is counted in code points."""
    prompt = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in prompt):
        message = N_(
            "The prompt holds characters that cannot be sent. Paste it again as plain text."
        )
        raise PromptError(message, {})
    if not any(unicodedata.category(char)[0] not in "ZC" for char in prompt):
        empty = N_("Write what the picture should show.")
        if engine.kind == "video":
            empty = N_("Write what the video should show.")
        raise PromptError(empty, {})
    if len(prompt) > engine.prompt_max:
        message = N_("The prompt has %(length)s characters; this model takes at most %(max)s.")
        raise PromptError(message, {"length": len(prompt), "max": engine.prompt_max})
    return prompt


def canonical_recipe(recipe: Mapping[str, object]) -> str:
    """The one JSON spelling of a recipe: sorted keys, no spaces, raw UTF-8.

    Floats are a TypeError.
    """
    _refuse_floats(recipe)
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def _refuse_floats(value: object) -> None:
    if isinstance(value, float):
        raise TypeError("decimals in a recipe are strings")
    if isinstance(value, Mapping):
        for each in value.values():
            _refuse_floats(each)
    elif isinstance(value, list | tuple):
        for each in value:
            _refuse_floats(each)


def recipe_sha256(recipe: Mapping[str, object]) -> str:
    return hashlib.sha256(canonical_recipe(recipe).encode()).hexdigest()


def describe_settings(engine: Engine, settings: Mapping[str, SettingValue]) -> list[SettingRow]:
    """The settings of a recipe in the engine's order; ones this revision does not know come
    last.
    """
    usual = defaults(engine)
    rows = [
        SettingRow(
            param.name,
            param.label,
            param.show(value),
            value,
            value == usual[param.name],
        )
        for param in engine.params
        if (value := settings.get(param.name)) is not None
    ]
    rows += [
        SettingRow(name, name, str(value), value, is_default=False)
        for name, value in settings.items()
        if name not in usual
    ]
    return rows


def unfit(engine: Engine, settings: Mapping[str, SettingValue]) -> list[Param]:
    """The settings of an old recipe that hold a value which the engine does not take any more."""
    return [param for param in engine.params if _unfit(param, settings.get(param.name))]


def _unfit(param: Param, value: SettingValue | None) -> bool:
    problems: list[FieldError] = []
    if value is not None:
        param.clean({param.name: value}, problems)
    return bool(problems)


def hints(engine: Engine, settings: Mapping[str, SettingValue]) -> list[str]:
    """Msgids of advice on settings that are allowed, and probably not wanted."""
    return [
        param.hint
        for param in engine.params
        if isinstance(param, SizeParam) and param.area(settings.get(param.name)) < param.hint_below
    ]


def max_outputs(engine: Engine, settings: Mapping[str, object], references: int) -> int:
    """How many pictures one job may deliver, so how many to reserve: 1, or as a set 15 − inputs, or
    fewer where the settings say so.
    """
    if engine.outputs.can_force_single and settings.get("single", True):
        return 1
    room = engine.outputs.max_total - references
    wanted = settings.get(engine.outputs.limited_by, room)
    return max(1, min(room, int(str(wanted))))


def aspect(engine: Engine, settings: Mapping[str, object]) -> tuple[int, int] | None:
    """Width and height, or only their ratio, that the results will have; None where the model picks."""
    names = (param.name for param in engine.params if isinstance(param, SizeParam))
    shape = str(settings.get("aspect_ratio", "")).replace(":", "x")
    return dimensions(settings.get(next(names, ""), shape))


def carried(
    engine: Engine,
    settings: Mapping[str, SettingValue],
    shape: tuple[int, int] | None,
    references: int,
) -> dict[str, SettingValue]:
    """Another engine's settings on this one: each that it takes as it is, and its usual ones for the rest.

    `shape` is what the other was asked for, as `aspect` tells it: here it is the nearest there is, where
    the references leave a choice.
    """
    found = defaults(engine)
    found = _taking(engine, found, settings, references)
    came = aspect(engine, found)
    if shape and (came is None or came[0] * shape[1] != came[1] * shape[0]):
        found = _taking(engine, found, _nearest(engine, shape), references)
    return found


def _taking(
    engine: Engine,
    found: dict[str, SettingValue],
    wanted: Mapping[str, SettingValue],
    references: int,
) -> dict[str, SettingValue]:
    """What is wanted, as far as the engine knows and takes it, over what was found."""
    for name, value in wanted.items():
        if name in found and not (references and getattr(engine.param(name), "alone", False)):
            with contextlib.suppress(SettingsError):
                found = clean_settings(engine, {**found, name: value})
    return found


def _nearest(engine: Engine, shape: tuple[int, int]) -> dict[str, SettingValue]:
    """The size or ratio nearest to a shape, under its parameter's name; of two sizes the one nearer in
    area, to the shape's where it is given in pixels, else to the usual one.
    """
    wanted = math.log(shape[0] / shape[1])

    def off(width: int, height: int) -> float:
        return round(abs(math.log(width / height) - wanted), 2)

    for param in engine.params:
        if isinstance(param, SizeParam) and param.presets:
            pixels = shape[0] * shape[1]
            area = pixels if min(shape) >= param.min_side else param.area(param.default)
            best = min(
                param.presets,
                key=lambda each: (
                    off(each.width, each.height),
                    abs(each.width * each.height - area),
                ),
            )
            return {param.name: best.value}
        if param.name == "aspect_ratio" and isinstance(param, ChoiceParam):
            ratios = {
                each.value: dimensions(each.value.replace(":", "x")) for each in param.choices
            }
            known = {value: sides for value, sides in ratios.items() if sides}
            return {param.name: min(known, key=lambda value: off(*known[value]))} if known else {}
    return {}


def area(engine: Engine, settings: Mapping[str, object]) -> int:
    """Pixels of one result as far as the settings say; 0 where the model picks everything."""
    for param in engine.params:
        if isinstance(param, SizeParam):
            return param.area(settings.get(param.name))
    return 0


def docs_table(engine: Engine) -> list[DocRow]:
    """One row per setting for the documentation, in plain English."""
    usual = defaults(engine)
    return [
        DocRow(
            param.name,
            param.label,
            param.accepts(),
            param.show(usual[param.name]),
            param.help,
        )
        for param in engine.params
    ]
