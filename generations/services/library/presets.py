"""Presets: settings without a prompt, under a name."""

from __future__ import annotations

from collections.abc import Mapping

from django.db.models import Q

from generations.models import Preset, Project, User
from generations.providers import catalog
from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.services import engines
from generations.services.library.prompts import PromptProblem

NAME_MAX = 60
MOST = 50
MOST_COUNT = 8


def save(
    *,
    user: User,
    project: Project | None,
    name: str,
    engine: str,
    settings: Mapping[str, object],
    count: int,
) -> Preset:
    """Keep checked settings for the project, or for the person; the same name is written over.

    Raises PromptProblem with every problem found.
    """
    name = " ".join(name.replace("\0", "").encode("utf-8", "ignore").decode().split())
    problems = [] if name else [FieldError("preset_name", N_("Give the settings a name."), {})]
    if len(name) > NAME_MAX:
        message = N_("A name has at most %(max)s characters.")
        problems.append(FieldError("preset_name", message, {"max": NAME_MAX}))
    cleaned: Mapping[str, object] = {}
    if not engine:
        problems.append(FieldError("engine", N_("Choose a model first."), {}))
    try:
        cleaned = catalog.clean_settings(engines.ask(engine, project), settings) if engine else {}
    except engines.EngineProblem as refused:
        problems.append(FieldError("engine", refused.message, refused.params))
    except catalog.SettingsError as error:
        problems.extend(error.errors)
    shelf = {"project": project} if project else {"project": None, "user": user}
    others = Preset.objects.filter(**shelf).exclude(name=name)
    if others.count() >= MOST:
        message = N_("There are %(max)s already. Delete one first.")
        problems.append(FieldError("preset_name", message, {"max": MOST}))
    if problems:
        raise PromptProblem(problems)
    values = {"engine": engine, "settings": dict(cleaned), "count": min(max(count, 1), MOST_COUNT)}
    row = Preset.objects.filter(**shelf, name=name).first() or Preset(
        project=project, user=user, name=name
    )
    for key, value in values.items():
        setattr(row, key, value)
    row.save()
    return row


def on_offer(*, user: User, project: Project) -> list[Preset]:
    """The presets of a project and one's own, by name; not those of models that it may not use. One query."""
    shelves = Q(project=project) | Q(project=None, user=user)
    rows = Preset.objects.visible_to(user).filter(shelves).order_by("name", "id")[: 2 * MOST]
    there = engines.permitted(project)
    # One of a model that is here no more stays, so that it can be deleted.
    return [each for each in rows if each.engine in there or engines.known(each.engine) is None]
