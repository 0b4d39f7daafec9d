"""What the address of a comparison says: which picture has which letter, and how they are shown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from string import ascii_lowercase
from urllib.parse import urlencode
from uuid import UUID

from django.http import Http404, QueryDict
from django.urls import reverse

LETTERS = "abcd"
MOST = len(LETTERS)
MODES = ("slider", "side", "grid", "flicker")


@dataclass(frozen=True, slots=True)
class Lettered:
    """Pictures by place (0 is A). `at` is the place that the strip below changes.

    With a place after the last, a picture of the strip is added.
    """

    ids: tuple[UUID, ...]
    mode: str = ""
    at: int = 1

    @classmethod
    def asked(cls, query: QueryDict) -> Lettered:
        """Every id that is named under any letter or as `pick`, in order; 404 for what is no id."""
        names = [*ascii_lowercase, "pick"]
        ids = tuple(_ids(text for name in names for text in query.getlist(name)))
        mode, at = query.get("mode", ""), query.get("at", "")
        place = LETTERS.index(at) if at in tuple(LETTERS) else 1
        return cls(ids, mode if mode in MODES else "", place)

    def with_ids(self, ids: Iterable[UUID]) -> Lettered:
        """Other pictures, looked at in the same way where there are enough for it."""
        kept = tuple(ids)
        usual = "grid" if len(kept) == MOST else "side"
        return Lettered(kept, self.mode or usual, min(self.at, len(kept), MOST - 1))

    @property
    def letters(self) -> str:
        return LETTERS[: len(self.ids)]

    @property
    def letter(self) -> str:
        """The letter that the strip changes, or the next free one."""
        return LETTERS[self.at]

    @property
    def other(self) -> int:
        """Whom the slider shows against A."""
        return self.at if 0 < self.at < len(self.ids) else min(1, len(self.ids) - 1)

    @property
    def query(self) -> str:
        """Letters beyond D are kept: whoever asked for more than four is told so."""
        pairs = [*zip(ascii_lowercase, map(str, self.ids), strict=False)]
        pairs += [("mode", self.mode)] if self.mode else []
        return urlencode([*pairs, ("at", self.letter)] if self.at != 1 else pairs)

    @property
    def url(self) -> str:
        return f"{reverse('compare')}?{self.query}"

    def shown(self, mode: str) -> Lettered:
        return replace(self, mode=mode)

    def choosing(self, place: int) -> Lettered:
        return replace(self, at=place)

    def put(self, id_: UUID) -> Lettered:
        """This picture at the letter that is chosen; one that has a letter already changes places."""
        ids = list(self.ids)
        if self.at == len(ids):
            return self if id_ in ids else replace(self, ids=(*ids, id_))
        if id_ in ids:
            ids[ids.index(id_)] = ids[self.at]
        ids[self.at] = id_
        return replace(self, ids=tuple(ids))

    def without(self, place: int) -> Lettered:
        ids = self.ids[:place] + self.ids[place + 1 :]
        mode = "side" if self.mode == "grid" and len(ids) < MOST else self.mode
        return Lettered(ids, mode, min(self.at, len(ids) - 1) or 1)

    def swapped(self) -> Lettered:
        """A and the one it is held against, each in the place of the other."""
        ids = list(self.ids)
        ids[0], ids[self.other] = ids[self.other], ids[0]
        return replace(self, ids=tuple(ids))


def _ids(texts: Iterable[str]) -> Iterator[UUID]:
    for text in texts:
        if text:
            try:
                yield UUID(text)
            except ValueError:
                raise Http404 from None
