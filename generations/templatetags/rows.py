"""Template tags of the feed: what stands in one row, and what a run costs."""

from __future__ import annotations

from collections.abc import Sequence

from django import template

from generations.models import Generation
from generations.services import pricing
from generations.templatetags import tiles

register = template.Library()


@register.filter
def cost(generation: Generation) -> str:
    return pricing.words(pricing.cost_of(generation))


@register.filter
def in_rows(cards: Sequence[Generation]) -> list[list[Generation]]:
    """Cards as they are shown: what was asked for with one press stands in one row."""
    return tiles.in_rows(cards)
