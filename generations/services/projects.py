"""Projects and who belongs to them. A project always keeps at least one owner."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db import IntegrityError, transaction
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.utils.crypto import get_random_string
from django.utils.text import slugify
from django.utils.translation import gettext as _

from generations.models import Asset, Generation, Membership, Project, Role, User

NAME_MAX = 100
SLUG_ROOM = 50
MOSAIC = 4


class ProjectProblem(Exception):
    """What was asked for is not possible; `message` is one translated sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


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
    assets = Asset.objects.filter(**inside).order_by("-created_at", "-id").values("pk")
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


def add_member(*, project: Project, username: str, role: str) -> Membership:
    """Let a person in; raise ProjectProblem when there is no such person or they are in already."""
    user = User.objects.filter(username=username.strip(), is_active=True).first()
    if user is None:
        raise ProjectProblem(_("There is nobody called “%(name)s” here.") % {"name": username[:60]})
    member, created = Membership.objects.get_or_create(
        project=project, user=user, defaults={"role": _known(role)}
    )
    if not created:
        raise ProjectProblem(_("%(name)s is in this project already.") % {"name": user.shown_name})
    return member


def change_member(*, project: Project, member: Membership, role: str) -> None:
    """Give a member another role, unless that would leave the project without an owner."""
    role = _known(role)
    with transaction.atomic():
        _keep_an_owner(project, member, role)
        Membership.objects.filter(pk=member.pk, project=project).update(role=role)


def remove_member(*, project: Project, member: Membership) -> None:
    """Take a person out, unless they are the last owner. What they made stays."""
    with transaction.atomic():
        _keep_an_owner(project, member, None)
        Membership.objects.filter(pk=member.pk, project=project).delete()


def _keep_an_owner(project: Project, member: Membership, role: str | None) -> None:
    """Lock the project, so that two owners cannot step down at the same moment."""
    Project.objects.select_for_update().get(pk=project.pk)
    others = Membership.objects.filter(project=project, role=Role.OWNER).exclude(pk=member.pk)
    if role != Role.OWNER and not others.exists():
        raise ProjectProblem(_("A project needs an owner. Make somebody else an owner first."))


def _known(role: str) -> str:
    if role not in Role.values:
        raise ProjectProblem(_("Choose owner, editor or viewer."))
    return role


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
