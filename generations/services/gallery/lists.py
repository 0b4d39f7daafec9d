"""Lists by keyset: the feed's cards and the gallery's pictures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from django.db.models import Q, QuerySet

from generations.models import Asset, Generation, Project, User
from generations.services.gallery.filters import Filters, Place
from generations.services.paging import Cursor

IN_A_ROW = 4  # runs of one press, at most; one more than a page tells that there are older ones
# Everything one card shows, in a fixed number of queries.
# The project comes apart: joined, SQLite begins with that one row and scans the whole table after it.
CARD_RELATIONS = (
    "project",
    "jobs__assets",
    "jobs__account",
    "jobs__submissions",
    "uses__reference",
)


@dataclass(frozen=True, slots=True)
class CardPage:
    """Some generations, and where to go on (None at the end)."""

    cards: list[Generation]
    next: Cursor | None


def card_queryset() -> QuerySet[Generation]:
    return Generation.objects.select_related("user", "batch").prefetch_related(*CARD_RELATIONS)


def cards(*, project: Project, after: Cursor | None = None, limit: int = 12) -> CardPage:
    """The newest generations of a project, with jobs, assets and submissions prefetched.

    What stands in one row is on one page: there may be a few more than `limit`.
    """
    rows = card_queryset().filter(project=project)
    if after:
        rows = rows.filter(after.before())
    found = list(rows.order_by("-created_at", "-id")[: limit + IN_A_ROW])
    end = min(limit, len(found))
    while 0 < end < len(found) and _same_row(found[end - 1], found[end]):
        end += 1
    shown = found[:end]
    more = Cursor(shown[-1].created_at, shown[-1].pk) if len(found) > end else None
    return CardPage(shown, more)


def _same_row(one: Generation, other: Generation) -> bool:
    return one.together is not None and one.together == other.together


def first_of_each(*, together: UUID, user: User) -> list[Asset]:
    """Of each run that one press made, the first picture that is there, in the runs' order."""
    rows = Asset.objects.visible_to(user).filter(trashed_at=None, generation__together=together)
    first: dict[int | None, Asset] = {}
    for asset in rows.order_by("generation_id", "job__position", "position", "id"):
        first.setdefault(asset.generation_id, asset)
    return list(first.values())


@dataclass(frozen=True, slots=True)
class AssetPage:
    """Some pictures, and where to go on (None at the end)."""

    assets: list[Asset]
    next: Place | None


def assets(
    *,
    project: Project | None = None,
    maker: User | None = None,
    filters: Filters | None = None,
    after: Place | None = None,
    limit: int = 48,
) -> AssetPage:
    """Pictures of a project, or all that `maker` made in projects they may see. Three queries at most."""
    rows = Asset.objects.kept().select_related("generation__user", "job")
    rows = rows.prefetch_related("project")
    if project:
        rows = rows.filter(project=project)
    if maker:
        rows = rows.filter(
            generation__user=maker, project__in=Project.objects.visible_to(maker).values("pk")
        )
    narrowed = Filters() if filters is None else filters
    found: list[Asset] = []
    for part in narrowed.parts(narrowed.apply(rows), after):
        found += part[: limit + 1 - len(found)]
    return _page(found, limit)


def trashed(*, project: Project, after: Place | None = None, limit: int = 48) -> AssetPage:
    """What was thrown away in a project and can still be brought back: what went last stands first."""
    rows = Asset.objects.filter(project=project, trashed_at__isnull=False)
    if after:
        rows = rows.filter(after.cursor.before("trashed_at"))
    rows = rows.select_related("generation__user").prefetch_related("project")
    found = list(rows.order_by("-trashed_at", "-id")[: limit + 1])
    last = found[limit - 1] if len(found) > limit else None
    more = Place(Cursor(last.trashed_at, last.pk)) if last and last.trashed_at else None
    return AssetPage(found[:limit], more)


def _page(found: list[Asset], limit: int) -> AssetPage:
    shown = found[:limit]
    return AssetPage(shown, Place.of(shown[-1]) if len(found) > limit else None)


def siblings(asset: Asset) -> list[Asset]:
    """Every picture of the same generation, in the order of its tiles."""
    if asset.generation is None:
        return [asset]
    shown = Q(trashed_at=None) | Q(pk=asset.pk)
    rows = asset.generation.assets.filter(shown).order_by("job__position", "position", "id")
    return list(rows[:200])


def counterpart(asset: Asset, siblings: Sequence[Asset]) -> Asset | None:
    """What a picture is compared with first: the next of its run, else the project's one before it
    of the same kind.
    """
    place = next((n for n, each in enumerate(siblings) if each.pk == asset.pk), 0)
    around = [*siblings[place + 1 :], *siblings[:place][::-1]]
    if around:
        return around[0]
    rows = Asset.objects.kept().filter(project=asset.project_id, kind=asset.kind)
    rows = rows.order_by("-created_at", "-id")
    # The cursor stands on this picture itself: another that came with it has another id.
    earlier = rows.filter(Cursor(asset.created_at, asset.pk).before()).first()
    return earlier or rows.exclude(pk=asset.pk).first()


def strip(assets: Sequence[Asset], each: int = 16, least: int = 12) -> list[Asset]:
    """What stands below a comparison: of each run the pictures around those compared; where those
    are few, the newest of the first one's project too. A fixed number of queries.

    The order does not depend on who is compared, so that stepping along the strip gets on.
    """
    runs = {asset.generation_id for asset in assets}
    shown = Q(trashed_at=None) | Q(pk__in=[asset.pk for asset in assets])
    rows = Asset.objects.filter(shown).defer("placeholder")
    made = rows.filter(generation__in=runs).order_by("job__position", "position", "id")
    by_run: dict[int | None, list[Asset]] = {}
    for asset in made[: 200 * len(runs)]:
        by_run.setdefault(asset.generation_id, []).append(asset)
    found = {asset.pk: asset for asset in assets}
    for asset in assets:
        around = _around(asset, by_run.get(asset.generation_id, []), each)
        found |= {other.pk: other for other in around}
    if assets and (room := least - len(found)) > 0:
        newest = rows.filter(project=assets[0].project_id).exclude(pk__in=found)
        found |= {other.pk: other for other in newest.order_by("-created_at", "-id")[:room]}
    return sorted(found.values(), key=_in_strip)


def _in_strip(asset: Asset) -> tuple[int, int, int, int]:
    """The newest run first; in a run as its tiles stand."""
    return (-(asset.generation_id or 0), asset.job_id or 0, asset.position, asset.pk)


def _around(asset: Asset, run: list[Asset], most: int) -> list[Asset]:
    """At most so many pictures of a run, with this one about in the middle."""
    place = next((n for n, each in enumerate(run) if each.pk == asset.pk), 0)
    start = max(0, min(place - most // 2, len(run) - most))
    return run[start : start + most]
