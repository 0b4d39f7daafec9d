"""References: take a picture in, keep it once, put it on a shelf, take it off again."""

from __future__ import annotations

import os
import unicodedata
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from generations import imaging
from generations.models import (
    Asset,
    Blob,
    Generation,
    Project,
    Reference,
    ReferenceRole,
    User,
)
from generations.providers import catalog
from generations.providers.base import N_
from generations.services import outputs
from generations.services.library import fitting
from generations.services.library.problems import ReferenceProblem, refused

__all__ = ["MAX_BYTES", "Chosen", "ReferenceProblem", "adopt", "chosen_of", "hide", "ingest"]

NAME_MAX = 120
MAX_BYTES = 50 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class Chosen:
    """A reference in its place, and what it is for (a `ReferenceRole` value)."""

    reference: Reference
    role: str = ReferenceRole.ANY


def ingest(*, source: Path, name: str, user: User, project: Project | None) -> Reference:
    """Make the master of an upload and put it on the project's shelf, or the person's own.

    The same picture twice is one reference; one that was taken off the shelf comes back. Its
    thumbnails and what each picture model will be sent are made at once, so that nobody waits for them
    later; few become frames of a video, which are made when one is composed. Raises ReferenceProblem.
    """
    name = clean_name(name)
    _check_bytes(source, name)
    settings.TEMP_ROOT.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=settings.TEMP_ROOT, prefix="ref-") as folder:
        try:
            made = imaging.prepare(source, Path(folder))
        except imaging.NotAPicture as why:
            raise refused(name, why.reason) from None
        master = Path(folder) / imaging.MASTER
        with master.open("rb+") as file:
            os.fsync(file.fileno())
        blob = outputs.store(master, made.picture.content_type)
    row = _shelve(blob, made, name, user, project)
    for each in made.renditions:
        outputs.add_rendition(owner=row, made=each)
    for engine in catalog.ENGINES.values():  # clones are sent the same as their parents
        if engine.references.maximum and engine.kind == "image":
            # What one model cannot be sent, another can; the first says so when it is composed for.
            with suppress(ReferenceProblem):
                fitting.fitted(reference=row, engine=engine)
    return row


def adopt(*, asset: Asset, user: User, project: Project | None) -> Reference:
    """A result as a reference; `from_asset` keeps where it came from."""
    made = ingest(
        source=settings.MEDIA_ROOT / asset.blob.name,
        name=(asset.generation.prompt if asset.generation else "")[:40] or str(asset.public_id),
        user=user,
        project=project,
    )
    Reference.objects.filter(pk=made.pk, from_asset=None).update(from_asset=asset)
    made.refresh_from_db()
    return made


def hide(*, reference: Reference) -> None:
    """Off the shelf. Runs that used it keep it."""
    Reference.objects.filter(pk=reference.pk).update(hidden_at=timezone.now())


def chosen_of(*, generation: Generation, user: User) -> list[Chosen]:
    """What a run was made from, in its order, as far as the person may use it again.

    What somebody took off its shelf since then is left out: the run keeps it, new ones do not get it.
    """
    mine = Reference.objects.visible_to(user).filter(hidden_at=None)
    uses = generation.uses.filter(reference__in=mine).select_related("reference__blob")
    return [Chosen(each.reference, each.role) for each in uses.order_by("position")]


def clean_name(name: str) -> str:
    """One line without control, bidirectional or unpaired characters, at most NAME_MAX long."""
    plain = "".join(
        " " if char.isspace() else char
        for char in name[: NAME_MAX * 20]
        if char.isspace() or unicodedata.category(char)[0] != "C"
    )
    return " ".join(plain.split())[:NAME_MAX].strip() or "?"


def _check_bytes(source: Path, name: str) -> None:
    size = source.stat().st_size
    if size > MAX_BYTES:
        message = N_("“%(name)s” has %(size)s MB; a reference may have at most %(max)s MB.")
        params: Mapping[str, object] = {
            "name": name[:60],
            "size": -(-size // (1024 * 1024)),
            "max": MAX_BYTES // (1024 * 1024),
        }
        raise ReferenceProblem(message, params)


def _shelve(
    blob: Blob, made: imaging.Prepared, name: str, user: User, project: Project | None
) -> Reference:
    shelf = {"project": project} if project else {"project": None, "user": user}
    with transaction.atomic():
        row, created = Reference.objects.get_or_create(
            blob=blob,
            **shelf,
            defaults={
                "user": user,
                "name": name,
                "format": made.picture.format,
                "width": made.picture.width,
                "height": made.picture.height,
                "placeholder": made.placeholder,
            },
        )
        if created:
            outputs.count_use(blob)
        elif row.hidden_at:
            row.hidden_at = None
            row.save(update_fields=["hidden_at"])
    return row
