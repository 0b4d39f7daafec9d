"""The model and settings beside a prompt, as they stand in files and forms."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.services.library.prompts import Made, PromptProblem

MOST, NAME_MAX, VALUE_MAX = 40, 60, 200
NUMBER_MAX = 10**12
_SLUG = re.compile(r"[A-Za-z0-9.\-]{1,60}")


def text_of(settings: Mapping[str, object]) -> str:
    """Settings as one line of JSON; nothing for none."""
    return json.dumps(settings, ensure_ascii=False, sort_keys=True) if settings else ""


def read(engine: object, settings: object) -> Made:
    """What a form or a file holds, settings also as JSON text. Raises PromptProblem.

    A model that is not on offer here, or not any more, is kept: files go from one place to another.
    What it refuses of the settings is said when the prompt is used.
    """
    if engine in (None, "") and settings in (None, "", {}):
        return Made()
    if not (isinstance(engine, str) and _SLUG.fullmatch(engine)):
        raise PromptProblem(
            [FieldError("engine", N_("The settings need the name of a model."), {})]
        )
    try:
        found = json.loads(settings or "{}") if isinstance(settings, str) else settings or {}
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict) or len(found) > MOST:
        raise _unreadable()
    return Made(engine, {_name(name): _value(value) for name, value in found.items()})


def _name(name: str) -> str:
    if not name or len(name) > NAME_MAX or not _writable(name):
        raise _unreadable()
    return name


def _value(value: object) -> object:
    """A setting's value; decimals are texts with us."""
    if isinstance(value, float):
        value = str(value)
    known = isinstance(value, bool | int) and abs(value) <= NUMBER_MAX
    if known or (isinstance(value, str) and len(value) <= VALUE_MAX and _writable(value)):
        return value
    raise _unreadable()


def _writable(text: str) -> bool:
    """Whether a database takes it: no NUL, no half of a surrogate pair."""
    return "\0" not in text and text.encode("utf-8", "ignore").decode() == text


def _unreadable() -> PromptProblem:
    message = N_("The settings are no JSON object of names and values.")
    return PromptProblem([FieldError("settings", message, {})])
