"""A task's life: states, results, failures, cancelling, forgetting; and what the ledger says of it."""

from __future__ import annotations

import base64
import hashlib
import io
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from sandbox.store import Store, Task
from sandbox.wire import SERVICE_CODES
from tests.sandbox.caller import CANCEL, GET_RESULT, KEY, SUBMIT, Sandbox

POST_CODES = sorted(code for code, row in SERVICE_CODES.items() if row.post)
EARLY_CODES = sorted(set(SERVICE_CODES) - set(POST_CODES))


def opened(data: bytes) -> Image.Image:
    """Decode a picture completely."""
    image = Image.open(io.BytesIO(data))
    image.load()
    return image


def lines_of(ledger: Path) -> list[dict[str, Any]]:
    """Read a ledger."""
    return [json.loads(line) for line in ledger.read_text().splitlines()]


def test_a_task_walks_through_its_states(sandbox: Sandbox) -> None:
    sandbox.change(latency=1.2, jitter=0)
    task_id = sandbox.task()
    began = time.monotonic()
    seen: list[str] = []
    while "done" not in seen:
        data = sandbox.poll(task_id).json()["data"]
        if data["status"] not in seen:
            seen.append(data["status"])
        if data["status"] != "done":
            assert data["image_urls"] is None and data["binary_data_base64"] is None
        assert time.monotonic() - began < 5
        time.sleep(0.03)
    assert seen == ["in_queue", "generating", "done"]
    assert 1.0 < time.monotonic() - began < 3


def test_result_by_url(sandbox: Sandbox) -> None:
    task_id = sandbox.task(width=1536, height=1024)
    data = sandbox.finished(task_id).json()["data"]
    assert data["binary_data_base64"] is None
    (url,) = data["image_urls"]
    assert url.startswith(f"{sandbox.url}/files/") and url.endswith(".jpeg")
    response = requests.get(url, timeout=10)
    assert response.headers["content-type"] == "image/jpeg"
    image = opened(response.content)
    assert (image.format, image.size) == ("JPEG", (1536, 1024))
    assert not image.getexif()


def test_each_poll_mints_a_fresh_address_of_the_same_picture(sandbox: Sandbox) -> None:
    task_id = sandbox.task()
    first = sandbox.finished(task_id).json()["data"]["image_urls"][0]
    second = sandbox.poll(task_id).json()["data"]["image_urls"][0]
    assert first != second
    assert requests.get(first, timeout=10).content == requests.get(second, timeout=10).content


def test_result_as_base64_without_return_url(sandbox: Sandbox) -> None:
    task_id = sandbox.task(size=1048576)
    sandbox.finished(task_id)
    data = sandbox.poll(task_id, url=False).json()["data"]
    assert data["image_urls"] is None
    (encoded,) = data["binary_data_base64"]
    assert opened(base64.b64decode(encoded)).size == (1024, 1024)


@pytest.mark.parametrize(
    "req_json", ['{"return_url": false}', "{}", '{"return_url": null, "logo_info": {}}', "", None]
)
def test_req_json_without_url(sandbox: Sandbox, req_json: str | None) -> None:
    body = {"req_key": KEY, "task_id": "7392616336519610409", "req_json": req_json}
    answer = sandbox.call(GET_RESULT, body).json()
    assert (answer["code"], answer["data"]["status"]) == (10000, "not_found")


@pytest.mark.parametrize("req_json", [{"return_url": True}, "{", "[]", '{"return_url": 1}', 5])
def test_wrong_req_json(sandbox: Sandbox, req_json: object) -> None:
    body = {"req_key": KEY, "task_id": "7392616336519610409", "req_json": req_json}
    response = sandbox.call(GET_RESULT, body)
    assert (response.status_code, response.json()["code"]) == (400, 50204)


@pytest.mark.parametrize(
    ("body", "code"),
    [
        ({"task_id": "1"}, 50201),
        ({"req_key": KEY}, 50201),
        ({"req_key": KEY, "task_id": ""}, 50201),
        ({"req_key": KEY, "task_id": 7392616336519610409}, 50204),
        ({"req_key": "other", "task_id": "1"}, 50204),
    ],
)
@pytest.mark.parametrize("action", [GET_RESULT, CANCEL])
def test_naming_a_task_wrongly(
    sandbox: Sandbox, action: tuple[str, str], body: dict[str, Any], code: int
) -> None:
    response = sandbox.call(action, body)
    assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.parametrize("task_id", ["7392616336519610409", "abc", "柯基", "\ud800", "٣"])
def test_unknown_task(sandbox: Sandbox, task_id: str) -> None:
    response = sandbox.poll(task_id)
    assert response.status_code == 200
    answer = response.json()
    assert (answer["code"], answer["data"]["status"]) == (10000, "not_found")


def test_unknown_task_in_the_other_observed_form(start: Callable[..., Sandbox]) -> None:
    response = start("--not-found-as-50215").poll("7392616336519610409")
    assert response.status_code == 400
    answer = response.json()
    assert (answer["code"], answer["data"]) == (50215, None)
    assert answer["message"] == "Input invalid for this service."


def test_a_set(sandbox: Sandbox) -> None:
    task_id = sandbox.task(prompt="四张柯基海报", size=1048576)
    urls = sandbox.finished(task_id).json()["data"]["image_urls"]
    assert len(urls) == 4
    pictures = {requests.get(url, timeout=10).content for url in urls}
    assert len(pictures) == 4
    single = sandbox.task(prompt="四张柯基海报", force_single=True)
    assert len(sandbox.finished(single).json()["data"]["image_urls"]) == 1


@pytest.mark.parametrize("code", EARLY_CODES)
def test_codes_that_refuse_a_submission(sandbox: Sandbox, ledger: Path, code: int) -> None:
    before = len(lines_of(ledger))
    response = sandbox.submit(prompt=f"a corgi sandbox:{code}")
    answer = response.json()
    row = SERVICE_CODES[code]
    assert (answer["code"], answer["message"], answer["data"]) == (code, row.message, None)
    assert response.status_code == row.http
    assert len(lines_of(ledger)) == before


def test_codes_that_surface_at_the_result(sandbox: Sandbox) -> None:
    tasks = {code: sandbox.task(prompt=f"a corgi sandbox:{code}") for code in POST_CODES}
    for code, task_id in tasks.items():
        response = sandbox.finished(task_id)
        answer = response.json()
        row = SERVICE_CODES[code]
        assert (answer["code"], answer["status"], answer["message"]) == (code, code, row.message)
        assert answer["data"]["status"] == "done" and answer["data"]["image_urls"] is None
        assert response.status_code == row.http


def test_failed_results_with_http_200_when_asked_for(start: Callable[..., Sandbox]) -> None:
    sandbox = start("--result-errors-as-200", "--latency", "0")
    response = sandbox.finished(sandbox.task(prompt="输出审核测试"))
    assert (response.status_code, response.json()["code"]) == (200, 50511)
    assert sandbox.submit(prompt="敏感词测试").status_code == 400


def test_gateway_errors_by_word(sandbox: Sandbox) -> None:
    response = sandbox.submit(prompt="a corgi sandbox:AccessDenied")
    assert response.status_code == 403
    assert response.json()["ResponseMetadata"]["Error"]["CodeN"] == 100013


def test_slow_word(sandbox: Sandbox) -> None:
    task_id = sandbox.task(prompt="a corgi sandbox:slow=60")
    time.sleep(0.5)
    assert sandbox.poll(task_id).json()["data"]["status"] == "in_queue"
    assert sandbox.call(CANCEL, {"req_key": KEY, "task_id": task_id}).status_code == 200


def test_cancel_a_queued_task(sandbox: Sandbox) -> None:
    sandbox.change(latency=60)
    task_id = sandbox.task()
    unfinished = sandbox.state()["unfinished"]
    body = {"req_key": KEY, "task_id": task_id}
    answer = sandbox.call(CANCEL, body).json()
    assert (answer["code"], answer["data"]) == (10000, None)
    assert sandbox.poll(task_id).json()["data"]["status"] == "not_found"
    assert sandbox.state()["unfinished"] == unfinished - 1
    assert sandbox.call(CANCEL, body).json()["code"] == 50215


def test_cancel_comes_too_late(sandbox: Sandbox) -> None:
    sandbox.change(latency=2, jitter=0)
    task_id = sandbox.task()
    while sandbox.poll(task_id).json()["data"]["status"] == "in_queue":
        time.sleep(0.05)
    body = {"req_key": KEY, "task_id": task_id}
    response = sandbox.call(CANCEL, body)
    assert (response.status_code, response.json()["code"]) == (400, 50215)
    assert sandbox.finished(task_id).json()["data"]["status"] == "done"


def test_ledger_has_one_line_per_accepted_submission(sandbox: Sandbox, ledger: Path) -> None:
    before = len(lines_of(ledger))
    body = {"req_key": KEY, "prompt": "一只柯基"}
    raw = json.dumps(body, ensure_ascii=False).encode()
    response = sandbox.call(SUBMIT, None, raw=raw, extra={"x-client-request-id": "our-own-id"})
    sandbox.submit(scale=9)
    sandbox.submit(prompt="敏感词测试")
    plain = sandbox.task()
    lines = lines_of(ledger)[before:]
    assert [line["task_id"] for line in lines] == [response.json()["data"]["task_id"], plain]
    assert list(lines[0]) == [
        "time",
        "action",
        "req_key",
        "body_sha256",
        "client_request_id",
        "task_id",
    ]
    assert lines[0]["body_sha256"] == hashlib.sha256(raw).hexdigest()
    assert (lines[0]["action"], lines[0]["req_key"]) == (SUBMIT[0], KEY)
    assert (lines[0]["client_request_id"], lines[1]["client_request_id"]) == ("our-own-id", None)
    assert abs(lines[0]["time"] - time.time()) < 60


def test_results_and_addresses_die(start: Callable[..., Sandbox]) -> None:
    sandbox = start("--latency", "0", "--retention", "2", "--url-ttl", "0.7")
    task_id = sandbox.task(size=1048576)
    (url,) = sandbox.finished(task_id).json()["data"]["image_urls"]
    assert requests.get(url, timeout=10).status_code == 200
    time.sleep(0.8)
    assert requests.get(url, timeout=10).status_code == 403
    (again,) = sandbox.poll(task_id).json()["data"]["image_urls"]
    assert requests.get(again, timeout=10).status_code == 200
    time.sleep(1.3)
    assert sandbox.poll(task_id).json()["data"]["status"] == "not_found"
    guess = f"{sandbox.url}/files/{'x' * 32}.jpeg"
    assert requests.get(guess, timeout=10).status_code == 404


def test_purge_keeps_what_an_address_still_needs() -> None:
    now = 1_000_000.0
    store = Store(None, 100, 500, lambda: now)

    def keep(task_id: str) -> None:
        store.add(Task(task_id, KEY, now, now, now, None, False, {"count": 1}))

    keep("1")
    keep("2")
    token = store.mint_file("2", 0)
    now += 150
    keep("3")
    assert store.find("2") is None
    assert store.find_file(token) is not None
    assert store.statuses() == {"done": 2}
    now += 900
    keep("4")
    assert store.find_file(token) is None
    assert store.statuses() == {"done": 1}
    store.close()


def test_status_counts() -> None:
    now = 1_000_000.0
    store = Store(None, 100, 500, lambda: now)
    for task_id, starts, ends in (("1", 5, 9), ("2", 5, 9), ("3", 0, 9), ("4", 0, 0)):
        store.add(Task(task_id, KEY, now, now + starts, now + ends, None, False, {}))
    assert store.cancel("2") and not store.cancel("2") and not store.cancel("3")
    assert store.statuses() == {"cancelled": 1, "in_queue": 1, "generating": 1, "done": 1}
    assert store.unfinished() == 2
    store.close()
