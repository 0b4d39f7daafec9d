"""``python -m sandbox``: bind, fork the painters, serve, and leave nothing running."""

from __future__ import annotations

import signal
import socket
import sqlite3
from contextlib import closing
from types import FrameType

import uvicorn

from sandbox.also import serve_also
from sandbox.app import build_app
from sandbox.connection import OpenProtocol
from sandbox.options import Options, parse_options
from sandbox.painter import Painter
from sandbox.world import World, build_world

_ANY = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}


class Announcing(uvicorn.Server):
    """A server that says on stdout where it listens, once it does."""

    def __init__(self, config: uvicorn.Config, address: str) -> None:
        super().__init__(config)
        self._address = address

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Start to accept, then print the line that callers wait for."""
        await super().startup(sockets=sockets)
        print(f"sandbox listening on {self._address}", flush=True)


def _leave(signum: int, frame: FrameType | None) -> None:
    raise SystemExit(0)


def _bind(options: Options) -> socket.socket:
    family = socket.AF_INET6 if ":" in options.host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((options.host, options.port))
    except OSError as error:
        raise SystemExit(
            f"sandbox: cannot listen on {options.host}:{options.port}: {error.strerror}"
        ) from error
    return listener


def _address(options: Options, listener: socket.socket) -> str:
    host = _ANY.get(options.host) or (f"[{options.host}]" if ":" in options.host else options.host)
    return f"http://{host}:{listener.getsockname()[1]}"


def _open(options: Options, painter: Painter, address: str) -> World:
    try:
        return build_world(options, painter, address)
    except (OSError, sqlite3.Error) as error:
        raise SystemExit(f"sandbox: cannot open the state or ledger file: {error}") from error


def _serve(world: World, listener: socket.socket) -> None:
    config = uvicorn.Config(
        build_app(world),
        http=OpenProtocol,
        ws="none",
        lifespan="off",
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=1024,
        timeout_graceful_shutdown=1,
    )
    Announcing(config, world.address).run(sockets=[listener])


def main(argv: list[str] | None = None) -> None:
    """Run the sandbox until SIGTERM or SIGINT.

    Leaves by SystemExit: 0 after a signal, else a sentence or argparse's 2.
    """
    options = parse_options(argv)
    try:
        serve_also(options.also)
    except ValueError as error:
        raise SystemExit(f"sandbox: {error}") from None
    # uvicorn raises the signal again when it has shut down; this makes that an ordinary exit.
    for signum in (signal.SIGTERM, signal.SIGINT):
        signal.signal(signum, _leave)
    with (
        closing(_bind(options)) as listener,
        closing(Painter(options.workers)) as painter,
        closing(_open(options, painter, _address(options, listener))) as world,
    ):
        _serve(world, listener)


if __name__ == "__main__":
    main()
