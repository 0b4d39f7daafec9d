"""Answers that break the connection.

uvicorn hides the transport from applications, so a thin protocol class passes it on.
"""

from __future__ import annotations

import asyncio

from starlette.responses import Response, StreamingResponse
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

_EXTENSION = "sandbox.transport"
_DRIP, _DRIP_S = 4, 0.25


class OpenProtocol(HttpToolsProtocol):
    """uvicorn's HTTP protocol, which also offers its transport to the application as an ASGI
    extension.
    """

    def on_message_begin(self) -> None:
        """Start a request, with the transport in its scope."""
        super().on_message_begin()
        self.scope["extensions"] = {_EXTENSION: {"transport": self.transport}}


def _transport(scope: Scope) -> asyncio.Transport:
    transport: asyncio.Transport = scope["extensions"][_EXTENSION]["transport"]
    return transport


async def _until_gone(receive: Receive) -> None:
    # uvicorn logs an error if an application returns without an answer while the connection still
    # counts as open.
    while (await receive())["type"] != "http.disconnect":
        pass


class Dropped(Response):
    """No answer at all: the connection ends at once."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Abort the transport."""
        _transport(scope).abort()
        await _until_gone(receive)


class Dripping(Response):
    """Sends a few bytes a second, for as long as somebody listens."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers, then the body in drips."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        body = bytes(self.body)
        for at in range(0, len(body), _DRIP):
            drip, more = body[at : at + _DRIP], at + _DRIP < len(body)
            await send({"type": "http.response.body", "body": drip, "more_body": more})
            if _transport(scope).is_closing():
                return
            await asyncio.sleep(_DRIP_S)


class Cut(Exception):
    """Ends a live answer where it stands."""


class Live(StreamingResponse):
    """Sends each piece as it is made; where the pieces raise Cut, the connection ends."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send the headers, then the pieces."""
        start = {"type": "http.response.start", "status": self.status_code}
        await send({**start, "headers": self.raw_headers})
        try:
            async for piece in self.body_iterator:
                await send({"type": "http.response.body", "body": piece, "more_body": True})
        except Cut:
            _transport(scope).close()
            await _until_gone(receive)
            return
        await send({"type": "http.response.body", "body": b"", "more_body": False})


class Truncated(Response):
    """Announces the whole length, sends the first half, then ends the connection."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send half and close."""
        body = bytes(self.body)
        await send(
            {"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers}
        )
        await send(
            {"type": "http.response.body", "body": body[: len(body) // 2], "more_body": True}
        )
        _transport(scope).close()
        await _until_gone(receive)
