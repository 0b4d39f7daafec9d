"""Reading: what the studio feed, the gallery, the detail page and compare show."""

from __future__ import annotations

from generations.services.gallery.comparison import (
    Fact,
    Row,
    Segment,
    asked_and_actual,
    facts,
    prompt_segments,
    rows,
)
from generations.services.gallery.lineage import Lineage, Step, lineage
from generations.services.gallery.lists import (
    AssetPage,
    CardPage,
    assets,
    card_queryset,
    cards,
    siblings,
)
from generations.services.paging import Cursor

__all__ = [
    "AssetPage",
    "CardPage",
    "Cursor",
    "Fact",
    "Lineage",
    "Row",
    "Segment",
    "Step",
    "asked_and_actual",
    "assets",
    "card_queryset",
    "cards",
    "facts",
    "lineage",
    "prompt_segments",
    "rows",
    "siblings",
]
