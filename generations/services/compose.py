"""What happens when a person presses Generate: validate, reserve, enqueue, in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
from generations.services import accounts, crash, engines, events, queue, quota
from generations.services.gallery import search
from generations.services.library import fitting, prompts, transport
from generations.services.library.references import Chosen, ReferenceProblem

__all__ = [
    "MAX_COUNT",
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
]

MAX_COUNT = 8
RECIPE_SCHEMA = 1


class ComposeProblem(Exception):
    """What was asked for cannot be run; `errors` name the fields, as untranslated msgids."""

    def __init__(self, errors: list[FieldError]) -> None:
        super().__init__("; ".join(error.message for error in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Origin:
    """What a run was made from, beside its recipe: an earlier run, a saved wording, a batch."""

    rerun_of: Generation | None = None
    prompt_version: PromptVersion | None = None
    batch: Batch | None = None


def check(
    engine: catalog.Engine, prompt: str, settings: Mapping[str, object], references: int = 0
) -> tuple[str, dict[str, catalog.SettingValue]]:
    """The prompt and the settings as a run takes them, with so many references.

    Raises ComposeProblem with every problem found.
    """
    problems: list[FieldError] = []
    cleaned: dict[str, catalog.SettingValue] = {}
    try:
        prompt = catalog.clean_prompt(engine, prompt)
    except catalog.PromptError as error:
        problems.append(FieldError("prompt", error.message, error.params))
    try:
        cleaned = catalog.clean_settings(engine, settings)
    except catalog.SettingsError as error:
        problems.extend(error.errors)
    problems += catalog.check_references(engine, cleaned, references)
    if problems:
        raise ComposeProblem(problems)
    return prompt, cleaned


def build_recipe(
    engine: catalog.Engine,
    prompt: str,
    settings: Mapping[str, object],
    references: Sequence[Chosen] = (),
) -> dict[str, object]:
    """Validate and freeze the input of a run; raise ComposeProblem with every problem found."""
    prompt, cleaned = check(engine, prompt, settings, len(references))
    return {
        "schema": RECIPE_SCHEMA,
        "engine": engine.slug,
        "revision": engine.revision,
        "prompt": prompt,
        "settings": catalog.with_seed(engine, cleaned),
        "references": [
            {"sha256": each.reference.blob_id, "role": each.role} for each in references
        ],
    }


def most(engine: catalog.Engine) -> int:
    """How many of a run may be asked for at once."""
    return min(MAX_COUNT, engine.count_max or MAX_COUNT)


def count_problem(engine: catalog.Engine, count: int) -> FieldError | None:
    """What is wrong with asking for so many."""
    if 1 <= count <= most(engine):
        return None
    message = N_("Choose a number of pictures from 1 to %(max)s.")
    if engine.kind == "video":
        message = N_("Choose a number of videos from 1 to %(max)s.")
    return FieldError("count", message, {"max": most(engine)})


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
    found = engine_for(engine, project)
    recipe = build_recipe(found, prompt, settings, references)
    if problem := count_problem(found, count):
        raise ComposeProblem([problem])
    account = accounts.account_for(found, project)
    if account is None:
        message = N_("No account is set up for this model. Ask an administrator to add its key.")
        raise ComposeProblem([FieldError("engine", message, {})])
    _make_ready(found, account, references)
    token = _token(user, form_token)
    with transaction.atomic():
        events.in_order()
        _still_open(project, found)
        generation = _generation(project, user, found, recipe, count, token, origin)
        if generation.repeated:
            return generation
        _use(generation, references)
        search.index(generation)
        if origin.prompt_version:
            prompts.used(version=origin.prompt_version)
        jobs = _jobs(generation, account.pk, found, recipe, priority)
        quota.reserve(jobs=jobs, user=user, project=project)
        crash.point("after_reserve")
        queue.wake(account.pk)
        events.publish([(project.pk, "new"), (project.pk, events.name_of(generation))])
    return generation


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
    if references and transport.fetched(engine) and transport.base_url(account) is None:
        raise ComposeProblem([FieldError("references", transport.NO_ADDRESS, {})])
    try:
        fitting.fitted_all(references=[each.reference for each in references], engine=engine)
    except ReferenceProblem as problem:
        error = FieldError("references", problem.message, problem.params)
        raise ComposeProblem([error]) from None


def _still_open(project: Project, engine: catalog.Engine) -> None:
    """Nothing new begins in an archived project, or with a model that was switched off; what waits in
    line already still runs.
    """
    now = Project.objects.get(pk=project.pk)
    try:
        engines.recheck(engine, now)
    except engines.EngineProblem as refused:
        raise _refused(refused) from None
    if now.archived_at:
        message = N_("This project is archived. An owner can restore it.")
        raise ComposeProblem([FieldError("project", message, {})])


def engine_for(slug: str, project: Project | None) -> catalog.Engine:
    """The engine a run in the project is to be begun with, or ComposeProblem."""
    try:
        return engines.ask(slug, project)
    except engines.EngineProblem as refused:
        raise _refused(refused) from None


def _refused(problem: engines.EngineProblem) -> ComposeProblem:
    return ComposeProblem([FieldError("engine", problem.message, problem.params)])


def _generation(
    project: Project,
    user: User,
    engine: catalog.Engine,
    recipe: dict[str, object],
    count: int,
    token: str | None,
    origin: Origin,
) -> Generation:
    fields = {
        "project": project,
        "user": user,
        "recipe": recipe,
        "recipe_sha256": catalog.recipe_sha256(recipe),
        "engine": engine.slug,
        "kind": engine.kind,
        "prompt": recipe["prompt"],
        "count": count,
        "rerun_of": origin.rerun_of,
        "prompt_version": origin.prompt_version,
        "batch": origin.batch,
    }
    if token is None:
        return Generation.objects.create(**fields)
    found, created = Generation.objects.get_or_create(form_token=token, defaults=fields)
    found.repeated = not created
    return found


def _use(generation: Generation, references: Sequence[Chosen]) -> None:
    Use.objects.bulk_create(
        Use(generation=generation, reference=each.reference, position=position, role=each.role)
        for position, each in enumerate(references)
    )


def _jobs(
    generation: Generation,
    account_id: int,
    engine: catalog.Engine,
    recipe: dict[str, object],
    priority: Priority,
) -> list[Job]:
    settings, references = recipe["settings"], recipe["references"]
    assert isinstance(settings, dict)
    assert isinstance(references, list)
    outputs = catalog.max_outputs(engine, settings, len(references))
    return Job.objects.bulk_create(
        Job(
            generation=generation,
            account_id=account_id,
            user_id=generation.user_id,
            position=position,
            priority=priority,
            max_outputs=outputs,
        )
        for position in range(generation.count)
    )
