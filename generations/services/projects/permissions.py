"""Who may change something in a project, for pages and programs alike."""

from __future__ import annotations

from enum import StrEnum

from generations.models import Project, Role
from generations.providers.base import N_

WRITERS = (Role.OWNER, Role.EDITOR)


class Barred(StrEnum):
    """Why a member may not change anything, as an untranslated msgid."""

    ROLE = N_("You may look at this project, and not change it.")
    ARCHIVED = N_("This project is archived. An owner can restore it.")


def barred(*, project: Project, role: str | None) -> Barred | None:
    """What keeps a member with this role from writing; None: they may."""
    if role not in WRITERS:
        return Barred.ROLE
    return Barred.ARCHIVED if project.archived_at else None
