"""The ASGI application: uvicorn's entry.

Django writes a request's whole body to disk before anything of ours sees it. How much may come is
therefore decided here: little from a stranger, and from others what the largest form of the studio holds.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from django.core.asgi import get_asgi_application

Message = Mapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[dict[str, Any], Receive, Send], Awaitable[None]]

STRANGERS_BODY = 1_000_000
# A dozen references of 50 MB in one form, as a browser without scripts sends them.
LARGEST_BODY = 640_000_000


class TooMuch(Exception):
    """More has come than may come."""


def limit_of(scope: Message) -> int:
    """Bytes that this request's body may have. Who really is signed in is found out later."""
    names = {name for name, _value in scope["headers"]}
    return LARGEST_BODY if names & {b"cookie", b"authorization"} else STRANGERS_BODY


def declared(scope: Message) -> int:
    """Bytes that the body will have, as far as the request says so."""
    text = dict(scope["headers"]).get(b"content-length", b"")
    return int(text) if text.isdigit() and len(text) < 20 else 0


class Counted:
    """What one request receives, up to its limit; TooMuch from there on."""

    def __init__(self, receive: Receive, limit: int) -> None:
        self.receive, self.left = receive, limit

    async def __call__(self) -> Message:
        message = await self.receive()
        self.left -= len(message.get("body", b""))
        if self.left < 0:
            raise TooMuch
        return message


def capped(app: App) -> App:
    """The same application, with 413 for bodies that are too large, before they are on disk."""

    async def call(scope: dict[str, Any], receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await app(scope, receive, send)
            return
        limit = limit_of(scope)
        try:
            if declared(scope) > limit:
                raise TooMuch
            await app(scope, Counted(receive, limit), send)
        except TooMuch:  # while the body was read: nothing has been answered yet
            await _refuse(send)

    return call


async def _refuse(send: Send) -> None:
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"connection", b"close")]
    await send({"type": "http.response.start", "status": 413, "headers": headers})
    await send({"type": "http.response.body", "body": b"This is more than the studio takes.\n"})


os.environ.setdefault("DJANGO_SETTINGS_MODULE", "studio.settings")
application = capped(get_asgi_application())
