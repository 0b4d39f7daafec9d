"""What a person may order on a card: cancel, try again, send again, dismiss, adopt."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.views.decorators.http import require_POST

from generations.models import Generation, Job, User
from generations.services import gallery, jobs, quota
from generations.views.access import person, require_writer
from generations.views.compose import show_card

Order = Callable[[User], None]


@require_POST
@login_required
def cancel_all(request: HttpRequest, generation: UUID) -> HttpResponse:
    visible = Generation.objects.visible_to(request.user).select_related("project")
    found = get_object_or_404(visible, public_id=generation)
    return _ordered(request, found, lambda actor: jobs.cancel_all(generation=found, actor=actor))


@require_POST
@login_required
def cancel(request: HttpRequest, job: UUID) -> HttpResponse:
    found = _job(request, job)
    return _ordered(request, found.generation, lambda actor: jobs.cancel(job=found, actor=actor))


@require_POST
@login_required
def retry(request: HttpRequest, job: UUID) -> HttpResponse:
    found = _job(request, job)
    return _ordered(request, found.generation, lambda actor: jobs.retry(job=found, actor=actor))


@require_POST
@login_required
def send_again(request: HttpRequest, job: UUID) -> HttpResponse:
    found = _job(request, job)
    return _ordered(
        request, found.generation, lambda actor: jobs.send_again(job=found, actor=actor)
    )


@require_POST
@login_required
def dismiss(request: HttpRequest, job: UUID) -> HttpResponse:
    found = _job(request, job)
    return _ordered(request, found.generation, lambda actor: jobs.dismiss(job=found, actor=actor))


@require_POST
@login_required
def adopt(request: HttpRequest, job: UUID) -> HttpResponse:
    found, remote_id = _job(request, job), request.POST.get("remote_id", "")
    return _ordered(
        request,
        found.generation,
        lambda actor: jobs.adopt_remote_id(job=found, remote_id=remote_id, actor=actor),
    )


def _job(request: HttpRequest, public_id: UUID) -> Job:
    rows = Job.objects.visible_to(request.user).select_related("generation__project", "account")
    return get_object_or_404(rows, public_id=public_id)


def _ordered(request: HttpRequest, generation: Generation, order: Order) -> HttpResponse:
    """Carry out the order, then show the card as it is now, with a refusal's sentence on it."""
    require_writer(request, generation.project)
    problem = ""
    try:
        order(person(request))
    except (jobs.NotPossible, quota.OverLimit) as refused:
        problem = refused.message
        if not getattr(request, "htmx", None):
            messages.error(request, problem)
    card = gallery.card_queryset().get(pk=generation.pk)
    return show_card(request, card, problem=problem)
