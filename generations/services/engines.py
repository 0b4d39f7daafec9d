"""The engines there are: those of the catalogue, and the clones an administrator made of them.

Everybody who means a model by its slug asks here. Two questions are kept apart:

* `known`: what a slug of an old run, or of one in flight, stands for. Retired engines and clones that
  are switched off count, and nothing of a clone is narrowed.
* `on_offer`, `permitted`, `ask`: what something new may be begun with, on the site or in a project.

Clones are rows. A process reads all of them at once, at most every KEPT_S seconds, and again for a
slug that it has not heard of: whoever sees a run finds its engine, however new that is. What begins a
run looks at the row itself (`recheck`), so that a switch counts from the moment it is thrown.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from django.db import transaction
from django.utils.translation import get_language
from django.utils.translation import gettext as _

from generations.models import Batch, CustomEngine, Generation, Job, JobState, Project
from generations.models.runs import ACTIVE
from generations.providers import catalog, clones
from generations.providers.base import N_
from generations.providers.catalog import Engine
from generations.services import events

KEPT_S = 5.0
LONGEST = 60  # characters of a slug
MOST_MISSED = 1000
UNKNOWN = N_("There is no model called “%(slug)s”.")
GONE = N_("The model “%(name)s” is not on offer any more. Choose another one.")
IN_USE = N_(
    "“%(name)s” cannot be deleted: there are runs made with it. Take it off offer instead; they keep its name."
)
# What is asked after by its id at the provider, or may be sent under it in the next moment.
SENT = (*ACTIVE, JobState.UNCERTAIN)
SWITCHED_OFF = N_(
    "The model “%(name)s” is not switched on for this project. An owner or an administrator can do that."
)


REFUSALS = (UNKNOWN, GONE, SWITCHED_OFF)


class EngineProblem(Exception):
    """An engine that nothing may be begun with; a msgid, and what fills its places."""

    def __init__(self, message: str, **params: str) -> None:
        super().__init__(message % params)
        self.message = message
        self.params: Mapping[str, object] = params


@dataclass(slots=True)
class _Memory:
    until: float = 0.0
    rows: dict[str, CustomEngine] = field(default_factory=dict)
    missed: set[str] = field(default_factory=set)


_memory = _Memory()


def forget() -> None:
    """Read the clones anew at the next question."""
    _memory.until = 0.0


def changed() -> None:
    """A clone was made, changed or deleted here: this process goes by it at once, others within KEPT_S."""
    forget()
    transaction.on_commit(forget)


def _clones() -> dict[str, CustomEngine]:
    now = time.monotonic()
    if now >= _memory.until:
        _memory.rows = {row.slug: row for row in CustomEngine.objects.all()}
        _memory.missed = set()
        _memory.until = now + KEPT_S
    return _memory.rows


def _row(slug: str) -> CustomEngine | None:
    """A clone by its slug; one nobody has heard of is looked for once more before that is believed."""
    found = _clones().get(slug)
    if found is None and slug not in _memory.missed and len(slug) <= LONGEST:
        missed = _memory.missed
        forget()
        found = _clones().get(slug)
        _memory.missed = missed | {slug} if len(missed) < MOST_MISSED else {slug}
    return found


def _whole(row: CustomEngine) -> Engine | None:
    """A clone as its parent declares it; None when the parent has left the catalogue."""
    parent = catalog.known_engine(row.parent)
    if parent is None:
        return None
    chinese = (get_language() or "").startswith("zh")
    return clones.clone(
        parent,
        slug=row.slug,
        req_key=row.req_key,
        label=row.label_zh if chinese else row.label_en,
        good_for=row.good_for_zh if chinese else row.good_for_en,
    )


def limits_of(row: CustomEngine) -> clones.Limits:
    """How far a clone stays below its parent."""
    return clones.Limits(row.count_max, row.references_max, row.offered)


# --- What there is --------------------------------------------------------------------------------


def known(slug: str) -> Engine | None:
    """What a run's slug stands for, on offer or not any more; None if there is no such engine here."""
    found = catalog.known_engine(slug)
    if found is not None or not slug:
        return found
    row = _row(slug)
    return _whole(row) if row else None


def made_here() -> list[Engine]:
    """The clones, on offer or not."""
    return [made for row in _clones().values() if (made := _whole(row))]


def every() -> list[Engine]:
    """All that a run may have been made with: on offer, retired, switched off."""
    return [*catalog.ENGINES.values(), *catalog.RETIRED.values(), *made_here()]


def origin(slug: str) -> str:
    """The slug of the catalogue that a clone was made of; any other is its own origin."""
    row = None if catalog.known_engine(slug) else _row(slug)
    return row.parent if row else slug


def fresh(slug: str) -> None:
    """Before a call is put together: a clone's id may have been corrected in the last seconds."""
    if is_clone(slug):
        forget()


def is_clone(slug: str) -> bool:
    """Whether an administrator made this engine."""
    return catalog.known_engine(slug) is None and _row(slug) is not None


# --- What is on offer -----------------------------------------------------------------------------


def on_offer() -> dict[str, Engine]:
    """What anything new may be begun with, by slug: the catalogue's order, clones after their parent."""
    found: dict[str, Engine] = {}
    for slug, engine in catalog.ENGINES.items():
        found[slug] = engine
        for row in _clones().values():
            whole = _whole(row) if row.enabled and row.parent == slug else None
            if whole is not None:
                found[row.slug] = clones.narrowed(whole, limits_of(row))
    return found


def find(slug: str) -> Engine | None:
    """What is on offer under a slug."""
    if slug in catalog.ENGINES:
        return catalog.ENGINES[slug]
    row = _row(slug) if slug else None
    whole = _whole(row) if row and row.enabled and row.parent in catalog.ENGINES else None
    return clones.narrowed(whole, limits_of(row)) if row and whole else None


def permits(project: Project, slug: str) -> bool:
    """Whether a project may use an engine, if that is on offer."""
    return not project.engines or slug in project.engines


def permitted(project: Project | None) -> dict[str, Engine]:
    """What is on offer in a project; without one, on the site."""
    found = on_offer()
    return {slug: each for slug, each in found.items() if not project or permits(project, slug)}


def ask(slug: str, project: Project | None = None) -> Engine:
    """The engine something new is to be begun with. Raises EngineProblem: the one rule for all."""
    found = find(slug)
    if found is None:
        past = known(slug)
        if past is None:
            raise EngineProblem(UNKNOWN, slug=slug[:60])
        raise EngineProblem(GONE, name=_(past.label))
    if project is not None and not permits(project, slug):
        raise EngineProblem(SWITCHED_OFF, name=_(found.label))
    return found


def recheck(engine: Engine, project: Project) -> None:
    """Look once more, at the rows as they are in this transaction. Raises EngineProblem.

    `project` was just read. One query for a clone, none for an engine of the catalogue.
    """
    if not permits(project, engine.slug):
        raise EngineProblem(SWITCHED_OFF, name=_(engine.label))
    if engine.slug in catalog.ENGINES:
        return
    if not CustomEngine.objects.filter(slug=engine.slug, enabled=True).exists():
        forget()
        raise EngineProblem(GONE, name=_(engine.label))


def selection(before: Iterable[str], *, wanted: Iterable[str], among: Iterable[str]) -> list[str]:
    """What to keep of a project's choice of models `among` those it was asked about.

    All of them is no choice: every model, and those to come. What was not asked about stays as it was.
    """
    asked, chosen = set(among), set(wanted)
    if chosen == asked:
        return []
    return [*sorted(chosen), *(each for each in before if each not in asked)]


# --- The life of a clone --------------------------------------------------------------------------


def may_go(row: CustomEngine) -> None:
    """Raises EngineProblem for a clone that was ever used: its row is what its runs are read by."""
    used = Generation.objects.filter(engine=row.slug).exists()
    if used or Batch.objects.filter(engine=row.slug).exists():
        raise EngineProblem(IN_USE, name=str(row))


def at_provider(row: CustomEngine) -> bool:
    """Whether runs are there under its id: they are asked after, and cancelled, by the same one."""
    return Job.objects.filter(generation__engine=row.slug, state__in=SENT).exists()


def remove(*, row: CustomEngine) -> None:
    """Delete a clone that nothing was made with. Raises EngineProblem for any other."""
    with transaction.atomic():
        events.in_order()  # who begins a run looks at the row under the same lock
        may_go(row)
        Project.objects.filter(default_engine=row.slug).update(default_engine="")
        row.delete()
    changed()


# --- What follows from a recipe -------------------------------------------------------------------


def recipe_at(recipe: Mapping[str, Any], position: int) -> dict[str, Any]:
    """The recipe of one call of a run."""
    return catalog.recipe_at(known(str(recipe["engine"])), recipe, position)


def animator(project: Project | None) -> Engine | None:
    """The engine that brings one picture to life: the first that needs a first frame alone."""
    found = (
        each
        for each in permitted(project).values()
        if each.frames and each.references.minimum == each.references.maximum == 1
    )
    return next(found, None)


def finals(slug: str, project: Project | None) -> list[Engine]:
    """The engines that make a draft of this one again, and better; the nearest first."""
    engine, there = known(slug), permitted(project)
    return [there[each] for each in engine.finals if each in there] if engine else []


def first(project: Project | None, among: Iterable[Engine]) -> Engine | None:
    """What a project's runs begin with: its usual engine where it is among these, else their first."""
    by_slug = {each.slug: each for each in among}
    usual = by_slug.get(project.default_engine) if project else None
    return usual or next(iter(by_slug.values()), None)
