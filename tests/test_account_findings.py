"""What is wrong with an account: what the service says of it, and who answers at all."""

from __future__ import annotations

import json
import socket
import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.utils import translation
from pytest_django import Settings

from generations.models import ProviderAccount
from generations.providers import faults, http
from generations.providers.base import Credentials
from generations.services import accounts, health
from generations.services.health.accounts import SENTENCES
from tests.providers.conftest import certificate, server_tls
from tests.providers.wire import free_port, hang_up, http_bytes, say, serving, wait
from tests.running import Sandbox

__all__ = ["certificate", "server_tls"]


def account(provider: str, base_url: str) -> ProviderAccount:
    """One that the sandbox's usual key belongs to, wherever it is."""
    key = "ARK-SANDBOX" if provider == "ark" else "AKSANDBOX"
    made = Credentials(key).fingerprint
    fields = {"label": "Account", "is_sandbox": True, "key_fingerprint": made}
    return ProviderAccount(provider=provider, base_url=base_url, **fields)


def told(provider: str, base_url: str) -> health.Finding:
    return health.check([account(provider, base_url)])[0]


@pytest.fixture
def ask(sandbox: Sandbox) -> Iterator[Callable[[str], health.Finding]]:
    """Ask the sandbox, as a provider of this name; nothing may come of it there."""
    urls = {"jimeng": sandbox.url, "ark": f"{sandbox.url}/api/v3"}
    before = (len(sandbox.ledger()), sandbox.state()["tasks"])
    yield lambda provider: told(provider, urls[provider])
    sandbox.set_faults(faults={})
    assert (len(sandbox.ledger()), sandbox.state()["tasks"]) == before


# --- What the service says ------------------------------------------------------------------------


@pytest.mark.parametrize("provider", ["jimeng", "ark"])
def test_a_good_key(provider: str, ask: Callable[[str], health.Finding]) -> None:
    found = ask(provider)
    assert (found.kind, found.well, dict(found.params)) == ("well", True, {})


@pytest.mark.parametrize(
    ("provider", "key", "kind"),
    [
        ("jimeng", ("AKSANDBOX", "another", ""), "signature"),
        ("jimeng", ("AKSANDBOX", "SKSANDBOX\n", ""), "key_refused"),
        ("ark", ("another", "", ""), "key_refused"),
    ],
)
def test_a_bad_key(
    provider: str,
    key: tuple[str, str, str],
    kind: str,
    ask: Callable[[str], health.Finding],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(accounts, "credentials_for", lambda row: Credentials(*key))
    found = ask(provider)
    assert (found.kind, found.well) == (kind, False)
    monkeypatch.undo()
    assert ask(provider).well, "it is the key that made the difference"


def test_a_key_that_the_service_or_this_process_does_not_know(
    ask: Callable[[str], health.Finding], settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(accounts, "credentials_for", lambda row: Credentials("AKOTHER", "x"))
    assert ask("jimeng").kind == "key_refused"
    monkeypatch.undo()
    settings.SANDBOX_KEYS = []
    assert ask("jimeng").kind == "no_key"


@pytest.mark.parametrize(
    ("shift_s", "kind", "way"),
    [
        (1_200, "clock_by", "ahead"),
        (-1_200, "clock_by", "behind"),
        (100, "well_but_clock", "ahead"),
        (5, "well", ""),
    ],
)
def test_a_clock_that_is_off_is_measured(
    shift_s: int, kind: str, way: str, ask: Callable[[str], health.Finding]
) -> None:
    """The sandbox has a process, a clock and a time window of its own."""
    with time_machine.travel(datetime.now(UTC) + timedelta(seconds=shift_s), tick=True):
        found = ask("jimeng")
    assert (found.kind, found.params.get("way", "")) == (kind, way)
    assert found.well is (kind != "clock_by")
    if way:
        assert abs(int(str(found.params["seconds"])) - abs(shift_s)) <= 3
        with translation.override("en"):
            assert f"{found.params['seconds']} s {way}" in found.sentence


@pytest.mark.parametrize("provider", ["jimeng", "ark"])
@pytest.mark.parametrize(
    ("fault", "kind"),
    [
        ("not_opened", "not_opened"),
        ("no_permission", "not_allowed"),
        ("stranger", "not_provider"),
    ],
)
def test_what_else_the_service_may_say(
    provider: str, fault: str, kind: str, sandbox: Sandbox, ask: Callable[[str], health.Finding]
) -> None:
    sandbox.set_faults(faults={fault: 1.0})
    assert ask(provider).kind == kind
    sandbox.set_faults(faults={})
    assert ask(provider).well


def _json(status: int, document: object) -> bytes:
    return http_bytes(status, json.dumps(document).encode())


@pytest.mark.parametrize(
    ("provider", "answer", "kind"),
    [
        ("jimeng", _json(404, {"detail": "Not Found"}), "not_provider"),
        ("jimeng", _json(404, {"error": "no such page"}), "not_provider"),
        ("jimeng", http_bytes(302, b"", Location="https://h.example/"), "not_provider"),
        ("jimeng", http_bytes(502, b"<html>"), "fault"),
        ("ark", http_bytes(404, b"<html>"), "not_provider"),
        ("ark", _json(200, {"data": [{"url": "https://h.example/a.jpg"}]}), "not_provider"),
        ("ark", http_bytes(503, b""), "fault"),
        ("ark", _json(404, {"error": {"code": "ModelNotOpen"}}), "not_opened"),
        ("ark", _json(403, {"error": {"code": "AccountOverdueError"}}), "provider_quota"),
        ("ark", _json(429, {"error": {"code": "RequestBurstTooFast"}}), "throttled"),
        ("ark", _json(400, {"error": {"code": "MissingParameter.prompt"}}), "well"),
        ("ark", _json(400, {"error": {"code": "InvalidParameter.size"}}), "well"),
        ("ark", _json(409, {"error": {"code": "Conflict"}}), "odd"),
    ],
)
def test_each_kind_of_answer(provider: str, answer: bytes, kind: str) -> None:
    with serving(say(answer)) as server:
        assert told(provider, server.url).kind == kind
        (request,) = server.requests
    if provider == "ark":
        # Neither a prompt nor a size that there is: nothing could be made of it.
        assert request.line.startswith("POST /images/generations ")
        assert json.loads(request.body).keys() == {"model", "size"}
        assert json.loads(request.body)["size"] == "0x0"
    else:
        assert "Action=CVSync2AsyncGetResult" in request.line
        assert json.loads(request.body)["task_id"] == "0"


# --- Nobody there ---------------------------------------------------------------------------------


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    real = http.request

    def request(method: str, url: str, **given: Any) -> http.Answer:
        return real(method, url, **(given | {"read_s": 0.3, "connect_s": 0.3}))

    monkeypatch.setattr(http, "request", request)


@pytest.fixture
def deaf() -> Iterator[str]:
    """Where the line of those who want in is full."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        callers = [socket.socket() for _ in range(3)]
        for caller in callers:
            caller.setblocking(False)
            caller.connect_ex(listener.getsockname())
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        for caller in callers:
            caller.close()


@pytest.mark.usefixtures("hasty")
@pytest.mark.parametrize("provider", ["jimeng", "ark"])
def test_nobody_there_is_told_apart(
    provider: str, deaf: str, server_tls: ssl.SSLContext, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_anything: object, **_more: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    with (
        serving(wait) as silent,
        serving(hang_up) as short,
        serving(say(http_bytes())) as plain,
        serving(say(http_bytes()), server_tls) as strange,
    ):
        found = {
            "closed": short.url,
            "silent": silent.url,
            faults.REFUSED: f"http://127.0.0.1:{free_port()}",
            faults.NO_CONNECTION: deaf,
            faults.BAD_CERTIFICATE: strange.url,
            faults.NO_TLS: plain.url.replace("http:", "https:"),
            "base_url": "nonsense",
        }
        assert {kind: told(provider, url).kind for kind, url in found.items()} == {
            kind: kind for kind in found
        }
    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    finding = told(provider, "https://user:pass@provider.example/api")
    assert finding.kind == faults.NO_NAME
    assert "provider.example" in finding.sentence and "pass" not in finding.sentence


def test_every_sentence_finds_what_it_names() -> None:
    places = {"seconds": 1, "way": "behind", "host": "h", "status": 1, "code": "C"}
    for kind in SENTENCES:
        assert "%" not in health.Finding(account("ark", ""), kind, places).sentence
