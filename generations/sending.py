"""How bytes go out, for pages and programs alike: whole or in a range, never sniffed, never run.

Who may have them is decided before: by the view, for each request.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from django.conf import settings
from django.core.handlers.asgi import ASGIRequest
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
    HttpResponseNotModified,
    StreamingHttpResponse,
)

from generations.models import Blob

log = logging.getLogger(__name__)
CHUNK = 64 * 1024
# A file is only ever looked at: whatever it holds, nothing in it runs.
FILE_POLICY = "sandbox; default-src 'none'"
REVALIDATE = "private, no-cache"
FOR_EVER = "private, max-age=31536000, immutable"
_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})", re.ASCII)


@dataclass(frozen=True, slots=True)
class Body:
    """What can be sent whole or in part: `read` gives the bytes from a place up to another."""

    size: int
    etag: str
    content_type: str
    read: Callable[[int, int], Iterator[bytes]]


def send(request: HttpRequest, blob: Blob, content_type: str, cache: str) -> HttpResponseBase:
    """Stream a blob, whole or in the one range that was asked for; 304 when the client has it."""
    path = stored(blob)
    body = Body(blob.size, blob.sha256, content_type, partial(_chunks, path))
    return send_body(request, body, cache)


def stored(blob: Blob) -> Path:
    """Where a blob's bytes are; 404, and a line in the log, when they are gone."""
    path: Path = settings.MEDIA_ROOT / blob.name
    if not path.is_file():
        log.error("bytes are missing", extra={"blob": blob.pk})
        raise Http404
    return path


def send_body(request: HttpRequest, body: Body, cache: str) -> HttpResponseBase:
    etag = f'"{body.etag}"'
    response: HttpResponseBase
    if _has_it(request, etag):
        response = HttpResponseNotModified()
    else:
        response = _whole_or_part(request, body, etag)
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


def _whole_or_part(request: HttpRequest, body: Body, etag: str) -> HttpResponseBase:
    # RFC 9110, 14.2: a range belongs to GET, and only to the bytes the client has begun with.
    ranged = request.method == "GET" and request.headers.get("If-Range", etag) == etag
    part = parse_range(request.headers.get("Range", "") if ranged else "", body.size)
    if part is None:
        refused = HttpResponse(status=416)
        refused.headers["Content-Range"] = f"bytes */{body.size}"
        return refused
    response = stream(request, body.read(part.start, part.end), body.content_type)
    response.headers["Content-Length"] = str(part.end - part.start)
    if part.partial:
        response.status_code = 206
        response.headers["Content-Range"] = f"bytes {part.start}-{part.end - 1}/{body.size}"
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


def stream(request: HttpRequest, chunks: Iterator[bytes], content_type: str) -> HttpResponseBase:
    """A response of `chunks`; of none for HEAD."""
    if request.method == "HEAD":
        return HttpResponse(content_type=content_type)
    sent = _achunks(chunks) if isinstance(request, ASGIRequest) else chunks
    return StreamingHttpResponse(sent, content_type=content_type)


def _chunks(path: Path, start: int, end: int) -> Iterator[bytes]:
    with path.open("rb") as file:
        file.seek(start)
        while start < end and (chunk := file.read(min(CHUNK, end - start))):
            start += len(chunk)
            yield chunk


async def _achunks(chunks: Iterator[bytes]) -> AsyncIterator[bytes]:
    """The same in steps: reading and hashing happen in a thread, never in the event loop."""
    try:
        while (chunk := await asyncio.to_thread(next, chunks, None)) is not None:
            yield chunk
    finally:
        # When a thread is still in it, it ends with its last reference.
        if isinstance(chunks, Generator):
            with suppress(ValueError):
                chunks.close()
