"""References: take a picture in, keep it once, put it on a shelf, take it off again."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from tempfile import NamedTemporaryFile

from django.conf import settings
from django.db import transaction
from django.db.models import F
from django.utils import timezone

from generations import imaging
from generations.models import Asset, Blob, Project, Reference, User
from generations.providers.base import N_
from generations.services import outputs

NAME_MAX = 120


class ReferenceProblem(Exception):
    """A picture that cannot be taken in: an untranslated msgid, and what fills its places."""

    def __init__(self, message: str, params: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.params = params or {}


def ingest(*, source: Path, name: str, user: User, project: Project | None) -> Reference:
    """Make the master of an upload and put it on the project's shelf, or the person's own.

    The same picture twice is one reference; one that was taken off the shelf comes back.
    Raises ReferenceProblem.
    """
    settings.TEMP_ROOT.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NamedTemporaryFile(dir=settings.TEMP_ROOT, prefix="ref-") as file:
        path = Path(file.name)
        try:
            picture = imaging.master(source, path)
        except imaging.NotAPicture as error:
            message = N_("“%(name)s” is no complete picture of a kind we can read.")
            raise ReferenceProblem(message, {"name": name[:60]}) from error
        with path.open("rb+") as made:
            os.fsync(made.fileno())
        blob = outputs.store(path, picture.content_type)
        placeholder = imaging.placeholder(path)
    return _shelve(blob, picture, placeholder, name, user, project)


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


def _shelve(
    blob: Blob,
    picture: imaging.Picture,
    placeholder: str,
    name: str,
    user: User,
    project: Project | None,
) -> Reference:
    shelf = {"project": project} if project else {"project": None, "user": user}
    with transaction.atomic():
        row, created = Reference.objects.get_or_create(
            blob=blob,
            **shelf,
            defaults={
                "user": user,
                "name": " ".join(name.replace("\0", "").split())[:NAME_MAX] or "?",
                "format": picture.format,
                "width": picture.width,
                "height": picture.height,
                "placeholder": placeholder,
            },
        )
        if created:
            Blob.objects.filter(pk=blob.pk).update(uses=F("uses") + 1)
        elif row.hidden_at:
            row.hidden_at = None
            row.save(update_fields=["hidden_at"])
    return row
