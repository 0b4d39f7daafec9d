"""What the gateway answers over the wire, and that no request brings the sandbox down."""

from __future__ import annotations

import socket
from collections.abc import Callable
from typing import Any

import pytest
import requests

from sandbox.wire import GATEWAY_CODES
from tests.sandbox.caller import CANCEL, GET_RESULT, KEY, SUBMIT, Sandbox

BODY = {"req_key": KEY, "prompt": "a corgi on the grass"}


def error_of(response: requests.Response) -> str:
    """Return the error's name after checking the envelope around it."""
    metadata = response.json()["ResponseMetadata"]
    assert metadata["RequestId"]
    assert (metadata["Service"], metadata["Region"]) == ("cv", "cn-north-1")
    row = GATEWAY_CODES[metadata["Error"]["Code"]]
    assert response.status_code == row.http
    assert metadata["Error"].get("CodeN") == row.number
    assert metadata["Error"]["Message"] == row.message
    return str(metadata["Error"]["Code"])


def test_table_is_the_documented_one() -> None:
    documented = {
        (100002, "MissingParameter", 400),
        (100003, "MissingAuthenticationToken", 401),
        (100004, "MissingRequestInfo", 400),
        (100005, "MissingSignature", 401),
        (100006, "InvalidTimestamp", 400),
        (100007, "ServiceNotFound", 404),
        (100008, "InvalidActionOrVersion", 404),
        (100009, "InvalidAccessKey", 401),
        (100010, "SignatureDoesNotMatch", 401),
        (100012, "LackPolicy", 403),
        (100013, "AccessDenied", 403),
        (100024, "InvalidAuthorization", 400),
        (100025, "InvalidCredential", 400),
        (100026, "InvalidSecretToken", 401),
        (None, "FlowLimitExceeded", 429),
        (None, "InternalError", 500),
        (None, "InternalServiceError", 502),
        (None, "ServiceUnavailableTemp", 503),
        (None, "InternalServiceTimeout", 504),
    }
    assert {(row.number, name, row.http) for name, row in GATEWAY_CODES.items()} == documented


@pytest.mark.parametrize(
    ("signing", "name"),
    [
        ({"secret": "SKOTHER"}, "SignatureDoesNotMatch"),
        ({"access_key": "AKOTHER"}, "InvalidAccessKey"),
        ({"x_date": "20200101T000000Z"}, "InvalidTimestamp"),
        ({"x_date": "20200101"}, "InvalidTimestamp"),
        ({"service": "tos"}, "ServiceNotFound"),
        ({"region": "us-east-1"}, "InvalidAuthorization"),
    ],
)
def test_signature_refusals(sandbox: Sandbox, signing: dict[str, str], name: str) -> None:
    assert error_of(sandbox.call(SUBMIT, BODY, **signing)) == name


def test_unsigned(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/?Action={SUBMIT[0]}&Version={SUBMIT[1]}"
    response = requests.post(url, json=BODY, timeout=5)
    assert error_of(response) == "MissingAuthenticationToken"
    response = requests.post(url, json=BODY, headers={"Authorization": "HMAC-SHA256 "}, timeout=5)
    assert error_of(response) == "MissingSignature"


@pytest.mark.parametrize("action", [("", SUBMIT[1]), (SUBMIT[0], "")])
def test_missing_action_or_version(sandbox: Sandbox, action: tuple[str, str]) -> None:
    assert error_of(sandbox.call(action, BODY)) == "MissingParameter"


@pytest.mark.parametrize(
    "action",
    [("CVOther", "2022-08-31"), (SUBMIT[0], "2020-01-01"), (CANCEL[0], "2022-08-31")],
)
def test_unknown_action_or_version(sandbox: Sandbox, action: tuple[str, str]) -> None:
    response = sandbox.call(action, BODY)
    assert error_of(response) == "InvalidActionOrVersion"
    metadata = response.json()["ResponseMetadata"]
    assert (metadata["Action"], metadata["Version"]) == action


def test_signed_security_token_is_accepted(sandbox: Sandbox) -> None:
    response = sandbox.call(SUBMIT, BODY, extra={"x-security-token": "STSEXAMPLETOKEN"})
    assert response.json()["code"] == 10000


def test_other_methods_of_known_actions(sandbox: Sandbox) -> None:
    response = sandbox.call(SUBMIT, BODY, method="PUT")
    assert (response.status_code, response.json()["code"]) == (404, 50402)


@pytest.mark.parametrize("path", ["/api/v3/images", "/x", "/files/", "/_sandbox/"])
def test_unknown_paths(sandbox: Sandbox, path: str) -> None:
    response = requests.post(f"{sandbox.url}{path}", json={}, timeout=5)
    assert response.json()["ResponseMetadata"]["Error"]["Code"] == "ServiceNotFound"
    assert response.status_code in (404, 405)


BROKEN_BODIES = [
    b"",
    b"{",
    b"[]",
    b'"text"',
    b"null",
    b"\xff\xfe\x00",
    b"[" * 200_000,
    b'{"req_key": ' + b"9" * 6000 + b"}",
]


@pytest.mark.parametrize("action", [SUBMIT, GET_RESULT, CANCEL])
@pytest.mark.parametrize("raw", BROKEN_BODIES, ids=range(len(BROKEN_BODIES)))
def test_broken_bodies(sandbox: Sandbox, action: tuple[str, str], raw: bytes) -> None:
    response = sandbox.call(action, None, raw=raw)
    assert (response.status_code, response.json()["code"]) == (400, 50204)


@pytest.mark.parametrize("value", [1, True, [], {}, "\x00", "\ud800", "x" * 100_000, 1e300])
def test_odd_values_never_crash(sandbox: Sandbox, value: Any) -> None:
    names = ("req_key", "prompt", "size", "width", "scale", "image_urls", "force_single")
    for name in names:
        response = sandbox.submit(**{name: value})
        assert response.status_code in (200, 400), (name, response.text)
    for name in ("req_key", "task_id", "req_json"):
        body = {"req_key": KEY, "task_id": "1", name: value}
        for action in (GET_RESULT, CANCEL):
            assert sandbox.call(action, body).status_code in (200, 400), name
    assert not any("crash" in kind for kind in sandbox.state()["answers"])


def test_body_above_the_limit_is_refused_and_the_connection_lives(sandbox: Sandbox) -> None:
    huge = b" " * (12 * 1024 * 1024 + 1)
    response = sandbox.call(SUBMIT, None, raw=huge)
    assert (response.status_code, response.json()["code"]) == (400, 50213)
    assert sandbox.submit().status_code == 200


def test_caller_that_leaves_in_the_middle_of_its_body(sandbox: Sandbox) -> None:
    query = f"Action={SUBMIT[0]}&Version={SUBMIT[1]}"
    head = f"POST /?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n"
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as raw:
        raw.sendall(head.encode() + b"{")
    assert sandbox.submit().status_code == 200
    assert not any("crash" in kind for kind in sandbox.state()["answers"])


def test_envelope_of_a_success(sandbox: Sandbox) -> None:
    answer = sandbox.submit().json()
    assert list(answer) == ["code", "data", "message", "request_id", "status", "time_elapsed"]
    assert (answer["code"], answer["status"], answer["message"]) == (10000, 10000, "Success")
    assert answer["time_elapsed"].endswith("ms") and float(answer["time_elapsed"][:-2]) > 0
    assert len(answer["request_id"]) == 34
    task_id = answer["data"]["task_id"]
    assert isinstance(task_id, str) and len(task_id) == 19 and int(task_id) > 2**53


def test_a_disk_that_refuses_is_an_internal_error(
    start: Callable[..., Sandbox], capfd: pytest.CaptureFixture[str]
) -> None:
    sandbox = start("--ledger", "/dev/full")
    response = sandbox.submit()
    assert (response.status_code, response.json()["code"]) == (500, 50500)
    assert sandbox.state()["answers"] == {f"{SUBMIT[0]}:crash": 1}
    assert "No space left on device" in capfd.readouterr().err
    assert sandbox.state()["accepted"] == 0
