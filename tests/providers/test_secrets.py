"""The canary: whatever goes wrong, and whatever the provider echoes, no error tells a secret."""

from __future__ import annotations

import json
import logging
import socket
import traceback
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from generations.providers import catalog, get_provider, http, jimeng, jimeng_reply
from generations.providers.base import Credentials, DownloadError, ProviderError
from tests.providers.wire import (
    Wire,
    free_port,
    hang_up,
    http_bytes,
    reset,
    say,
    say_then,
    serving,
    wait,
)

SECRETS = ("AKCANARYACCESS", "SKCANARYSECRET", "STSCANARYTOKEN")
KEYS = Credentials(*SECRETS)
ENGINE = catalog.get_engine("jimeng-image-4.0")


def everything(error: BaseException) -> str:
    """All that a log, a page or a crash report could show of `error` and of what is chained to it."""
    told = ["".join(traceback.format_exception(error))]
    found: BaseException | None = error
    while found is not None:
        told += [str(found), repr(found), repr(found.args), repr(vars(found))]
        found = found.__cause__ or found.__context__
    return "\n".join(told)


@pytest.fixture(params=["submit", "poll", "cancel", "probe"])
def ask(request: pytest.FixtureRequest) -> Callable[[str], object]:
    provider = get_provider("jimeng")
    call = provider.build(ENGINE, "x", catalog.defaults(ENGINE))

    def send(base_url: str) -> object:
        where: dict[str, Any] = {"base_url": base_url, "credentials": KEYS}
        if request.param == "submit":
            return provider.submit(call, client_request_id="1", **where)
        if request.param == "probe":
            provider.probe(**where)
            return None
        return getattr(provider, request.param)(ENGINE, "7", **where)

    return send


@pytest.fixture(autouse=True)
def short_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    real = http.request

    def hasty(method: str, url: str, **given: Any) -> http.Answer:
        return real(method, url, **(given | {"read_s": 0.2, "cap": 100_000}))

    monkeypatch.setattr(http, "request", hasty)


def echo(server: Wire, status: int, code: str) -> None:
    """Let the server answer with all that it was sent, in every field that reaches an error."""

    def react(conn: socket.socket) -> None:
        seen = server.requests[-1].headers
        text = f"{seen['authorization']} {json.dumps(seen)} {' '.join(SECRETS)}"
        text += f" https://h.example/?X-Signature={SECRETS[1]} Bearer {SECRETS[2]}"
        for_gateway = {"Code": code + SECRETS[0], "Message": text}
        document: dict[str, object] = {
            "code": code or text,
            "message": text,
            "request_id": SECRETS[1] + text,
            "data": {"status": text, "task_id": text},
        }
        if not code.isdigit():
            document["ResponseMetadata"] = {"Error": for_gateway, "RequestId": SECRETS[1]}
        conn.sendall(http_bytes(status, json.dumps(document).encode(), Retry_After=SECRETS[1]))

    server.react = react


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (400, "50200"),
        (400, "50413"),
        (401, "50400"),
        (429, "50429"),
        (500, "50500"),
        (200, "59999"),
        (200, "10000"),
        (401, "SignatureDoesNotMatch"),
        (400, "MissingParameter"),
        (500, "InternalError"),
        (429, "FlowLimitExceeded"),
        (200, ""),
    ],
)
def test_an_echo_is_blotted_out(
    status: int, code: str, ask: Callable[[str], object], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told = ""
    with serving(hang_up) as server:
        echo(server, status, code)
        try:
            told = repr(ask(server.url))
        except ProviderError as error:
            told = everything(error)
        assert SECRETS[0] in server.requests[0].headers["authorization"], "the echo had it"
    assert "CANARY" not in told
    assert server.requests[0].headers["authorization"].rpartition("=")[2] not in told
    assert "CANARY" not in caplog.text


def test_without_the_blot_the_echo_is_heard(monkeypatch: pytest.MonkeyPatch) -> None:
    """The twin: it is the blotting of known secrets that keeps the test above green."""
    monkeypatch.setattr(jimeng, "read", lambda answer, _secrets: jimeng_reply.read(answer, ()))
    with serving(hang_up) as server, pytest.raises(ProviderError) as caught:
        echo(server, 400, "50200")
        get_provider("jimeng").poll(ENGINE, "7", base_url=server.url, credentials=KEYS)
    assert "CANARY" in everything(caught.value)


FAULTS = {
    "hung up": hang_up,
    "reset": reset,
    "silent": wait,
    "no HTTP": say_then(b"?\r\n\r\n", hang_up),
    "too large": say(http_bytes(200, b"x" * 200_000)),
    "cut off": say_then(http_bytes(200, b"", Content_Length="99"), hang_up),
    "html": say(http_bytes(502, b"<html>")),
}


@pytest.mark.parametrize("name", FAULTS)
def test_no_fault_of_the_wire_tells(name: str, ask: Callable[[str], object]) -> None:
    with serving(FAULTS[name]) as server, pytest.raises(ProviderError) as caught:
        ask(server.url)
    assert "CANARY" not in everything(caught.value)


def test_nobody_there_tells(ask: Callable[[str], object]) -> None:
    with pytest.raises(ProviderError) as caught:
        ask(f"http://127.0.0.1:{free_port()}/{SECRETS[1]}")
    assert "CANARY" not in everything(caught.value)


@pytest.fixture
def signed_urls() -> Iterator[list[str]]:
    with serving(say(http_bytes(403))) as server:
        query = "X-Signature=CANARY&X-Credential=CANARY"
        yield [
            f"{server.url}/CANARYPATH?{query}",
            f"http://127.0.0.1:{free_port()}/?{query}",
            f"https://10.0.0.1/?{query}",
            f"https://user:CANARY@h.example/?{query}",
            f"ftp://h.example/?{query}",
        ]


def test_no_download_error_tells_its_url(signed_urls: list[str]) -> None:
    for url in signed_urls:
        with pytest.raises(DownloadError) as caught:
            http.download(
                url, sink=bytearray().extend, allow_loopback=True, max_bytes=9, deadline_s=2
            )
        assert "CANARY" not in everything(caught.value)
