"""The models on offer, as the compose panel's picker shows them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from django.utils.translation import gettext as _

from generations.models import Project
from generations.providers import catalog
from generations.services import jobs
from generations.services.library import transport
from generations.templatetags import controls


@dataclass(frozen=True, slots=True)
class Model:
    """An engine as the picker shows it; `icon` of the sprite says what it starts from."""

    slug: str
    label: str
    good_for: str
    seconds: int
    icon: str


@dataclass(frozen=True, slots=True)
class Group:
    """The models on offer that make one kind of thing."""

    kind: str
    label: str
    icon: str
    models: list[Model]


def groups(
    engines: Iterable[catalog.Engine], kind: str = "", *, alone: bool = False
) -> list[Group]:
    """Models by kind, or of one kind; `alone`: those that need no picture to start from."""
    names = {"image": (_("Picture"), "image"), "video": (_("Video"), "film")}
    there = [each for each in engines if not (alone and each.references.minimum)]
    found = []
    for each, (label, icon) in names.items():
        models = [model_of(engine) for engine in there if engine.kind == each]
        if models and kind in ("", each):
            found.append(Group(each, label, icon, models))
    return found


def instead(engine: catalog.Engine, many: int, project: Project) -> Model | None:
    """A model that is sent so many pictures themselves, where `engine`'s provider cannot fetch them."""
    other = transport.instead(engine, many, project)
    return model_of(other) if other else None


def model_of(engine: catalog.Engine) -> Model:
    icon = "wand-sparkles"
    if engine.kind == "video":
        icon = {1: "image", 2: "columns-2"}.get(engine.references.minimum, "film")
    return Model(
        engine.slug,
        controls.say(engine.label),
        controls.say(engine.good_for),
        round(jobs.usual(jobs.Class(engine.slug)).p50),
        icon,
    )
