"""Projects: the way in, the list, a new one, its name and its members."""

from __future__ import annotations

from collections.abc import Mapping
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.label_forms import LabelPolicyForm
from generations.models import Membership, Project, Role
from generations.services import accounts, labels, projects
from generations.services.projects import ProjectProblem
from generations.views.access import LAST_PROJECT, get_project, person, require_owner, role

page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@login_required
def home(request: HttpRequest) -> HttpResponse:
    """Where the person left off: the project used last, or the only one, or the list."""
    mine = Project.objects.visible_to(request.user).filter(archived_at=None)
    last = request.session.get(LAST_PROJECT)
    found = mine.filter(public_id=last).first() if last else None
    if found is None:
        few = list(mine.order_by("id")[:2])
        found = few[0] if len(few) == 1 else None
    return redirect("studio", found.public_id) if found else redirect("project-list")


@require_safe
@login_required
def project_list(request: HttpRequest) -> HttpResponse:
    covers = projects.covers(user=person(request))
    context = {
        "covers": [cover for cover in covers if not cover.project.archived_at],
        "archived": [cover for cover in covers if cover.project.archived_at],
        "section": "projects",
    }
    return render(request, "generations/project_list.html", context)


@page
@login_required
def project_new(request: HttpRequest) -> HttpResponse:
    name, problem = request.POST.get("name", ""), ""
    if request.method == "POST":
        try:
            made = projects.create(name=name, owner=person(request))
            return redirect("studio", made.public_id)
        except ProjectProblem as refused:
            problem = refused.message
    context = {"name": name, "problem": problem, "section": "projects"}
    status = 422 if problem else 200
    return render(request, "generations/project_new.html", context, status=status)


@page
@login_required
def project_settings(request: HttpRequest, project: UUID) -> HttpResponse:
    found = get_project(request, project)
    problems: dict[str, object] = {"typed_models": request.POST.getlist("model")}
    if request.method == "POST":
        require_owner(request, found)
        try:
            _change(request, found)
            messages.success(request, _("Saved."))
            return redirect("project-settings", found.public_id)
        except ProjectProblem as refused:
            place = "models_problem" if "models" in request.POST else "rename_problem"
            problems[place] = refused.message
    return settings_page(request, found, problems)


def _change(request: HttpRequest, project: Project) -> None:
    """What the posted form is about: the models that are on, the usual one, or the name."""
    if "models" in request.POST:
        asked = [each.slug for each in accounts.offered()]
        projects.permit(project=project, slugs=request.POST.getlist("model"), among=asked)
    elif "default_engine" in request.POST:
        projects.prefer(project=project, engine=request.POST["default_engine"])
    else:
        projects.rename(project=project, name=request.POST.get("name", ""))


def settings_page(
    request: HttpRequest, project: Project, extra: Mapping[str, object]
) -> HttpResponse:
    """The page, with whatever an order upon it brought; 422 when that was a problem."""
    members = project.memberships.select_related("user").order_by("id")
    context = {
        "project": project,
        "members": members,
        "roles": Role.choices,
        "invitations": projects.open_invitations(project=project),
        "days": projects.DAYS,
        "is_owner": role(request, project) == Role.OWNER,
        "may_label": role(request, project) == Role.OWNER or person(request).is_staff,
        "label_form": LabelPolicyForm(instance=labels.policy_of(project)),
        "section": "projects",
        "here": resolve_url("project-settings", project.public_id),
        **extra,
    }
    status = 422 if any(value for key, value in extra.items() if key.endswith("problem")) else 200
    return render(request, "generations/project_settings.html", context, status=status)


@require_POST
@login_required
def member_add(request: HttpRequest, project: UUID) -> HttpResponse:
    found = get_project(request, project)
    require_owner(request, found)
    username, chosen = request.POST.get("username", ""), request.POST.get("role", "")
    try:
        member = projects.add_member(project=found, username=username, role=chosen)
    except ProjectProblem as refused:
        typed = {"add_problem": refused.message, "typed_username": username, "typed_role": chosen}
        return settings_page(request, found, typed)
    messages.success(request, _("%(name)s has joined.") % {"name": member.user.shown_name})
    return redirect("project-settings", found.public_id)


@require_POST
@login_required
def member_change(request: HttpRequest, project: UUID, membership: int) -> HttpResponse:
    found = get_project(request, project)
    require_owner(request, found, even_archived=True)
    member = get_object_or_404(Membership, project=found, pk=membership)
    try:
        if "remove" in request.POST:
            projects.remove_member(project=found, member=member)
        else:
            projects.change_member(project=found, member=member, role=request.POST.get("role", ""))
    except ProjectProblem as refused:
        return settings_page(request, found, {"member_problem": refused.message})
    messages.success(request, _("Saved."))
    mine = Project.objects.visible_to(request.user).filter(pk=found.pk)
    return redirect("project-settings", project) if mine.exists() else redirect("project-list")
