"""Paging by keyset: where in a list a page ends, and what comes after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from django.db.models import Q
from django.utils.dateparse import parse_datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list that is ordered by (created_at, id), newest first; or by another time and id."""

    created_at: datetime
    id: int

    def __str__(self) -> str:
        return f"{self.created_at.isoformat()}_{self.id}"

    @classmethod
    def parse(cls, text: str) -> Cursor | None:
        """Read a cursor out of a URL; anything that is none counts as the beginning."""
        stamp, _, number = text.rpartition("_")
        try:
            moment = parse_datetime(stamp.replace(" ", "+"))
            if moment is None or moment.tzinfo is None or not number.isascii():
                return None
            # In UTC already here: at the ends of time a database could not turn it any more.
            return cls(moment.astimezone(UTC), max(0, min(int(number), 2**63 - 1)))
        except (ValueError, OverflowError):
            return None

    def before(self, field: str = "created_at") -> Q:
        """Rows that come after this place in the list.

        The bound stands outside the OR, so that an index ordered by (created_at, id) is entered at it;
        SQLite would otherwise gather both branches and sort them.
        """
        strictly = Q(**{f"{field}__lt": self.created_at}) | Q(id__lt=self.id)
        return Q(**{f"{field}__lte": self.created_at}) & strictly

    def after(self) -> Q:
        """Rows that come before this place: what follows it when the oldest stand first."""
        strictly = Q(created_at__gt=self.created_at) | Q(id__gt=self.id)
        return Q(created_at__gte=self.created_at) & strictly
