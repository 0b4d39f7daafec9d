"""Who belongs to a project as what. A project always keeps at least one owner."""

from __future__ import annotations

from django.db import transaction
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.models import Invitation, Membership, Project, Role, User
from generations.services.projects.problems import ProjectProblem


def add_member(*, project: Project, username: str, role: str) -> Membership:
    """Let a person in; raise ProjectProblem when there is no such person or they are in already."""
    user = User.objects.filter(username=username.replace("\0", "").strip(), is_active=True).first()
    if user is None:
        raise ProjectProblem(_("There is nobody called “%(name)s” here.") % {"name": username[:60]})
    member, created = Membership.objects.get_or_create(
        project=project, user=user, defaults={"role": known_role(role)}
    )
    if not created:
        raise ProjectProblem(_("%(name)s is in this project already.") % {"name": user.shown_name})
    return member


def change_member(*, project: Project, member: Membership, role: str) -> None:
    """Give a member another role, unless that would leave the project without an owner."""
    role = known_role(role)
    with transaction.atomic():
        _keep_an_owner(project, member, role)
        Membership.objects.filter(pk=member.pk, project=project).update(role=role)
        if role != Role.OWNER:
            _revoke_links_of(project, member)


def remove_member(*, project: Project, member: Membership) -> None:
    """Take a person out, unless they are the last owner. What they made stays."""
    with transaction.atomic():
        _keep_an_owner(project, member, None)
        Membership.objects.filter(pk=member.pk, project=project).delete()
        _revoke_links_of(project, member)


def transfer(*, project: Project, owner: User, to: Membership) -> None:
    """Make another member an owner and step down to editor, in one act."""
    with transaction.atomic():
        Project.objects.select_for_update().get(pk=project.pk)
        mine = Membership.objects.filter(project=project, user=owner, role=Role.OWNER).first()
        others = Membership.objects.filter(project=project, user__is_active=True)
        raised = others.filter(pk=to.pk).exclude(user=owner)
        if mine is None or not raised.update(role=Role.OWNER):
            raise ProjectProblem(_("Choose another member of this project."))
        Membership.objects.filter(pk=mine.pk).update(role=Role.EDITOR)
        _revoke_links_of(project, mine)


def leave(*, project: Project, user: User) -> None:
    """Step out of a project, unless one is its last owner."""
    member = Membership.objects.filter(project=project, user=user).first()
    if member is not None:
        remove_member(project=project, member=member)


def _revoke_links_of(project: Project, member: Membership) -> None:
    """Who is no owner any more lets nobody in any more: not through an old link either."""
    links = Invitation.objects.filter(project=project, created_by=member.user_id, revoked_at=None)
    links.update(revoked_at=timezone.now())


def _keep_an_owner(project: Project, member: Membership, role: str | None) -> None:
    """Lock the project, so that two owners cannot step down at the same moment."""
    Project.objects.select_for_update().get(pk=project.pk)
    others = Membership.objects.filter(project=project, role=Role.OWNER).exclude(pk=member.pk)
    if role != Role.OWNER and not others.exists():
        raise ProjectProblem(_("A project needs an owner. Make somebody else an owner first."))


def known_role(role: str) -> str:
    if role not in Role.values:
        raise ProjectProblem(_("Choose owner, editor or viewer."))
    return role
