"""Where a picture comes from and what became of it: asset → reference → run → asset, and "run again"."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from generations.models import Asset, Generation, Reference, User

MOST = 12  # of each kind; a picture used in a hundred runs shows the newest


@dataclass(frozen=True, slots=True)
class Step:
    """A neighbour: a run with one of its pictures, or a reference; `edge` is a list of what changed."""

    edge: list[str]
    generation: Generation | None = None
    asset: Asset | None = None
    reference: Reference | None = None


@dataclass(frozen=True, slots=True)
class Lineage:
    """Parents of a picture and its children, nearest first."""

    parents: list[Step]
    children: list[Step]

    def __bool__(self) -> bool:
        return bool(self.parents or self.children)


def lineage(*, asset: Asset, user: User) -> Lineage:
    """The neighbours the person may see. Five queries, however many there are."""
    run = asset.generation
    if run is None:
        return Lineage([], [])
    return Lineage(_references(run, user) + _reruns_up(run, user), _children(asset, run, user))


def _references(run: Generation, user: User) -> list[Step]:
    uses = run.uses.select_related("reference__from_asset__generation").order_by("position")
    sources = [use.reference.from_asset_id for use in uses if use.reference.from_asset_id]
    seen = set(Asset.objects.visible_to(user).filter(pk__in=sources).values_list("pk", flat=True))
    return [
        Step(
            ["reference"],
            reference=use.reference,
            asset=use.reference.from_asset if use.reference.from_asset_id in seen else None,
        )
        for use in uses
    ]


def _reruns_up(run: Generation, user: User) -> list[Step]:
    if run.rerun_of_id is None:
        return []
    rows = Generation.objects.visible_to(user).filter(pk=run.rerun_of_id)
    return [_step(each, changed(each.recipe, run.recipe)) for each in _with_pictures(rows)]


def _children(asset: Asset, run: Generation, user: User) -> list[Step]:
    """Runs that used this picture, then runs that repeat its own."""
    visible = Generation.objects.visible_to(user)
    used = visible.filter(uses__reference__from_asset=asset).distinct()
    again = visible.filter(rerun_of=run)
    steps = [_step(each, ["reference"]) for each in _with_pictures(used)]
    known = {each.generation.pk for each in steps if each.generation}
    return steps + [
        _step(each, changed(run.recipe, each.recipe))
        for each in _with_pictures(again)
        if each.pk not in known
    ]


def _with_pictures(rows: Any) -> list[Generation]:
    return list(
        rows.select_related("project")
        .order_by("-created_at", "-id")
        .prefetch_related("assets")[:MOST]
    )


def _step(run: Generation, edge: list[str]) -> Step:
    kept = [each for each in run.assets.all() if each.trashed_at is None]
    return Step(edge, generation=run, asset=min(kept, key=lambda each: each.pk, default=None))


def changed(before: dict[str, Any], after: dict[str, Any]) -> list[str]:
    """What differs between two recipes: engine, prompt, settings, references; empty when nothing."""
    return [
        name
        for name in ("engine", "prompt", "settings", "references")
        if _part(before, name) != _part(after, name)
    ]


def _part(recipe: dict[str, Any], name: str) -> object:
    if name == "engine":
        return recipe.get("engine"), recipe.get("revision")
    return recipe.get(name)
