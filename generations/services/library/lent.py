"""Copies in the object store that no job needs any more are taken away again."""

from __future__ import annotations

from datetime import timedelta

from django.db.models import Exists, OuterRef, Q
from django.utils import timezone

from generations.models import Job, StoredCopy
from generations.models.runs import FINAL
from generations.services import store
from generations.services.library import transport

# Whoever tries something out sends the same picture several times: it is not put there each time.
KEPT = timedelta(minutes=10)
BATCH = 100


def sweep() -> int:
    """Remove what nobody can fetch any more, or nobody will; how many objects went.

    First the row lets its blob go, on the condition that it was not handed out meanwhile: from then on the
    next who wants these bytes makes a copy of another name. A store that fails is asked again next time.
    """
    if not store.exists():
        return 0
    here = StoredCopy.objects.filter(place=store.place())
    here.filter(_unneeded()).update(blob=None)
    gone = 0
    for copy in here.filter(blob=None).order_by("pk")[:BATCH]:
        try:
            store.remove(copy)
        except store.StoreProblem:
            break
        copy.delete()
        gone += 1
    return gone


def _unneeded() -> Q:
    now = timezone.now()
    alive = Job.objects.exclude(state__in=FINAL).filter(
        generation__uses__reference__renditions__blob=OuterRef("blob")
    )
    expired = Q(handed_at__lt=now - timedelta(seconds=transport.LIFETIME_S))
    return expired | Q(~Exists(alive), handed_at__lt=now - KEPT)
