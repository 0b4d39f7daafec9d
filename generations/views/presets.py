"""Presets: keep the compose panel's settings under a name, and delete them."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.db.models import Q
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST

from generations.forms import ComposeForm
from generations.models import Preset, Project
from generations.services.library import presets
from generations.services.library.prompts import PromptProblem
from generations.views.access import get_project, person, require_writer
from generations.views.prompts import is_own


@require_POST
@login_required
def preset_new(request: HttpRequest, project: UUID) -> HttpResponse:
    """Keep the posted settings; 422 with the same settings and a name to correct."""
    found = get_project(request, project)
    require_writer(request, found)
    form = ComposeForm(request.POST)
    name = request.POST.get("preset_name", "")
    try:
        row = presets.save(
            user=person(request),
            project=None if is_own(request) else found,
            name=name,
            engine=form.typed("engine"),
            settings=form.raw_settings(),
            count=form.asked_count(),
        )
    except PromptProblem as problem:
        return _refused(request, found, problem)
    messages.success(request, _("The settings are kept as “%(name)s”.") % {"name": row.name})
    return redirect(f"{resolve_url('studio', project)}?preset={row.public_id}")


def _refused(request: HttpRequest, project: Project, problem: PromptProblem) -> HttpResponse:
    context = {
        "project": project,
        "problems": [_(each.message) % each.params for each in problem.errors],
        "name": request.POST.get("preset_name", ""),
        "mine": is_own(request),
        "posted": [(key, text) for key, text in request.POST.items() if key not in _OWN],
        "section": "library",
        "here": resolve_url("studio", project.public_id),
    }
    return render(request, "generations/preset_new.html", context, status=422)


_OWN = ("preset_name", "shelf", "csrfmiddlewaretoken")


@require_POST
@login_required
def preset_delete(request: HttpRequest, project: UUID, preset: UUID) -> HttpResponse:
    """Delete a preset of the project or one's own. Runs never depend on it."""
    found = get_project(request, project)
    shelves = Q(project=found) | Q(project=None, user=person(request))
    rows = Preset.objects.visible_to(person(request)).filter(shelves)
    row = get_object_or_404(rows, public_id=preset)
    require_writer(request, found)
    row.delete()
    messages.info(request, _("“%(name)s” is deleted.") % {"name": row.name})
    return redirect("studio", project)
