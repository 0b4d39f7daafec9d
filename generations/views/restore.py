"""A recipe out of a file: an exported picture or a manifest, put into the compose panel."""

from __future__ import annotations

import json
from dataclasses import asdict
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from generations.forms import ComposeForm
from generations.models import Project
from generations.refilled import raw_recipe
from generations.services.gallery import carried
from generations.services.library.references import MAX_BYTES
from generations.views.access import get_project, person, require_writer, wants_fragment
from generations.views.beginnings import usual
from generations.views.compose import compose_page, compose_panel

page = require_http_methods(["GET", "HEAD", "POST"])


@page
@login_required
def restore(request: HttpRequest, project: UUID) -> HttpResponse:
    """Ask for a file; put its recipe into the panel; of several recipes, ask which."""
    found = get_project(request, project)
    if request.method != "POST":
        return _ask(request, found)
    require_writer(request, found)
    recipes = carried.read(_posted(request))
    if len(recipes) == 1:
        return _filled(request, found, recipes[0])
    if recipes:
        return _ask(request, found, choices=[(each, _text(each)) for each in recipes])
    return _ask(request, found, problem=_("This file carries no recipe of Diptych."))


def _posted(request: HttpRequest) -> bytes:
    """The file's bytes, up to the limit of a reference; or the recipe that was chosen of several."""
    file = request.FILES.get("file")
    if file is None:
        return request.POST.get("recipe", "").encode("utf-8", "replace")[: carried.MOST_JSON]
    return bytes(file.read(MAX_BYTES)) if (file.size or 0) <= MAX_BYTES else b""


def _text(recipe: carried.Recipe) -> str:
    told = asdict(recipe)
    told["references"] = [{"sha256": one, "role": role} for one, role in recipe.references]
    return json.dumps({"recipe": told})


def _ask(request: HttpRequest, project: Project, **more: Any) -> HttpResponse:
    context = {"project": project, "section": "studio", **more}
    status = 422 if more else 200
    name = "_restore" if wants_fragment(request) else "restore"
    return render(request, f"generations/{name}.html", context, status=status)


def _filled(request: HttpRequest, project: Project, recipe: carried.Recipe) -> HttpResponse:
    restored = carried.restore(recipe=recipe, user=person(request), project=project)
    more = usual(project)
    if restored.engine:
        more = raw_recipe(restored.engine.slug, restored.settings)
    form = ComposeForm.fresh(None, **(more | {"prompt": recipe.prompt}))
    form.picks = restored.picks
    notes = _notes(restored)
    show = compose_panel if wants_fragment(request) else compose_page
    return show(request, project, form, restored=True, restored_notes=notes)


def _notes(restored: carried.Restored) -> list[str]:
    notes = []
    if restored.left_out:
        names = ", ".join(restored.left_out)[:300]
        notes.append(
            _("Left out, because this studio does not have it: %(names)s") % {"names": names}
        )
    if restored.missing:
        text = ngettext(
            "%(n)s reference is not on any shelf of yours.",
            "%(n)s references are not on any shelf of yours.",
            restored.missing,
        )
        notes.append(text % {"n": restored.missing})
    return notes
