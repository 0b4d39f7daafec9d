"""From what was typed to a frozen recipe, and from a recipe back to what a page shows.

Everything here follows from an engine's declaration; nothing knows an engine by name.
"""

from __future__ import annotations

import hashlib
import json
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
