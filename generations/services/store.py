"""The one door to object storage, where providers fetch the references that they want by address.

A copy's row is there before its object and goes after it, so that whatever dies in between is found by the
sweep. Its name is its own: an object that the sweep takes away is never one that was put anew meanwhile.
"""

from __future__ import annotations

import logging
import mimetypes
import uuid
from collections.abc import Sequence
from datetime import timedelta
from pathlib import Path

from botocore.exceptions import BotoCoreError, ClientError
from django.conf import settings
from django.core.files import File
from django.core.files.storage import Storage, storages
from django.utils import timezone

from generations.models import Blob, StoredCopy

log = logging.getLogger(__name__)
ALIAS = "references"
# After so long a copy is put there again: somebody may have tidied the bucket up.
TRUSTED = timedelta(hours=12)
# botocore says ValueError to an endpoint that is no address.
FAULTS = (BotoCoreError, ClientError, OSError, ValueError)
DOWN, REFUSED = "store_down", "store_refused"


class StoreProblem(Exception):
    """The store did not do what it was asked. `reason` is "store_down" or "store_refused"."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotThereYet(Exception):
    """What a provider is to fetch has to be put into the store first: `copies`."""

    def __init__(self, copies: Sequence[StoredCopy]) -> None:
        super().__init__(f"{len(copies)} to put there")
        self.copies = copies


def exists() -> bool:
    """Whether this installation has a store."""
    return ALIAS in settings.STORAGES


def endpoint() -> str:
    return str(settings.REFERENCE_STORE.endpoint)


def place() -> str:
    """Which store it is: copies in another one are not looked for here."""
    return str(settings.REFERENCE_STORE.place)


def addresses(blobs: Sequence[Blob], lifetime_s: int) -> list[str]:
    """A signed address for each, good for so many seconds. Raises NotThereYet, and OSError where bytes
    are gone.
    """
    copies = [_copy_of(each) for each in blobs]
    newest = timezone.now() - TRUSTED
    missing = {each.pk: each for each in copies if each.put_at is None or each.put_at < newest}
    for each in missing.values():
        _path(each).stat()
    if missing:
        raise NotThereYet(list(missing.values()))
    # Computed, not asked for: whoever could put them there can sign for them too.
    return [_storage().url(each.name, expire=lifetime_s) for each in copies]  # type: ignore[call-arg]  # django-storages


def _copy_of(blob: Blob) -> StoredCopy:
    """The row of a blob's copy, noted as handed out now: the sweep leaves it alone from here on."""
    while True:
        name = f"{blob.name}-{uuid.uuid4().hex}{mimetypes.guess_extension(blob.content_type) or ''}"
        row = StoredCopy.objects.get_or_create(blob=blob, place=place(), defaults={"name": name})[0]
        if StoredCopy.objects.filter(pk=row.pk, blob=blob).update(handed_at=timezone.now()):
            return row


def put(copy: StoredCopy) -> None:
    """Send a copy's bytes, readable for nobody without a signature. Raises StoreProblem.

    Asks no database: it runs in threads.
    """
    try:
        with _path(copy).open("rb") as bytes_:
            _storage().save(copy.name, File(bytes_))  # its type follows from its name
    except FAULTS as fault:
        raise _problem(fault) from None


def remove(copy: StoredCopy) -> None:
    """Take its object away, if it is there. Raises StoreProblem."""
    try:
        _storage().delete(copy.name)
    except FAULTS as fault:
        raise _problem(fault) from None


def _storage() -> Storage:
    return storages[ALIAS]


def _path(copy: StoredCopy) -> Path:
    assert copy.blob is not None
    return Path(settings.MEDIA_ROOT / copy.blob.name)


def _problem(fault: Exception) -> StoreProblem:
    """What it comes to; logged by its kind and code, since texts of such faults hold addresses."""
    status, code = 0, type(fault).__name__
    if isinstance(fault, ClientError):
        status = int(fault.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
        code = str(fault.response.get("Error", {}).get("Code", ""))[:60]
    reason = REFUSED if 300 <= status < 500 and status not in (408, 429) else DOWN
    log.warning("object store failed", extra={"why": reason, "code": code, "status": status})
    return StoreProblem(reason)
