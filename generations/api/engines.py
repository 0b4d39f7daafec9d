"""The catalogue as programs read it: each engine's settings as JSON Schema (draft 2020-12)."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from django.utils.translation import gettext as _

from generations.api import schemas
from generations.providers import catalog
from generations.services import accounts, compose

# Any of these kinds is taken; a choice may also be written as a word or a number.
SIZE = r"^[0-9]{1,6}x[0-9]{1,6}$"


def engines() -> list[schemas.Engine]:
    """Every engine there is a key for, in the catalogue's order, in the reader's language."""
    return [_engine(each) for each in accounts.offered()]


def _engine(engine: catalog.Engine) -> schemas.Engine:
    rule, outputs = engine.references, engine.outputs
    return schemas.Engine(
        slug=engine.slug,
        label=_(engine.label),
        good_for=_(engine.good_for),
        kind=engine.kind,
        revision=engine.revision,
        prompt_max=engine.prompt_max,
        typical_latency_s=engine.typical_latency_s,
        price_unit=engine.price_unit,
        count_max=compose.most(engine),
        references=schemas.References(
            minimum=rule.minimum,
            maximum=rule.maximum,
            formats=list(rule.formats),
            max_bytes=rule.max_bytes,
            min_side=rule.min_side,
            max_side=rule.max_side,
        ),
        outputs=schemas.Outputs(
            max_total=outputs.max_total, can_force_single=outputs.can_force_single
        ),
        settings=settings_schema(engine),
    )


def settings_schema(engine: catalog.Engine) -> dict[str, Any]:
    """What `settings` may hold for an engine. Rules between settings are said when they are broken."""
    return {
        "type": "object",
        "additionalProperties": False,
        "properties": {param.name: _property(param) for param in engine.params},
    }


def _property(param: catalog.Param) -> dict[str, Any]:
    told = {"title": _(param.label), "description": _(param.help)}
    return told | _kind(param)


def _kind(param: catalog.Param) -> dict[str, Any]:
    match param:
        case catalog.NumberParam():
            ends = {"minimum": _number(param.minimum), "maximum": _number(param.maximum)}
            return {"type": "number", **ends, "default": _number(Decimal(param.default))}
        case catalog.BoolParam():
            return {"type": "boolean", "default": param.default}
        case catalog.ChoiceParam():
            words = [each.value for each in param.choices]
            return {"type": "string", "enum": words, "default": param.default}
        case catalog.SizeParam():
            return _size(param)
        case catalog.SeedParam():
            return {"type": "integer", "minimum": 0, "maximum": param.maximum}


def _size(param: catalog.SizeParam) -> dict[str, Any]:
    """A word for an area, or width x height within the engine's pixels."""
    if not param.custom:
        return {"type": "string", "enum": list(param.values), "default": param.default}
    words = [each.value for each in param.autos]
    sides = {"pattern": SIZE, "examples": [each.value for each in param.presets]}
    shape = {"anyOf": [{"enum": words}, sides]} if words else sides
    pixels = {"x-min-pixels": param.min_area, "x-max-pixels": param.max_area}
    return {"type": "string", "default": param.default, **pixels, **shape}


def _number(value: Decimal) -> int | float:
    return int(value) if value == value.to_integral_value() else float(value)
