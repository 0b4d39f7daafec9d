"""The trash: thrown away by anybody who edits, brought back within 30 days, then gone for good."""

from __future__ import annotations

import logging
import math
from collections.abc import Sequence
from datetime import timedelta

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from generations.models import Asset, BatchLine, Blob, Generation, Project, Rendition, User
from generations.providers.base import N_
from generations.services import events
from generations.services.gallery import marks

logger = logging.getLogger(__name__)
KEPT = timedelta(days=30)
AT_ONCE = 200


class MoveProblem(Exception):
    """Pictures that cannot be moved: an untranslated msgid."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def throw_away(*, assets: Sequence[Asset], actor: User) -> None:
    """Into the trash. What is there already keeps its time."""
    _set(assets, actor, trashed_at=timezone.now(), trashed_by=actor, only={"trashed_at": None})


def bring_back(*, assets: Sequence[Asset], actor: User) -> None:
    _set(assets, actor, trashed_at=None, trashed_by=None, only={})


def _set(
    assets: Sequence[Asset], actor: User, *, only: dict[str, object], **fields: object
) -> None:
    ids = [each.pk for each in assets]
    with transaction.atomic():
        events.in_order()
        Asset.objects.filter(pk__in=ids, **only).update(**fields)
        marks.touch(assets)
    logger.info("trash changed", extra={"assets": ids, "actor": actor.pk, "to": bool(only)})


def days_left(asset: Asset) -> int:
    """Days until a picture in the trash is gone for good; a day that has begun counts. 0: any moment."""
    if asset.trashed_at is None:
        return KEPT.days
    return max(0, math.ceil((asset.trashed_at + KEPT - timezone.now()) / timedelta(days=1)))


def move(*, assets: Sequence[Asset], to: Project, actor: User) -> int:
    """Move the whole runs that pictures belong to, with everything in them; how many runs moved.

    What was spent stays on the books it was spent from. Raises MoveProblem for a run under way.
    """
    runs = {each.generation_id for each in assets if each.generation_id}
    with transaction.atomic():
        events.in_order()
        rows = list(Generation.objects.filter(pk__in=runs).exclude(project=to))
        if any(each.state == Generation.State.ACTIVE for each in rows):
            raise MoveProblem(N_("A run that is still under way cannot be moved. Wait for it."))
        ids = [each.pk for each in rows]
        told = [(each.project_id, events.name_of(each)) for each in rows]
        Asset.objects.filter(generation__in=ids).update(project=to)
        # Whoever holds the batch they came from has no say in them any more, nor a look at them.
        BatchLine.objects.filter(generation__in=ids).update(generation=None)
        Generation.objects.filter(pk__in=ids).update(project=to, batch=None)
        events.publish([*told, (to.pk, "new")])
    logger.info("runs moved", extra={"runs": ids, "to": to.pk, "actor": actor.pk})
    return len(ids)


def sweep() -> int:
    """Delete what has lain in the trash for 30 days: rows first, bytes when no row uses them."""
    old = timezone.now() - KEPT
    due = list(Asset.objects.filter(trashed_at__lt=old).order_by("trashed_at")[:AT_ONCE])
    for asset in due:
        with transaction.atomic():
            blobs = [asset.blob_id, *_rendered(asset)]
            if not Asset.objects.filter(pk=asset.pk, trashed_at__lt=old).delete()[0]:
                continue  # somebody brought it back in this very moment
            for blob in blobs:
                Blob.objects.filter(pk=blob, uses__gt=0).update(uses=F("uses") - 1)
    return len(due)


def _rendered(asset: Asset) -> list[str]:
    return list(Rendition.objects.filter(asset=asset).values_list("blob_id", flat=True))
