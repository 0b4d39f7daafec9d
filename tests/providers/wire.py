"""A server of bare sockets, so that a test decides every byte and every moment of an exchange."""

from __future__ import annotations

import contextlib
import json
import os
import socket
import ssl
import struct
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

Reaction = Callable[[socket.socket], None]


@dataclass
class Request:
    """One request as it came in."""

    line: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Wire:
    """Answers each request with `react`; keeps what it saw."""

    react: Reaction
    tls: ssl.SSLContext | None = None
    requests: list[Request] = field(default_factory=list)
    connections: int = 0
    names: list[str | None] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port: int = self.listener.getsockname()[1]
        self.host = f"127.0.0.1:{self.port}"
        self.url = f"{'https' if self.tls else 'http'}://{self.host}"
        if self.tls:
            self.tls.sni_callback = lambda _sock, name, _context: self.names.append(name)
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _accept(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                conn, _address = self.listener.accept()
                self.connections += 1
                threading.Thread(target=self._serve, args=(conn,), daemon=True).start()

    def _serve(self, raw: socket.socket) -> None:
        with contextlib.suppress(OSError, ValueError):
            conn = self.tls.wrap_socket(raw, server_side=True) if self.tls else raw
            with conn, conn.makefile("rb") as stream:
                while (request := _read(stream)) is not None:
                    self.requests.append(request)
                    self.react(conn)


def _read(stream: object) -> Request | None:
    readline, read = stream.readline, stream.read  # type: ignore[attr-defined]
    line = readline().decode("latin-1").strip()
    if not line:
        return None
    headers: dict[str, str] = {}
    while field_line := readline().decode("latin-1").strip():
        name, _colon, value = field_line.partition(":")
        headers[name.lower()] = value.strip()
    return Request(line, headers, read(int(headers.get("content-length", 0))))


def http_bytes(status: int = 200, body: bytes = b"", **headers: str) -> bytes:
    fields = {"Content-Length": str(len(body))}
    fields |= {name.replace("_", "-"): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {status} X\r\n{head}\r\n".encode() + body


def say(data: bytes) -> Reaction:
    return lambda conn: conn.sendall(data)


def say_json(status: int, document: object, **headers: str) -> Reaction:
    return say(http_bytes(status, json.dumps(document).encode(), **headers))


def hang_up(conn: socket.socket) -> None:
    """End the connection politely, without an answer."""
    conn.shutdown(socket.SHUT_RDWR)


def reset(conn: socket.socket) -> None:
    """End the connection with a RST."""
    conn.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    os.close(conn.detach())


def say_then(data: bytes, then: Reaction) -> Reaction:
    def react(conn: socket.socket) -> None:
        conn.sendall(data)
        then(conn)

    return react


def wait(_conn: socket.socket) -> None:
    """Say nothing for longer than any test's patience; a test ends before this does."""
    threading.Event().wait(10)


@contextlib.contextmanager
def serving(react: Reaction, tls: ssl.SSLContext | None = None) -> Iterator[Wire]:
    server = Wire(react, tls)
    try:
        yield server
    finally:
        server.close()


def free_port() -> int:
    """A port nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
