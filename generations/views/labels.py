"""A project's AIGC labels: its policy, and the register of what left without them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseBase, StreamingHttpResponse
from django.shortcuts import redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from generations.label_forms import LabelPolicyForm
from generations.models import Project
from generations.services import labels
from generations.services.paging import Cursor
from generations.services.projects import unlabelled
from generations.views.access import get_project, person, require_owner
from generations.views.files import disposition
from generations.views.projects import settings_page


@require_POST
@login_required
def policy(request: HttpRequest, project: UUID) -> HttpResponse:
    """Change what later runs are to carry."""
    found = _labelled_by(request, project)
    if found.archived_at:
        raise PermissionDenied
    form = LabelPolicyForm(request.POST, instance=labels.to_edit(found))
    if not form.is_valid():
        return settings_page(request, found, {"label_form": form, "label_problem": True})
    form.save()
    messages.success(request, _("Saved. It holds for runs made from now on."))
    return redirect("project-settings", found.public_id)


def _labelled_by(request: HttpRequest, project: UUID) -> Project:
    """The project, for its owners and for administrators who belong to it; else 403, a stranger 404."""
    found = get_project(request, project)
    if not person(request).is_staff:
        require_owner(request, found, even_archived=True)
    return found


@require_safe
@login_required
def register(request: HttpRequest, project: UUID) -> HttpResponse:
    """Who took which file without a label, and why."""
    found = _labelled_by(request, project)
    after = Cursor.parse(request.GET.get("after", ""))
    rows, more = unlabelled.page(project=found, after=after)
    named = [(row, unlabelled.named(row.missing)) for row in rows]
    context = {"project": found, "rows": named, "next": more, "section": "projects"}
    return render(request, "generations/unlabelled.html", context)


@require_safe
@login_required
def register_csv(request: HttpRequest, project: UUID) -> HttpResponseBase:
    """The whole register for a spreadsheet."""
    found = _labelled_by(request, project)
    lines = unlabelled.to_csv(unlabelled.rows(project=found).iterator(chunk_size=500))
    response = StreamingHttpResponse(lines, content_type="text/csv; charset=utf-8")
    response.headers["Content-Disposition"] = disposition(f"unlabelled-{found.slug}.csv")
    return response
