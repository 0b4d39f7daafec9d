"""What happens when a person presses Generate: validate, reserve, enqueue, in one transaction."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

from django.db import transaction

from generations.models import (
    Batch,
    Generation,
    Job,
    Priority,
    Project,
    PromptVersion,
    Use,
    User,
)
from generations.providers import catalog
from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.services import crash, engines, events, queue, quota
from generations.services.gallery import search
from generations.services.library import prompts
from generations.services.library.references import Chosen
from generations.services.prepared import MOST_TOGETHER, Ask, Prepared, engine_for, prepare, refused
from generations.services.recipes import (
    MAX_COUNT,
    ComposeProblem,
    build_recipe,
    check,
    count_problem,
    most,
)

__all__ = [
    "MAX_COUNT",
    "MOST_TOGETHER",
    "Ask",
    "Chosen",
    "ComposeProblem",
    "Origin",
    "asked_before",
    "build_recipe",
    "check",
    "count_problem",
    "engine_for",
    "most",
    "submit",
    "submit_together",
]


@dataclass(frozen=True, slots=True)
class Origin:
    """What a run was made from, beside its recipe: an earlier run, a saved wording, a batch."""

    rerun_of: Generation | None = None
    prompt_version: PromptVersion | None = None
    batch: Batch | None = None


def submit(
    *,
    project: Project,
    user: User,
    engine: str,
    prompt: str,
    settings: Mapping[str, object],
    count: int,
    references: Sequence[Chosen] = (),
    form_token: str | None = None,
    origin: Origin = Origin(),
    priority: Priority = Priority.INTERACTIVE,
) -> Generation:
    """Make a Generation of `count` queued jobs and hold what they may cost.

    The same `form_token` from the same person returns the first Generation and makes nothing.
    Raises ComposeProblem or quota.OverLimit; then nothing was made and nothing is held.
    """
    return submit_together(
        project=project,
        user=user,
        prompt=prompt,
        asks=[Ask(engine, settings, count)],
        references=references,
        form_token=form_token,
        origin=origin,
        priority=priority,
    )[0]


def submit_together(
    *,
    project: Project,
    user: User,
    prompt: str,
    asks: Sequence[Ask],
    references: Sequence[Chosen] = (),
    form_token: str | None = None,
    origin: Origin = Origin(),
    priority: Priority = Priority.INTERACTIVE,
) -> list[Generation]:
    """A Generation for each model that is asked, tied together, or none at all; else as `submit`.

    A ComposeProblem about a model after the first names it.
    """
    ready = prepare(asks, project, prompt, references)
    tie = uuid4() if len(asks) > 1 else None
    with transaction.atomic():
        events.in_order()
        _still_open(project, [each.engine for each in ready])
        made: list[Generation] = []
        for n, each in enumerate(ready):
            token = _token(user, _of_model(form_token, each.engine) if n else form_token)
            generation = _generation(project, user, each, token, origin, tie)
            if not generation.repeated:
                _begin(generation, each, references, priority)
            made.append(generation)
        fresh = [generation for generation in made if not generation.repeated]
        if fresh:
            _tie(made, tie)
            if origin.prompt_version:
                prompts.used(version=origin.prompt_version)
            names = [events.name_of(generation) for generation in fresh]
            events.publish([(project.pk, name) for name in ("new", *names)])
    return made


def asked_before(*, user: User, form_token: str) -> Generation | None:
    """What the same person has made with this token already."""
    found = Generation.objects.filter(form_token=_token(user, form_token)).first()
    if found is not None:
        found.repeated = True
    return found


def _token(user: User, form_token: str | None) -> str | None:
    # PostgreSQL keeps no NUL in a text.
    return f"{user.pk}:{form_token}".replace("\0", "")[:64] if form_token else None


def _of_model(form_token: str | None, engine: catalog.Engine) -> str | None:
    """The token of a further model of a press: short, whatever the model's name is."""
    if not form_token:
        return None
    return hashlib.sha256(f"{engine.slug} {form_token}".encode("utf-8", "replace")).hexdigest()[:40]


def _still_open(project: Project, asked: Sequence[catalog.Engine]) -> None:
    """Nothing new begins in an archived project, or with a model that was switched off; what waits in
    line already still runs.
    """
    now = Project.objects.get(pk=project.pk)
    try:
        for engine in asked:
            engines.recheck(engine, now)
    except engines.EngineProblem as problem:
        raise refused(problem) from None
    if now.archived_at:
        message = N_("This project is archived. An owner can restore it.")
        raise ComposeProblem([FieldError("project", message, {})])


def _generation(
    project: Project,
    user: User,
    asked: Prepared,
    token: str | None,
    origin: Origin,
    tie: UUID | None,
) -> Generation:
    fields = {
        "project": project,
        "user": user,
        "recipe": asked.recipe,
        "recipe_sha256": catalog.recipe_sha256(asked.recipe),
        "labels": asked.labels,
        "engine": asked.engine.slug,
        "kind": asked.engine.kind,
        "prompt": asked.recipe["prompt"],
        "count": asked.count,
        "rerun_of": origin.rerun_of,
        "prompt_version": origin.prompt_version,
        "batch": origin.batch,
        "together": tie,
    }
    if token is None:
        return Generation.objects.create(**fields)
    found, created = Generation.objects.get_or_create(form_token=token, defaults=fields)
    found.repeated = not created
    return found


def _tie(made: Sequence[Generation], tie: UUID | None) -> None:
    """A press that was repeated with one more model adds that to what the first one made."""
    before = next((each.together for each in made if each.repeated and each.together), None)
    for each in made:
        if each.together != (before or tie):
            each.together = before or tie
            each.save(update_fields=["together"])


def _begin(
    generation: Generation, asked: Prepared, references: Sequence[Chosen], priority: Priority
) -> None:
    """Its jobs, in line, with what they may cost held."""
    _use(generation, references)
    search.index(generation)
    jobs = _jobs(generation, asked, priority)
    quota.reserve(jobs=jobs, user=generation.user, project=generation.project)
    crash.point("after_reserve")
    queue.wake(asked.account.pk)


def _use(generation: Generation, references: Sequence[Chosen]) -> None:
    Use.objects.bulk_create(
        Use(generation=generation, reference=each.reference, position=position, role=each.role)
        for position, each in enumerate(references)
    )


def _jobs(generation: Generation, asked: Prepared, priority: Priority) -> list[Job]:
    settings, references = asked.recipe["settings"], asked.recipe["references"]
    outputs = catalog.max_outputs(asked.engine, settings, len(references))
    return Job.objects.bulk_create(
        Job(
            generation=generation,
            account_id=asked.account.pk,
            user_id=generation.user_id,
            position=position,
            priority=priority,
            max_outputs=outputs,
            price_mills=asked.price,
        )
        for position in range(generation.count)
    )
