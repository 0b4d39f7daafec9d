"""Saved prompts as files: a shelf taken out, and rows taken in."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_safe

from generations.services.library import sheets
from generations.services.library.sheets import Imported, SheetProblem
from generations.views.access import get_project, person, require_writer
from generations.views.prompts import is_own, shelf_of


@require_safe
@login_required
def export(request: HttpRequest, project: UUID) -> HttpResponse:
    """A shelf as CSV, or as JSON (`?format=json`)."""
    found = get_project(request, project)
    rows = shelf_of(request, found).filter(hidden_at=None)[: sheets.MOST_ROWS]
    as_json = request.GET.get("format") == "json"
    body = sheets.to_json(rows) if as_json else sheets.to_csv(rows)
    kind, ending = ("application/json", "json") if as_json else ("text/csv; charset=utf-8", "csv")
    response = HttpResponse(body, content_type=kind)
    response.headers["Content-Disposition"] = f'attachment; filename="prompts.{ending}"'
    return response


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def bring_in(request: HttpRequest, project: UUID) -> HttpResponse:
    """Take a CSV or JSON file in: what is good is kept, what is not is said by line."""
    found = get_project(request, project)
    require_writer(request, found)
    result, problem = Imported(), ""
    file = request.FILES.get("file")
    if request.method == "POST" and file is None:
        problem = _("Choose a file first.")
    elif file is not None:
        shelf = None if is_own(request) else found
        try:
            data = file.read(sheets.MOST_BYTES + 1)
            result = sheets.bring_in(data=data, user=person(request), project=shelf)
        except SheetProblem as refused:
            problem = _(refused.message) % refused.params
    lines = [(line, _(each.message) % each.params) for line, each in result.problems]
    context = {"project": found, "made": result.made, "lines": lines, "problem": problem}
    context |= {"mine": is_own(request), "section": "library"}
    context["here"] = resolve_url("prompt-import", found.public_id)
    status = 422 if problem or lines else 200
    return render(request, "generations/prompt_import.html", context, status=status)
