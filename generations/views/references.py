"""Reference pictures: bring them in, pick from the shelf, write down what they are for."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from generations.forms import fit_words
from generations.models import Project, Reference
from generations.services import accounts, engines
from generations.services.library import picks, shelf
from generations.services.library.picks import Pick
from generations.services.library.references import ReferenceProblem, hide, ingest
from generations.services.paging import Cursor
from generations.views.access import get_project, may_write, person, require_writer, wants_fragment

MOST_FILES = 20
PAGE = 48


def tokens_of(request: HttpRequest) -> list[str]:
    """What an address names: `?ref=` references, `?reference=` and `?animate=` results to be adopted."""
    results = request.GET.getlist("reference") + request.GET.getlist("animate")
    adopted = [f"{picks.ADOPT}{each}" for each in results]
    return request.GET.getlist("ref") + adopted


@require_POST
@login_required
def upload(request: HttpRequest, project: UUID) -> HttpResponse:
    """Take files in: the new tiles for the panel, 422 with a sentence for each that is refused."""
    found = get_project(request, project)
    require_writer(request, found)
    taken, problems = _take(request, None if request.POST.get("shelf") == "mine" else found)
    if wants_fragment(request):
        made = [Pick(str(each.public_id), "", each) for each in taken]
        context = _tiles(request, found, made) | {"problems": problems}
        status = 200 if taken else 422
        return render(request, "generations/_reference_tiles.html", context, status=status)
    for text in problems:
        messages.error(request, text)
    mine = "?shelf=mine" if request.POST.get("shelf") == "mine" else ""
    return redirect(resolve_url("references", project) + mine)


def _take(request: HttpRequest, project: Project | None) -> tuple[list[Reference], list[str]]:
    taken: list[Reference] = []
    problems: list[str] = []
    for file in request.FILES.getlist("file")[:MOST_FILES]:
        assert isinstance(file, TemporaryUploadedFile)
        try:
            source = Path(file.temporary_file_path())
            taken.append(
                ingest(source=source, name=file.name or "", user=person(request), project=project)
            )
        except ReferenceProblem as problem:
            problems.append(_(problem.message) % problem.params)
    if not (taken or problems):
        problems.append(_("Choose a picture first."))
    return taken, problems


@require_safe
@login_required
def tiles(request: HttpRequest, project: UUID) -> HttpResponse:
    """The panel's tiles for the pictures an address names; what may not be used is left out."""
    found = get_project(request, project)
    named = picks.find(tokens=tokens_of(request), roles={}, user=person(request))
    return render(request, "generations/_reference_tiles.html", _tiles(request, found, named.picks))


def _tiles(request: HttpRequest, project: Project, found: list[Pick]) -> dict[str, Any]:
    """The context of the panel's tiles, with what the model in `engine` is sent of each."""
    slug = request.POST.get("engine") or request.GET.get("engine", "")
    engine = engines.find(slug) or accounts.offered()[0]
    tiles = [(pick, fit_words(pick, engine)) for pick in found]
    return {"project": project, "engine": engine, "tiles": tiles}


@require_safe
@login_required
def library(request: HttpRequest, project: UUID) -> HttpResponse:
    """The project's shelf, or one's own (`?shelf=mine`); as a page, or to pick from (`?pick=1`)."""
    found = get_project(request, project)
    mine = request.GET.get("shelf") == "mine"
    after = Cursor.parse(request.GET.get("after", ""))
    page = shelf.page(
        user=person(request), project=None if mine else found, after=after, limit=PAGE
    )
    context: dict[str, Any] = {
        "project": found,
        "references": page.references,
        "next": page.next,
        "after": after,
        "mine": mine,
        "may_write": may_write(request, found),
        "section": "library",
    }
    fragment = wants_fragment(request)
    name = "_shelf_picker" if fragment and "pick" in request.GET else "references"
    return render(request, f"generations/{name}.html", context)


@require_POST
@login_required
def change(request: HttpRequest, project: UUID, reference: UUID) -> HttpResponse:
    """Write a note, take off the shelf, or put back."""
    found = get_project(request, project)
    rows = Reference.objects.visible_to(request.user).select_related("project")
    row = get_object_or_404(rows, public_id=reference)
    if row.project_id:
        require_writer(request, row.project or found)
    elif row.user_id != person(request).pk:
        raise Http404  # seen in a run, and still somebody else's
    back = resolve_url("references", project) + ("" if row.project_id else "?shelf=mine")
    try:
        _change(request, row)
    except ReferenceProblem as problem:
        messages.error(request, _(problem.message) % problem.params)
    return redirect(back)


def _change(request: HttpRequest, row: Reference) -> None:
    if "hide" in request.POST:
        hide(reference=row)
        messages.info(request, _("Taken off the shelf. Runs that used it keep it."))
    elif "show" in request.POST:
        shelf.show(reference=row)
    elif "note" in request.POST:
        shelf.annotate(reference=row, note=request.POST["note"])
        messages.success(request, _("Saved."))
