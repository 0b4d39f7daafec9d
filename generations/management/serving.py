"""References served from the command line: for a sandbox that fetches them while no web process is up."""

from __future__ import annotations

import http.client
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from django.conf import settings
from django.db import connection
from django.urls import Resolver404, resolve, reverse

from generations.models import Rendition
from generations.services.library import transport


class PortTaken(Exception):
    """Something that is not our web process listens where references would be fetched."""

    def __init__(self, port: int) -> None:
        super().__init__(port)
        self.port = port


@contextmanager
def served() -> Iterator[bool]:
    """See to it that our own address answers until the block ends; whether this process has to.

    Raises PortTaken.
    """
    port = urlsplit(settings.OWN_BASE_URL).port or 0
    if _web_answers(port):
        yield False
        return
    try:
        server = ThreadingHTTPServer(("127.0.0.1", port), _Door)
    except OSError:
        raise PortTaken(port) from None
    thread = threading.Thread(target=server.serve_forever, daemon=True, name="references")
    thread.start()
    try:
        yield True
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _web_answers(port: int) -> bool:
    asked = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    try:
        asked.request("GET", reverse("login"))
        return asked.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        asked.close()


class _Door(BaseHTTPRequestHandler):
    """Opens for signed addresses of references, and for nothing else."""

    timeout = 20

    def do_GET(self) -> None:
        try:
            self._answer()
        finally:
            connection.close()  # each request has a thread, and each thread its connection

    def _answer(self) -> None:
        found = self._rendition()
        path = settings.MEDIA_ROOT / found.blob.name if found else None
        if found is None or path is None or not path.is_file():
            self.send_error(404)
            return
        self.send_response(200)
        self.send_header("Content-Type", found.blob.content_type)
        self.send_header("Content-Length", str(found.blob.size))
        self.end_headers()
        with path.open("rb") as file:
            shutil.copyfileobj(file, self.wfile)

    def _rendition(self) -> Rendition | None:
        try:
            match = resolve(urlsplit(self.path).path)
        except (Resolver404, ValueError):
            return None
        is_ours = match.url_name == "reference-for-provider"
        return transport.found(match.kwargs["token"]) if is_ours else None

    def log_message(self, format: str, *args: object) -> None:
        """Addresses are permissions: they are not written down."""
