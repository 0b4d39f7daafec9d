"""A recipe's settings as a form posts them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from generations.providers import catalog
from generations.services import engines


def raw_recipe(slug: str, settings: Mapping[str, Any]) -> dict[str, object]:
    """A recipe's settings under the raw keys a form posts; nothing of an engine that has gone, or of a
    value that it does not take any more.
    """
    engine = engines.find(slug)
    if engine is None:
        return {}
    raw: dict[str, object] = {"engine": engine.slug}
    left_out = catalog.unfit(engine, settings)
    for param in engine.params:
        value = settings.get(param.name)
        if value is None or param in left_out:
            continue
        if isinstance(param, catalog.BoolParam):
            raw[param.form_field] = (param.yes if value else param.no).value
        elif isinstance(param, catalog.SizeParam) and not _on_offer(param, str(value)):
            width, _x, height = str(value).partition("x")
            raw |= {param.name: param.CUSTOM, "width": width, "height": height}
        else:
            raw[param.name] = value
    return raw


def _on_offer(param: catalog.SizeParam, value: str) -> bool:
    return param.auto(value) is not None or value in {each.value for each in param.presets}
