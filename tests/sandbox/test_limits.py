"""Rate and concurrency limits, and the control endpoints that set them."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import requests

from sandbox.limits import SubmitRate
from tests.sandbox.caller import SUBMIT, Sandbox
from tests.sandbox.test_tasks import lines_of


def test_rate_of_a_sliding_second() -> None:
    now = 100.0
    rate = SubmitRate(2, lambda: now)
    assert [rate.admit(), rate.admit(), rate.admit()] == [True, True, False]
    now = 100.9
    assert not rate.admit()
    now = 101.0
    assert [rate.admit(), rate.admit(), rate.admit()] == [True, True, False]
    rate.qps = 0
    assert all(rate.admit() for _ in range(50))


def test_qps(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    sandbox = start("--qps", "3", "--ledger", str(ledger), "--latency", "0")
    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: sandbox.submit(), range(8)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 5
    assert {answer.json()["code"] for answer in refused} == {50429}
    assert "API Limit" in refused[0].json()["message"]
    assert len(lines_of(ledger)) == 3
    time.sleep(1.05)
    assert sandbox.submit().status_code == 200


def test_concurrency(start: Callable[..., Sandbox], tmp_path: Path) -> None:
    ledger = tmp_path / "ledger"
    sandbox = start("--concurrency", "2", "--ledger", str(ledger), "--latency", "1.5")
    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(lambda _: sandbox.submit(), range(6)))
    refused = [answer for answer in answers if answer.status_code == 429]
    assert len(refused) == 4
    assert {answer.json()["code"] for answer in refused} == {50430}
    accepted = [line["task_id"] for line in lines_of(ledger)]
    assert len(accepted) == 2
    for task_id in accepted:
        sandbox.finished(task_id)
    assert sandbox.submit().status_code == 200
    assert sandbox.state()["busiest"] == 2


def test_state(start: Callable[..., Sandbox]) -> None:
    sandbox = start("--latency", "0", "--qps", "50", "--seed", "3")
    task_id = sandbox.task(size=1048576)
    (url,) = sandbox.finished(task_id).json()["data"]["image_urls"]
    requests.get(url, timeout=10)
    sandbox.submit(scale=9)
    state = sandbox.state()
    assert state["settings"] == {
        "faults": {},
        "next": {},
        "latency": 0.0,
        "jitter": 0.2,
        "qps": 50.0,
        "concurrency": 0,
    }
    assert (state["tasks"], state["unfinished"]) == ({"done": 1}, 0)
    assert (state["accepted"], state["painted"]) == (1, 1)
    answers = state["answers"]
    assert (answers[f"{SUBMIT[0]}:10000"], answers[f"{SUBMIT[0]}:50200"]) == (1, 1)
    assert answers["file:200"] == 1
    health = requests.get(f"{sandbox.url}/_sandbox/health", timeout=5)
    assert health.json() == {"ok": True}


WRONG_SETTINGS: list[Any] = [
    [],
    {"nothing": 1},
    {"faults": []},
    {"faults": {"nothing": 1}},
    {"faults": {"500": 2}},
    {"faults": {"500": "1"}},
    {"faults": {"500": True}},
    {"next": {"nothing": 1}},
    {"next": {"500": -1}},
    {"next": {"500": 1.5}},
    {"latency": -1},
    {"latency": "fast"},
    {"jitter": 2},
    {"qps": True},
    {"concurrency": None},
]


@pytest.mark.parametrize("wanted", WRONG_SETTINGS, ids=range(len(WRONG_SETTINGS)))
def test_wrong_settings_change_nothing(sandbox: Sandbox, wanted: Any) -> None:
    before = sandbox.state()["settings"]
    if isinstance(wanted, dict):
        wanted = {"qps": 40, **wanted}
    response = sandbox.http.post(f"{sandbox.url}/_sandbox/faults", json=wanted, timeout=5)
    assert response.status_code == 400
    assert response.json()["error"]
    assert sandbox.state()["settings"] == before


def test_settings_need_json(sandbox: Sandbox) -> None:
    url = f"{sandbox.url}/_sandbox/faults"
    assert requests.post(url, data='{"qps": 1}', timeout=5).status_code == 415
    headers = {"Content-Type": "application/json"}
    assert requests.post(url, data="{", headers=headers, timeout=5).status_code == 400
    assert sandbox.state()["settings"]["qps"] == 0


def test_control_is_for_this_machine_only() -> None:
    import asyncio

    from starlette.requests import Request

    from sandbox.app import health, loopback_only

    def status(client: tuple[str, int] | None) -> int:
        scope: dict[str, Any] = {
            "type": "http",
            "method": "GET",
            "path": "/",
            "headers": [],
            "client": client,
        }
        return asyncio.run(_answer(Request(scope))).status_code

    async def _answer(request: Request) -> Any:
        return await loopback_only(health)(request)

    assert status(("127.0.0.1", 5)) == status(("::1", 5)) == 200
    assert status(("192.0.2.7", 5)) == status(None) == 403
