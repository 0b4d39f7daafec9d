"""The compose panel drawn again before anything is sent: for another model, or with a picture moved."""

from __future__ import annotations

from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.views.decorators.http import require_POST

from generations.forms import ComposeForm
from generations.services.library import picks
from generations.views.access import get_project, person, require_writer, wants_fragment
from generations.views.beginnings import as_kind, notes_on, take_saved
from generations.views.compose import compose_page, compose_panel, source_of


@require_POST
@login_required
def panel(request: HttpRequest, project: UUID) -> HttpResponse:
    """The panel as it was typed, with what its model offers and is sent of each picture; `kind` changes
    to a model that makes pictures, or videos.
    """
    found = get_project(request, project)
    require_writer(request, found)
    source = source_of(request, request.POST.get("rerun_of", ""))
    form = ComposeForm(as_kind(request.POST, found))
    form.saved = take_saved(request, found)
    form.picks = picks.find(tokens=form.tokens, roles=form.roles, user=person(request)).picks
    if "move" in request.POST:
        form.picks = picks.moved(form.picks, request.POST["move"])
        form = form.again()
    else:
        form = form.again(form.settings_that_fit())
    answer = compose_panel if wants_fragment(request) else compose_page
    notes = notes_on(source, person(request), found) if source else []
    return answer(request, found, form, source=source, source_notes=notes)
