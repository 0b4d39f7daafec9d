"""The image models of the visual API (即梦). Figures: wire-protocol.md 2.5."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from generations.providers.base import N_
from generations.providers.engine import Engine, OutputRule, ReferenceRule, one_or_set
from generations.providers.parameters import BoolParam, Choice, NumberParam, SeedParam
from generations.providers.sizes import (
    AutoSize,
    FixedRatios,
    RatioRule,
    SizeParam,
    SizePreset,
    both_ways,
)

# --- Image 4.0 ----------------------------------------------------------------------------------


def _image_4_size(*large: tuple[int, int, str]) -> SizeParam:
    """Sizes of the 4.x images; `large` are the 4K shapes, which each page gives a pixel apart."""
    return SizeParam(
        name="size",
        label=N_("Size"),
        help=N_("2K is what the model does best. Width and height count only together."),
        presets=(
            *both_ways(
                "2K",
                (2048, 2048, "1:1"),
                (2304, 1728, "4:3"),
                (2496, 1664, "3:2"),
                (2560, 1440, "16:9"),
                (3024, 1296, "21:9"),
            ),
            *both_ways("4K", (4096, 4096, "1:1"), *large),
            *both_ways("1K", (1024, 1024, "1:1")),
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


_SIZE = _image_4_size(
    (4694, 3520, "4:3"), (4992, 3328, "3:2"), (5404, 3040, "16:9"), (6198, 2656, "21:9")
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
_SINGLE = one_or_set("force_single")
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
    minimum=Decimal("0.0626"),  # the lowest ratio itself can only be a smallest one
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
    labels=("visible", "implicit"),
)

# --- Image 4.6 ----------------------------------------------------------------------------------

_SIZE_46 = _image_4_size(
    (4693, 3520, "4:3"), (4992, 3328, "3:2"), (5404, 3040, "16:9"), (6197, 2656, "21:9")
)
_SCALE_46 = replace(
    _SCALE, minimum=Decimal(1), maximum=Decimal(100), step=Decimal(1), decimals=0, default="50"
)
# Its page leaves the lowest ratio itself out.
_MIN_RATIO_46 = replace(_MIN_RATIO, minimum=Decimal("0.0626"))

JIMENG_IMAGE_46 = replace(
    JIMENG_IMAGE_40,
    slug="jimeng-image-4.6",
    label=N_("Jimeng Image 4.6"),
    good_for=N_("The newest: finer detail and lettering, up to 14 references"),
    # Other spellings (`jimeng_t2i_v46`) are in no official page.
    req_key="jimeng_seedream46_cvtob",
    params=(_SIZE_46, _SCALE_46, _SINGLE, _MIN_RATIO_46, _MAX_RATIO),
    rules=(RatioRule(_SIZE_46, _MIN_RATIO_46, _MAX_RATIO),),
    references=replace(JIMENG_IMAGE_40.references, maximum=14),
)

# --- Image 3.1: text to picture only, and repeatable ----------------------------------------

NO_REFERENCES = ReferenceRule(
    maximum=0,
    formats=(),
    max_bytes=0,
    max_side=0,
    min_ratio=Fraction(1, 3),
    max_ratio=Fraction(3),
    transport="url",
)
ONE_EACH = OutputRule(max_total=1, can_force_single=False)
_SIZE_31 = SizeParam(
    name="size",
    label=_SIZE.label,
    help=N_("Width and height count only together."),
    presets=(
        *both_ways(
            "1K",
            (1328, 1328, "1:1"),
            (1472, 1104, "4:3"),
            (1584, 1056, "3:2"),
            (1664, 936, "16:9"),
            (2016, 864, "21:9"),
        ),
        *(preset for preset in _SIZE.presets if preset.tier == "2K"),
    ),
    autos=(),
    default="1328x1328",
    min_area=512 * 512,
    max_area=2048 * 2048,
    # What the area and the widest ratio (3) leave for one side.
    min_side=296,
    max_side=3547,
    hint="",
    hint_below=0,
)
SEED = SeedParam(
    name="seed",
    label=N_("Seed"),
    help=N_(
        "The same seed gives the same picture again. Left empty, the studio draws one and keeps it; "
        "of several pictures in a run, each takes the next number."
    ),
    # The page names no upper end; Ark's does, and every provider's integer holds it.
    maximum=2**31 - 1,
)
_EXPAND = BoolParam(
    name="expand",
    form_field="rewriting",
    wire_name="use_pre_llm",
    label=N_("Prompt"),
    help=N_("A short prompt gains from being written out by the provider; a precise one loses."),
    yes=Choice("rewritten", N_("Written out"), N_("The provider adds detail before painting.")),
    no=Choice("as-written", N_("As written"), N_("Every word counts as it stands.")),
    default=True,
)

JIMENG_IMAGE_31 = Engine(
    slug="jimeng-image-3.1",
    revision=1,
    label=N_("Jimeng Image 3.1"),
    good_for=N_("Text to picture that can be repeated: it takes a seed"),
    kind="image",
    provider="jimeng",
    req_key="jimeng_t2i_v31",
    prompt_max=800,
    prompt_advised=120,
    params=(_SIZE_31, _EXPAND, SEED),
    rules=(FixedRatios(_SIZE_31, Fraction(1, 3), Fraction(3)),),
    references=NO_REFERENCES,
    outputs=ONE_EACH,
    price_unit="image",
    typical_latency_s=8.0,
    deadline_s=12 * 3600.0,
    labels=("visible", "implicit"),
)

# --- General 2.0, the model before Jimeng: answers at once, no longer on offer -------------------

GENERAL_20 = Engine(
    slug="general-2.0",
    revision=1,
    label="General 2.0",
    good_for="",
    kind="image",
    provider="jimeng",
    req_key="general_v2.0",
    prompt_max=800,
    params=(
        SizeParam(
            name="size",
            label="Size",
            help="",
            presets=(SizePreset(512, 512, "1K", "1:1"), SizePreset(768, 768, "1K", "1:1")),
            autos=(),
            default="512x512",
            min_area=256 * 256,
            max_area=768 * 768,
            min_side=256,
            max_side=768,
            hint="",
            hint_below=0,
        ),
    ),
    rules=(),
    references=NO_REFERENCES,
    outputs=ONE_EACH,
    price_unit="image",
    typical_latency_s=10.0,
    deadline_s=24 * 3600.0,
    synchronous=True,
)
