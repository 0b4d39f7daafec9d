"""Refusals: one shape for all of them, each with a msgid that stays and a sentence in the reader's language."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from http import HTTPStatus
from typing import Any

from django.conf import settings
from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.translation import gettext as _
from django.views.defaults import page_not_found
from ninja import NinjaAPI
from ninja.errors import AuthenticationError, HttpError, ValidationError

from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.services.compose import ComposeProblem
from generations.services.library.references import ReferenceProblem
from generations.services.quota import OverLimit

S = HTTPStatus
FIELD_MAX = 80
NOT_FOUND = N_("There is nothing here for this token.")
NO_ADDRESS = N_("There is no call at this address. The documentation lists them all.")
NO_TOKEN = N_("Send a token that works: “Authorization: Bearer dpt_…”.")
UNREADABLE = N_("The body cannot be read: it is not what its type says.")
TOO_LARGE = N_("The body is too large; at most %(max)s bytes are read.")
OVER_LIMIT = N_("An allowance does not hold this.")
UNKNOWN_FIELD = N_("There is no field called “%(name)s”.")
MISSING = N_("This field is missing.")
WRONG_VALUE = N_("This value is not of the kind that is wanted: %(why)s")


class Refusal(Exception):
    """A call that ends here, with a status and what is wrong."""

    def __init__(self, status: HTTPStatus, *problems: FieldError, **headers: str) -> None:
        super().__init__(status, *(each.message for each in problems))
        self.status = status
        self.problems = problems
        self.headers = {name.replace("_", "-"): value for name, value in headers.items()}


def refusal(status: HTTPStatus, message: str, field: str = "", **params: object) -> Refusal:
    """A Refusal of one problem; `message` is a msgid."""
    return Refusal(status, FieldError(field, message, params))


def problem(error: FieldError, sentence: str = "") -> dict[str, object]:
    """One problem as it goes out. `sentence` is for what has been said in words already."""
    params = {name: _plain(value) for name, value in error.params.items()}
    return {
        "field": _text(error.field)[:FIELD_MAX],
        "key": error.message,
        "message": _text(sentence or _(error.message) % error.params),
        "params": params,
    }


def _plain(value: object) -> object:
    return value if isinstance(value, int | float) else _text(str(value))


def _text(text: str) -> str:
    """Text that any reader of JSON takes: half of a surrogate pair is none."""
    return text.encode("utf-8", "replace").decode()


def answer(status: HTTPStatus, problems: Iterable[dict[str, object]]) -> HttpResponse:
    return JsonResponse({"problems": list(problems)}, status=status)


def refused(status: HTTPStatus, message: str, **params: object) -> HttpResponse:
    return answer(status, [problem(FieldError("", message, params))])


def not_found(request: HttpRequest, exception: Exception) -> HttpResponse:
    """The site's 404: below `/api/` in the API's shape, so that a program never reads a page."""
    if request.path.startswith("/api/"):
        return refused(S.NOT_FOUND, NO_ADDRESS)
    return page_not_found(request, exception)


# --- What stands for which exception ----------------------------------------------------------


def _by_us(request: HttpRequest, error: Refusal) -> HttpResponse:
    response = answer(error.status, [problem(each) for each in error.problems])
    for name, value in error.headers.items():
        response.headers[name] = value
    return response


def _compose(request: HttpRequest, error: ComposeProblem) -> HttpResponse:
    return answer(S.UNPROCESSABLE_ENTITY, [problem(each) for each in error.errors])


def _reference(request: HttpRequest, error: ReferenceProblem) -> HttpResponse:
    found = FieldError("file", error.message, error.params)
    return answer(S.UNPROCESSABLE_ENTITY, [problem(found)])


def _over_limit(request: HttpRequest, error: OverLimit) -> HttpResponse:
    return answer(S.CONFLICT, [problem(FieldError("", OVER_LIMIT), error.message)])


def _no_token(request: HttpRequest, error: Exception) -> HttpResponse:
    response = refused(S.UNAUTHORIZED, NO_TOKEN)
    response.headers["WWW-Authenticate"] = 'Bearer realm="diptych"'
    return response


def _unreadable(request: HttpRequest, error: HttpError) -> HttpResponse:
    """What the parser refused; ninja keeps its reason as the cause."""
    if isinstance(error.__cause__, Refusal):
        return _by_us(request, error.__cause__)
    return refused(HTTPStatus(error.status_code), UNREADABLE)


def _invalid(request: HttpRequest, error: ValidationError) -> HttpResponse:
    return answer(S.UNPROCESSABLE_ENTITY, [_of_pydantic(each) for each in error.errors])


def _of_pydantic(error: Mapping[str, Any]) -> dict[str, object]:
    """Where it is, and what: `loc` begins with the part of the request and the argument's name."""
    place = [str(each) for each in error["loc"]]
    whole = place[0] in ("body", "form", "file") and len(place) > 2
    field = ".".join(place[2:] if whole else place[1:])
    if error["type"] == "extra_forbidden":
        name = _text(place[-1])[:FIELD_MAX]
        return problem(FieldError(field, UNKNOWN_FIELD, {"name": name}))
    if error["type"] == "missing":
        return problem(FieldError(field, MISSING))
    return problem(FieldError(field, WRONG_VALUE, {"why": str(error["msg"])}))


def install(api: NinjaAPI) -> None:
    """Have the API answer every refusal in this shape."""
    found: dict[type[Exception], Callable[[HttpRequest, Any], HttpResponse]] = {
        Refusal: _by_us,
        ComposeProblem: _compose,
        ReferenceProblem: _reference,
        OverLimit: _over_limit,
        AuthenticationError: _no_token,
        HttpError: _unreadable,
        ValidationError: _invalid,
        Http404: lambda request, error: refused(S.NOT_FOUND, NOT_FOUND),
        MultiPartParserError: lambda request, error: refused(S.BAD_REQUEST, UNREADABLE),
        UnreadablePostError: lambda request, error: refused(S.BAD_REQUEST, UNREADABLE),
        SuspiciousOperation: lambda request, error: refused(S.BAD_REQUEST, UNREADABLE),
        RequestDataTooBig: lambda request, error: refused(
            S.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, max=settings.DATA_UPLOAD_MAX_MEMORY_SIZE
        ),
    }
    for kind, handler in found.items():
        api.add_exception_handler(kind, handler)
