"""For machines: alive, ready. For staff: how things stand."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from generations.services import health
from generations.views.access import person


@require_safe
def alive(request: HttpRequest) -> HttpResponse:
    """This process answers; nothing else is asked, the database least of all."""
    return JsonResponse({"ok": True})


@require_safe
def ready(request: HttpRequest) -> HttpResponse:
    found = health.readiness()
    return JsonResponse(found, status=200 if found["ok"] else 503)


@require_safe
@login_required
def status(request: HttpRequest) -> HttpResponse:
    if not person(request).is_staff:
        raise Http404
    return render(request, "generations/status.html", {"status": health.status()})
