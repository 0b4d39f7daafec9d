"""The Seedream models on Ark. Figures: the table of wire-protocol.md section 3.

Where its pages disagree (how many references 4.0 takes, and how large) the smaller figure stands here:
a request within it is accepted by both.
"""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from fractions import Fraction

from generations.providers.base import N_
from generations.providers.engine import Engine, OutputRule, Param, ReferenceRule, one_or_set
from generations.providers.parameters import BoolParam, Choice, ChoiceParam, NumberParam
from generations.providers.sizes import AutoSize, FixedRatios, SizeParam, SizePreset, both_ways

# --- Sizes --------------------------------------------------------------------------------------

_1K = (
    (1024, 1024, "1:1"),
    (1152, 864, "4:3"),
    (1248, 832, "3:2"),
    (1280, 720, "16:9"),
    (1512, 648, "21:9"),
)
_15K = (
    (1536, 1536, "1:1"),
    (1728, 1296, "4:3"),
    (1872, 1248, "3:2"),
    (2048, 1152, "16:9"),
    (2268, 972, "21:9"),
)
_2K = (
    (2048, 2048, "1:1"),
    (2304, 1728, "4:3"),
    (2496, 1664, "3:2"),
    (2560, 1440, "16:9"),
    (3024, 1296, "21:9"),
)
_3K = (
    (3072, 3072, "1:1"),
    (3456, 2592, "4:3"),
    (3744, 2496, "3:2"),
    (4096, 2304, "16:9"),
    (4704, 2016, "21:9"),
)
_4K = (
    (4096, 4096, "1:1"),
    (4704, 3520, "4:3"),
    (4992, 3328, "3:2"),
    (5504, 3040, "16:9"),
    (6240, 2656, "21:9"),
)
_AUTOS = {
    "1K": AutoSize("auto-1k", 1024**2, "1K", N_("1K, the model picks the shape"), "1K"),
    "1.5K": AutoSize("auto-1.5k", 1536**2, "1.5K", N_("1.5K, the model picks the shape"), "1.5K"),
    "2K": AutoSize("auto-2k", 2048**2, "2K", N_("2K, the model picks the shape"), "2K"),
    "3K": AutoSize("auto-3k", 3072**2, "3K", N_("3K, the model picks the shape"), "3K"),
    "4K": AutoSize("auto-4k", 4096**2, "4K", N_("4K, the model picks the shape"), "4K"),
}
_RATIOS = Fraction(1, 16), Fraction(16)


def _size(low: int, high: int, **tiers: tuple[tuple[int, int, str], ...]) -> SizeParam:
    """`low` and `high` are areas in pixels; a side is what they and the widest ratio leave for it.

    A tier's name is written as in `k2`, `k1_5`.
    """
    names = {f"{each.removeprefix('k').replace('_', '.')}K": each for each in tiers}
    presets: list[SizePreset] = []
    for name, key in names.items():
        presets += both_ways(name, *tiers[key])
    return SizeParam(
        name="size",
        label=N_("Size"),
        help=N_("A class lets the model pick the shape; width and height count only together."),
        presets=tuple(presets),
        autos=tuple(_AUTOS[name] for name in names),
        default="2048x2048",
        min_area=low,
        max_area=high,
        min_side=_root(low // 16),
        max_side=_root(high * 16),
        hint="",
        hint_below=0,
    )


def _root(area: int) -> int:
    return int(Decimal(area).sqrt())


_SIZE_40 = replace(
    _size(921_600, 16_777_216, k1=_1K, k2=_2K, k4=_4K),
    hint=N_("Below 2K a picture costs the same and shows less detail."),
    hint_below=2560 * 1440,
)
_SIZE_45 = _size(3_686_400, 16_777_216, k2=_2K, k4=_4K)
_SIZE_50_LITE = _size(3_686_400, 16_777_216, k2=_2K, k3=_3K, k4=_4K)
_SIZE_50_PRO = _size(921_600, 4_624_220, k1=_1K, k1_5=_15K, k2=_2K)

# --- The other settings -------------------------------------------------------------------------

_SINGLE = one_or_set("sequential_image_generation")
_MOST = NumberParam(
    name="max_images",
    label=N_("Pictures in a set, at most"),
    help=N_("Counts only for a set. References and pictures together are at most 15."),
    minimum=Decimal(1),
    maximum=Decimal(15),
    step=Decimal(1),
    decimals=0,
    default="4",
)
_MARK = BoolParam(
    name="watermark",
    form_field="mark",
    wire_name="watermark",
    label=N_("Watermark"),
    help=N_("The provider's “AI generated” in the lower right corner."),
    yes=Choice("marked", N_("With watermark")),
    no=Choice("unmarked", N_("Without watermark")),
    default=False,
)
_REWRITE = ChoiceParam(
    name="optimize_prompt",
    label=N_("Prompt rewriting"),
    help=N_("Before painting, the provider writes the prompt out."),
    choices=(
        Choice("standard", N_("Thorough"), N_("Better pictures.")),
        Choice("fast", N_("Quick"), N_("Done sooner, a little plainer.")),
    ),
    default="standard",
)
_FORMAT = ChoiceParam(
    name="output_format",
    label=N_("File format"),
    help=N_("PNG keeps every pixel and is several times as large."),
    choices=(Choice("jpeg", "JPEG"), Choice("png", "PNG")),
    default="jpeg",
)

# --- The engines --------------------------------------------------------------------------------

_REFERENCES = ReferenceRule(
    maximum=14,
    formats=("jpeg", "png"),
    max_bytes=10_000_000,
    max_side=4096,
    min_ratio=_RATIOS[0],
    max_ratio=_RATIOS[1],
    transport="data",
    min_side=15,
)
_SETS = OutputRule(max_total=15, can_force_single=True, limited_by="max_images")


def _seedream(
    slug: str, label: str, good_for: str, model: str, size: SizeParam, *params: Param, **more: float
) -> Engine:
    return Engine(
        slug=slug,
        revision=1,
        label=label,
        good_for=good_for,
        kind="image",
        provider="ark",
        req_key=model,
        # No page names a limit; this is far above what they advise.
        prompt_max=2000,
        prompt_advised=300,
        params=(size, *params),
        rules=(FixedRatios(size, *_RATIOS),),
        references=_REFERENCES,
        outputs=_SETS,
        price_unit="image",
        typical_latency_s=more.get("seconds", 20.0),
        deadline_s=24 * 3600.0,
        synchronous=True,
        labels=("visible",),
    )


SEEDREAM_40 = replace(
    _seedream(
        "seedream-4.0",
        N_("Seedream 4.0"),
        N_("Text to picture up to 4K on Ark, and sets whose pictures arrive one by one"),
        "doubao-seedream-4-0-250828",
        _SIZE_40,
        _SINGLE,
        _MOST,
        _MARK,
        _REWRITE,
        seconds=15.0,
    ),
    references=replace(_REFERENCES, maximum=10, min_ratio=Fraction(1, 3), max_ratio=Fraction(3)),
)
SEEDREAM_45 = _seedream(
    "seedream-4.5",
    N_("Seedream 4.5"),
    N_("Finer lettering and steadier faces, from 2K to 4K, up to 14 references"),
    "doubao-seedream-4-5-251128",
    _SIZE_45,
    _SINGLE,
    _MOST,
    _MARK,
)
SEEDREAM_50_LITE = _seedream(
    "seedream-5.0-lite",
    N_("Seedream 5.0 lite"),
    N_("The newer generation, from 2K to 4K, as JPEG or PNG"),
    "doubao-seedream-5-0-260128",
    _SIZE_50_LITE,
    _SINGLE,
    _MOST,
    _MARK,
    _FORMAT,
)
SEEDREAM_50_PRO = replace(
    _seedream(
        "seedream-5.0-pro",
        N_("Seedream 5.0 pro"),
        N_("The most exact of them: one picture a run, up to 2K"),
        "doubao-seedream-5-0-pro-260628",
        _SIZE_50_PRO,
        _MARK,
        _REWRITE,
        _FORMAT,
        seconds=30.0,
    ),
    references=replace(_REFERENCES, maximum=10),
    outputs=OutputRule(max_total=1, can_force_single=False),
)
SEEDREAM = (SEEDREAM_40, SEEDREAM_45, SEEDREAM_50_LITE, SEEDREAM_50_PRO)
