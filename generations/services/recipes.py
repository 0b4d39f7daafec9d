"""From what was typed to the frozen input of a run: one set of rules for form, API, command and batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from generations.providers import catalog
from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.services.library.references import Chosen

MAX_COUNT = 8
RECIPE_SCHEMA = 1


class ComposeProblem(Exception):
    """What was asked for cannot be run; `errors` name the fields, as untranslated msgids.

    `engine`: the model they are about, where several were asked and it is not the first.
    """

    def __init__(self, errors: list[FieldError], engine: catalog.Engine | None = None) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors
        self.engine = engine


def check(
    engine: catalog.Engine, prompt: str, settings: Mapping[str, object], references: int = 0
) -> tuple[str, dict[str, catalog.SettingValue]]:
    """The prompt and the settings as a run takes them, with so many references.

    Raises ComposeProblem with every problem found.
    """
    problems: list[FieldError] = []
    cleaned: dict[str, catalog.SettingValue] = {}
    try:
        prompt = catalog.clean_prompt(engine, prompt)
    except catalog.PromptError as error:
        problems.append(FieldError("prompt", error.message, error.params))
    try:
        cleaned = catalog.clean_settings(engine, settings)
    except catalog.SettingsError as error:
        problems.extend(error.errors)
    problems += catalog.check_references(engine, cleaned, references)
    if problems:
        raise ComposeProblem(problems)
    return prompt, cleaned


def build_recipe(
    engine: catalog.Engine,
    prompt: str,
    settings: Mapping[str, object],
    references: Sequence[Chosen] = (),
) -> dict[str, Any]:
    """Validate and freeze the input of a run; raise ComposeProblem with every problem found."""
    prompt, cleaned = check(engine, prompt, settings, len(references))
    return {
        "schema": RECIPE_SCHEMA,
        "engine": engine.slug,
        "revision": engine.revision,
        "prompt": prompt,
        "settings": catalog.with_seed(engine, cleaned),
        "references": [
            {"sha256": each.reference.blob_id, "role": each.role} for each in references
        ],
    }


def most(engine: catalog.Engine) -> int:
    """How many of a run may be asked for at once."""
    return min(MAX_COUNT, engine.count_max or MAX_COUNT)


def count_problem(engine: catalog.Engine, count: int) -> FieldError | None:
    """What is wrong with asking for so many."""
    if 1 <= count <= most(engine):
        return None
    message = N_("Choose a number of pictures from 1 to %(max)s.")
    if engine.kind == "video":
        message = N_("Choose a number of videos from 1 to %(max)s.")
    return FieldError("count", message, {"max": most(engine)})
