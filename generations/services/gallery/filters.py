"""What the gallery is narrowed to and how it is ordered: all of it stands in the address."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from datetime import date, datetime, time, timedelta
from urllib.parse import urlencode

from django.db.models import Q, QuerySet
from django.utils import timezone

from generations.models import Asset, Generation
from generations.services.gallery.search import matching
from generations.services.paging import Cursor

NEWEST, OLDEST, BEST = "newest", "oldest", "best"
SORTS = (NEWEST, OLDEST, BEST)
WORDS = 200  # characters of a text that an address carries on


@dataclass(frozen=True, slots=True)
class Filters:
    """One field per parameter of the address; "" is no filter. Nonsense counts as nothing."""

    q: str = ""
    kind: str = ""
    engine: str = ""
    person: str = ""
    since: str = ""
    until: str = ""
    rating: str = ""
    favourite: str = ""
    state: str = ""
    sort: str = ""

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Filters:
        raw = {each.name: str(query.get(each.name, ""))[:WORDS] for each in fields(cls)}
        raw = {name: text.replace("\0", "").strip() for name, text in raw.items()}
        good = {
            "kind": raw["kind"] in ("image", "video"),
            "since": _day(raw["since"]) is not None,
            "until": _day(raw["until"]) is not None,
            "rating": raw["rating"] in ("1", "2", "3", "4", "5"),
            "favourite": raw["favourite"] == "1",
            "state": raw["state"] in Generation.State.values,
            "sort": raw["sort"] in (OLDEST, BEST),
        }
        return cls(**{name: text for name, text in raw.items() if good.get(name, True)})

    def __bool__(self) -> bool:
        """Whether anything is narrowed; an order alone narrows nothing."""
        return bool(replace(self, sort="").query)

    @property
    def query(self) -> str:
        """The filters as a query string, without what is not set."""
        given = {each.name: getattr(self, each.name) for each in fields(self)}
        return urlencode({name: text for name, text in given.items() if text})

    def without(self, *names: str) -> Filters:
        """The same, but for these."""
        return replace(self, **dict.fromkeys(names, ""))

    @property
    def cleared(self) -> Filters:
        """The order alone."""
        return Filters(sort=self.sort)

    def apply(self, rows: QuerySet[Asset]) -> QuerySet[Asset]:
        """Narrow a queryset of pictures."""
        if self.q:
            rows = rows.filter(matching(self.q, "generation_id"))
        since, until = _day(self.since), _day(self.until)
        conditions = {
            "kind": self.kind,
            "generation__engine": self.engine,
            "generation__user__username": self.person,
            "generation__state": self.state,
            "created_at__gte": since and _midnight(since),
            "created_at__lt": until and _midnight(until + timedelta(days=1)),
            "rating__gte": int(self.rating) if self.rating else None,
            "favourite": True if self.favourite else None,
        }
        return rows.filter(**{name: value for name, value in conditions.items() if value})

    def parts(self, rows: QuerySet[Asset], after: Place | None) -> list[QuerySet[Asset]]:
        """The rows after a place, in this order, as lists to be read one after the other.

        By rating there are two, rated and not: each follows an index, where NULLs among the others
        would not on both databases.
        """
        if self.sort == BEST:
            return _by_rating(rows, after)
        if self.sort == OLDEST:
            return [_after(rows, after, oldest=True).order_by("created_at", "id")]
        return [_after(rows, after).order_by("-created_at", "-id")]


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page ended: the picture's cursor, and its score for the order by rating."""

    cursor: Cursor
    score: int = 0

    def __str__(self) -> str:
        return f"{self.score}.{self.cursor}"

    @classmethod
    def parse(cls, text: str) -> Place | None:
        """Read a place out of an address; anything that is none counts as the beginning."""
        head, dot, rest = text.partition(".")
        if not dot or head not in ("0", "1", "2", "3", "4", "5"):
            return None
        cursor = Cursor.parse(rest)
        return cls(cursor, int(head)) if cursor else None

    @classmethod
    def of(cls, asset: Asset) -> Place:
        return cls(Cursor(asset.created_at, asset.pk), asset.rating or 0)


def _day(text: str) -> date | None:
    """The day a text names; the calendar's ends, where time zones overflow, are no days."""
    try:
        day = date.fromisoformat(text) if text else None
    except ValueError:
        return None
    return day if day and 1900 < day.year < 3000 else None


def _midnight(day: date) -> datetime:
    """The first moment of a day, as the site's clocks tell it."""
    return timezone.make_aware(datetime.combine(day, time.min))


def _after(rows: QuerySet[Asset], place: Place | None, *, oldest: bool = False) -> QuerySet[Asset]:
    if place is None:
        return rows
    return rows.filter(place.cursor.after() if oldest else place.cursor.before())


def _by_rating(rows: QuerySet[Asset], after: Place | None) -> list[QuerySet[Asset]]:
    rated = rows.filter(rating__isnull=False).order_by("-rating", "-created_at", "-id")
    unrated = rows.filter(rating=None).order_by("-created_at", "-id")
    if after is None:
        return [rated, unrated]
    if not after.score:
        return [unrated.filter(after.cursor.before())]
    lower = Q(rating__lt=after.score) | after.cursor.before()
    return [rated.filter(lower, rating__lte=after.score), unrated]
