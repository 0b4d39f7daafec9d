"""The engine under test, its defaults, and the two outcomes of cleaning."""

from __future__ import annotations

import pytest

from generations.providers import catalog
from generations.providers.catalog import FieldError

ENGINE = catalog.get_engine("jimeng-image-4.0")
DEFAULTS = {
    "size": "2048x2048",
    "scale": "0.5",
    "single": True,
    "min_ratio": "0.333",
    "max_ratio": "3",
}


def clean(**raw: object) -> dict[str, object]:
    return dict(catalog.clean_settings(ENGINE, raw))


def problems(**raw: object) -> list[FieldError]:
    with pytest.raises(catalog.SettingsError) as caught:
        catalog.clean_settings(ENGINE, raw)
    return caught.value.errors
