"""What a gallery is narrowed to, one chip for each filter: its words, and the address without it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date

from django import template
from django.utils.formats import date_format
from django.utils.translation import gettext as _

from generations.models import Generation, User
from generations.services import engines
from generations.services.gallery import Filters
from generations.templatetags import controls

register = template.Library()


@dataclass(frozen=True, slots=True)
class Chip:
    """One filter in words; `query` is the address that lacks it."""

    words: str
    query: str


@register.simple_tag
def narrowed_to(filters: Filters, people: Iterable[User] | str = "") -> list[Chip]:
    """A chip for every filter that is set. An unknown person or model is shown as it was asked for."""
    said = {name: words for name, words in _said(filters, people or ()).items() if words}
    return [Chip(words, filters.without(name).query) for name, words in said.items()]


def _said(filters: Filters, people: Iterable[User] | str) -> dict[str, str]:
    names = {each.username: each.shown_name for each in people if isinstance(each, User)}
    engine = engines.known(filters.engine)
    kinds = {"image": _("Pictures"), "video": _("Videos")}
    return {
        "q": filters.q and _("“%(words)s”") % {"words": filters.q},
        "person": names.get(filters.person, filters.person),
        "kind": kinds.get(filters.kind, ""),
        "engine": controls.say(engine.label) if engine else filters.engine,
        "rating": filters.rating and f"★ {filters.rating}{'' if filters.rating == '5' else '+'}",
        "state": filters.state and str(Generation.State(filters.state).label),
        "favourite": filters.favourite and f"♥ {_('Favourites')}",
        "since": filters.since and _("From %(day)s") % {"day": _day(filters.since)},
        "until": filters.until and _("Up to %(day)s") % {"day": _day(filters.until)},
    }


def _day(text: str) -> str:
    return date_format(date.fromisoformat(text), "DATE_FORMAT")
