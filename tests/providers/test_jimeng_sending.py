"""What the Jimeng provider sends, and every way a submit is accepted or left open."""

from __future__ import annotations

import json
from collections.abc import Mapping

import pytest

from generations.providers import catalog
from generations.providers.base import (
    Accepted,
    Ambiguous,
    Credentials,
    KeyRefused,
    NotSent,
)
from tests.providers.jimeng_answers import (
    BASE,
    ENGINE,
    KEYS,
    PROVIDER,
    TASK,
    Answering,
    build,
    cancel,
    gateway,
    poll,
    service,
    submit,
)
from tests.providers.wire import say_json, serving


@pytest.mark.parametrize(
    ("settings", "body"),
    [
        ({}, {"width": 2048, "height": 2048, "scale": 0.5, "force_single": True}),
        ({"size": "auto-2k"}, {"size": 4194304, "scale": 0.5, "force_single": True}),
        ({"size": "auto-4K"}, {"size": 16777216, "scale": 0.5, "force_single": True}),
        (
            {"size": "custom", "width": 1200, "height": 1600, "output": "set", "scale": "1"},
            {"width": 1200, "height": 1600, "scale": 1.0, "force_single": False},
        ),
        (
            {"size": "4096x1024", "max_ratio": "4", "min_ratio": "0.333"},
            {"width": 4096, "height": 1024, "scale": 0.5, "force_single": True, "max_ratio": 4.0},
        ),
        (
            {"min_ratio": "0.0625", "scale": "0"},
            {
                "width": 2048,
                "height": 2048,
                "scale": 0.0,
                "force_single": True,
                "min_ratio": 0.0625,
            },
        ),
    ],
)
def test_the_body_follows_the_declaration(
    settings: Mapping[str, object], body: Mapping[str, object]
) -> None:
    assert build(**settings) == {"req_key": "jimeng_t2i_v40", "prompt": "一只柯基", **body}


def test_the_body_is_compact_raw_utf8_and_the_same_every_time() -> None:
    cleaned = catalog.defaults(ENGINE)
    call = PROVIDER.build(ENGINE, '一只"柯基"\n🐕', cleaned)
    assert call.body.startswith(
        '{"req_key":"jimeng_t2i_v40","prompt":"一只\\"柯基\\"\\n🐕",'.encode()
    )
    assert call == PROVIDER.build(ENGINE, '一只"柯基"\n🐕', dict(reversed(cleaned.items())))
    assert (call.engine_slug, call.action, call.version) == (
        "jimeng-image-4.0",
        "CVSync2AsyncSubmitTask",
        "2022-08-31",
    )


def test_several_jobs_force_single_outputs_and_references_travel_as_urls() -> None:
    cleaned = catalog.clean_settings(ENGINE, {"output": "set"})
    urls = ["https://files.example/a", "https://files.example/b"]
    body = json.loads(PROVIDER.build(ENGINE, "x", cleaned, references=urls, force_single=True).body)
    assert body["force_single"] is True
    assert body["image_urls"] == urls


@pytest.mark.parametrize("broken", [{}, {"size": "vast"}])
def test_a_recipe_that_no_longer_fits_cannot_be_built(broken: dict[str, str]) -> None:
    settings = {**catalog.defaults(ENGINE), **broken} if broken else {}
    with pytest.raises((KeyError, ValueError)):
        PROVIDER.build(ENGINE, "x", settings)


def test_submit_on_the_wire() -> None:
    answer = say_json(200, service(10000, {"task_id": TASK}))
    call = PROVIDER.build(ENGINE, "一只柯基", catalog.defaults(ENGINE))
    with serving(answer) as server:
        accepted = PROVIDER.submit(
            call,
            base_url=server.url,
            credentials=Credentials("AKEXAMPLE", "SKEXAMPLE", "STSEXAMPLETOKEN"),
            client_request_id="0b5fbb1e",
        )
    assert accepted == Accepted(TASK, "20260121")
    request = server.requests[0]
    assert request.line == "POST /?Action=CVSync2AsyncSubmitTask&Version=2022-08-31 HTTP/1.1"
    assert request.body == call.body
    headers = request.headers
    assert headers["host"] == server.host
    assert headers["content-type"] == "application/json"
    assert headers["x-client-request-id"] == "0b5fbb1e"
    assert headers["x-security-token"] == "STSEXAMPLETOKEN"
    assert headers["x-content-sha256"] == call.body_sha256
    assert (
        "SignedHeaders=content-type;host;x-client-request-id;x-content-sha256;x-date;"
        "x-security-token, " in headers["authorization"]
    )
    assert "SKEXAMPLE" not in json.dumps(headers)


def test_poll_and_cancel_ask_with_the_req_key(answering: Answering) -> None:
    calls = answering(service(10000, {"status": "in_queue"}))
    poll()
    cancel()
    assert calls[0]["url"] == f"{BASE}/?Action=CVSync2AsyncGetResult&Version=2022-08-31"
    assert json.loads(calls[0]["body"]) == {
        "req_key": "jimeng_t2i_v40",
        "task_id": TASK,
        "req_json": '{"return_url":true}',
    }
    assert calls[1]["url"] == f"{BASE}/?Action=CVCancelTask&Version=2024-06-06"
    assert json.loads(calls[1]["body"]) == {"req_key": "jimeng_t2i_v40", "task_id": TASK}


def test_a_base_url_may_have_a_path(answering: Answering) -> None:
    calls = answering(service(10000, {"task_id": TASK}))
    call = PROVIDER.build(ENGINE, "x", catalog.defaults(ENGINE))
    PROVIDER.submit(
        call, base_url="https://gate.example:8443/cv", credentials=KEYS, client_request_id=""
    )
    assert calls[0]["url"].startswith("https://gate.example:8443/cv?Action=")
    assert calls[0]["headers"]["Host"] == "gate.example:8443"
    assert "X-Client-Request-Id" not in calls[0]["headers"]


@pytest.mark.parametrize(
    "base_url", ["", "visual.volcengineapi.com", "ftp://x", "http://[", "https://"]
)
def test_a_base_url_that_is_none_sends_nothing(base_url: str, answering: Answering) -> None:
    calls = answering({})
    with pytest.raises(NotSent):
        PROVIDER.probe(base_url=base_url, credentials=KEYS)
    assert calls == []


@pytest.mark.parametrize("key", ["SK\r\nX-Evil: 1", "SK EXAMPLE", "密钥", "SK\x00"])
def test_a_key_no_header_can_carry_is_refused_unsent(key: str, answering: Answering) -> None:
    calls = answering({})
    for keys in (Credentials(key, "SK"), Credentials("AK", key), Credentials("AK", "SK", key)):
        with pytest.raises(KeyRefused) as caught:
            PROVIDER.probe(base_url=BASE, credentials=keys)
        assert key not in f"{caught.value!r}"
    assert calls == []


ACCEPTED: dict[str, object] = {
    "as documented": service(10000, {"task_id": TASK}),
    "without the twin": {"code": 10000, "data": {"task_id": TASK}, "message": "Success"},
    "code as text": service("10000", {"task_id": TASK}),
    "elapsed as a number": service(10000, {"task_id": TASK}, time_elapsed=104),
    "bare integer id": service(10000, {"task_id": int(TASK)}),
    "seed 000": {"ResponseMetadata": {"RequestId": "r"}, "Result": {"TaskId": TASK}},
    "Result with a code": {"code": 10000, "Result": {"task_id": TASK}},
    "Result.data": {"code": 10000, "Result": {"data": {"taskId": TASK}}},
    "seed 003": {"ResponseMetadata": {"RequestId": "r"}, "data": {"task_id": TASK}},
    "null error": {"ResponseMetadata": {"Error": None}, "data": {"task_id": TASK}},
    "null metadata": service(10000, {"task_id": TASK}, ResponseMetadata=None),
    "spaces": service(10000, {"task_id": f" {TASK}\n"}),
    "BOM": b"\xef\xbb\xbf" + json.dumps(service(10000, {"task_id": TASK})).encode(),
}


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("name", ACCEPTED)
def test_every_spelling_of_accepted(name: str, status: int, answering: Answering) -> None:
    answering(ACCEPTED[name], status)
    assert submit().remote_id == TASK


UNCLEAR_SUBMITS: dict[str, tuple[int, object]] = {
    "no task id": (200, service(10000, {})),
    "null data": (200, service(10000)),
    "empty task id": (200, service(10000, {"task_id": ""})),
    "null task id": (200, service(10000, {"task_id": None})),
    "list as task id": (200, service(10000, {"task_id": [TASK]})),
    "rounded task id": (200, service(10000, {"task_id": 7392616336519610409.5})),
    "absurd task id": (200, service(10000, {"task_id": "9" * 101})),
    "task id with a line": (200, service(10000, {"task_id": "1\n2"})),
    "status only": (200, {"data": {"status": "in_queue"}}),
    "no code": (200, {"data": {}}),
    "empty object": (200, {}),
    "empty body": (200, b""),
    "list": (200, []),
    "text": (200, b"OK"),
    "html 200": (200, b"<html>please sign in</html>"),
    "html 502": (502, b"<html>Bad Gateway</html>"),
    "cut off": (200, b'{"code":10000,"data":{"task_id":"73926'),
    "invalid utf-8": (200, b'{"code":"\xff\xfe"}'),
    "deeply nested": (200, b"[" * 100_000),
    "endless integer": (200, b'{"code":' + b"1" * 10_000 + b"}"),
    "empty 500": (500, b""),
    "empty 504": (504, b""),
    "408": (408, b""),
    "409": (409, b""),
    "425": (425, b""),
    "499": (499, b""),
    "redirect": (302, b""),
    "50500": (500, service(50500)),
    "50501": (500, service(50501)),
    "50500 with 200": (200, service(50500)),
    "50500 with 400": (400, service(50500)),
    "unknown code with 200": (200, service(59999)),
    "unknown code with 500": (500, service(59999)),
    "InternalError": (500, gateway("InternalError")),
    "InternalServiceError": (502, gateway("InternalServiceError")),
    "ServiceUnavailableTemp": (503, gateway("ServiceUnavailableTemp")),
    "InternalServiceTimeout": (504, gateway("InternalServiceTimeout")),
    "InternalError with 400": (400, gateway("InternalError")),
    "unknown gateway code with 500": (500, gateway("Surprise")),
    "unknown word with 200": (200, {"Error": "ContentFiltered"}),
    "task failed at once": (200, service(10000, {"status": "failed"})),
}


@pytest.mark.parametrize("name", UNCLEAR_SUBMITS)
def test_a_submit_that_may_have_been_accepted_is_ambiguous(name: str, answering: Answering) -> None:
    status, document = UNCLEAR_SUBMITS[name]
    answering(document, status)
    with pytest.raises(Ambiguous) as caught:
        submit()
    assert caught.value.charged == "unknown"
