"""Paging by keyset: where in a list a page ends, and what comes after it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils.dateparse import parse_datetime


@dataclass(frozen=True, slots=True)
class Cursor:
    """A place in a list that is ordered by (created_at, id), newest first."""

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
            return cls(moment, min(int(number), 2**63 - 1))
        except (ValueError, OverflowError):
            return None

    def before(self) -> Q:
        """Rows that come after this place in the list."""
        return Q(created_at__lt=self.created_at) | Q(created_at=self.created_at, id__lt=self.id)
