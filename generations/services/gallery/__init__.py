"""Reading: what the studio feed, the gallery, the detail page and compare show."""

from __future__ import annotations

from generations.services.gallery.comparison import (
    Cell,
    Fact,
    Row,
    asked_and_actual,
    facts,
    rows,
)
from generations.services.gallery.diff import Segment
from generations.services.gallery.diff import diff as prompt_segments
from generations.services.gallery.filters import BEST, NEWEST, OLDEST, Filters, Place
from generations.services.gallery.lineage import Lineage, Step, lineage
from generations.services.gallery.lists import (
    AssetPage,
    CardPage,
    assets,
    card_queryset,
    cards,
    counterpart,
    first_of_each,
    siblings,
    strip,
    trashed,
)
from generations.services.gallery.marks import Mark, pick_best, put_back
from generations.services.paging import Cursor

__all__ = [
    "BEST",
    "NEWEST",
    "OLDEST",
    "AssetPage",
    "CardPage",
    "Cell",
    "Cursor",
    "Fact",
    "Filters",
    "Lineage",
    "Mark",
    "Place",
    "Row",
    "Segment",
    "Step",
    "asked_and_actual",
    "assets",
    "card_queryset",
    "cards",
    "counterpart",
    "facts",
    "first_of_each",
    "lineage",
    "pick_best",
    "prompt_segments",
    "put_back",
    "rows",
    "siblings",
    "strip",
    "trashed",
]
