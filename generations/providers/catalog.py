"""The catalogue: each engine declared once, as data.

The form, its validation, the wire payload, the labels and the docs table all follow from `ENGINES`
(recipes.py does the following). Adding an engine is one entry here. Figures: wire-protocol.md 2.5.
"""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction

from generations.providers.base import N_
from generations.providers.engine import Engine, OutputRule, Param, ReferenceRule
from generations.providers.parameters import (
    BoolParam,
    Choice,
    FieldError,
    NumberParam,
    SettingRow,
    SettingsError,
    SettingValue,
)
from generations.providers.recipes import (
    DocRow,
    PromptError,
    aspect,
    canonical_recipe,
    clean_prompt,
    clean_settings,
    defaults,
    describe_settings,
    docs_table,
    hints,
    max_outputs,
    recipe_sha256,
)
from generations.providers.sizes import AutoSize, RatioRule, SizeParam, SizePreset

__all__ = [
    "ENGINES",
    "AutoSize",
    "BoolParam",
    "Choice",
    "DocRow",
    "Engine",
    "FieldError",
    "NumberParam",
    "OutputRule",
    "Param",
    "PromptError",
    "RatioRule",
    "ReferenceRule",
    "SettingRow",
    "SettingValue",
    "SettingsError",
    "SizeParam",
    "SizePreset",
    "UnknownEngine",
    "aspect",
    "canonical_recipe",
    "clean_prompt",
    "clean_settings",
    "defaults",
    "describe_settings",
    "docs_table",
    "get_engine",
    "hints",
    "max_outputs",
    "recipe_sha256",
]


class UnknownEngine(LookupError):
    """No engine has this slug."""


# --- Jimeng image 4.0 ---------------------------------------------------------------------------


def _both_ways(tier: str, *landscape: tuple[int, int, str]) -> tuple[SizePreset, ...]:
    """Each landscape size and its portrait twin."""
    presets: list[SizePreset] = []
    for width, height, shape in landscape:
        across, down = shape.split(":")
        presets.append(SizePreset(width, height, tier, shape))
        if width != height:
            presets.append(SizePreset(height, width, tier, f"{down}:{across}"))
    return tuple(presets)


_SIZE = SizeParam(
    name="size",
    label=N_("Size"),
    help=N_("2K is what the model does best. Width and height count only together."),
    presets=(
        *_both_ways(
            "2K",
            (2048, 2048, "1:1"),
            (2304, 1728, "4:3"),
            (2496, 1664, "3:2"),
            (2560, 1440, "16:9"),
            (3024, 1296, "21:9"),
        ),
        *_both_ways(
            "4K",
            (4096, 4096, "1:1"),
            (4694, 3520, "4:3"),
            (4992, 3328, "3:2"),
            (5404, 3040, "16:9"),
            (6198, 2656, "21:9"),
        ),
        *_both_ways("1K", (1024, 1024, "1:1")),
    ),
    autos=(
        AutoSize("auto-1k", 1_048_576, "1K", N_("1K, the model picks the shape")),
        AutoSize("auto-2k", 4_194_304, "2K", N_("2K, the model picks the shape")),
        AutoSize("auto-4k", 16_777_216, "4K", N_("4K, the model picks the shape")),
    ),
    default="2048x2048",
    min_area=1_048_576,
    max_area=16_777_216,
    # What the area and the widest ratio (16) leave for one side.
    min_side=256,
    max_side=16_384,
    hint=N_("Below 2K a picture costs the same and shows less detail."),
    hint_below=2560 * 1440,
)
_SCALE = NumberParam(
    name="scale",
    label=N_("Prompt strength"),
    help=N_("How strongly the text shapes the picture, beside the references."),
    minimum=Decimal(0),
    maximum=Decimal(1),
    step=Decimal("0.01"),
    decimals=2,
    default="0.5",
)
_SINGLE = BoolParam(
    name="single",
    form_field="output",
    wire_name="force_single",
    label=N_("Pictures per run"),
    help=N_(
        "As a set, the model decides from the prompt how many pictures to make; each is charged."
    ),
    yes=Choice("single", N_("One picture"), N_("Saves time and money.")),
    no=Choice("set", N_("As a set"), N_("Up to 15 pictures that belong together.")),
    default=True,
)
_RATIO_STEP = Decimal("0.0001")
_MIN_RATIO = NumberParam(
    name="min_ratio",
    label=N_("Smallest ratio"),
    help=N_("Width divided by height of the tallest picture the model may choose."),
    minimum=Decimal("0.0625"),
    maximum=Decimal("15.9999"),
    step=_RATIO_STEP,
    decimals=4,
    default="0.333",
    default_exact=Fraction(1, 3),
    omit_default=True,
)
_MAX_RATIO = NumberParam(
    name="max_ratio",
    label=N_("Largest ratio"),
    help=N_("Width divided by height of the widest picture the model may choose."),
    minimum=Decimal("0.0625"),
    maximum=Decimal("15.9999"),
    step=_RATIO_STEP,
    decimals=4,
    default="3",
    omit_default=True,
)

JIMENG_IMAGE_40 = Engine(
    slug="jimeng-image-4.0",
    revision=1,
    label=N_("Jimeng Image 4.0"),
    good_for=N_("Text to picture up to 4K, sets that belong together, lettering in the picture"),
    kind="image",
    provider="jimeng",
    req_key="jimeng_t2i_v40",
    prompt_max=800,
    params=(_SIZE, _SCALE, _SINGLE, _MIN_RATIO, _MAX_RATIO),
    rules=(RatioRule(_SIZE, _MIN_RATIO, _MAX_RATIO),),
    references=ReferenceRule(
        maximum=10,
        formats=("jpeg", "png"),
        max_bytes=15 * 1024 * 1024,
        max_side=4096,
        min_ratio=Fraction(1, 3),
        max_ratio=Fraction(3),
        transport="url",
    ),
    outputs=OutputRule(max_total=15, can_force_single=True),
    price_unit="image",
    typical_latency_s=12.0,
    deadline_s=12 * 3600.0,
)

ENGINES: dict[str, Engine] = {engine.slug: engine for engine in (JIMENG_IMAGE_40,)}


def get_engine(slug: str) -> Engine:
    """The engine called `slug`, or UnknownEngine."""
    try:
        return ENGINES[slug]
    except KeyError:
        raise UnknownEngine(slug) from None
