"""The shelf: what a project's people, or one person, may pick references from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from django.db.models import Count

from generations.models import Project, Reference, User
from generations.providers.base import N_
from generations.services.library.references import ReferenceProblem
from generations.services.paging import Cursor

NOTE_MAX = 300


@dataclass(frozen=True, slots=True)
class ShelfPage:
    """Some references, each with `used` (in how many runs), and where to go on."""

    references: list[Reference]
    next: Cursor | None


def page(
    *, user: User, project: Project | None, after: Cursor | None = None, limit: int = 48
) -> ShelfPage:
    """The newest of the project's shelf, or of the person's own. One query."""
    shelf = {"project": project} if project else {"project": None, "user": user}
    rows = Reference.objects.filter(hidden_at=None, **shelf).annotate(used=Count("uses"))
    if after:
        rows = rows.filter(after.before())
    found = list(rows.order_by("-created_at", "-id")[: limit + 1])
    shown = found[:limit]
    more = Cursor(shown[-1].created_at, shown[-1].pk) if len(found) > limit else None
    return ShelfPage(shown, more)


def annotate(*, reference: Reference, note: str) -> None:
    """Write down what a reference is good for. Raises ReferenceProblem for more than NOTE_MAX."""
    note = " ".join(note.replace("\0", "").split())
    if len(note) > NOTE_MAX:
        message = N_("A note has at most %(max)s characters.")
        params: Mapping[str, object] = {"max": NOTE_MAX}
        raise ReferenceProblem(message, params)
    reference.note = note.encode("utf-8", "ignore").decode()
    reference.save(update_fields=["note"])


def show(*, reference: Reference) -> None:
    """Back on the shelf."""
    reference.hidden_at = None
    reference.save(update_fields=["hidden_at"])
