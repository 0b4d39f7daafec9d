"""What a person or a program types becomes one canonical spelling, or a clear sentence."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations.providers import catalog, get_provider
from tests.providers.settings import DEFAULTS, ENGINE, clean, problems


def test_nothing_given_means_the_defaults() -> None:
    assert clean() == DEFAULTS == dict(catalog.defaults(ENGINE))
    blank = {"size": "", "width": " ", "height": None, "scale": "", "output": "", "min_ratio": None}
    assert clean(**blank) == DEFAULTS


@pytest.mark.parametrize(
    ("raw", "size"),
    [
        ({"size": "2048x2048"}, "2048x2048"),
        ({"size": "2048×2048"}, "2048x2048"),
        ({"size": " 2048 X 2048 "}, "2048x2048"),
        ({"size": "2048*2048"}, "2048x2048"),
        ({"size": "２０４８ｘ２０４８"}, "2048x2048"),
        ({"size": "02048x2048"}, "2048x2048"),
        ({"size": "1234x1500"}, "1234x1500"),
        ({"size": "auto-2k"}, "auto-2k"),
        ({"size": "AUTO-4K"}, "auto-4k"),
        ({"size": "custom", "width": "1200", "height": "1600"}, "1200x1600"),
        ({"size": "custom", "width": "１２００", "height": " 1600 "}, "1200x1600"),
        ({"size": "Custom", "width": 1200, "height": 1600.0}, "1200x1600"),
        ({"width": "1200", "height": "1600"}, "1200x1600"),
        ({"size": "2048x2048", "width": "2048", "height": "2048"}, "2048x2048"),
        ({"size": "2048x2048", "width": "", "height": ""}, "2048x2048"),
        # the edges of area and ratio
        ({"size": "1024x1024"}, "1024x1024"),
        ({"size": "4096x4096"}, "4096x4096"),
        ({"size": "3072x1024"}, "3072x1024"),
        ({"size": "1024x3072"}, "1024x3072"),
        ({"size": "16384x1025", "max_ratio": "15.9999"}, None),
        ({"size": "16000x1001", "max_ratio": "15.9999"}, "16000x1001"),
    ],
)
def test_sizes(raw: dict[str, object], size: str | None) -> None:
    if size is None:
        assert problems(**raw)[0].field == "size"
    else:
        assert clean(**raw)["size"] == size


@pytest.mark.parametrize(
    ("raw", "canonical"),
    [
        ("0.5", "0.5"),
        ("0.50", "0.5"),
        (".5", "0.5"),
        ("+0.5", "0.5"),
        ("０．５", "0.5"),
        (0.5, "0.5"),
        (Decimal("0.500"), "0.5"),
        ("1", "1"),
        ("1.", "1"),
        ("1.00", "1"),
        (1, "1"),
        ("0", "0"),
        ("-0", "0"),
        ("-0.0", "0"),
        (-0.0, "0"),
        (0, "0"),
        ("0.01", "0.01"),
        ("00.10", "0.1"),
        (Decimal("1E-2"), "0.01"),
    ],
)
def test_numbers_have_one_spelling(raw: object, canonical: str) -> None:
    assert clean(scale=raw)["scale"] == canonical


@pytest.mark.parametrize(
    ("raw", "single"),
    [
        ({"output": "single"}, True),
        ({"output": "SET"}, False),
        ({"single": True}, True),
        ({"single": False}, False),
        ({"single": "false"}, False),
        ({"single": 1}, True),
        ({"single": False, "output": "set"}, False),
    ],
)
def test_single_or_a_set(raw: dict[str, object], single: bool) -> None:
    assert clean(**raw)["single"] is single


BAD: list[tuple[dict[str, object], dict[str, str]]] = [
    # raw, {field: part of the sentence}
    ({"size": "custom"}, {"width": "both width and height", "height": "both width and height"}),
    ({"size": "custom", "width": "2048"}, {"height": "both width and height"}),
    ({"height": "2048"}, {"width": "both width and height"}),
    ({"width": "12a", "height": "2048"}, {"width": "“12a” is not a whole number"}),
    ({"width": "2048.5", "height": 2048}, {"width": "“2048.5” is not a whole number"}),
    ({"width": "2,048", "height": "2048"}, {"width": "not a whole number"}),
    ({"width": "1e3", "height": "2048"}, {"width": "not a whole number"}),
    ({"width": True, "height": "2048"}, {"width": "not a whole number"}),
    ({"width": [2048], "height": "2048"}, {"width": "not a whole number"}),
    ({"width": float("nan"), "height": 2048}, {"width": "not a whole number"}),
    ({"width": "-2048", "height": "-2048"}, {"width": "256 to 16384", "height": "256 to 16384"}),
    ({"width": "0", "height": "2048"}, {"width": "256 to 16384"}),
    ({"width": "9" * 900, "height": "2048"}, {"width": "256 to 16384"}),
    ({"width": 10**5000, "height": 2048}, {"width": "256 to 16384"}),
    ({"width": "9" * 5000, "height": "x" * 5000}, {"width": "256", "height": "not a whole"}),
    ({"size": "512x512"}, {"size": "262,144 pixels: this model makes 1,048,576 to 16,777,216"}),
    ({"size": "8000x8000"}, {"size": "64,000,000 pixels"}),
    ({"size": "1024x1023"}, {"size": "1,047,552 pixels"}),
    ({"size": "4096x4097"}, {"size": "16,781,312 pixels"}),
    ({"size": "0x0"}, {"size": "0 pixels"}),
    ({"width": "300", "height": "300"}, {"size": "90,000 pixels"}),
    ({"size": "2k"}, {"size": "“2k” is not a size"}),
    ({"size": "2048"}, {"size": "“2048” is not a size"}),
    ({"size": "2048x"}, {"size": "is not a size"}),
    ({"size": "-2048x2048"}, {"size": "is not a size"}),
    ({"size": "2048x2048x2048"}, {"size": "is not a size"}),
    ({"size": "9999999x1"}, {"size": "is not a size"}),
    ({"size": "x" * 5000}, {"size": "is not a size"}),
    ({"size": "2048x2048", "width": "1024", "height": "1024"}, {"size": "custom size"}),
    ({"size": "2048x2048", "width": "2048"}, {"size": "custom size"}),
    ({"size": "auto-2k", "width": "2048", "height": "2048"}, {"size": "custom size"}),
    ({"size": "3073x1024"}, {"size": "3073 : 1024 is outside the ratios 0.333 to 3"}),
    ({"size": "1024x3073"}, {"size": "1024 : 3073 is outside"}),
    ({"size": "2560x1440", "max_ratio": "1"}, {"size": "outside the ratios 0.333 to 1"}),
    ({"size": "1440x2560", "min_ratio": "1"}, {"size": "outside the ratios 1 to 3"}),
    ({"min_ratio": "2", "max_ratio": "1"}, {"max_ratio": "must not be below"}),
    ({"min_ratio": "4"}, {"max_ratio": "must not be below"}),
    ({"min_ratio": "0.0624"}, {"min_ratio": "from 0.0625 to 15.9999"}),
    ({"max_ratio": "16"}, {"max_ratio": "from 0.0626 to 15.9999"}),
    ({"min_ratio": "0.33333"}, {"min_ratio": "at most 4 decimals"}),
    ({"scale": "0.555"}, {"scale": "at most 2 decimals"}),
    ({"scale": "0." + "5" * 900}, {"scale": "at most 2 decimals"}),
    ({"scale": "1.01"}, {"scale": "from 0 to 1"}),
    ({"scale": "-0.01"}, {"scale": "from 0 to 1"}),
    ({"scale": "9" * 900}, {"scale": "from 0 to 1"}),
    ({"scale": 10**5000}, {"scale": "from 0 to 1"}),
    ({"scale": 1e308}, {"scale": "from 0 to 1"}),
    ({"scale": "9" * 5000}, {"scale": "from 0 to 1"}),
    ({"scale": "nan"}, {"scale": "“nan” is not a number"}),
    ({"scale": float("inf")}, {"scale": "is not a number"}),
    ({"scale": Decimal("NaN")}, {"scale": "is not a number"}),
    ({"scale": "half"}, {"scale": "“half” is not a number"}),
    ({"scale": "0,5"}, {"scale": "is not a number"}),
    ({"scale": "1/2"}, {"scale": "is not a number"}),
    ({"scale": "5e-1"}, {"scale": "is not a number"}),
    ({"scale": "."}, {"scale": "is not a number"}),
    ({"scale": True}, {"scale": "“True” is not a number"}),
    ({"scale": ["0.5"]}, {"scale": "is not a number"}),
    ({"output": "many"}, {"output": "Choose “single” or “set”"}),
    ({"output": "single", "single": False}, {"output": "Choose “single” or “set”"}),
    ({"single": "maybe"}, {"output": "Choose “single” or “set”"}),
    ({"seed": 7}, {"seed": "no setting called “seed”"}),
    ({"req_key": "x"}, {"req_key": "no setting called"}),
    (
        {"seed": "1", "size": "x", "scale": "x", "output": "x", "min_ratio": "x", "max_ratio": "x"},
        dict.fromkeys(("seed", "size", "scale", "output", "min_ratio", "max_ratio"), ""),
    ),
]


@pytest.mark.parametrize(("raw", "expected"), BAD, ids=range(len(BAD)))
def test_every_problem_is_told_at_its_field(
    raw: dict[str, object], expected: dict[str, str]
) -> None:
    found = problems(**raw)
    assert [each.field for each in found] == list(expected) or {
        each.field for each in found
    } == set(expected)
    for each in found:
        sentence = each.message % each.params
        assert expected[each.field] in sentence
        assert len(sentence) < 120, "nothing of any length is repeated to the reader"


@given(
    st.dictionaries(
        st.sampled_from(
            ["size", "width", "height", "scale", "output", "single", "min_ratio", "max_ratio"]
        ),
        st.none()
        | st.booleans()
        | st.integers()
        | st.floats()
        | st.text(max_size=12)
        | st.from_regex(r"\d{3,5}[x×*]\d{3,5}", fullmatch=True)
        | st.decimals()
        | st.sampled_from(["custom", "auto-1k", "single", "set", "1600", "0.5", "15"]),
    )
)
def test_any_input_is_cleaned_or_refused_and_cleaning_is_idempotent(raw: dict[str, Any]) -> None:
    try:
        cleaned = catalog.clean_settings(ENGINE, raw)
    except catalog.SettingsError as error:
        assert error.errors
        assert all(each.message % each.params for each in error.errors)
    else:
        assert set(cleaned) == set(DEFAULTS)
        assert catalog.clean_settings(ENGINE, cleaned) == cleaned
        body = get_provider("jimeng").build(ENGINE, "x", cleaned).body
        sent = json.loads(body)
        area = sent.get("size") or sent["width"] * sent["height"]
        assert 1048576 <= area <= 16777216
        assert 0 <= sent["scale"] <= 1
