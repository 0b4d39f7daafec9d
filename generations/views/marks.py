"""Judging pictures: one, or as many as are chosen; favourite, stars, trash, another project."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_POST, require_safe

from generations.models import Asset, Project
from generations.services.gallery import Place, marks, trash, trashed
from generations.services.projects import WRITERS
from generations.views.access import (
    get_project,
    may_write,
    person,
    require_writer,
    wants_fragment,
)

MOST = 500
RATINGS = {"0": None, "1": 1, "2": 2, "3": 3, "4": 4, "5": 5}


@require_POST
@login_required
def mark(request: HttpRequest) -> HttpResponse:
    """`asset` (repeated), and one of `favourite`, `rating`, `trash`, `restore`, `move`."""
    assets = _chosen(request)
    try:
        said = _do(request, assets)
    except trash.MoveProblem as problem:
        return _answer(request, _(problem.message), 422)
    return _answer(request, said, 200, assets if "trash" in request.POST else ())


def _chosen(request: HttpRequest) -> list[Asset]:
    """The named pictures: 404 unless the person sees them all, 403 unless they may change them all."""
    try:
        ids = {UUID(text) for text in request.POST.getlist("asset")[:MOST]}
    except ValueError:
        raise Http404 from None
    rows = Asset.objects.visible_to(request.user).select_related("project", "generation")
    found = list(rows.filter(public_id__in=ids))
    if not found or len(found) != len(ids):
        raise Http404
    if not all(may_write(request, project) for project in {each.project for each in found}):
        raise PermissionDenied
    return found


def _do(request: HttpRequest, assets: Sequence[Asset]) -> str:
    """Do what is asked and say so; 404 for what nobody can ask."""
    asked, actor, count = request.POST, person(request), len(assets)
    if asked.get("favourite") in ("0", "1"):
        marks.favour(assets=assets, actor=actor, favourite=asked["favourite"] == "1")
        return ""
    if asked.get("rating") in RATINGS:
        marks.rate(assets=assets, actor=actor, rating=RATINGS[asked["rating"]])
        return ""
    if "trash" in asked:
        trash.throw_away(assets=assets, actor=actor)
        text = ngettext("%(n)s picture is in the trash.", "%(n)s pictures are in the trash.", count)
        return text % {"n": count}
    if "restore" in asked:
        trash.bring_back(assets=assets, actor=actor)
        text = ngettext("%(n)s picture is back.", "%(n)s pictures are back.", count)
        return text % {"n": count}
    return _move(request, assets)


def _move(request: HttpRequest, assets: Sequence[Asset]) -> str:
    try:
        wanted = UUID(request.POST.get("move", ""))
    except ValueError:
        raise Http404 from None
    to = get_project(request, wanted)
    require_writer(request, to)
    count = trash.move(assets=assets, to=to, actor=person(request))
    text = ngettext("%(n)s run moved to %(name)s.", "%(n)s runs moved to %(name)s.", count)
    return text % {"n": count, "name": to.name}


def _answer(
    request: HttpRequest, said: str, status: int, undo: Sequence[Asset] = ()
) -> HttpResponse:
    """For a script: the words for the toast, with a way back. Else back to where the form was."""
    if wants_fragment(request):
        context = {"said": said, "undo": [str(each.public_id) for each in undo]}
        return render(request, "generations/_marked.html", context, status=status)
    if said:
        (messages.success if status == 200 else messages.error)(request, said)
    back = request.POST.get("next", "")
    ours = url_has_allowed_host_and_scheme(back, {request.get_host()}, request.is_secure())
    return redirect(back if ours else "home")


@require_safe
@login_required
def trash_page(request: HttpRequest, project: UUID) -> HttpResponse:
    """What was thrown away, and for how long it can be brought back."""
    found = get_project(request, project)
    after = Place.parse(request.GET.get("after", ""))
    page = trashed(project=found, after=after)
    context = {
        "project": found,
        "assets": [(each, trash.days_left(each)) for each in page.assets],
        "next": page.next,
        "days": trash.KEPT.days,
        "may_write": may_write(request, found),
        "section": "gallery",
    }
    return render(request, "generations/trash.html", context)


def targets(request: HttpRequest) -> list[Project]:
    """Projects that pictures may be moved to."""
    return list(
        Project.objects.filter(
            memberships__user=person(request), memberships__role__in=WRITERS, archived_at=None
        ).order_by("name")[:50]
    )
