"""The team's judgement of pictures: favourite, rating, the best of a comparison."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max, OuterRef, Subquery

from generations.models import Asset, Generation, User
from generations.services import events

logger = logging.getLogger(__name__)
BEST = 5


@dataclass(frozen=True, slots=True)
class Mark:
    """The team's judgement of a picture."""

    rating: int | None
    favourite: bool

    @classmethod
    def of(cls, asset: Asset) -> Mark:
        return cls(asset.rating, asset.favourite)

    @property
    def is_best(self) -> bool:
        return self.favourite and self.rating == BEST


def pick_best(*, asset: Asset, actor: User) -> Mark:
    """Make it a favourite with the highest rating; returns what it was, to put it back."""
    return put_back(asset=asset, mark=Mark(BEST, favourite=True), actor=actor)


def put_back(*, asset: Asset, mark: Mark, actor: User) -> Mark:
    """Give a picture another judgement; returns the one it had before."""
    with transaction.atomic():
        events.in_order()
        before = Mark.of(Asset.objects.only("rating", "favourite").get(pk=asset.pk))
        _write([asset], actor, rating=mark.rating, favourite=mark.favourite)
    return before


def favour(*, assets: Sequence[Asset], actor: User, favourite: bool) -> None:
    """Make pictures favourites, or no longer."""
    with transaction.atomic():
        events.in_order()
        _write(assets, actor, favourite=favourite)


def rate(*, assets: Sequence[Asset], actor: User, rating: int | None) -> None:
    """Give pictures 1 to 5 stars, or none. Raises ValueError for anything else."""
    if rating is not None and not 1 <= rating <= BEST:
        raise ValueError("a rating is 1 to 5")
    with transaction.atomic():
        events.in_order()
        _write(assets, actor, rating=rating)


def _write(assets: Sequence[Asset], actor: User, **fields: object) -> None:
    Asset.objects.filter(pk__in=[each.pk for each in assets]).update(**fields)
    touch(assets)
    ids = [str(each.public_id) for each in assets]
    logger.info("assets judged", extra={"assets": ids, "actor": actor.pk})


def touch(assets: Iterable[Asset]) -> None:
    """Keep the best rating of each run's pictures on it, for lists, and have its card drawn anew."""
    runs = {each.generation_id for each in assets if each.generation_id}
    kept = Asset.objects.kept().filter(generation=OuterRef("pk")).order_by()
    best = kept.values("generation").annotate(best=Max("rating")).values("best")
    found = Generation.objects.filter(pk__in=runs)
    found.update(rating=Subquery(best))
    rows = found.only("pk", "project_id", "public_id")
    events.publish([(each.project_id, events.name_of(each)) for each in rows])
