"""Who may: the checks every view of a project begins with."""

from __future__ import annotations

from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.db.models import F
from django.http import HttpRequest
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from generations.models import Project, Role, User
from generations.services.projects import WRITERS, Barred, barred

LAST_PROJECT = "project"


def person(request: HttpRequest) -> User:
    """The signed-in person; call only behind `login_required`."""
    assert isinstance(request.user, User)
    return request.user


def get_project(request: HttpRequest, public_id: UUID) -> Project:
    """The project with `my_role` set, or 404 for a stranger. Becomes the session's last project."""
    visible = Project.objects.visible_to(request.user).annotate(my_role=F("memberships__role"))
    project: Project = get_object_or_404(visible, public_id=public_id)
    if request.session.get(LAST_PROJECT) != str(public_id):
        request.session[LAST_PROJECT] = str(public_id)
    return project


def role(request: HttpRequest, project: Project) -> str | None:
    """The person's role in the project; asked once, then kept on the row as `my_role`."""
    if not hasattr(project, "my_role"):
        setattr(project, "my_role", project.role_of(request.user))  # noqa: B010 - not a model field
    found: str | None = getattr(project, "my_role")  # noqa: B009 - not a model field
    return found


def may_write(request: HttpRequest, project: Project) -> bool:
    """Owners and editors may, until the project is archived."""
    return barred(project=project, role=role(request, project)) is None


def require_writer(request: HttpRequest, project: Project) -> None:
    """403 unless the person owns the project or edits in it, and it is not archived."""
    if role(request, project) not in WRITERS:
        raise PermissionDenied
    _require_open(project)


def require_owner(request: HttpRequest, project: Project, *, even_archived: bool = False) -> None:
    """403 unless the person owns the project; of an archived one only who belongs to it may change."""
    if role(request, project) != Role.OWNER:
        raise PermissionDenied
    if not even_archived:
        _require_open(project)


def _require_open(project: Project) -> None:
    if project.archived_at:
        raise PermissionDenied(_(Barred.ARCHIVED))


def wants_fragment(request: HttpRequest) -> bool:
    """Whether htmx asks for a part of a page; a history restore or a selection wants all of it."""
    htmx = getattr(request, "htmx", None)
    if not htmx or htmx.history_restore_request:
        return False
    return str(htmx.request_type) != "full"
