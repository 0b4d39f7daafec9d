"""What the frame around every page shows: project, allowance, provider, theme. All asked lazily."""

from __future__ import annotations

from functools import cache
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.utils.translation import gettext as _

from generations.models import Project, User
from generations.models.people import Theme
from generations.services import jobs, quota
from generations.services.gallery import news
from generations.views.access import LAST_PROJECT

MANY = 20  # projects in the switcher; the list page shows the rest


def theme_of(request: HttpRequest) -> str:
    """The person's theme, or what the cookie of this browser says: system, dark or light."""
    user = getattr(request, "user", None)
    if isinstance(user, User):
        return user.theme
    kept = request.COOKIES.get("theme", "")
    return kept if kept in Theme.values else Theme.SYSTEM


def _nav_project(request: HttpRequest) -> Project | None:
    """The project used last, while the person is still in it; else the newest of theirs."""
    last = request.session.get(LAST_PROJECT)
    mine = Project.objects.visible_to(request.user)
    found = mine.filter(public_id=last).first() if last else None
    return found or mine.filter(archived_at=None).order_by("-memberships__id").first()


def chrome(request: HttpRequest) -> dict[str, Any]:
    """The context of base.html. Values are functions, so that a fragment pays for none of them."""
    user = getattr(request, "user", None)
    known = user if isinstance(user, User) else None
    mine = Project.objects.visible_to(known) if known else Project.objects.none()
    place = cache(lambda: _nav_project(request) if known else None)
    return {
        "theme": theme_of(request),
        "provider_mode": "live" if settings.LIVE else "sandbox",
        "provider_name": _("Volcengine Jimeng") if settings.LIVE else _("Sandbox"),
        "meters": cache(lambda: quota.summary(user=known, project=place()) if known else []),
        "unread_news": cache(lambda: news.unread(user=known) if known else 0),
        "ahead": cache(jobs.Ahead),
        "nav_project": place,
        "nav_projects": cache(
            lambda: list(mine.filter(archived_at=None).order_by("-memberships__id")[:MANY])
        ),
    }
