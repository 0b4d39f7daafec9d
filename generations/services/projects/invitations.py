"""Links that let people into a project. The token is shown once; only its hash is kept."""

from __future__ import annotations

import hashlib
import secrets
from datetime import timedelta

from django.db import IntegrityError, transaction
from django.db.models import F, Q, QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.models import Invitation, Membership, Project, User
from generations.services.projects.members import known_role
from generations.services.projects.problems import ProjectProblem

DAYS = (1, 7, 30)
TOKEN_BYTES = 32  # 256 bits: nobody guesses one, so a fast hash is enough to keep
MANY = 50  # links on the list


class InvitationGone(Exception):
    """No such link, or not any more: expired, used up, revoked. Nobody is told which."""


class UsernameTaken(Exception):
    """Somebody took the name in the same moment."""


def invite(*, project: Project, by: User, role: str, days: str, once: bool) -> str:
    """Make a link; return its token, which cannot be had again."""
    if days not in {str(each) for each in DAYS}:
        raise ProjectProblem(_("Choose for how long the link works: 1, 7 or 30 days."))
    token = secrets.token_urlsafe(TOKEN_BYTES)
    Invitation.objects.create(
        project=project,
        role=known_role(role),
        token_sha256=_hashed(token),
        created_by=by,
        max_uses=1 if once else None,
        expires_at=timezone.now() + timedelta(days=int(days)),
    )
    return token


def open_invitations(*, project: Project) -> QuerySet[Invitation]:
    """The links that still let somebody in, the newest first."""
    rows = Invitation.objects.filter(_open(), project=project)
    return rows.select_related("created_by").order_by("-id")[:MANY]


def revoke(*, invitation: Invitation) -> None:
    """From now on the link lets nobody in. Who has joined stays."""
    Invitation.objects.filter(pk=invitation.pk, revoked_at=None).update(revoked_at=timezone.now())


def find(token: str) -> Invitation | None:
    """The invitation of this token, in whatever state it is."""
    rows = Invitation.objects.filter(token_sha256=_hashed(token))
    return rows.select_related("project", "created_by").first()


def usable(invitation: Invitation) -> bool:
    """Whether it lets one more person in: not expired, used up or revoked, its project not put away."""
    found = Invitation.objects.filter(_open(), pk=invitation.pk, project__archived_at=None)
    return found.exists()


def accept(*, token: str, user: User) -> Project:
    """Let `user` in, who may be new (not saved yet); raise InvitationGone or UsernameTaken.

    Whoever is a member already keeps their role and uses nothing up.
    """
    found = find(token)
    if found is None:
        raise InvitationGone
    try:
        with transaction.atomic():
            _join(found, user)
    except IntegrityError:
        if Membership.objects.filter(project=found.project, user_id=user.pk).exists():
            return found.project  # a second click of the same person
        raise UsernameTaken from None
    return found.project


def _join(invitation: Invitation, user: User) -> None:
    inside = Membership.objects.filter(project=invitation.project, user_id=user.pk)
    if user.pk and inside.exists():
        return
    if not usable(invitation) or not take_use(invitation):
        raise InvitationGone
    if not user.pk:
        user.save()
    Membership.objects.create(project=invitation.project, user=user, role=invitation.role)


def take_use(invitation: Invitation) -> bool:
    """Count one use, unless none is left: one conditional UPDATE, so two cannot both have the last.

    It looks at columns of its own row only; a join would be a subquery, which PostgreSQL does not
    evaluate anew after waiting for the row.
    """
    rows = Invitation.objects.filter(_open(), pk=invitation.pk)
    return bool(rows.update(uses=F("uses") + 1))


def _open() -> Q:
    left = Q(max_uses=None) | Q(uses__lt=F("max_uses"))
    return left & Q(revoked_at=None, expires_at__gt=timezone.now())


def _hashed(token: str) -> str:
    return hashlib.sha256(token.encode("utf-8", "replace")).hexdigest()
