"""Outputs: fetch what the provider made, verify it by decoding, keep the bytes, render.

Every step may be repeated: bytes are named by their hash, an Asset is unique on (job, position) and a
Rendition on (its asset or reference, spec). The row is written only after its bytes are safe on disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import IO

from django.conf import settings
from django.db import transaction
from django.db.models import F

from generations import imaging
from generations.models import Asset, Blob, Job, Reference, Rendition
from generations.providers import http
from generations.services import crash, events

log = logging.getLogger(__name__)
MAX_BYTES = 64 * 1024 * 1024


class NotKept(Exception):
    """A picture that could not be kept now; `reason` is the job's reason slug.

    `dead`: the address is gone and a fresh one may be had from the provider.
    """

    def __init__(self, reason: str, *, dead: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.dead = dead


@dataclass(frozen=True, slots=True)
class Source:
    """Where one picture's bytes come from: a result URL, or bytes that came in the answer."""

    url: str = ""
    data: bytes = b""


def keep(*, job: Job, position: int, source: Source) -> Asset:
    """Bytes to disk, Blob, Asset, renditions, event: in this order. Raises NotKept."""
    settings.TEMP_ROOT.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NamedTemporaryFile(dir=settings.TEMP_ROOT, prefix="out-") as file:
        path = Path(file.name)
        file.write(source.data) if source.data else _download(job, source.url, file)
        crash.point("mid_download")
        file.flush()
        os.fsync(file.fileno())
        try:
            picture = imaging.verify(path)
        except imaging.NotAPicture as error:
            log.warning("result is no picture", extra={"job": job.pk, "why": str(error)})
            raise NotKept("bad_output") from None
        blob = store(path, picture.content_type)
        asset = _asset(job, position, blob, picture, imaging.placeholder(path))
        render(asset=asset, source=path)
    with transaction.atomic():
        events.publish([(asset.project_id, events.name_of(job.generation))])
    return asset


def _download(job: Job, url: str, file: IO[bytes]) -> None:
    try:
        http.download(
            url,
            sink=file.write,
            allow_loopback=job.account.is_sandbox,
            allowed_hosts=job.account.allowed_hosts,
            max_bytes=MAX_BYTES,
            deadline_s=settings.ENGINE["download_s"],
        )
    except http.DownloadError as error:
        dead = error.reason == "dead_url"
        reason = "result_lost" if dead or error.transient else error.reason
        raise NotKept(reason, dead=dead) from None


def store(path: Path, content_type: str) -> Blob:
    """Give the bytes at `path` their place by hash, atomically, and return their Blob row."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    blob = Blob(sha256=digest, size=path.stat().st_size, content_type=content_type)
    target = settings.MEDIA_ROOT / blob.name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    crash.point("before_rename")
    _place(path, target)
    crash.point("after_rename")
    row = Blob.objects.get_or_create(
        sha256=digest, defaults={"size": blob.size, "content_type": content_type}
    )[0]
    _place(path, target)  # the sweep may have taken old bytes before their row was there
    return row


def _place(path: Path, target: Path) -> None:
    """Make `target` the bytes at `path`. A hard link is as atomic as a rename and may be repeated."""
    with contextlib.suppress(FileExistsError):
        os.link(path, target)
        _sync_folder(target.parent)
    os.utime(target)


def _sync_folder(folder: Path) -> None:
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def count_use(blob: Blob) -> None:
    """One more row points at these bytes."""
    Blob.objects.filter(pk=blob.pk).update(uses=F("uses") + 1)


def _asset(
    job: Job, position: int, blob: Blob, picture: imaging.Picture, placeholder: str
) -> Asset:
    with transaction.atomic():
        asset, created = Asset.objects.get_or_create(
            job=job,
            position=position,
            defaults={
                "project_id": job.generation.project_id,
                "generation": job.generation,
                "blob": blob,
                "kind": job.generation.kind,
                "format": picture.format,
                "width": picture.width,
                "height": picture.height,
                "placeholder": placeholder,
            },
        )
        if created:
            count_use(blob)
    return asset


def render(*, asset: Asset, source: Path) -> None:
    """Make the renditions that an asset lacks, from its bytes at `source`."""
    have = set(asset.renditions.values_list("spec", flat=True))
    for made in imaging.renditions(source, skip=have):
        add_rendition(owner=asset, made=made)


def add_rendition(*, owner: Asset | Reference, made: imaging.Made) -> Rendition:
    """Keep one rendition's bytes, then its row; the row there is already wins."""
    with NamedTemporaryFile(dir=settings.TEMP_ROOT, prefix="ren-") as file:
        file.write(made.data)
        file.flush()
        os.fsync(file.fileno())
        blob = store(Path(file.name), imaging.RENDITION_TYPE)
    return rendition_of(
        owner=owner, spec=made.spec, blob=blob, width=made.width, height=made.height
    )


def rendition_of(
    *, owner: Asset | Reference, spec: str, blob: Blob, width: int, height: int
) -> Rendition:
    """The row that says `blob` is what `owner` looks like under `spec`."""
    source = {"reference": owner} if isinstance(owner, Reference) else {"asset": owner}
    with transaction.atomic():
        row, created = Rendition.objects.get_or_create(
            **source, spec=spec, defaults={"blob": blob, "width": width, "height": height}
        )
        if created:
            count_use(blob)
    return row
