"""Two to four pictures or videos side by side. The URL is the comparison."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, QueryDict
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from generations.models import Asset, Generation
from generations.services import gallery
from generations.views.access import may_write, person, require_writer
from generations.views.lettered import LETTERS, MODES, MOST, Lettered

PICKED = "picked"  # in the session: what the best of a comparison was before, to put it back
REMEMBERED = 20
VIEWS = {
    "slider": "arrow-left-right",
    "side": "columns-2",
    "grid": "layout-grid",
    "flicker": "layers",
}


@dataclass(frozen=True, slots=True)
class Pane:
    """One picture under its letter."""

    letter: str
    asset: Asset
    may_write: bool
    without: str  # the comparison's address when this one leaves it
    other: bool  # the slider holds it against A
    picked: bool  # by this person, in this session: it can be undone

    @property
    def is_best(self) -> bool:
        return gallery.Mark.of(self.asset).is_best


@require_safe
@login_required
def compare(request: HttpRequest) -> HttpResponse:
    """`?a=…&b=…&c=…&d=…&mode=…`; `?pick=…&pick=…` of a plain form leads there."""
    asked = Lettered.asked(request.GET)
    if "pick" in request.GET:
        return redirect(asked.url)
    found = _assets(request, list(dict.fromkeys(asked.ids))[:MOST])
    context = {"notices": [*_notices(asked)], "section": "compare"}
    if not found:
        return render(request, "generations/compare_empty.html", context)
    state = asked.with_ids(each.public_id for each in found)
    context |= {**_seen(request, state, found), **_told(found), **_ways(state)}
    return render(request, "generations/compare.html", context)


@require_safe
@login_required
def together(request: HttpRequest, together: UUID) -> HttpResponse:
    """The comparison of what one press made on several models: the first picture of each that is there."""
    runs = Generation.objects.visible_to(person(request)).filter(together=together)
    first = runs.select_related("project").order_by("id").first()
    if first is None:
        raise Http404
    found = gallery.first_of_each(together=together, user=person(request))
    if not found:
        messages.info(request, _("Nothing has come yet. Compare once a picture is there."))
        return redirect("studio", first.project.public_id)
    return redirect(Lettered(tuple(each.public_id for each in found[:MOST])).url)


@require_POST
@login_required
def best(request: HttpRequest, asset: UUID) -> HttpResponse:
    """Pick the best of a comparison, or put back what it was; then the comparison again.

    Whichever else of it this person had picked in this session is put back.
    """
    rows = Asset.objects.visible_to(request.user).select_related("project", "generation")
    found = get_object_or_404(rows, public_id=asset)
    require_writer(request, found.project)
    state = Lettered.asked(QueryDict(request.POST.get("back", "")))
    if "undo" in request.POST:
        _put_back(request, found)
        return redirect(state.url)
    for other in _assets(request, dict.fromkeys(state.ids[:MOST])):
        if other.pk != found.pk:
            _put_back(request, other)
    _pick(request, found)
    return redirect(state.url)


def _pick(request: HttpRequest, asset: Asset) -> None:
    before = gallery.pick_best(asset=asset, actor=person(request))
    if not before.is_best:
        kept = list(request.session.get(PICKED, {}).items())[1 - REMEMBERED :]
        mark = [before.rating, before.favourite]
        request.session[PICKED] = dict(kept) | {str(asset.public_id): mark}


def _put_back(request: HttpRequest, asset: Asset) -> None:
    """What it was before this session picked it. What others judged stays."""
    remembered = dict(request.session.get(PICKED, {}))
    was = remembered.pop(str(asset.public_id), None)
    if was and may_write(request, asset.project):
        gallery.put_back(asset=asset, mark=gallery.Mark(*was), actor=person(request))
        request.session[PICKED] = remembered


def _assets(request: HttpRequest, ids: Iterable[UUID]) -> list[Asset]:
    """The rows in this order, or 404 where the person may not see one of them."""
    wanted = list(ids)
    rows = (
        Asset.objects.visible_to(request.user)
        .filter(public_id__in=wanted)
        .select_related("blob", "project", "generation__user", "job")
        .prefetch_related("generation__uses__reference")
    )
    found = {each.public_id: each for each in rows}
    if set(wanted) - set(found):
        raise Http404
    return [found[each] for each in wanted]


def _notices(asked: Lettered) -> Iterable[str]:
    distinct = len(set(asked.ids))
    if distinct > MOST:
        text = _("Up to four pictures can be compared. These are the first four of %(n)s.")
        yield text % {"n": distinct}
    if distinct < len(asked.ids):
        yield _("A picture that was named more than once is shown once.")


def _seen(request: HttpRequest, state: Lettered, pictures: list[Asset]) -> dict[str, Any]:
    """The panes, and the strip below them."""
    letters = dict(zip(state.ids, state.letters, strict=True))
    film = [
        (each, letters.get(each.public_id, ""), state.put(each.public_id).url)
        for each in gallery.strip(pictures)
    ]
    panes = _panes(request, state, pictures)
    return {
        "panes": panes,
        "usable": any(pane.may_write for pane in panes),
        "film": film,
        "plays": any(each.kind == "video" for each in pictures),
        "state": state,
        "project": pictures[0].project,
    }


def _panes(request: HttpRequest, state: Lettered, pictures: list[Asset]) -> list[Pane]:
    projects = {each.project_id: each.project for each in pictures}
    may = {key: may_write(request, project) for key, project in projects.items()}
    picked = request.session.get(PICKED, {})
    return [
        Pane(
            letter=LETTERS[n],
            asset=each,
            may_write=may[each.project_id],
            without=state.without(n).url,
            other=n == state.other,
            picked=str(each.public_id) in picked,
        )
        for n, each in enumerate(pictures)
    ]


def _told(pictures: list[Asset]) -> dict[str, Any]:
    """What differs, in words: every prompt against A's, and the parameters."""
    prompts = [each.generation.prompt if each.generation else "" for each in pictures]
    rows = gallery.rows(pictures)
    return {
        "prompt": prompts[0],
        "prompts": [
            (letter, gallery.prompt_segments(prompts[0], text))
            for letter, text in zip(LETTERS[1:], prompts[1:], strict=False)
            if text != prompts[0]
        ],
        "different": [row for row in rows if not row.same],
        "same": [row for row in rows if row.same],
    }


def _ways(state: Lettered) -> dict[str, Any]:
    """Where the links of the page lead."""
    names = {
        "slider": _("Slider"),
        "side": _("Side by side"),
        "grid": _("Grid"),
        "flicker": _("Flicker"),
    }
    places = range(min(len(state.ids) + 1, MOST))
    return {
        "views": [(mode, names[mode], VIEWS[mode], state.shown(mode).url) for mode in MODES],
        "swapped": state.swapped().url if len(state.ids) > 1 else "",
        "letters": [
            (LETTERS[n], n < len(state.ids), n == state.at, state.choosing(n).url) for n in places
        ],
        "free": LETTERS[len(state.ids) % MOST],
        "adding": state.choosing(len(state.ids)).url if len(state.ids) < MOST else "",
    }
