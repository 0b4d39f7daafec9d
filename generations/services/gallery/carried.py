"""Recipes that files carry: our own manifest, or the XMP of a picture we exported. All of it untrusted."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import islice
from typing import Any

from generations.models import Project, Reference, ReferenceRole, User
from generations.providers import catalog
from generations.providers.parameters import canonical
from generations.services import engines, packets, xmp
from generations.services.library.picks import Pick

MOST = 100  # recipes offered from one manifest
MOST_JSON = 5 * 1024 * 1024
PROMPT_MAX = 4000
_TAG = f"{{{xmp.NAMESPACE}}}{xmp.PROPERTY.partition(':')[2]}"
Value = str | int | bool | None


@dataclass(frozen=True, slots=True)
class Recipe:
    """What could be read: plain values only, and nothing checked against the catalogue yet."""

    engine: str
    prompt: str
    settings: dict[str, Value]
    references: list[tuple[str, str]]  # sha256 and role


@dataclass(slots=True)
class Restored:
    """A recipe as far as this studio can repeat it, and what it cannot, by name."""

    recipe: Recipe
    engine: catalog.Engine | None
    settings: dict[str, str | int | bool]
    picks: list[Pick]
    left_out: list[str] = field(default_factory=list)
    missing: int = 0


def read(data: bytes) -> list[Recipe]:
    """Every recipe in a file's bytes, at most MOST; none for anything else, whatever it holds."""
    is_json = data[:200].lstrip()[:1] in (b"{", b"[")
    return list(islice(_of_json(data) if is_json else _of_picture(data), MOST))


def _of_json(data: bytes) -> Iterator[Recipe]:
    told = _json(data[: MOST_JSON + 1]) if len(data) <= MOST_JSON else None
    if not isinstance(told, dict):
        return
    files = told.get("files")
    rows = files[:MOST] if isinstance(files, list) else [told]
    for row in rows:
        made = _recipe(row.get("recipe") if isinstance(row, dict) else None)
        if made:
            yield made


def _of_picture(data: bytes) -> Iterator[Recipe]:
    try:
        for packet in xmp.packets(data):
            for text in packets.texts(packet, _TAG, xmp.MOST_PACKET):
                told = _json(text.encode("utf-8", "replace"))
                made = _recipe(told.get("recipe") if isinstance(told, dict) else None)
                if made:
                    yield made
    except xmp.CannotInsert:
        return


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None


def _recipe(told: object) -> Recipe | None:
    if not isinstance(told, dict) or not isinstance(told.get("prompt"), str):
        return None
    settings, references = told.get("settings"), told.get("references")
    return Recipe(
        engine=_plain(told.get("engine"), 60),
        prompt=_plain(told["prompt"], PROMPT_MAX),
        settings=_values(settings if isinstance(settings, dict) else {}),
        references=[
            (_plain(each.get("sha256"), 64), _plain(each.get("role"), 11))
            for each in (references if isinstance(references, list) else [])[:15]
            if isinstance(each, dict)
        ],
    )


def _values(given: dict[object, object]) -> dict[str, Value]:
    """A recipe's settings by name; None for a value that no form can hold, so that it is missed."""
    return {_plain(name, 60): _value(value) for name, value in list(given.items())[:50]}


def _value(value: object) -> Value:
    if isinstance(value, int):
        return value
    if isinstance(value, float):
        # Our recipes spell decimals as text. What is cut would be another number, perhaps a good one.
        value = canonical(Decimal(repr(value))) if math.isfinite(value) else None
    return _plain(value, 60) if isinstance(value, str) and len(value) <= 60 else None


def _plain(value: object, most: int) -> str:
    """Text without what no form can post: NUL and unpaired surrogates."""
    text = value if isinstance(value, str) else ""
    return text.replace("\0", "").encode("utf-8", "ignore").decode()[:most]


def restore(*, recipe: Recipe, user: User, project: Project | None = None) -> Restored:
    """Fit a recipe to today's catalogue and to what the person, and the project, may use."""
    engine = engines.permitted(project).get(recipe.engine)
    restored = Restored(recipe, engine, {}, [])
    if engine is None:
        restored.left_out += [recipe.engine] if recipe.engine else []
    else:
        restored.settings, bad = _settings(engine, recipe.settings)
        restored.left_out += bad
    _references(restored, user)
    return restored


def _settings(
    engine: catalog.Engine, given: dict[str, Value]
) -> tuple[dict[str, str | int | bool], list[str]]:
    """The settings this model takes as they are, and the names of the others."""
    names = {field: param.name for param in engine.params for field in (param.name, *param.fields)}
    kept = {
        name: value
        for name, value in given.items()
        if value is not None and names.get(name) == name
    }
    bad = [name for name in given if name not in kept]
    # What is wrong with one may only show when another is gone.
    while wrong := _wrong(engine, kept, names):
        bad += sorted(wrong)
        kept = {name: value for name, value in kept.items() if name not in wrong}
    return kept, bad


def _wrong(engine: catalog.Engine, settings: dict[str, Any], names: dict[str, str]) -> set[str]:
    """The settings that hold a value this model refuses, alone or beside another's default."""
    found = {names.get(field, field) for field in _refused(engine, settings)}
    if not found or found & set(settings):
        return found & set(settings)
    for name in settings:
        if not _refused(engine, {one: value for one, value in settings.items() if one != name}):
            return {name}
    return set(settings)


def _refused(engine: catalog.Engine, settings: dict[str, Any]) -> set[str]:
    try:
        catalog.clean_settings(engine, settings)
    except catalog.SettingsError as problem:
        return {error.field for error in problem.errors}
    return set()


def _references(restored: Restored, user: User) -> None:
    hashes = [sha256 for sha256, _role in restored.recipe.references]
    rows = Reference.objects.visible_to(user).filter(hidden_at=None, blob__in=hashes)
    known = {each.blob_id: each for each in rows.order_by("-pk")}
    for sha256, role in restored.recipe.references:
        found = known.get(sha256)
        if found is None:
            restored.missing += 1
            continue
        kept = role if role in ReferenceRole.values else ReferenceRole.ANY
        restored.picks.append(Pick(str(found.public_id), kept, found))
