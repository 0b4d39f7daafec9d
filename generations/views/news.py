"""The bell: what of one's own runs has ended, and until when that was looked at."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import redirect, render
from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.text import Truncator
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_safe

from generations.services.gallery import news as told
from generations.views.access import person, wants_fragment


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@login_required
def news(request: HttpRequest) -> HttpResponse:
    """The newest ended runs, as a page or as the bell's list; POST marks them as seen."""
    user = person(request)
    if request.method == "POST":
        told.mark_seen(user=user, until=_moment(request.POST.get("until", "")) or timezone.now())
        return HttpResponse(status=204) if wants_fragment(request) else redirect("news")
    rows = told.newest(user=user)
    context: dict[str, Any] = {
        "rows": rows,
        "until": rows[0].finished_at if rows else None,
        "unread": sum(1 for row in rows if row.finished_at and row.finished_at > user.news_seen_at),
        "section": "news",
    }
    name = "_news" if wants_fragment(request) else "news"
    return render(request, f"generations/{name}.html", context)


@require_safe
@never_cache
@login_required
def count(request: HttpRequest) -> HttpResponse:
    """For a page in the background: how many runs ended since it went there, and is more coming."""
    user = person(request)
    since = _moment(request.GET.get("since", "")) or timezone.now()
    rows = list(told.finished(user=user, since=since)[: told.LIMIT])
    text = ngettext("%(n)s run has ended", "%(n)s runs have ended", len(rows)) % {"n": len(rows)}
    return JsonResponse(
        {
            "since": since.isoformat(),
            "ended": len(rows),
            "text": text,
            "newest": Truncator(rows[0].prompt).chars(80) if rows else "",
            "more": told.under_way(user=user),
        }
    )


def _moment(text: str) -> datetime | None:
    """A point in time out of a request; anything that is none counts as missing."""
    try:
        found = parse_datetime(text.replace(" ", "+"))
    except ValueError:
        return None
    return found if found is not None and found.tzinfo is not None else None
