"""Lists by keyset: the feed's cards and the gallery's pictures."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import QuerySet

from generations.models import Asset, Generation, Project
from generations.services.paging import Cursor

# Everything one card shows, in a fixed number of queries.
CARD_RELATIONS = ("jobs__assets", "jobs__account", "jobs__submissions", "uses__reference")


@dataclass(frozen=True, slots=True)
class CardPage:
    """Some generations, and where to go on (None at the end)."""

    cards: list[Generation]
    next: Cursor | None


def card_queryset() -> QuerySet[Generation]:
    return Generation.objects.select_related("user", "project", "batch").prefetch_related(
        *CARD_RELATIONS
    )


def cards(*, project: Project, after: Cursor | None = None, limit: int = 12) -> CardPage:
    """The newest generations of a project, with jobs, assets and submissions prefetched."""
    rows = card_queryset().filter(project=project)
    if after:
        rows = rows.filter(after.before())
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    shown = found[:limit]
    more = Cursor(shown[-1].created_at, shown[-1].pk) if len(found) > limit else None
    return CardPage(shown, more)


@dataclass(frozen=True, slots=True)
class AssetPage:
    """Some pictures, and where to go on (None at the end)."""

    assets: list[Asset]
    next: Cursor | None


def assets(*, project: Project, after: Cursor | None = None, limit: int = 48) -> AssetPage:
    """The newest pictures of a project, with their generation and person."""
    rows = Asset.objects.filter(project=project).select_related("generation__user")
    if after:
        rows = rows.filter(after.before())
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    shown = found[:limit]
    more = Cursor(shown[-1].created_at, shown[-1].pk) if len(found) > limit else None
    return AssetPage(shown, more)


def siblings(asset: Asset) -> list[Asset]:
    """Every picture of the same generation, in the order of its tiles."""
    if asset.generation is None:
        return [asset]
    rows = asset.generation.assets.order_by("job__position", "position", "id")
    return list(rows[:200])
