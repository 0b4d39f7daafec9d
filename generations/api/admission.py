"""What every call passes before it is looked at: a token, and a body of a kind and size that is read.

Cookies count for nothing here, so no page elsewhere can have a browser call in somebody's name, and no
CSRF token is needed. The language is the Accept-Language's, else English.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from django.http import HttpRequest, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.utils.translation.trans_real import (
    get_supported_language_variant,
    parse_accept_lang_header,
)
from django.views.decorators.csrf import csrf_exempt
from ninja.parser import Parser
from ninja.security import HttpBearer

from generations.api.problems import TOO_LARGE, Refusal, refusal
from generations.models import ApiToken
from generations.providers.base import N_
from generations.services import people
from generations.services.library.references import MAX_BYTES

S = HTTPStatus
JSON, MULTIPART = "application/json", "multipart/form-data"
JSON_MAX = 1_000_000
# A file at its limit, and the lines around it.
UPLOAD_MAX = MAX_BYTES + 64 * 1024
BODIES = {JSON: JSON_MAX, MULTIPART: UPLOAD_MAX}
UPLOADS = "reference"  # ends the name of the one operation that takes a file
LANGUAGE = "en"
GUESSES = N_("Too many wrong tokens came from your address. Wait a quarter of an hour.")
NO_LENGTH = N_("Say how long the body is: Content-Length is missing.")
WRONG_TYPE = N_("Send the body as %(type)s.")
NOT_JSON = N_("The body is not JSON: %(why)s")

View = Callable[..., HttpResponseBase]


class Bearer(HttpBearer):
    """`Authorization: Bearer dpt_…`, and nothing else. It leaves the token's row in `request.auth`."""

    def __call__(self, request: HttpRequest) -> ApiToken | None:
        found: ApiToken | None = super().__call__(request)
        if found is not None:
            request.user = found.user
            check_body(request)
        return found

    def authenticate(self, request: HttpRequest, token: str) -> ApiToken | None:
        return admitted(request, token)


def admitted(request: HttpRequest, token: str) -> ApiToken | None:
    """The row of a token that works; 429 where too many wrong ones came from the same address."""
    address = people.address_of(request.META.get("REMOTE_ADDR", ""))
    try:
        return people.admit(token=token.strip(), address=address)
    except people.WrongToken:
        return None
    except people.TooManyGuesses as guessed:
        problem = refusal(S.TOO_MANY_REQUESTS, GUESSES)
        problem.headers["Retry-After"] = str(guessed.wait_s)
        raise problem from None


def token_of(request: HttpRequest) -> ApiToken:
    """The token of a call that has passed the Bearer."""
    token = getattr(request, "auth", None)
    assert isinstance(token, ApiToken)
    return token


def check_body(request: HttpRequest) -> None:
    """Refuse a body of another kind or a larger one than is read, before any of it is."""
    if request.method != "POST" or not _has_body(request):
        return
    match = request.resolver_match
    wanted = MULTIPART if match and str(match.url_name).endswith(UPLOADS) else JSON
    if request.content_type != wanted:
        raise refusal(S.UNSUPPORTED_MEDIA_TYPE, WRONG_TYPE, type=wanted)
    length = request.META.get("CONTENT_LENGTH", "")
    if not (length.isascii() and length.isdigit()):
        raise refusal(S.LENGTH_REQUIRED, NO_LENGTH)
    if int(length[:20]) > BODIES[wanted]:
        raise refusal(S.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, max=BODIES[wanted])


def _has_body(request: HttpRequest) -> bool:
    chunked = "HTTP_TRANSFER_ENCODING" in request.META
    return chunked or request.META.get("CONTENT_LENGTH", "") not in ("", "0")


class StrictJson(Parser):
    """JSON as RFC 8259 has it, in UTF-8, each key once, and no number that no JSON can hold."""

    def parse_body(self, request: HttpRequest) -> Any:
        try:
            return json.loads(
                request.body.decode(), object_pairs_hook=_once, parse_constant=_no_constant
            )
        except RecursionError:
            raise _not_json("it is nested too deeply") from None
        except ValueError as error:
            raise _not_json(str(error)) from None


def _not_json(why: str) -> Refusal:
    return refusal(S.BAD_REQUEST, NOT_JSON, why=why[:200])


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("an object has the same key twice")
    return found


def _no_constant(text: str) -> float:
    raise ValueError(f"{text} is no number")


def without_cookies(view: View) -> View:
    """A view of the API: it sees no cookie and no session, and answers in the language that was asked for."""

    @csrf_exempt
    @functools.wraps(view)
    def called(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        request.COOKIES = {}
        request.session = type(request.session)()
        with translation.override(language_of(request)):
            response = view(request, *args, **kwargs)
            response.headers["Content-Language"] = translation.get_language() or LANGUAGE
        patch_vary_headers(response, ["Accept-Language", "Authorization"])
        return response

    return called


def language_of(request: HttpRequest) -> str:
    """The first of ours that Accept-Language names; English where it names none."""
    for code, _quality in parse_accept_lang_header(request.headers.get("Accept-Language", "")):
        with suppress(LookupError):
            return get_supported_language_variant(code)
    return LANGUAGE
