"""Thin layers around every response. They serve the live stream too, so all are async-capable."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from urllib.parse import urlsplit

from asgiref.sync import iscoroutinefunction, markcoroutinefunction, sync_to_async
from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseBase
from django.http.request import QueryDict
from django.shortcuts import resolve_url

from generations.services import people

type_of_response = Callable[[HttpRequest], HttpResponseBase | Awaitable[HttpResponseBase]]


class _Layer:
    """Runs `after` on the response, in a synchronous and in an asynchronous chain alike."""

    sync_capable = True
    async_capable = True

    def __init__(self, get_response: type_of_response) -> None:
        self.get_response = get_response
        self.is_async = iscoroutinefunction(get_response)
        if self.is_async:
            markcoroutinefunction(self)

    def __call__(self, request: HttpRequest) -> HttpResponseBase | Awaitable[HttpResponseBase]:
        if self.is_async:
            return self._acall(request)
        response = self.get_response(request)
        assert isinstance(response, HttpResponseBase)
        return self.after(request, response)

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseBase):
            response = await response
        return self.after(request, response)

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        raise NotImplementedError


class ResponseHeaders(_Layer):
    """Headers that no page needs to think about."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        response.headers.setdefault(
            "Permissions-Policy", "camera=(), geolocation=(), microphone=(), payment=(), usb=()"
        )
        response.headers.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not response.has_header("Cache-Control") and not request.path.startswith("/static/"):
            response.headers["Cache-Control"] = "private, no-store"
        return response


class HtmxSignIn(_Layer):
    """A fragment asked for without a session answers 401 and sends the whole page to sign in.

    A redirect would be followed by htmx, which would then paste the sign-in page into the fragment.
    """

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        location = response.headers.get("Location", "")
        login = resolve_url(settings.LOGIN_URL)
        to_login = response.status_code == 302 and urlsplit(location).path == login
        if not (to_login and request.headers.get("HX-Request") == "true"):
            return response
        page = urlsplit(request.headers.get("HX-Current-URL", "")).path or "/"
        query = QueryDict(mutable=True)
        query["next"] = page
        answer = HttpResponse(status=401)
        answer.headers["HX-Redirect"] = f"{login}?{query.urlencode(safe='/')}"
        return answer


class LastSeen(_Layer):
    """Keeps a sign-in's "last seen" roughly true: a look into memory, and rarely one UPDATE."""

    def after(self, request: HttpRequest, response: HttpResponseBase) -> HttpResponseBase:
        if key := self._due(request):
            people.seen(session_key=key)
        return response

    async def _acall(self, request: HttpRequest) -> HttpResponseBase:
        response = self.get_response(request)
        if not isinstance(response, HttpResponseBase):
            response = await response
        if key := self._due(request):
            await sync_to_async(people.seen)(session_key=key)
        return response

    def _due(self, request: HttpRequest) -> str | None:
        """The session's key when it is time; an unread session is not read for this."""
        key = request.session.session_key
        return key if key and people.due(key) else None
