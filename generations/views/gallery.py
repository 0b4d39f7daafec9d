"""The gallery of a project, and one picture on a page of its own."""

from __future__ import annotations

from datetime import date, datetime
from itertools import groupby
from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render
from django.utils import timezone
from django.views.decorators.http import require_safe

from generations.models import Asset, Generation, Project, User
from generations.services import engines, jobs
from generations.services import gallery as pictures
from generations.services.gallery import Filters, Place
from generations.views.access import get_project, may_write, person, wants_fragment
from generations.views.marks import targets

PAGE = 48


@require_safe
@login_required
def gallery(request: HttpRequest, project: UUID) -> HttpResponse:
    """Pictures of a project, narrowed and ordered as the address says; `?after=` goes on."""
    found = get_project(request, project)
    people = User.objects.filter(memberships__project=found).order_by("username")
    more = {"project": found, "people": people, "may_write": may_write(request, found)}
    return _wall(request, more, project=found)


@require_safe
@login_required
def everything(request: HttpRequest) -> HttpResponse:
    """What I made, in every project I can see."""
    writable = {each.pk for each in targets(request)}
    more = {"everything": True, "may_write": True, "writable": writable}
    return _wall(request, more, maker=person(request))


def _wall(
    request: HttpRequest,
    more: dict[str, Any],
    project: Project | None = None,
    maker: User | None = None,
) -> HttpResponse:
    filters = Filters.of(request.GET.dict())
    after = Place.parse(request.GET.get("after", ""))
    page = pictures.assets(project=project, maker=maker, filters=filters, after=after, limit=PAGE)
    context = more | {
        "days": _days(page.assets, filters),
        # A day that goes on from the page before needs no second heading.
        "last_day": _day(after.cursor.created_at) if after else None,
        "after": after,
        "next": page.next,
        "filters": filters,
        "engines": engines.every(),
        "states": Generation.State.choices,
        "targets": targets(request),
        "section": "gallery",
    }
    fragment = after and wants_fragment(request)
    return render(
        request, f"generations/{'_gallery_page' if fragment else 'gallery'}.html", context
    )


def _day(moment: datetime) -> date:
    return timezone.localtime(moment).date()


def _days(found: list[Asset], filters: Filters) -> list[tuple[date | None, list[Asset]]]:
    """Pictures by day; by rating they stand in one block, as neighbours are of different days."""
    if filters.sort == pictures.BEST:
        return [(None, found)] if found else []
    days = groupby(found, key=lambda each: _day(each.created_at))
    return [(day, list(each)) for day, each in days]


@require_safe
@login_required
def asset(request: HttpRequest, asset: UUID) -> HttpResponse:
    """One picture, large: how it was asked for, how it came out, when what happened."""
    rows = Asset.objects.visible_to(request.user).select_related(
        "blob", "project", "generation__user", "job__generation", "job__account"
    )
    found = get_object_or_404(rows, public_id=asset)
    context = {
        "asset": found,
        "project": found.project,
        "lineage": pictures.lineage(asset=found, user=person(request)),
        "facts": pictures.asked_and_actual(found),
        "steps": jobs.timeline(found.job) if found.job else [],
        "submission": found.job.submissions.filter(outcome="accepted").last()
        if found.job
        else None,
        "may_write": may_write(request, found.project),
        "section": "gallery",
        **_around(found),
    }
    return render(request, "generations/asset.html", context)


def _around(found: Asset) -> dict[str, object]:
    """The other pictures of its run: before it, after it, to compare, to take away with it."""
    around = pictures.siblings(found)
    place = next((n for n, each in enumerate(around) if each.pk == found.pk), 0)
    return {
        "siblings": around,
        "ordinal": place + 1,
        "earlier": around[place - 1] if place else None,
        "later": around[place + 1] if place + 1 < len(around) else None,
        "other": pictures.counterpart(found, around),
        "several": sum(each.trashed_at is None for each in around) > 1,
    }
