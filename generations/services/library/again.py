"""Running a recipe again: what will be the same, and what has changed since."""

from __future__ import annotations

from collections.abc import Mapping

from generations.models import Generation, Project
from generations.providers import catalog
from generations.providers.base import N_
from generations.services import engines

Said = tuple[str, Mapping[str, object]]

SAME = N_("Prompt, settings and references are the same.")
GONE = N_("Its model is not on offer any more; another one is chosen.")
NOT_HERE = N_("Its model is not switched on for this project; another one is chosen.")
REVISED = N_("The model has changed since then: revision %(now)s instead of %(then)s.")
UNFIT = N_("Its value for “%(setting)s” is not on offer any more; the usual one is chosen.")
HIDDEN = N_("%(left)s of its %(all)s references are not on a shelf any more and are left out.")
NO_SEED = N_("This model takes no seed: the pixels will differ.")


def notes(*, source: Generation, usable: int, project: Project | None = None) -> list[Said]:
    """Msgids and what fills them; `usable` is how many of the run's references may be used again, and
    `project` where it is to be run.
    """
    engine = engines.find(source.engine)
    if engine is None:
        return [(GONE, {})]
    if project is not None and not engines.permits(project, engine.slug):
        return [(NOT_HERE, {})]
    then, named = source.recipe.get("revision"), len(source.recipe.get("references") or [])
    changed: list[Said] = []
    if then != engine.revision:
        changed.append((REVISED, {"now": engine.revision, "then": then}))
    if unfit := catalog.unfit(engine, source.recipe["settings"]):
        changed.extend((UNFIT, {"setting": each.label}) for each in unfit)
    if usable < named:
        changed.append((HIDDEN, {"left": named - usable, "all": named}))
    return (changed or [(SAME, {})]) + ([(NO_SEED, {})] if engine.seed is None else [])
