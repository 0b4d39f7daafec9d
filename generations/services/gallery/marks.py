"""Picking the best of a comparison, and putting back what it was before."""

from __future__ import annotations

import logging
from dataclasses import dataclass

from django.db import transaction
from django.db.models import Max

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
    return _set(asset, Mark(BEST, favourite=True), actor)


def put_back(*, asset: Asset, mark: Mark, actor: User) -> Mark:
    """Give a picture the judgement it had before."""
    return _set(asset, mark, actor)


def _set(asset: Asset, mark: Mark, actor: User) -> Mark:
    with transaction.atomic():
        events.in_order()
        before = Mark.of(Asset.objects.only("rating", "favourite").get(pk=asset.pk))
        Asset.objects.filter(pk=asset.pk).update(rating=mark.rating, favourite=mark.favourite)
        if asset.generation:
            _rate(asset.generation)
    logger.info("asset judged", extra={"asset": str(asset.public_id), "actor": actor.pk})
    return before


def _rate(generation: Generation) -> None:
    """Keep the best rating of a run's pictures on it, for lists; its card is drawn anew."""
    best = generation.assets.kept().aggregate(best=Max("rating"))["best"]
    Generation.objects.filter(pk=generation.pk).update(rating=best)
    events.publish([(generation.project_id, events.name_of(generation))])
