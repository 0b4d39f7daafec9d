"""Every stored file goes out through here: authorised for each request, in ranges, never sniffed."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote
from uuid import UUID

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.core.handlers.asgi import ASGIRequest
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.utils.text import slugify
from django.views.decorators.http import require_safe

from generations.models import Asset, Blob, Reference
from generations.services.library import transport

log = logging.getLogger(__name__)
CHUNK = 64 * 1024
TYPES = {"jpeg": "image/jpeg", "png": "image/png", "webp": "image/webp"}
# A file is only ever looked at: whatever it holds, nothing in it runs.
FILE_POLICY = "sandbox; default-src 'none'"
REVALIDATE = "private, no-cache"
FOR_EVER = "private, max-age=31536000, immutable"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


def _asset(request: HttpRequest, public_id: UUID) -> Asset:
    rows = Asset.objects.visible_to(request.user).select_related("blob", "generation", "job")
    return get_object_or_404(rows, public_id=public_id)


@require_safe
@login_required
def original(request: HttpRequest, asset: UUID) -> HttpResponseBase:
    """The provider's bytes, untouched."""
    found = _asset(request, asset)
    return send(request, found.blob, TYPES[found.format], REVALIDATE)


@require_safe
@login_required
def download(request: HttpRequest, asset: UUID) -> HttpResponseBase:
    """The provider's bytes as a file with a telling name."""
    found = _asset(request, asset)
    response = send(request, found.blob, TYPES[found.format], REVALIDATE)
    response.headers["Content-Disposition"] = disposition(file_name(found))
    return response


@require_safe
@login_required
def rendition(request: HttpRequest, asset: UUID, width: int) -> HttpResponseBase:
    """A copy at most `width` pixels wide: the next larger one there is, else the original."""
    found = _asset(request, asset)
    rows = found.renditions.filter(width__gte=width).select_related("blob").order_by("width")
    made = rows.first()
    if made is None:
        return send(request, found.blob, TYPES[found.format], REVALIDATE)
    exact = made.width == width
    return send(request, made.blob, "image/webp", FOR_EVER if exact else REVALIDATE)


@require_safe
def reference_for_provider(request: HttpRequest, token: str) -> HttpResponseBase:
    """A reference as a provider fetches it: the signed address itself is the permission."""
    found = transport.found(token)
    if found is None:
        raise Http404
    return send(request, found.blob, found.blob.content_type, REVALIDATE)


@require_safe
@login_required
def reference(request: HttpRequest, reference: UUID, width: int = 0) -> HttpResponseBase:
    """A reference's master, or a copy of it at most `width` pixels wide where there is one."""
    rows = Reference.objects.visible_to(request.user).select_related("blob")
    found = get_object_or_404(rows, public_id=reference)
    copies = found.renditions.filter(spec__in=("320", "640", "1280"), width__gte=width)
    made = copies.select_related("blob").order_by("width").first() if width else None
    blob = made.blob if made else found.blob
    return send(request, blob, blob.content_type, REVALIDATE)


def file_name(asset: Asset) -> str:
    """`diptych-<prompt>-<n>.jpg`, Chinese kept, at most 40 characters of the prompt."""
    prompt = asset.generation.prompt if asset.generation else ""
    words = slugify(prompt[:40], allow_unicode=True)
    number = asset.job.position + asset.position + 1 if asset.job else 1
    suffix = "jpg" if asset.format == "jpeg" else asset.format
    return "-".join(filter(None, ["diptych", words, str(number)])) + f".{suffix}"


def disposition(name: str) -> str:
    """RFC 6266: a plain name for old clients, the real one percent-encoded beside it."""
    plain = re.sub(r"[^A-Za-z0-9._-]+", "", name).replace("--", "-")
    return f"attachment; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def send(request: HttpRequest, blob: Blob, content_type: str, cache: str) -> HttpResponseBase:
    """Stream a blob, whole or in the one range that was asked for; 304 when the client has it."""
    path = settings.MEDIA_ROOT / blob.name
    if not path.is_file():
        log.error("bytes are missing", extra={"blob": blob.pk})
        raise Http404
    etag = f'"{blob.sha256}"'
    response: HttpResponseBase
    if _has_it(request, etag):
        response = HttpResponseNotModified()
    else:
        response = _whole_or_part(request, path, blob.size, etag, content_type)
    response.headers["ETag"] = etag
    response.headers["Accept-Ranges"] = "bytes"
    response.headers["Cache-Control"] = cache
    response.headers["Content-Security-Policy"] = FILE_POLICY
    return response


def _has_it(request: HttpRequest, etag: str) -> bool:
    known = [
        each.strip().removeprefix("W/")
        for each in request.headers.get("If-None-Match", "").split(",")
    ]
    return etag in known or "*" in known


def _whole_or_part(
    request: HttpRequest, path: Path, size: int, etag: str, content_type: str
) -> HttpResponseBase:
    # RFC 9110, 14.2: a range belongs to GET, and only to the bytes the client has begun with.
    ranged = request.method == "GET" and request.headers.get("If-Range", etag) == etag
    part = parse_range(request.headers.get("Range", "") if ranged else "", size)
    if part is None:
        refused = HttpResponse(status=416)
        refused.headers["Content-Range"] = f"bytes */{size}"
        return refused
    response = _body(request, path, part, content_type)
    response.headers["Content-Length"] = str(part.end - part.start)
    if part.partial:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{size}"
    return response


@dataclass(frozen=True, slots=True)
class Part:
    """Bytes `start` up to, not including, `end`; `partial` when a range was asked for."""

    start: int
    end: int
    partial: bool


def parse_range(text: str, size: int) -> Part | None:
    """What a `Range` header asks for: everything when it is none that we serve, None for a 416."""
    found = _RANGE.fullmatch(text.strip())
    if found is None or found.groups() == ("", ""):
        return Part(0, size, partial=False)
    first, last = found.groups()
    if first:
        start, end = int(first), min(int(last) + 1 if last else size, size)
    else:
        start, end = max(0, size - int(last)), size
    return Part(start, end, partial=True) if start < end else None


def _body(request: HttpRequest, path: Path, part: Part, content_type: str) -> HttpResponseBase:
    if request.method == "HEAD":
        return HttpResponse(content_type=content_type)
    chunks = _achunks if isinstance(request, ASGIRequest) else _chunks
    return StreamingHttpResponse(chunks(path, part.start, part.end), content_type=content_type)


def _chunks(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(CHUNK, end - start))):
            start += len(chunk)
            yield chunk


async def _achunks(path: Path, start: int, end: int) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(path.open, "rb")
    try:
        file.seek(start)
        while start < end:
            chunk = await asyncio.to_thread(file.read, min(CHUNK, end - start))
            if not chunk:
                return
            start += len(chunk)
            yield chunk
    finally:
        file.close()
