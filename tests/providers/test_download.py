"""What may come back for a result URL, and TLS to a pinned address."""

from __future__ import annotations

import io
import socket
import ssl
import threading
import time
from collections.abc import Callable

import pytest

from generations.providers import addresses
from generations.providers.base import DownloadError
from tests.providers.urls import fetch, reason
from tests.providers.wire import (
    Reaction,
    free_port,
    hang_up,
    http_bytes,
    reset,
    say,
    say_then,
    serving,
    wait,
)


def test_a_file_arrives_whole_and_untouched() -> None:
    data = bytes(range(256)) * 30
    sink = io.BytesIO()
    with serving(say(http_bytes(200, data, Content_Type="image/jpeg"))) as server:
        result = fetch(f"{server.url}/files/a%2Fb?sig=A%2b", sink, allow_loopback=True)
    assert sink.getvalue() == data
    assert (result.bytes, result.content_type) == (len(data), "image/jpeg")
    request = server.requests[0]
    assert request.line.startswith("GET /files/a%2Fb?sig=A%2")
    assert request.headers["accept-encoding"] == "identity"
    assert request.headers["host"] == server.host
    assert "authorization" not in request.headers
    assert "cookie" not in request.headers


def test_a_function_may_be_the_sink() -> None:
    pieces: list[bytes] = []
    with serving(say(http_bytes(200, b"abc"))) as server:
        fetch(f"{server.url}/", pieces.append, allow_loopback=True)
    assert b"".join(pieces) == b"abc"


def test_chunked_content() -> None:
    data = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n"
    sink = io.BytesIO()
    with serving(say(data)) as server:
        assert fetch(f"{server.url}/", sink, allow_loopback=True).bytes == 5
    assert sink.getvalue() == b"abcde"


LENGTH_9 = http_bytes(200, b"", Content_Length="9")
ANSWERS: dict[str, tuple[Reaction, str]] = {
    "301": (say(http_bytes(301, b"", Location="http://169.254.169.254/")), "refused_url"),
    "302 to metadata": (
        say(http_bytes(302, b"", Location="https://169.254.169.254/latest/")),
        "refused_url",
    ),
    "303": (say(http_bytes(303, b"", Location="/other")), "refused_url"),
    "307": (say(http_bytes(307, b"", Location="file:///etc/passwd")), "refused_url"),
    "308": (say(http_bytes(308, b"", Location="http://localhost/")), "refused_url"),
    "304": (say(http_bytes(304)), "refused_url"),
    "400": (say(http_bytes(400)), "dead_url"),
    "403": (say(http_bytes(403, b"expired")), "dead_url"),
    "404": (say(http_bytes(404)), "dead_url"),
    "410": (say(http_bytes(410)), "dead_url"),
    "204": (say(http_bytes(204)), "dead_url"),
    "206": (say(http_bytes(206, b"part")), "dead_url"),
    "408": (say(http_bytes(408)), "transient"),
    "429": (say(http_bytes(429)), "transient"),
    "500": (say(http_bytes(500)), "transient"),
    "503": (say(http_bytes(503)), "transient"),
    "empty": (say(http_bytes(200)), "transient"),
    "cut off": (say_then(LENGTH_9 + b"abc", hang_up), "transient"),
    "reset": (say_then(LENGTH_9 + b"abc", reset), "transient"),
    "hung up": (hang_up, "transient"),
    "no HTTP": (say_then(b"\x00\r\n\r\n", hang_up), "transient"),
    "packed": (say(http_bytes(200, b"x", Content_Encoding="gzip")), "refused_url"),
    "told too large": (say(http_bytes(200, b"", Content_Length="10001")), "too_large"),
    "told absurdly large": (say(http_bytes(200, b"", Content_Length="9" * 30)), "too_large"),
    "untold too large": (
        say_then(b"HTTP/1.1 200 X\r\nConnection: close\r\n\r\n" + b"x" * 10_001, hang_up),
        "too_large",
    ),
}


@pytest.mark.parametrize("name", ANSWERS)
def test_what_an_answer_means(name: str) -> None:
    react, why = ANSWERS[name]
    with serving(react) as server, pytest.raises(DownloadError) as caught:
        fetch(f"{server.url}/file?signature=CANARY", allow_loopback=True)
    error = caught.value
    assert (error.reason, error.transient) == (why, why == "transient")
    assert len(server.requests) == 1
    assert "CANARY" not in f"{error!r}{error}"
    assert error.__context__ is None


def test_no_more_than_the_cap_reaches_the_sink() -> None:
    sink = io.BytesIO()
    endless = say_then(b"HTTP/1.1 200 X\r\n\r\n" + b"x" * 50_000, hang_up)
    with serving(endless) as server, pytest.raises(DownloadError):
        fetch(f"{server.url}/", sink, allow_loopback=True, max_bytes=1000)
    assert len(sink.getvalue()) <= 1000


def trickle(first: bytes, again: bytes) -> Reaction:
    def react(conn: socket.socket) -> None:
        conn.sendall(first)
        for _ in range(300):
            time.sleep(0.03)
            conn.sendall(again)

    return react


@pytest.mark.parametrize(
    "react",
    [
        wait,
        say_then(http_bytes(200, b"", Content_Length="9"), wait),
        trickle(http_bytes(200, b"", Content_Length="900"), b"x"),
        trickle(b"HTTP/1.1 200 X\r\n", b"a: b\r\n"),
        trickle(b"HTTP/1.1 200 X\r\nContent-Length: 9\r\nx: ", b"y"),
    ],
    ids=["silence", "stall", "slow body", "slow head", "slow header"],
)
def test_the_deadline_is_for_the_whole(react: Reaction) -> None:
    started = time.monotonic()
    with serving(react) as server:
        assert reason(f"{server.url}/", allow_loopback=True, deadline_s=0.4) == "transient"
    assert time.monotonic() - started < 5


def test_a_deadline_that_passed_before_the_request_sends_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Late:
        """A timer that fires at once, as if connecting had taken all the time there was."""

        daemon = True

        def __init__(self, _seconds: float, abort: Callable[[], None]) -> None:
            self.start, self.cancel = abort, lambda: None

    monkeypatch.setattr(threading, "Timer", Late)
    serve = serving(say(http_bytes(200, b"x")))
    with serve as server, pytest.raises(DownloadError, match="took too long"):
        fetch(f"{server.url}/", allow_loopback=True)
    assert server.requests == []


def test_what_the_sink_raises_passes_through() -> None:
    def full(_data: bytes) -> None:
        raise OSError(28, "No space left on device")

    with serving(say(http_bytes(200, b"abc"))) as server, pytest.raises(OSError, match="No space"):
        fetch(f"{server.url}/", full, allow_loopback=True)


def test_nobody_listens() -> None:
    assert reason(f"http://127.0.0.1:{free_port()}/", allow_loopback=True) == "transient"


@pytest.fixture
def pinned(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let files.example stand on this machine, where the test's server is."""
    monkeypatch.setattr(addresses, "approve", lambda _place, **_rules: ["127.0.0.1"])


def test_the_pinned_connection_is_made_in_the_names_name(
    server_tls: ssl.SSLContext, trusted: None, pinned: None
) -> None:
    with serving(say(http_bytes(200, b"abc")), server_tls) as server:
        assert fetch(f"https://files.example:{server.port}/a").bytes == 3
    assert server.names == ["files.example"]
    assert server.requests[0].headers["host"] == f"files.example:{server.port}"


def test_the_certificate_must_be_the_names(
    server_tls: ssl.SSLContext, trusted: None, pinned: None
) -> None:
    serve = serving(say(http_bytes(200, b"abc")), server_tls)
    with serve as server, pytest.raises(DownloadError, match="certificate"):
        fetch(f"https://other.example:{server.port}/a")
    assert server.requests == []


def test_the_certificate_must_be_trusted(server_tls: ssl.SSLContext, pinned: None) -> None:
    serve = serving(say(http_bytes(200, b"abc")), server_tls)
    with serve as server, pytest.raises(DownloadError, match="certificate"):
        fetch(f"https://files.example:{server.port}/a")
    assert server.requests == []
