"""Projects: the list of a person's, a new one, its name, and putting it away."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.utils import timezone
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from generations.models import Asset, Generation, Membership, Project, Role, User
from generations.services import engines
from generations.services.projects.problems import ProjectProblem

NAME_MAX = 100
SLUG_ROOM = 50
MOSAIC = 4


@dataclass(frozen=True, slots=True)
class Cover:
    """What a card of the project list shows; `pictures` are the newest, at most four."""

    project: Project
    role: str
    members: int
    active_at: datetime
    pictures: list[Asset]


def covers(*, user: User) -> list[Cover]:
    """Every project of a person, the last used one first. Two queries, however many there are.

    The newest pictures are looked up one index step each, never by ranking all of a project's.
    """
    rows: list[Any] = list(_with_newest(user))
    newest = [getattr(row, f"newest_{n}") for row in rows for n in range(MOSAIC)]
    pictures = Asset.objects.in_bulk([pk for pk in newest if pk])
    found = [
        Cover(
            project=row,
            role=row.my_role,
            members=row.member_count,
            active_at=row.active_at or row.created_at,
            pictures=[pictures[pk] for n in range(MOSAIC) if (pk := getattr(row, f"newest_{n}"))],
        )
        for row in rows
    ]
    return sorted(found, key=lambda cover: cover.active_at, reverse=True)


def _with_newest(user: User) -> QuerySet[Project]:
    inside = {"project": OuterRef("pk")}
    assets = Asset.objects.kept().filter(**inside).order_by("-created_at", "-id").values("pk")
    runs = Generation.objects.filter(**inside).order_by("-created_at", "-id")
    people = Membership.objects.filter(**inside).order_by().values("project")
    return (
        Project.objects.visible_to(user)
        .annotate(my_role=F("memberships__role"))
        .annotate(
            member_count=Subquery(people.annotate(n=Count("pk")).values("n")),
            active_at=Subquery(runs.values("created_at")[:1]),
            **{f"newest_{n}": Subquery(assets[n : n + 1]) for n in range(MOSAIC)},
        )
    )


def create(*, name: str, owner: User) -> Project:
    """Make a project owned by `owner`; raise ProjectProblem for a name that is none."""
    name = _clean_name(name)
    with transaction.atomic():
        project = _insert(name)
        Membership.objects.create(project=project, user=owner, role=Role.OWNER)
    return project


def rename(*, project: Project, name: str) -> None:
    """Give the project another name. Its address and short name stay."""
    project.name = _clean_name(name)
    project.save(update_fields=["name"])


def prefer(*, project: Project, engine: str) -> None:
    """The model that the project's compose panel begins with; empty for none in particular."""
    if engine and engine not in engines.permitted(project):
        raise ProjectProblem(_("Choose a model of the list."))
    project.default_engine = engine
    project.save(update_fields=["default_engine"])


def permit(*, project: Project, slugs: Iterable[str], among: Iterable[str]) -> None:
    """Which of the models `among` (those that were asked about) the project may use from now on.

    A usual model that is switched off is the usual one no more. Raises ProjectProblem.
    """
    asked, wanted = set(among), set(slugs)
    if wanted - asked:
        raise ProjectProblem(_("Choose models of the list."))
    if not wanted:
        raise ProjectProblem(_("Leave at least one model on."))
    project.engines = engines.selection(
        project.engines or engines.on_offer(), wanted=wanted, among=asked
    )
    if not engines.permits(project, project.default_engine):
        project.default_engine = ""
    project.save(update_fields=["engines", "default_engine"])


def archive(*, project: Project) -> None:
    """Put the project away: it stays to be looked at; what already waits in line still runs."""
    Project.objects.filter(pk=project.pk, archived_at=None).update(archived_at=timezone.now())


def restore(*, project: Project) -> None:
    """Take the project up again, as it was."""
    Project.objects.filter(pk=project.pk).update(archived_at=None)


def _clean_name(name: str) -> str:
    name = " ".join(name.replace("\0", "").split())
    if not name:
        raise ProjectProblem(_("Give the project a name."))
    if len(name) > NAME_MAX:
        raise ProjectProblem(_("A name has at most %(max)s characters.") % {"max": NAME_MAX})
    return name


def _insert(name: str) -> Project:
    """The row under a short name of its own: two projects may share a name."""
    root = slugify(name, allow_unicode=True)[:SLUG_ROOM] or "project"
    slug = root
    while True:
        try:
            with transaction.atomic():
                return Project.objects.create(name=name, slug=slug)
        except IntegrityError:
            slug = f"{root}-{get_random_string(6, 'abcdefghjkmnpqrstuvwxyz23456789')}"
