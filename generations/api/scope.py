"""What a token reaches: what its person may see, and of that only its project where it names one."""

from __future__ import annotations

from http import HTTPStatus
from uuid import UUID

from django.db.models import F, Q, QuerySet
from django.http import Http404, HttpRequest
from django.shortcuts import get_object_or_404

from generations.api.admission import token_of
from generations.api.problems import refusal
from generations.models import Asset, Generation, Project, Reference, UnlabelledDownload
from generations.providers.base import N_
from generations.services.gallery import card_queryset
from generations.services.projects import barred, unlabelled

ONLY_READS = N_("This token may only read.")


def projects(request: HttpRequest) -> QuerySet[Project]:
    """The projects within reach, each with the person's role as `my_role`."""
    token = token_of(request)
    rows = Project.objects.visible_to(token.user)
    if token.project_id:
        rows = rows.filter(pk=token.project_id)
    return rows.annotate(my_role=F("memberships__role"))


def project(request: HttpRequest, public_id: str) -> Project:
    """The project, or 404."""
    return get_object_or_404(projects(request), public_id=_uuid(public_id))


def to_write(request: HttpRequest, public_id: str) -> Project:
    """The project, if this token may make something there; else 404, or 403 with the reason."""
    found = project(request, public_id)
    require_writer(request, found)
    return found


def require_writer(request: HttpRequest, found: Project) -> None:
    """403 unless the token may run, its person writes in the project, and that is not archived."""
    if not token_of(request).may_run:
        raise refusal(HTTPStatus.FORBIDDEN, ONLY_READS)
    role = found.role_of(token_of(request).user)
    if why := barred(project=found, role=role):
        raise refusal(HTTPStatus.FORBIDDEN, why, "project")


def generation(request: HttpRequest, public_id: str) -> Generation:
    """The generation with all that is shown of it, or 404."""
    rows = Generation.objects.visible_to(token_of(request).user).filter(_in_reach(request))
    found = get_object_or_404(rows, public_id=_uuid(public_id))
    return card_queryset().get(pk=found.pk)


def asset(request: HttpRequest, public_id: str) -> Asset:
    rows = Asset.objects.visible_to(token_of(request).user).filter(_in_reach(request))
    related = rows.select_related("blob", "generation", "job")
    return get_object_or_404(related, public_id=_uuid(public_id))


def require_reason(request: HttpRequest, found: Asset, reason: str) -> None:
    """403 for a file that lacks a label its project asks for, unless a reason is given, which is kept."""
    lacking = unlabelled.lacking(assets=[found])
    if not lacking:
        return
    try:
        unlabelled.clean_reason(reason)
    except unlabelled.ReasonProblem as problem:
        raise refusal(HTTPStatus.FORBIDDEN, problem.message, "reason", **problem.params) from None
    if request.method != "HEAD":
        way = UnlabelledDownload.Way.API
        unlabelled.register(user=token_of(request).user, found=lacking, reason=reason, way=way)


def reaches(request: HttpRequest, reference: Reference) -> bool:
    """A token for one project takes pictures from its shelf alone, not from its person's own."""
    limit = token_of(request).project_id
    return limit is None or reference.project_id == limit


def _in_reach(request: HttpRequest) -> Q:
    limit = token_of(request).project_id
    return Q(project=limit) if limit else Q()


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None
