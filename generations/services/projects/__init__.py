"""Projects, who belongs to them, and the links that let people in."""

from generations.services.projects.invitations import (
    DAYS,
    InvitationGone,
    UsernameTaken,
    accept,
    find,
    invite,
    open_invitations,
    revoke,
    usable,
)
from generations.services.projects.members import (
    add_member,
    change_member,
    leave,
    remove_member,
    transfer,
)
from generations.services.projects.permissions import WRITERS, Barred, barred
from generations.services.projects.problems import ProjectProblem
from generations.services.projects.shares import Share, shares
from generations.services.projects.workspaces import (
    Cover,
    archive,
    covers,
    create,
    permit,
    prefer,
    rename,
    restore,
)

__all__ = [
    "DAYS",
    "WRITERS",
    "Barred",
    "Cover",
    "InvitationGone",
    "ProjectProblem",
    "Share",
    "UsernameTaken",
    "accept",
    "add_member",
    "archive",
    "barred",
    "change_member",
    "covers",
    "create",
    "find",
    "invite",
    "leave",
    "open_invitations",
    "permit",
    "prefer",
    "remove_member",
    "rename",
    "restore",
    "revoke",
    "shares",
    "transfer",
    "usable",
]
