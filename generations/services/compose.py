"""What happens when a person presses Generate: validate, reserve, enqueue, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid4

from django.db import transaction

from generations.models import (
    Batch,
    Generation,
    Job,
    Priority,
    Project,
    PromptVersion,
    ProviderAccount,
    Use,
    User,
)
from generations.providers import catalog
from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.services import accounts, crash, events, labels, pricing, queue, quota
from generations.services.gallery import search
from generations.services.library import fitting, prompts, transport
from generations.services.library.references import Chosen, ReferenceProblem
from generations.services.recipes import (
    MAX_COUNT,
    ComposeProblem,
    build_recipe,
    check,
    count_problem,
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
    "submit",
    "submit_together",
]

MOST_TOGETHER = 4  # as many as can be compared


@dataclass(frozen=True, slots=True)
class Origin:
    """What a run was made from, beside its recipe: an earlier run, a saved wording, a batch."""

    rerun_of: Generation | None = None
    prompt_version: PromptVersion | None = None
    batch: Batch | None = None


@dataclass(frozen=True, slots=True)
class Ask:
    """What one model is to make of a prompt."""

    engine: str
    settings: Mapping[str, object]
    count: int


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
    ready = _all_prepared(asks, project, prompt, references)
    tie = uuid4() if len(asks) > 1 else None
    with transaction.atomic():
        events.in_order()
        _still_open(project)
        made: list[Generation] = []
        for n, each in enumerate(ready):
            token = _token(user, f"{n}-{form_token}" if n and form_token else form_token)
            generation = _generation(project, user, each, token, origin, tie)
            if generation.repeated:
                return _tied(generation)
            _begin(generation, each, references, priority)
            made.append(generation)
        if origin.prompt_version:
            prompts.used(version=origin.prompt_version)
        names = [events.name_of(generation) for generation in made]
        events.publish([(project.pk, name) for name in ("new", *names)])
    return made


@dataclass(frozen=True, slots=True)
class _Prepared:
    """One Ask that nothing is wrong with, and the account that will run it."""

    engine: catalog.Engine
    recipe: dict[str, Any]
    count: int
    account: ProviderAccount
    price: int | None
    labels: dict[str, object]


def _all_prepared(
    asks: Sequence[Ask], project: Project, prompt: str, references: Sequence[Chosen]
) -> list[_Prepared]:
    if len(asks) > MOST_TOGETHER:
        message = N_("Choose at most %(max)s models.")
        raise ComposeProblem([FieldError("also", message, {"max": MOST_TOGETHER})])
    ready, book = list[_Prepared](), pricing.Book()
    for ask in asks:
        found = _engine(ask.engine)
        try:
            ready.append(_prepared(found, ask, project, prompt, references, book))
        except ComposeProblem as problem:
            raise ComposeProblem(problem.errors, found if ready else None) from None
    return ready


def _prepared(
    engine: catalog.Engine,
    ask: Ask,
    project: Project,
    prompt: str,
    references: Sequence[Chosen],
    book: pricing.Book,
) -> _Prepared:
    recipe = build_recipe(engine, prompt, ask.settings, references)
    if problem := count_problem(engine, ask.count):
        raise ComposeProblem([problem])
    account = accounts.account_for(engine, project)
    if account is None:
        message = N_("No account is set up for this model. Ask an administrator to add its key.")
        raise ComposeProblem([FieldError("engine", message, {})])
    _make_ready(engine, account, references)
    price = book.each(engine, recipe["settings"])
    return _Prepared(engine, recipe, ask.count, account, price, _labels(project, engine))


def asked_before(*, user: User, form_token: str) -> Generation | None:
    """What the same person has made with this token already."""
    found = Generation.objects.filter(form_token=_token(user, form_token)).first()
    if found is not None:
        found.repeated = True
    return found


def _token(user: User, form_token: str | None) -> str | None:
    # PostgreSQL keeps no NUL in a text.
    return f"{user.pk}:{form_token}".replace("\0", "")[:64] if form_token else None


def _make_ready(
    engine: catalog.Engine, account: ProviderAccount, references: Sequence[Chosen]
) -> None:
    """See to it that the provider gets what it will be sent, before anything is reserved."""
    if references and transport.fetched(engine) and not transport.reachable(account):
        raise ComposeProblem([FieldError("references", transport.NO_ADDRESS, {})])
    try:
        fitting.fitted_all(references=[each.reference for each in references], engine=engine)
    except ReferenceProblem as problem:
        error = FieldError("references", problem.message, problem.params)
        raise ComposeProblem([error]) from None


def _still_open(project: Project) -> None:
    """Nothing new begins in an archived project; what waits in line already still runs."""
    if Project.objects.filter(pk=project.pk, archived_at__isnull=False).exists():
        message = N_("This project is archived. An owner can restore it.")
        raise ComposeProblem([FieldError("project", message, {})])


def _engine(slug: str) -> catalog.Engine:
    try:
        return catalog.get_engine(slug)
    except catalog.UnknownEngine:
        message = N_("There is no model called “%(slug)s”.")
        raise ComposeProblem([FieldError("engine", message, {"slug": slug[:60]})]) from None


def _generation(
    project: Project,
    user: User,
    asked: _Prepared,
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


def _tied(first: Generation) -> list[Generation]:
    """What the first press of the same button has made."""
    if first.together is None:
        return [first]
    rows = list(Generation.objects.filter(together=first.together).order_by("id"))
    for row in rows:
        row.repeated = True
    return rows


def _begin(
    generation: Generation, asked: _Prepared, references: Sequence[Chosen], priority: Priority
) -> None:
    """Its jobs, in line, with what they may cost held."""
    _use(generation, references)
    search.index(generation)
    jobs = _jobs(generation, asked, priority)
    quota.reserve(jobs=jobs, user=generation.user, project=generation.project)
    crash.point("after_reserve")
    queue.wake(asked.account.pk)


def _labels(project: Project, engine: catalog.Engine) -> dict[str, object]:
    """The AIGC labels that this run keeps, whatever becomes of the project's policy."""
    try:
        return labels.frozen(project=project, engine=engine)
    except labels.PolicyProblem as problem:
        raise ComposeProblem([FieldError("project", problem.message, {})]) from None


def _use(generation: Generation, references: Sequence[Chosen]) -> None:
    Use.objects.bulk_create(
        Use(generation=generation, reference=each.reference, position=position, role=each.role)
        for position, each in enumerate(references)
    )


def _jobs(generation: Generation, asked: _Prepared, priority: Priority) -> list[Job]:
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
