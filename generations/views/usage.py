"""What binds a person: every limit, how much of it is used, when it starts anew. For owners: who made what."""

from __future__ import annotations

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_safe

from generations.services import projects, quota
from generations.views.access import person


@require_safe
@login_required
def usage(request: HttpRequest) -> HttpResponse:
    user = person(request)
    context = {
        "usage": quota.usage(user=user),
        "shares": projects.shares(user=user),
        "section": "usage",
    }
    return render(request, "generations/usage.html", context)
