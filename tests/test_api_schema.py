"""Whatever is sent: never a 500, and every answer is one that the schema tells of."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema_rs
import pytest
import schemathesis
from django.core.signals import request_finished, request_started
from django.db import close_old_connections, transaction
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis import Case, GenerationMode
from schemathesis.checks import CHECKS, load_all_checks

from generations.api import described
from generations.api.engines import settings_schema
from generations.models import Generation, JobState
from generations.providers import catalog
from studio.wsgi import application
from tests import tokens, world
from tests.conftest import PROVE

CASES = 5_000 if PROVE else 500
load_all_checks()
WANTED = CHECKS.get_by_names(
    [
        "not_a_server_error",
        "status_code_conformance",
        "content_type_conformance",
        "response_schema_conformance",
    ]
)
VALID, BROKEN = GenerationMode.POSITIVE, GenerationMode.NEGATIVE


def cases(team: world.Team) -> st.SearchStrategy[Case]:
    """Calls that fit the schema and calls that do not; about things that are there, and made-up ones."""
    document = described.schema()
    for methods in document["paths"].values():
        for told in methods.values():
            del told["security"]  # else a third of the cases only leaves the token out
    found = schemathesis.openapi.from_dict(document)
    found.app = application
    there = {
        "project": str(team.project.public_id),
        "generation": str(team.generation.public_id),
        "asset": str(team.asset.public_id),
    }
    kinds = []
    for each in found.get_all_operations():
        operation = each.ok()
        names = {name for name in there if f"{{{name}}}" in operation.path}
        for mode in (VALID, BROKEN):
            known = {name: there[name] for name in names}
            kinds.append(operation.as_strategy(mode, path_parameters=known or None))
            if names and mode is VALID:
                kinds.append(operation.as_strategy(mode))
    return st.one_of(kinds)


@pytest.fixture(autouse=True)
def one_connection() -> Iterator[None]:
    """A request's end closes its connection, which here is the test's own (as Django's client knows)."""
    request_started.disconnect(close_old_connections)
    request_finished.disconnect(close_old_connections)
    yield
    request_started.connect(close_old_connections)
    request_finished.connect(close_old_connections)


def hammer(team: world.Team, count: int) -> dict[int, int]:
    """Send so many cases, each taken back; how often each status was answered."""
    headers = {"Authorization": f"Bearer {tokens.token(team.owner)}"}
    statuses: dict[int, int] = {}

    @settings(
        max_examples=count,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=cases(team))
    def one(case: Case) -> None:
        with transaction.atomic():
            answer = case.call(headers=headers)
            transaction.set_rollback(True)
        case.validate_response(answer, checks=WANTED)
        statuses[answer.status_code] = statuses.get(answer.status_code, 0) + 1

    one()
    return statuses


@pytest.mark.django_db
@pytest.mark.timeout(3600 if PROVE else 600)
def test_nothing_breaks_it_and_it_answers_as_it_says(team: world.Team) -> None:
    statuses = hammer(team, CASES)
    print(f"{sum(statuses.values())} cases: {dict(sorted(statuses.items()))}")
    assert sum(statuses.values()) >= CASES * 0.9
    assert {200, 201, 400, 404, 422} <= set(statuses)


@pytest.mark.django_db
@pytest.mark.parametrize("broken", ["a bug", "an answer nobody told of"])
def test_a_broken_call_would_be_noticed(
    team: world.Team, monkeypatch: pytest.MonkeyPatch, broken: str
) -> None:
    """The negative control."""
    from generations.api import shown

    def bug(*_args: object, **_more: object) -> Any:
        raise ZeroDivisionError

    def odd(*_args: object, **_more: object) -> Any:
        return {"projects": "none"}

    if broken == "a bug":
        monkeypatch.setattr(shown, "project", bug)
    else:
        operation = next(op for op in _operations() if op.operation_id == "projects")
        monkeypatch.setattr(operation, "_result_to_response", _as_it_is(odd))
    with pytest.raises(BaseException, match=r"ZeroDivisionError|Server error|schema|violates"):
        hammer(team, 150)


def _operations() -> list[Any]:
    routers = described.api._get_bound_routers()
    return [
        op for each in routers for view in each.path_operations.values() for op in view.operations
    ]


def _as_it_is(answer: Any) -> Any:
    from django.http import JsonResponse

    return lambda *_args: JsonResponse(answer())


# --- The settings of each engine ------------------------------------------------------------------

ODD: list[object] = [
    *("", "x", "0.5", "2048x2048", "auto-2k", "９", "\0", "999999x1", "16:9"),
    *(0, 1, -1, 0.5, 1.0, 0.123, 5, 10, 10**12, 1e300, True, False, None, [], {}),
]


@pytest.mark.parametrize("slug", catalog.ENGINES)
def test_a_setting_that_fits_the_published_schema_is_taken(slug: str) -> None:
    """Judged by an independent validator. What only a rule between settings refuses is left out."""
    engine = catalog.get_engine(slug)
    published = settings_schema(engine)
    judge = jsonschema_rs.validator_for(published)
    taken = refused = 0
    for param in engine.params:
        for value in [*ODD, *_examples(published["properties"][param.name])]:
            problems: list[catalog.FieldError] = []
            param.clean({param.name: value}, problems)
            if judge.is_valid({param.name: value}) and not _by_rule(param, value, problems):
                assert not problems, (param.name, value)
                taken += 1
            else:
                refused += 1
    assert taken > 0
    assert refused > 0
    assert not judge.is_valid({"no such setting": 1})
    with pytest.raises(catalog.SettingsError):
        catalog.clean_settings(engine, {"no such setting": 1})
    usual = {
        name: each["default"] for name, each in published["properties"].items() if "default" in each
    }
    assert judge.is_valid(usual)
    assert catalog.clean_settings(engine, usual) == catalog.clean_settings(engine, {})


def _examples(shape: dict[str, Any]) -> list[object]:
    found = [shape[name] for name in ("default", "minimum", "maximum") if name in shape]
    words = shape.get("enum", [])
    sides = [one for each in shape.get("anyOf", [shape]) for one in each.get("examples", [])]
    return [*found, *words, *sides]


def _by_rule(param: catalog.Param, value: object, problems: list[catalog.FieldError]) -> bool:
    """JSON Schema counts neither decimals nor the pixels of a size: those two are said in words."""
    if isinstance(param, catalog.SizeParam):
        return any("pixels" in each.message for each in problems)
    return any("decimals" in each.message for each in problems)


@pytest.mark.django_db  # it names what is on offer
def test_the_schema_is_json_and_names_its_bearer() -> None:
    document = json.loads(json.dumps(described.schema()))
    jsonschema_rs.meta.validate(document["components"]["schemas"]["NewGeneration"])
    assert document["components"]["securitySchemes"]["Bearer"]["scheme"] == "bearer"
    ids = [told["operationId"] for each in document["paths"].values() for told in each.values()]
    assert len(ids) == len(set(ids)) == 9


@pytest.mark.django_db
def test_states_of_the_schema_are_those_of_the_rows() -> None:
    shown = described.schema()["components"]["schemas"]
    assert set(shown["Job"]["properties"]["state"]["enum"]) == set(JobState.values)
    assert set(shown["Generation"]["properties"]["state"]["enum"]) == set(Generation.State.values)
