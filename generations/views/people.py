"""What owners do about people and the whole project: links, a new owner, leaving, putting it away."""

from __future__ import annotations

from uuid import UUID

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_POST

from generations.forms import whole_number
from generations.models import Invitation, Membership
from generations.services import projects
from generations.services.projects import ProjectProblem
from generations.views.access import get_project, person, require_owner
from generations.views.projects import settings_page


@require_POST
@never_cache
@login_required
def invite(request: HttpRequest, project: UUID) -> HttpResponse:
    """Make a link and show it, this once: only its hash is kept, so no later page can."""
    found = get_project(request, project)
    require_owner(request, found)
    wanted = {name: request.POST.get(name, "") for name in ("role", "days", "uses")}
    typed = {f"typed_invite_{name}": value for name, value in wanted.items()}
    try:
        token = projects.invite(
            project=found,
            by=person(request),
            role=wanted["role"],
            days=wanted["days"],
            once=wanted["uses"] != "many",
        )
    except ProjectProblem as refused:
        return settings_page(request, found, {"invite_problem": refused.message, **typed})
    return settings_page(request, found, {"new_link": address(request, "join", token), **typed})


def address(request: HttpRequest, name: str, *arguments: object) -> str:
    """A whole address of a page of ours: under the configured one, else where it is asked for
    (`get_host` lets only ALLOWED_HOSTS pass)."""
    path = resolve_url(name, *arguments)
    base: str = settings.PUBLIC_BASE_URL
    return f"{base}{path}" if base else request.build_absolute_uri(path)


@require_POST
@login_required
def revoke(request: HttpRequest, project: UUID, invitation: UUID) -> HttpResponse:
    found = get_project(request, project)
    require_owner(request, found, even_archived=True)
    link = get_object_or_404(Invitation, project=found, public_id=invitation)
    projects.revoke(invitation=link)
    messages.success(request, _("The link lets nobody in any more."))
    return redirect("project-settings", project)


@require_POST
@login_required
def transfer(request: HttpRequest, project: UUID) -> HttpResponse:
    found = get_project(request, project)
    require_owner(request, found, even_archived=True)
    chosen = request.POST.get("member", "")
    if not chosen:
        problem = _("Choose who is to own the project.")
        return settings_page(request, found, {"transfer_problem": problem})
    wanted = whole_number(chosen) or 0
    to = get_object_or_404(Membership.objects.select_related("user"), project=found, pk=wanted)
    try:
        projects.transfer(project=found, owner=person(request), to=to)
    except ProjectProblem as refused:
        return settings_page(request, found, {"transfer_problem": refused.message})
    messages.success(request, _("%(name)s owns the project now.") % {"name": to.user.shown_name})
    return redirect("project-settings", project)


@require_POST
@login_required
def leave(request: HttpRequest, project: UUID) -> HttpResponse:
    found = get_project(request, project)
    try:
        projects.leave(project=found, user=person(request))
    except ProjectProblem as refused:
        return settings_page(request, found, {"leave_problem": refused.message})
    messages.success(request, _("You have left %(name)s.") % {"name": found.name})
    return redirect("project-list")


@require_POST
@login_required
def archive(request: HttpRequest, project: UUID) -> HttpResponse:
    found = get_project(request, project)
    require_owner(request, found, even_archived=True)
    projects.archive(project=found)
    messages.success(request, _("The project is archived."))
    return redirect("project-settings", project)


@require_POST
@login_required
def restore(request: HttpRequest, project: UUID) -> HttpResponse:
    found = get_project(request, project)
    require_owner(request, found, even_archived=True)
    projects.restore(project=found)
    messages.success(request, _("The project is restored."))
    return redirect("project-settings", project)
