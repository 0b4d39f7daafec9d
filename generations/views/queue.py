"""What is in flight: one's own jobs in full, with orders about them, and everybody else's by number."""

from __future__ import annotations

from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods

from generations.models import Job, Membership
from generations.services import events, jobs
from generations.services.projects import WRITERS
from generations.views.access import (
    get_project,
    may_write,
    person,
    require_writer,
    wants_fragment,
)

# What happens in other projects moves one's place too, without an event of this one.
LOOK_EVERY_S = 8


@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def queue(request: HttpRequest, project: UUID) -> HttpResponse:
    """The page or its list; POST carries out an order about the person's own jobs."""
    found = get_project(request, project)
    if request.method == "POST":
        require_writer(request, found)
        _order(request)
        return redirect("queue", found.public_id)
    cursor = events.latest_id(project=found)
    context = {
        "project": found,
        "cursor": cursor,
        "flight": jobs.in_flight(user=person(request)),
        "every": LOOK_EVERY_S,
        "may_write": may_write(request, found),
        "section": "queue",
    }
    name = "_queue" if wants_fragment(request) else "queue"
    return render(request, f"generations/{name}.html", context)


def _order(request: HttpRequest) -> None:
    order, actor = request.POST.get("order", ""), person(request)
    try:
        if order == "cancel-all":
            _cancel_all(request)
        elif order == "cancel":
            jobs.cancel(job=_job(request), actor=actor)
        elif order == "front":
            jobs.to_front(job=_job(request))
        else:
            messages.error(request, _("There is no such order. Reload the page."))
    except jobs.NotPossible as refused:
        messages.error(request, refused.message)


def _cancel_all(request: HttpRequest) -> None:
    """Everything of the person that waits, in the projects they may still write in."""
    actor = person(request)
    projects = Membership.objects.filter(user=actor, role__in=WRITERS).values("project")
    mine = Job.objects.filter(user=actor, generation__project__in=projects)
    done = jobs.cancel_waiting(rows=mine, actor=actor)
    text = ngettext("%(n)s is cancelled.", "%(n)s are cancelled.", done)
    messages.success(request, text % {"n": done})


def _job(request: HttpRequest) -> Job:
    """One of the person's own jobs; 404 for anybody else's, 403 where they may only look."""
    rows = Job.objects.visible_to(request.user).filter(user=person(request))
    try:
        found = get_object_or_404(
            rows.select_related("generation__project"), public_id=request.POST.get("job", "")
        )
    except ValidationError:
        raise Http404 from None
    require_writer(request, found.generation.project)
    return found
