"""From what was typed to a frozen recipe, and from a recipe back to what a page shows.

Everything here follows from an engine's declaration; nothing knows an engine by name.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

from generations.providers.base import N_
from generations.providers.engine import Engine
from generations.providers.parameters import (
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


def clean_prompt(engine: Engine, text: str) -> str:
    """The prompt with CRLF and CR made LF, or PromptError. Its length is counted in code points."""
    prompt = text.replace("\r\n", "\n").replace("\r", "\n")
    if any(char == "\0" or "\ud800" <= char <= "\udfff" for char in prompt):
        message = N_(
            "The prompt holds characters that cannot be sent. Paste it again as plain text."
        )
        raise PromptError(message, {})
    if not any(unicodedata.category(char)[0] not in "ZC" for char in prompt):
        raise PromptError(N_("Write what the picture should show."), {})
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


def hints(engine: Engine, settings: Mapping[str, SettingValue]) -> list[str]:
    """Msgids of advice on settings that are allowed, and probably not wanted."""
    return [
        param.hint
        for param in engine.params
        if isinstance(param, SizeParam) and param.area(settings.get(param.name)) < param.hint_below
    ]


def max_outputs(engine: Engine, settings: Mapping[str, object], references: int) -> int:
    """How many pictures one job may deliver, so how many to reserve: 1, or 15 − inputs as a set."""
    if engine.outputs.can_force_single and settings.get("single", True):
        return 1
    return max(1, engine.outputs.max_total - references)


def aspect(engine: Engine, settings: Mapping[str, object]) -> tuple[int, int] | None:
    """Width and height the pictures will have; None where the model picks (show a 2048 square)."""
    names = (param.name for param in engine.params if isinstance(param, SizeParam))
    return dimensions(settings.get(next(names, ""), ""))


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
