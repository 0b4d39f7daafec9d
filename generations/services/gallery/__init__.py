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
from generations.services.gallery.lists import (
    AssetPage,
    CardPage,
    Cursor,
    assets,
    card_queryset,
    cards,
    siblings,
)

__all__ = [
    "AssetPage",
    "CardPage",
    "Cursor",
    "Fact",
    "Row",
    "Segment",
    "asked_and_actual",
    "assets",
    "card_queryset",
    "cards",
    "facts",
    "prompt_segments",
    "rows",
    "siblings",
]
