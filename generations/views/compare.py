"""Two pictures side by side. The URL is the comparison."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.views.decorators.http import require_safe

from generations.models import Asset
from generations.services import gallery
from generations.views.access import may_write

MODES = ("side", "slider")
FILM = 16  # pictures of each run offered below


@require_safe
@login_required
def compare(request: HttpRequest) -> HttpResponse:
    """`?a=…&b=…&mode=side|slider`; without the two, how to choose them."""
    if not (request.GET.get("a") and request.GET.get("b")):
        return render(request, "generations/compare_empty.html", {"section": "compare"})
    a, b = (_picture(request, request.GET[name]) for name in ("a", "b"))
    rows = gallery.rows(a, b)
    mode = request.GET.get("mode", "")
    context = {
        "panes": [
            (letter, each, may_write(request, each.project))
            for letter, each in (("A", a), ("B", b))
        ],
        "a": a,
        "b": b,
        "project": a.project,
        "segments": gallery.prompt_segments(_prompt(a), _prompt(b)),
        "different": [row for row in rows if not row.same],
        "same": [row for row in rows if row.same],
        "film": _film(a, b),
        "mode": mode if mode in MODES else MODES[0],
        "section": "compare",
    }
    return render(request, "generations/compare.html", context)


def _picture(request: HttpRequest, text: str) -> Asset:
    """The picture of this id, or 404 where there is none that the person may see."""
    try:
        public_id = UUID(text)
    except ValueError:
        raise Http404 from None
    rows = Asset.objects.visible_to(request.user).select_related(
        "blob", "project", "generation__user", "job"
    )
    return get_object_or_404(rows, public_id=public_id)


def _prompt(asset: Asset) -> str:
    return asset.generation.prompt if asset.generation else ""


def _film(a: Asset, b: Asset) -> list[Asset]:
    """The pictures of both runs, to put in the place of B; of a long set, those around A and B."""
    both = {each.pk: each for asset in (a, b) for each in _around(asset)}
    return list(both.values())


def _around(asset: Asset) -> list[Asset]:
    found = gallery.siblings(asset)
    place = next((n for n, each in enumerate(found) if each.pk == asset.pk), 0)
    start = max(0, min(place - FILM // 2, len(found) - FILM))
    return found[start : start + FILM]
