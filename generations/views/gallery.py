"""The gallery of a project, and one picture on a page of its own."""

from __future__ import annotations

from itertools import groupby
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from generations.models import Asset
from generations.services import gallery as pictures
from generations.services import jobs
from generations.services.gallery import Cursor
from generations.views.access import get_project, may_write, person, wants_fragment

PAGE = 48


@require_safe
@login_required
def gallery(request: HttpRequest, project: UUID) -> HttpResponse:
    """Pictures by day, newest first; `?after=` goes on from a cursor, as a page or as a fragment."""
    found = get_project(request, project)
    after = Cursor.parse(request.GET.get("after", ""))
    page = pictures.assets(project=found, after=after, limit=PAGE)
    days = groupby(page.assets, key=lambda each: timezone.localtime(each.created_at).date())
    context = {
        "project": found,
        "days": [(day, list(each)) for day, each in days],
        # A day that goes on from the page before needs no second heading.
        "last_day": timezone.localtime(after.created_at).date() if after else None,
        "after": after,
        "next": page.next,
        "section": "gallery",
    }
    fragment = after and wants_fragment(request)
    name = "_gallery_page" if fragment else "gallery"
    return render(request, f"generations/{name}.html", context)


@require_safe
@login_required
def asset(request: HttpRequest, asset: UUID) -> HttpResponse:
    """One picture, large: how it was asked for, how it came out, when what happened."""
    rows = Asset.objects.visible_to(request.user).select_related(
        "blob", "project", "generation__user", "job__generation", "job__account"
    )
    found = get_object_or_404(rows, public_id=asset)
    around = pictures.siblings(found)
    place = next((n for n, each in enumerate(around) if each.pk == found.pk), 0)
    context = {
        "asset": found,
        "project": found.project,
        "lineage": pictures.lineage(asset=found, user=person(request)),
        "facts": pictures.asked_and_actual(found),
        "siblings": around,
        "ordinal": place + 1,
        "earlier": around[place - 1] if place else None,
        "later": around[place + 1] if place + 1 < len(around) else None,
        "other": next((each for each in around if each.pk != found.pk), None),
        "steps": jobs.timeline(found.job) if found.job else [],
        "submission": found.job.submissions.filter(outcome="accepted").last()
        if found.job
        else None,
        "may_write": may_write(request, found.project),
        "section": "gallery",
    }
    return render(request, "generations/asset.html", context)
