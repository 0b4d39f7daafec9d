"""Who made how much of a project's pictures this month: for its owners."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Count
from django.utils import timezone

from generations.models import Allowance, Asset, Generation, Project, Role, User
from generations.services import quota


@dataclass(frozen=True, slots=True)
class Share:
    """What one person ordered and what came of it; `percent` is of the project's pictures."""

    user: User
    runs: int
    pictures: int
    percent: int


def shares(*, user: User) -> list[tuple[Project, list[Share]]]:
    """Of each project the person owns, everybody who ordered something this month, the most first.

    The month is the one the limits go by. Four queries, however many projects and people there are.
    """
    owned = Project.objects.filter(memberships__user=user, memberships__role=Role.OWNER)
    projects = list(owned.filter(archived_at=None).order_by("name", "pk"))
    began = quota.began_at(Allowance.Period.MONTH, timezone.now())
    runs, pictures = _runs(projects, began), _pictures(projects, began)
    keys = runs.keys() | pictures.keys()
    people = User.objects.in_bulk({person for _project, person in keys})
    found: dict[int, list[Share]] = {each.pk: [] for each in projects}
    totals = {pk: sum(n for (of, _who), n in pictures.items() if of == pk) for pk in found}
    for project, person in keys:
        made = pictures.get((project, person), 0)
        percent = round(100 * made / totals[project]) if made else 0
        row = Share(people[person], runs.get((project, person), 0), made, percent)
        found[project].append(row)
    for rows in found.values():
        rows.sort(key=lambda row: (-row.pictures, -row.runs, row.user.username))
    return [(each, found[each.pk]) for each in projects]


def _runs(projects: list[Project], began: datetime) -> dict[tuple[int, int], int]:
    rows = Generation.objects.filter(project__in=projects, created_at__gte=began).order_by()
    counted = rows.values_list("project", "user").annotate(n=Count("pk"))
    return {(project, person): n for project, person, n in counted}


def _pictures(projects: list[Project], began: datetime) -> dict[tuple[int, int], int]:
    """Those in the trash too: they were made all the same."""
    rows = Asset.objects.filter(
        project__in=projects, created_at__gte=began, generation__isnull=False
    )
    counted = rows.order_by().values_list("project", "generation__user").annotate(n=Count("pk"))
    return {(project, person): n for project, person, n in counted}
