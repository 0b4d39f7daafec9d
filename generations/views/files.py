"""Every stored file goes out through here: authorised for each request, in ranges, never sniffed."""

from __future__ import annotations

import re
from urllib.parse import quote
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_safe

from generations.models import Asset, Reference
from generations.sending import FOR_EVER, REVALIDATE, send
from generations.services.library import transport

TYPES = {
    "jpeg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
    "mp4": "video/mp4",
    "webm": "video/webm",
}
STRIP = "strip"  # the rendition of a video that shows ten frames side by side


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
def rendition(request: HttpRequest, asset: UUID, width: int) -> HttpResponseBase:
    """A copy at most `width` pixels wide: the next larger one there is, else the original.

    Of a video it is the poster; there the largest has to do, and 404 is what there is before it.
    """
    found = _asset(request, asset)
    copies = found.renditions.exclude(spec=STRIP).select_related("blob").order_by("width")
    made = copies.filter(width__gte=width).first()
    if made is None and found.kind == "video":
        made = copies.last()
        if made is None:
            raise Http404
    if made is None:
        return send(request, found.blob, TYPES[found.format], REVALIDATE)
    exact = made.width == width
    return send(request, made.blob, "image/webp", FOR_EVER if exact else REVALIDATE)


@require_safe
@login_required
def strip(request: HttpRequest, asset: UUID) -> HttpResponseBase:
    """Ten frames of a video side by side in one picture; 404 for what has none."""
    rows = _asset(request, asset).renditions.select_related("blob")
    return send(request, get_object_or_404(rows, spec=STRIP).blob, "image/webp", FOR_EVER)


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


def disposition(name: str) -> str:
    """RFC 6266: a plain name for old clients, the real one percent-encoded beside it (RFC 5987)."""
    stem, _dot, suffix = name.rpartition(".")
    plain = re.sub(r"-{2,}", "-", re.sub(r"[^A-Za-z0-9._-]+", "", stem)).strip("-._") or "diptych"
    return f"attachment; filename=\"{plain}.{suffix}\"; filename*=UTF-8''{quote(name, safe='')}"
