"""Connections that know whether a byte was sent, so that "not sent" is a fact and not a guess.

urllib3 tells a refused connection from a lost answer by exception types that overlap; the first
`send` of a connection is the exact border between the two.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from collections.abc import Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection


@dataclass(slots=True)
class Attempt:
    """One request as the wire saw it."""

    sent: bool = False
    expired: bool = False
    sock: socket.socket | None = None

    @contextlib.contextmanager
    def current(self) -> Iterator[None]:
        """Connections used by this thread inside the block report to this attempt."""
        token = _attempt.set(self)
        try:
            yield
        finally:
            _attempt.reset(token)

    @contextlib.contextmanager
    def within(self, seconds: float) -> Iterator[None]:
        """A timer ends the exchange after so many seconds, however steadily it trickles."""
        timer = threading.Timer(seconds, self.abort)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def abort(self) -> None:
        """Time is up: wake whoever reads from the socket (called from a timer's thread)."""
        self.expired = True
        if self.sock is not None:
            with contextlib.suppress(OSError):
                # Not SSLSocket.shutdown: that would drop the TLS state under the reader.
                socket.socket.shutdown(self.sock, socket.SHUT_RDWR)

    def note(self, connection: HTTPConnection) -> None:
        """`connection` is about to send."""
        self.sock = connection.sock
        # In this order: a timer that ran before it could see the socket is seen here.
        if self.expired:
            raise TimeoutError
        self.sent = True


_attempt: ContextVar[Attempt] = ContextVar("attempt")


def _ready(connection: HTTPConnection) -> None:
    if connection.sock is None:
        connection.connect()
    _attempt.get().note(connection)


class Connection(HTTPConnection):
    def send(self, data: Any) -> None:
        _ready(self)
        super().send(data)


class SecureConnection(HTTPSConnection):
    def send(self, data: Any) -> None:
        _ready(self)
        super().send(data)


class Pool(HTTPConnectionPool):
    ConnectionCls = Connection


class SecurePool(HTTPSConnectionPool):
    ConnectionCls = SecureConnection
