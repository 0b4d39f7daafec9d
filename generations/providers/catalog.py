"""The catalogue: each engine declared once, as data.

The form, its validation, the wire payload, the labels and the docs table all follow from `ENGINES`
(recipes.py does the following). Adding an engine is one entry here. Figures: wire-protocol.md 2.5, 2.6, 3.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generations.providers.ark_images import SEEDREAM
from generations.providers.engine import Engine, FrameRule, OutputRule, Param, ReferenceRule
from generations.providers.frames import Crop, centre_crop
from generations.providers.jimeng_images import (
    GENERAL_20,
    JIMENG_IMAGE_31,
    JIMENG_IMAGE_40,
    JIMENG_IMAGE_46,
)
from generations.providers.jimeng_videos import VIDEOS
from generations.providers.parameters import (
    BoolParam,
    Choice,
    ChoiceParam,
    FieldError,
    NumberParam,
    SeedParam,
    SettingRow,
    SettingsError,
    SettingValue,
)
from generations.providers.recipes import (
    DocRow,
    PromptError,
    area,
    aspect,
    canonical_recipe,
    carried,
    check_references,
    clean_prompt,
    clean_settings,
    defaults,
    describe_settings,
    docs_table,
    hints,
    max_outputs,
    recipe_sha256,
    unfit,
    with_seed,
)
from generations.providers.sizes import AutoSize, RatioRule, SizeParam, SizePreset

__all__ = [
    "ENGINES",
    "RETIRED",
    "AutoSize",
    "BoolParam",
    "Choice",
    "ChoiceParam",
    "Crop",
    "DocRow",
    "Engine",
    "FieldError",
    "FrameRule",
    "NumberParam",
    "OutputRule",
    "Param",
    "PromptError",
    "RatioRule",
    "ReferenceRule",
    "SeedParam",
    "SettingRow",
    "SettingValue",
    "SettingsError",
    "SizeParam",
    "SizePreset",
    "UnknownEngine",
    "area",
    "aspect",
    "canonical_recipe",
    "carried",
    "centre_crop",
    "check_references",
    "clean_prompt",
    "clean_settings",
    "defaults",
    "describe_settings",
    "docs_table",
    "get_engine",
    "hints",
    "known_engine",
    "max_outputs",
    "recipe_at",
    "recipe_sha256",
    "unfit",
    "with_seed",
]


class UnknownEngine(LookupError):
    """No engine has this slug."""


ENGINES: dict[str, Engine] = {
    engine.slug: engine
    for engine in (JIMENG_IMAGE_40, JIMENG_IMAGE_46, JIMENG_IMAGE_31, *SEEDREAM, *VIDEOS)
}
# Runs of these still go on and are shown; nothing new is composed for them.
RETIRED: dict[str, Engine] = {engine.slug: engine for engine in (GENERAL_20,)}


def known_engine(slug: str) -> Engine | None:
    """The catalogue's engine called `slug`, on offer or not any more; None if it has none."""
    return ENGINES.get(slug) or RETIRED.get(slug)


def get_engine(slug: str) -> Engine:
    """The catalogue's engine called `slug`, or UnknownEngine."""
    try:
        return ENGINES[slug]
    except KeyError:
        raise UnknownEngine(slug) from None


def recipe_at(engine: Engine | None, recipe: Mapping[str, Any], position: int) -> dict[str, Any]:
    """The recipe of one call of a run: each has a seed of its own, the one after its neighbour's."""
    settings = recipe["settings"]
    seed = engine.seed if engine else None
    if seed is None or not isinstance(settings.get(seed.name), int):
        return dict(recipe)
    return {
        **recipe,
        "settings": {**settings, seed.name: seed.after(settings[seed.name], position)},
    }
