"""What was asked for, checked in every way that needs no transaction, and ready to be begun."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from generations.models import Project, ProviderAccount
from generations.providers import catalog
from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.services import accounts, engines, labels, pricing
from generations.services.library import fitting, transport
from generations.services.library.references import Chosen, ReferenceProblem
from generations.services.recipes import ComposeProblem, build_recipe, count_problem

MOST_TOGETHER = 4  # as many as can be compared


@dataclass(frozen=True, slots=True)
class Ask:
    """What one model is to make of a prompt."""

    engine: str
    settings: Mapping[str, object]
    count: int


@dataclass(frozen=True, slots=True)
class Prepared:
    """One Ask that nothing is wrong with, and the account that will run it."""

    engine: catalog.Engine
    recipe: dict[str, Any]
    count: int
    account: ProviderAccount
    price: int | None
    labels: dict[str, object]


def prepare(
    asks: Sequence[Ask], project: Project, prompt: str, references: Sequence[Chosen]
) -> list[Prepared]:
    if len(asks) > MOST_TOGETHER:
        message = N_("Choose at most %(max)s models.")
        raise ComposeProblem([FieldError("also", message, {"max": MOST_TOGETHER})])
    ready, book = list[Prepared](), pricing.Book()
    for ask in asks:
        found = engine_for(ask.engine, project)
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
) -> Prepared:
    recipe = build_recipe(engine, prompt, ask.settings, references)
    if problem := count_problem(engine, ask.count):
        raise ComposeProblem([problem])
    account = accounts.account_for(engine, project)
    if account is None:
        message = N_("No account is set up for this model. Ask an administrator to add its key.")
        raise ComposeProblem([FieldError("engine", message, {})])
    _make_ready(engine, account, references)
    price = book.each(engine, recipe["settings"])
    return Prepared(engine, recipe, ask.count, account, price, _labels(project, engine))


def engine_for(slug: str, project: Project | None) -> catalog.Engine:
    """The engine a run in the project is to be begun with, or ComposeProblem."""
    try:
        return engines.ask(slug, project)
    except engines.EngineProblem as problem:
        raise refused(problem) from None


def refused(problem: engines.EngineProblem) -> ComposeProblem:
    return ComposeProblem([FieldError("engine", problem.message, problem.params)])


def _labels(project: Project, engine: catalog.Engine) -> dict[str, object]:
    """The AIGC labels that this run keeps, whatever becomes of the project's policy."""
    try:
        return labels.frozen(project=project, engine=engine)
    except labels.PolicyProblem as problem:
        raise ComposeProblem([FieldError("project", problem.message, {})]) from None


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
