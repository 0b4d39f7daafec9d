"""The declarations are sound, and a page can show what follows from them."""

from __future__ import annotations

import re
from decimal import Decimal

import pytest

from generations.providers import catalog, get_provider, parameters
from generations.providers.catalog import NumberParam, SizeParam
from generations.providers.engine import Engine
from generations.providers.sizes import dimensions
from tests.providers.settings import DEFAULTS, ENGINE


@pytest.mark.parametrize("engine", catalog.ENGINES.values(), ids=lambda engine: engine.slug)
def test_a_declaration_is_sound(engine: Engine) -> None:
    assert re.fullmatch(r"[a-z0-9.-]{1,60}", engine.slug)
    assert catalog.ENGINES[engine.slug] is engine
    assert get_provider(engine.provider).slug == engine.provider
    assert engine.revision >= 1
    assert 0 < engine.typical_latency_s < engine.deadline_s
    assert engine.label and engine.good_for
    fields = [name for param in engine.params for name in param.fields]
    assert len(fields) == len(set(fields))
    for param in engine.params:
        assert param.label and param.help
        assert engine.param(param.name) is param
    with pytest.raises(KeyError):
        engine.param("nothing")


@pytest.mark.parametrize("engine", catalog.ENGINES.values(), ids=lambda engine: engine.slug)
def test_defaults_are_canonical_and_every_preset_is_accepted(engine: Engine) -> None:
    usual = catalog.defaults(engine)
    assert catalog.clean_settings(engine, usual) == usual
    for param in engine.params:
        if isinstance(param, SizeParam):
            for value in [*(p.value for p in param.presets), *(a.value for a in param.autos)]:
                assert catalog.clean_settings(engine, {"size": value})["size"] == value


def test_a_browser_can_hold_every_default_and_limit() -> None:
    """<input type=number> accepts min + n × step only, so the default must be on that grid."""
    for param in ENGINE.params:
        if isinstance(param, NumberParam):
            for value in (Decimal(param.default), param.maximum):
                assert (value - param.minimum) % param.step == 0


def test_the_documented_sizes() -> None:
    size = ENGINE.param("size")
    assert isinstance(size, SizeParam)
    values = {preset.value for preset in size.presets}
    landscape = "1024x1024 2048x2048 2304x1728 2496x1664 2560x1440 3024x1296 4096x4096"
    landscape += " 4694x3520 4992x3328 5404x3040 6198x2656"
    for value in landscape.split():
        width, height = value.split("x")
        assert {value, f"{height}x{width}"} <= values
    assert len(values) == 19
    shapes = {(p.width, p.height): p.shape for p in size.presets}
    assert (shapes[2560, 1440], shapes[1440, 2560]) == ("16:9", "9:16")
    assert {p.tier for p in size.presets} == {"1K", "2K", "4K"}
    assert size.presets[0].label == "2048 × 2048"


def test_unknown_engine() -> None:
    with pytest.raises(catalog.UnknownEngine):
        catalog.get_engine("jimeng-image-9")


def test_describe_settings() -> None:
    settings = catalog.clean_settings(ENGINE, {"size": "auto-4k", "output": "set"})
    rows = catalog.describe_settings(ENGINE, settings)
    assert [(row.name, row.value, row.is_default) for row in rows] == [
        ("size", "4K, the model picks the shape", False),
        ("scale", "0.5", True),
        ("single", "As a set", False),
        ("min_ratio", "0.333", True),
        ("max_ratio", "3", True),
    ]
    assert rows[0].raw == "auto-4k"
    assert rows[0].label == "Size"


def test_describe_settings_of_another_revision() -> None:
    rows = catalog.describe_settings(ENGINE, {"size": "odd", "seed": 7})
    assert [(row.name, row.label, row.value) for row in rows] == [
        ("size", "Size", "odd"),
        ("seed", "seed", "7"),
    ]


@pytest.mark.parametrize(
    ("size", "hinted"),
    [
        ("1024x1024", True),
        ("auto-1k", True),
        ("2559x1440", True),
        ("2560x1440", False),
        ("2048x2048", False),
        ("auto-2k", False),
        ("4096x4096", False),
    ],
)
def test_the_hint_below_2k(size: str, hinted: bool) -> None:
    assert bool(catalog.hints(ENGINE, catalog.clean_settings(ENGINE, {"size": size}))) is hinted


@pytest.mark.parametrize(
    ("single", "references", "outputs"),
    [(True, 0, 1), (True, 10, 1), (False, 0, 15), (False, 10, 5), (False, 14, 1), (False, 15, 1)],
)
def test_max_outputs(single: bool, references: int, outputs: int) -> None:
    assert catalog.max_outputs(ENGINE, {"single": single}, references) == outputs


@pytest.mark.parametrize(
    ("settings", "sides"),
    [
        ({"size": "2560x1440"}, (2560, 1440)),
        ({"size": "auto-2k"}, None),
        ({}, None),
    ],
)
def test_aspect(settings: dict[str, str], sides: tuple[int, int] | None) -> None:
    assert catalog.aspect(ENGINE, settings) == sides


def test_dimensions_of_what_is_no_size() -> None:
    assert dimensions(None) is None
    assert dimensions(2048) is None


def test_docs_table() -> None:
    rows = {row.name: row for row in catalog.docs_table(ENGINE)}
    assert list(rows) == list(DEFAULTS)
    assert rows["scale"].accepts == "0 to 1, step 0.01"
    assert rows["size"].default == "2048 × 2048"
    assert "1,048,576 to 16,777,216 pixels" in rows["size"].accepts
    assert rows["single"].accepts == "single or set"
    assert all(row.help and row.label for row in rows.values())


def test_a_unit_is_shown() -> None:
    param = parameters.NumberParam(
        "seconds", "Length", "How long", Decimal(5), Decimal(10), Decimal(5), 0, "5", unit="s"
    )
    assert param.show("5") == "5 s"
    assert param.clean({"seconds": "10.0"}, []) == {"seconds": "10"}
    assert param.exact({}) == 5


def test_the_choices_of_a_yes_or_no() -> None:
    single = ENGINE.param("single")
    assert isinstance(single, parameters.BoolParam)
    assert [choice.value for choice in single.choices] == ["single", "set"]
