"""Outputs: fetch what the provider made, verify it by decoding, keep the bytes, render.

Every step may be repeated: bytes are named by their hash, an Asset is unique on (job, position) and a
Rendition on (its asset or reference, spec). The row is written only after its bytes are safe on disk.
"""

from __future__ import annotations

import contextlib
import hashlib
import logging
import os
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryDirectory
from typing import IO

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.db.models import F

from generations import imaging
from generations.models import Asset, Blob, Job, Reference, Rendition
from generations.providers import http
from generations.services import crash, events, labels, verified

log = logging.getLogger(__name__)
# Stands before the signed hash of bytes that came in an answer and were put in their place at once.
# Signed, because a provider's own words stand in the same list: none of them may name a file of ours.
_LAID_DOWN = "kept:"
_OURS = signing.Signer(salt="generations.outputs.laid-down")


class NotKept(Exception):
    """A result that could not be kept now; `reason` is the job's reason slug.

    `dead`: the address is gone and a fresh one may be had from the provider.
    """

    def __init__(self, reason: str, *, dead: bool = False) -> None:
        super().__init__(reason)
        self.reason = reason
        self.dead = dead


@dataclass(frozen=True, slots=True)
class Source:
    """Where one result's bytes come from: a result URL, or bytes that came in the answer."""

    url: str = ""
    data: bytes = b""


def keep(*, job: Job, position: int, source: Source) -> Asset:
    """Bytes to disk, then every row that speaks of them in one transaction. Raises NotKept."""
    settings.TEMP_ROOT.mkdir(parents=True, exist_ok=True, mode=0o700)
    with TemporaryDirectory(dir=settings.TEMP_ROOT, prefix="out-") as folder:
        path = Path(folder) / "original"
        with path.open("wb") as file:
            file.write(source.data) if source.data else _download(job, source.url, file)
            file.flush()
            os.fsync(file.fileno())
        try:
            made = verified.verify(path, job.generation.kind)
        except verified.Unfit as error:
            log.warning("result is not what it should be", extra={"job": job.pk, "why": str(error)})
            raise NotKept("bad_output") from None
        found = Found(job, position, made, lay(path, made.content_type), labels.read(path))
        renditions = [_laid(each, Path(folder)) for each in made.renditions]
        asset = _recorded(found, renditions)
        for laid in (found.laid, *(laid for _made, laid in renditions)):
            _place(laid.path, laid.target)  # as in `store`
    return asset


def lay_down(data: bytes) -> str:
    """Put bytes in their place by hash, without a row; the address under which `keep` finds them."""
    settings.TEMP_ROOT.mkdir(parents=True, exist_ok=True, mode=0o700)
    digest = hashlib.sha256(data).hexdigest()
    target = settings.MEDIA_ROOT / Blob(sha256=digest).name
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with NamedTemporaryFile(dir=settings.TEMP_ROOT, prefix="out-") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
        _place(Path(file.name), target)
    return _LAID_DOWN + _OURS.sign(digest)


def _download(job: Job, url: str, file: IO[bytes]) -> None:
    if url.startswith(_LAID_DOWN):
        try:
            digest = _OURS.unsign(url.removeprefix(_LAID_DOWN))
            file.write((settings.MEDIA_ROOT / Blob(sha256=digest).name).read_bytes())
        except signing.BadSignature:
            raise NotKept("refused_url") from None
        except FileNotFoundError:
            raise NotKept("result_lost") from None
        return

    def sink(chunk: bytes) -> int:
        written = file.write(chunk)
        crash.point("mid_download", job.pk)
        return written

    try:
        http.download(
            url,
            sink=sink,
            allow_loopback=job.account.is_sandbox,
            allowed_hosts=job.account.allowed_hosts,
            max_bytes=verified.MAX_BYTES[job.generation.kind],
            deadline_s=settings.ENGINE["download_s"],
        )
    except http.DownloadError as error:
        dead = error.reason == "dead_url"
        reason = "result_lost" if dead or error.transient else error.reason
        raise NotKept(reason, dead=dead) from None


@dataclass(frozen=True, slots=True)
class Laid:
    """Bytes that stand in their place by hash; their row may not be there yet. `path` is our copy."""

    path: Path
    sha256: str
    size: int
    content_type: str

    @property
    def blob(self) -> Blob:
        return Blob(sha256=self.sha256, size=self.size, content_type=self.content_type)

    @property
    def target(self) -> Path:
        return Path(settings.MEDIA_ROOT / self.blob.name)


@dataclass(frozen=True, slots=True)
class Found:
    """One verified result of a job, and what is to be written down about it."""

    job: Job
    position: int
    made: verified.Verified
    laid: Laid
    aigc: dict[str, str]


def lay(path: Path, content_type: str) -> Laid:
    """Give the bytes at `path` their place by hash, atomically."""
    with path.open("rb") as file:
        digest = hashlib.file_digest(file, "sha256").hexdigest()
    laid = Laid(path, digest, path.stat().st_size, content_type)
    laid.target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    crash.point("before_rename")
    _place(path, laid.target)
    crash.point("after_rename")
    return laid


def store(path: Path, content_type: str) -> Blob:
    """Give the bytes at `path` their place by hash, atomically, and return their Blob row."""
    laid = lay(path, content_type)
    row = Blob.objects.get_or_create(
        sha256=laid.sha256, defaults={"size": laid.size, "content_type": content_type}
    )[0]
    _place(path, laid.target)  # the sweep may have taken old bytes before their row was there
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


def _laid(made: imaging.Made, folder: Path) -> tuple[imaging.Made, Laid]:
    path = folder / made.spec
    with path.open("wb") as file:
        file.write(made.data)
        file.flush()
        os.fsync(file.fileno())
    return made, lay(path, imaging.RENDITION_TYPE)


def _recorded(found: Found, renditions: list[tuple[imaging.Made, Laid]]) -> Asset:
    """Write the rows; once more where somebody else wrote one of them in the same moment."""
    try:
        return _record(found, renditions)
    except IntegrityError:
        return _record(found, renditions)


@transaction.atomic
def _record(found: Found, renditions: list[tuple[imaging.Made, Laid]]) -> Asset:
    """Blobs, Asset, renditions and the event. What is there already is left as it is."""
    events.in_order()
    job = found.job
    asset = Asset.objects.filter(job=job, position=found.position).first()
    have = set(asset.renditions.values_list("spec", flat=True)) if asset else set()
    missing = [(made, laid) for made, laid in renditions if made.spec not in have]
    _take([*([] if asset else [found.laid]), *(laid for _made, laid in missing)])
    if asset is None:
        asset = Asset.objects.create(
            job=job,
            position=found.position,
            project_id=job.generation.project_id,
            generation=job.generation,
            blob_id=found.laid.sha256,
            kind=job.generation.kind,
            format=found.made.format,
            width=found.made.width,
            height=found.made.height,
            duration_ms=found.made.duration_ms,
            placeholder=found.made.placeholder,
            aigc=found.aigc,
        )
    Rendition.objects.bulk_create(
        Rendition(
            asset=asset, spec=made.spec, blob_id=laid.sha256, width=made.width, height=made.height
        )
        for made, laid in missing
    )
    events.publish([(asset.project_id, events.name_of(job.generation))])
    return asset


def _take(bytes_: list[Laid]) -> None:
    """Count one more use of each, making the rows that are not there."""
    uses = Counter(laid.sha256 for laid in bytes_)
    known = set(Blob.objects.filter(pk__in=uses).values_list("pk", flat=True))
    for sha256 in known:
        Blob.objects.filter(pk=sha256).update(uses=F("uses") + uses[sha256])
    new = {laid.sha256: laid.blob for laid in bytes_ if laid.sha256 not in known}
    for sha256, blob in new.items():
        blob.uses = uses[sha256]
    Blob.objects.bulk_create(new.values())


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
