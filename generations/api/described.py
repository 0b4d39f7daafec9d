"""What the API says about itself: its schema for programs, and a page of our own for people."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from functools import cache
from typing import Any

from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse, HttpResponseBase, JsonResponse
from django.shortcuts import render
from django.urls import URLPattern
from django.utils.translation import gettext as _
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_safe
from ninja import NinjaAPI
from ninja.errors import AuthenticationError

from generations.api import calls
from generations.api.admission import Bearer, StrictJson, without_cookies
from generations.api.problems import Refusal, install
from generations.providers.base import N_
from generations.services import engines

PREFIX = "/api/v1/"
api = NinjaAPI(
    title="Diptych",
    version="1",
    description="Run prompts, follow them, fetch what they make.",
    auth=Bearer(),
    parser=StrictJson(),
    openapi_url=None,
    docs_url=None,
    urls_namespace="api",
)
install(api)
api.add_router("", calls.router)


def routes() -> list[URLPattern]:
    """The calls' addresses below PREFIX, each behind its wall against cookies."""
    found = []
    for each in api.urls[0]:
        if isinstance(each, URLPattern) and each.name != "api-root":
            each.callback = without_cookies(each.callback)
            found.append(each)
    return found


@cache
def _schema() -> dict[str, Any]:
    schema = dict(api.get_openapi_schema(path_prefix=PREFIX))
    for path in schema["paths"].values():
        path.pop("head", None)  # what HEAD answers follows from GET
    return schema


def schema() -> dict[str, Any]:
    """The OpenAPI document as of now; the caller's own copy."""
    found = copy.deepcopy(_schema())
    # What is on offer changes while the studio runs.
    wanted = found["components"]["schemas"]["NewGeneration"]["properties"]["engine"]
    wanted["enum"] = list(engines.on_offer())
    return found


@csrf_exempt  # it only reads: who may not even do that is told so, whatever else they send
@require_safe
def openapi(request: HttpRequest) -> HttpResponseBase:
    """The OpenAPI document, for a token as for a person who reads it in a browser."""
    if request.user.is_authenticated:
        return JsonResponse(schema())
    return _openapi_by_token(request)


@without_cookies
def _openapi_by_token(request: HttpRequest) -> HttpResponseBase:
    try:
        found = Bearer()(request)
    except Refusal as refused:
        return api.on_exception(request, refused)
    return JsonResponse(schema()) if found else api.on_exception(request, AuthenticationError())


@dataclass(frozen=True, slots=True)
class Field:
    """One thing a call takes."""

    name: str
    place: str
    kind: str
    required: bool


@dataclass(frozen=True, slots=True)
class Call:
    """One call, as the page lists it; `summary` and `description` are in the reader's language."""

    method: str
    path: str
    summary: str
    description: str
    takes: list[Field]
    answers: list[str]


PLACES = {
    "path": N_("in the address"),
    "query": N_("behind the question mark"),
    "header": N_("header"),
}
BODY = N_("body")


@require_safe
@login_required
def page(request: HttpRequest) -> HttpResponse:
    """The calls, made from the schema."""
    base = request.build_absolute_uri(PREFIX)
    context = {"calls": listed(), "base": base, "section": "settings"}
    return render(request, "generations/api.html", context)


def listed() -> list[Call]:
    document = schema()
    return [
        _call(document, method, path, told)
        for path, methods in document["paths"].items()
        for method, told in methods.items()
    ]


def _call(document: dict[str, Any], method: str, path: str, told: dict[str, Any]) -> Call:
    summary, description = told["summary"], told.get("description")
    return Call(
        method.upper(),
        path,
        _(summary),
        _(description) if description else "",
        [*_parameters(told), *_body(document, told)],
        sorted(str(status) for status in told["responses"]),
    )


def _parameters(told: dict[str, Any]) -> list[Field]:
    found = []
    for each in told["parameters"]:
        place = PLACES[each["in"]]
        found.append(Field(each["name"], _(place), _kind(each["schema"]), each["required"]))
    return found


def _body(document: dict[str, Any], told: dict[str, Any]) -> list[Field]:
    content = told.get("requestBody", {}).get("content", {})
    found = []
    for kind, one in content.items():
        shape = _resolved(document, one["schema"])
        needed = shape.get("required", ())
        place = f"{_(BODY)} ({kind})"
        found += [
            Field(name, place, _kind(value), name in needed)
            for name, value in shape["properties"].items()
        ]
    return found


def _resolved(document: dict[str, Any], shape: dict[str, Any]) -> dict[str, Any]:
    name = str(shape.get("$ref", "")).rpartition("/")[2]
    found: dict[str, Any] = document["components"]["schemas"][name] if name else shape
    return found


def _kind(shape: dict[str, Any]) -> str:
    """A type's name as JSON Schema has it: these are words of the wire, the same in every language."""
    return str(shape.get("format") or shape.get("type") or "")
