"""The HTTP door against real sockets: what was sent, what was not, and what cannot be known."""

from __future__ import annotations

import gzip
import multiprocessing
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from generations.providers import http
from generations.providers.base import Ambiguous, NotSent
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


def post(url: str, **limits: Any) -> http.Answer:
    return http.request("POST", url, headers={"X-Test": "1"}, body=b"{}", **limits)


def test_an_answer_is_whole_whatever_its_status() -> None:
    with serving(say(http_bytes(418, b"tea", X_Kind="Pot"))) as server:
        answer = post(f"{server.url}/a%20b?Action=X%2FY")
    assert (answer.status, answer.body, answer.headers["x-kind"]) == (418, b"tea", "Pot")
    request = server.requests[0]
    assert request.line == "POST /a%20b?Action=X%2FY HTTP/1.1"
    assert request.body == b"{}"
    assert request.headers["host"] == server.host
    assert request.headers["user-agent"] == http.USER_AGENT
    assert request.headers["content-length"] == "2"
    assert request.headers["accept-encoding"] == "identity"


def test_an_explicit_host_header_is_sent_once() -> None:
    with serving(say(http_bytes())) as server:
        http.request("POST", server.url, headers={"Host": "files.example:80"}, body=b"")
    assert server.requests[0].headers["host"] == "files.example:80"


def test_a_get_has_no_body() -> None:
    with serving(say(http_bytes(200, b"ok"))) as server:
        assert http.request("GET", server.url, headers={}).body == b"ok"
    assert "content-length" not in server.requests[0].headers


def test_a_packed_answer_is_unpacked() -> None:
    packed = gzip.compress(b"x" * 100_000)
    with serving(say(http_bytes(200, packed, Content_Encoding="gzip"))) as server:
        assert post(server.url).body == b"x" * 100_000


def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    with (
        serving(say(http_bytes())) as target,
        serving(say(http_bytes(307, b"", Location=target.url))) as server,
    ):
        assert post(server.url).status == 307
    assert target.requests == []


def test_cookies_are_not_kept() -> None:
    with serving(say(http_bytes(200, b"", Set_Cookie="a=1; Path=/"))) as server:
        post(server.url)
        post(server.url)
    assert "cookie" not in server.requests[1].headers


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = f"http://127.0.0.1:{free_port()}"
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, proxy)
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.delenv("no_proxy", raising=False)
    with serving(say(http_bytes(200, b"direct"))) as server:
        assert post(server.url).body == b"direct"


def test_a_refused_port_is_not_sent() -> None:
    with pytest.raises(NotSent, match="connection refused"):
        post(f"http://127.0.0.1:{free_port()}")


def test_a_name_that_does_not_resolve_is_not_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def nowhere(*_args: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    with pytest.raises(NotSent, match="does not resolve"):
        post("http://provider.example/")


@pytest.fixture
def deaf_port() -> Iterator[int]:
    """A port whose queue of connections is full, so that connecting to it hangs."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        callers = [socket.socket() for _ in range(3)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]
        for caller in callers:
            caller.close()


def test_a_connect_time_out_is_not_sent(deaf_port: int) -> None:
    with pytest.raises(NotSent, match="no connection in time"):
        post(f"http://127.0.0.1:{deaf_port}", connect_s=0.2)


@pytest.mark.parametrize("url", ["ftp://127.0.0.1/", "nonsense", "http://", "http://[::1"])
def test_an_impossible_url_is_not_sent(url: str) -> None:
    with pytest.raises(NotSent):
        post(url)


def test_a_header_that_cannot_be_sent_is_not_sent_and_not_told() -> None:
    with serving(say(http_bytes())) as server, pytest.raises(NotSent) as caught:
        http.request("POST", server.url, headers={"X-Key": "CANARY\r\nX: y"}, body=b"")
    assert "CANARY" not in repr(caught.value)
    assert server.requests == []


def test_a_failed_tls_handshake_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def no_tls() -> None:
            conn, _address = listener.accept()
            with conn:
                conn.sendall(b"220 this is no TLS\r\n")
                conn.recv(4096)

        threading.Thread(target=no_tls, daemon=True).start()
        with pytest.raises(NotSent, match="TLS"):
            post(f"https://127.0.0.1:{listener.getsockname()[1]}")


def test_an_untrusted_certificate_is_not_sent(server_tls: ssl.SSLContext) -> None:
    serve = serving(say(http_bytes()), server_tls)
    with serve as server, pytest.raises(NotSent, match="certificate"):
        post(server.url)
    assert server.requests == []


def test_a_certificate_for_another_name_is_not_sent(
    server_tls: ssl.SSLContext, trusted: None
) -> None:
    serve = serving(say(http_bytes()), server_tls)
    with serve as server, pytest.raises(NotSent, match="certificate"):
        post(server.url)
    assert server.requests == []


CHUNKED = b"HTTP/1.1 200 X\r\nTransfer-Encoding: chunked\r\n\r\n"
AFTER_SENDING: dict[str, tuple[Reaction, str]] = {
    "hung up": (hang_up, "closed"),
    "reset": (reset, "closed"),
    "silent": (wait, "no answer in time"),
    "half a body": (say_then(http_bytes(200, b"", Content_Length="9") + b"abc", hang_up), "cut"),
    "stalled body": (say_then(http_bytes(200, b"", Content_Length="9") + b"abc", wait), "in time"),
    "reset in the body": (say_then(http_bytes(200, b"", Content_Length="9"), reset), "."),
    "no HTTP": (say_then(b"\x00\x01 hello\r\n\r\n", hang_up), "."),
    "endless head": (say_then(b"HTTP/1.1 200 X\r\n" + b"a: b\r\n" * 200 + b"\r\n", hang_up), "."),
    "bad chunk": (say_then(CHUNKED + b"zz\r\nabc\r\n", hang_up), "."),
    "broken gzip": (say(http_bytes(200, b"no gzip", Content_Encoding="gzip")), "."),
    "too large": (say(http_bytes(200, b"x" * 5000)), "too large"),
    "too large unpacked": (
        say(http_bytes(200, gzip.compress(b"x" * 5000), Content_Encoding="gzip")),
        "too large",
    ),
}


@pytest.mark.parametrize("name", AFTER_SENDING)
def test_anything_after_the_first_byte_is_ambiguous(name: str) -> None:
    react, words = AFTER_SENDING[name]
    with serving(react) as server, pytest.raises(Ambiguous, match=words) as caught:
        post(server.url, read_s=0.3, cap=4096)
    assert len(server.requests) == 1, "sent once and never again"
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_a_trickle_ends_when_its_time_is_up() -> None:
    def trickle(conn: socket.socket) -> None:
        conn.sendall(http_bytes(200, b"", Content_Length="1000"))
        for _ in range(200):
            conn.sendall(b"x")
            time.sleep(0.05)

    started = time.monotonic()
    with serving(trickle) as server, pytest.raises(Ambiguous, match="in time"):
        post(server.url, total_s=0.3)
    assert time.monotonic() - started < 5


def test_connections_are_kept_while_fresh_and_left_when_idle(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with serving(say(http_bytes())) as server:
        post(server.url)
        post(server.url)
        assert server.connections == 1
        monkeypatch.setattr(http, "IDLE_S", -1.0)
        post(server.url)
        assert server.connections == 2


def test_a_connection_the_server_closed_meanwhile_is_not_used_again() -> None:
    with serving(say_then(http_bytes(), hang_up)) as server:
        post(server.url)
        time.sleep(0.1)
        post(server.url)
    assert (server.connections, len(server.requests)) == (2, 2)


def test_an_answer_given_up_half_read_does_not_leak_into_the_next() -> None:
    with serving(say(http_bytes(200, b"first" * 1000))) as server:
        with pytest.raises(Ambiguous):
            post(server.url, cap=10)
        server.react = say(http_bytes(200, b"second"))
        assert post(server.url).body == b"second"


def test_threads_have_their_own_connections() -> None:
    together = threading.Barrier(4)

    def slow(conn: socket.socket) -> None:
        together.wait(5)
        conn.sendall(http_bytes(200, b"ok"))

    with serving(slow) as server, ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda _n: post(server.url).body, range(4)))
    assert answers == [b"ok"] * 4
    assert server.connections == 4


def test_a_forked_child_does_not_share_its_parents_connection() -> None:
    with serving(say(http_bytes(200, b"ok"))) as server:
        post(server.url)
        child = multiprocessing.get_context("fork").Process(target=post, args=(server.url,))
        child.start()
        child.join(20)
        post(server.url)
    assert child.exitcode == 0
    assert (server.connections, len(server.requests)) == (2, 3)
