"""Each fault as a caller sees it, and what it leaves in the ledger."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

import pytest
import requests

from sandbox.faults import Faults
from tests.sandbox.caller import KEY, SUBMIT, Sandbox, sign_headers
from tests.sandbox.test_tasks import lines_of


def raw_submit(sandbox: Sandbox) -> bytes:
    """Submit through a bare socket and return every byte that comes back until the end."""
    query = {"Action": SUBMIT[0], "Version": SUBMIT[1]}
    body = b'{"req_key": "jimeng_t2i_v40", "prompt": "a corgi"}'
    headers = sign_headers(query, body, sandbox.host)
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"POST /?{urlencode(query)} HTTP/1.1\r\n{lines}Content-Length: {len(body)}\r\n"
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as connection:
        connection.sendall(f"{head}Connection: close\r\n\r\n".encode() + body)
        received = b""
        try:
            while chunk := connection.recv(65536):
                received += chunk
        except ConnectionResetError:
            return received
    return received


@pytest.mark.parametrize(("kind", "accepted"), [("drop_before", 0), ("drop_after", 1)])
def test_drops(sandbox: Sandbox, ledger: Path, kind: str, accepted: int) -> None:
    before = len(lines_of(ledger))
    assert raw_submit(sandbox).startswith(b"HTTP/1.1 200")
    sandbox.change(faults={kind: 1})
    assert raw_submit(sandbox) == b""
    with pytest.raises(requests.ConnectionError):
        sandbox.submit()
    lines = lines_of(ledger)[before + 1 :]
    assert len(lines) == 2 * accepted
    sandbox.change(faults={})
    for line in lines:
        assert sandbox.finished(line["task_id"]).json()["data"]["status"] == "done"


def test_drop_before_does_not_wait_for_the_body(sandbox: Sandbox) -> None:
    sandbox.change(faults={"drop_before": 1})
    query = urlencode({"Action": SUBMIT[0], "Version": SUBMIT[1]})
    head = f"POST /?{query} HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n"
    with socket.create_connection(("127.0.0.1", sandbox.port), timeout=5) as connection:
        connection.sendall(head.encode())
        assert connection.recv(100) == b""


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [
        ("429", 429, "FlowLimitExceeded"),
        ("500", 500, "InternalError"),
        ("502html", 502, "<html>"),
        ("50429", 429, "50429"),
        ("50430", 429, "50430"),
    ],
)
def test_errors_on_submit(
    sandbox: Sandbox, ledger: Path, kind: str, status: int, text: str
) -> None:
    before = lines_of(ledger)
    sandbox.change(faults={kind: 1})
    response = sandbox.submit()
    assert response.status_code == status
    assert text in response.text
    assert lines_of(ledger) == before
    assert sandbox.poll("1").status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "text"),
    [("poll_500", 500, "InternalError"), ("poll_502html", 502, "<html>")],
)
def test_errors_on_poll(sandbox: Sandbox, kind: str, status: int, text: str) -> None:
    sandbox.change(faults={kind: 1})
    task_id = sandbox.task()
    response = sandbox.poll(task_id)
    assert response.status_code == status
    assert text in response.text


def test_drop_on_poll(sandbox: Sandbox) -> None:
    sandbox.change(faults={"poll_drop": 1})
    task_id = sandbox.task()
    with pytest.raises(requests.ConnectionError):
        sandbox.poll(task_id)


def test_faults_of_files(sandbox: Sandbox) -> None:
    task_id = sandbox.task(size=1048576)
    (url,) = sandbox.finished(task_id).json()["data"]["image_urls"]
    whole = requests.get(url, timeout=10)
    for kind, status in (("file_404", 404), ("file_500", 500)):
        sandbox.change(faults={kind: 1})
        assert requests.get(url, timeout=10).status_code == status
    sandbox.change(faults={"file_truncate": 1})
    with requests.get(url, timeout=10, stream=True) as cut:
        assert cut.status_code == 200
        assert cut.headers["content-length"] == whole.headers["content-length"]
        received = b""
        with pytest.raises(requests.exceptions.ChunkedEncodingError):
            for chunk in cut.iter_content(4096):
                received += chunk
    assert whole.content.startswith(received)
    assert len(received) <= len(whole.content) // 2


def test_faults_from_the_command_line(start: Callable[..., Sandbox]) -> None:
    sandbox = start("--faults", "50429=0.5", "--seed", "7", "--latency", "0")
    statuses = [sandbox.submit().status_code for _ in range(24)]
    expected = Faults({"50429": 0.5}, 7)
    assert statuses == [429 if expected.strikes("50429") else 200 for _ in range(24)]
    assert {200, 429} == set(statuses)


def test_next_strikes_so_many_times(sandbox: Sandbox) -> None:
    sandbox.change(next={"50429": 2})
    assert [sandbox.submit().status_code for _ in range(3)] == [429, 429, 200]
    assert sandbox.state()["settings"]["next"] == {}


def test_draws_are_repeatable_and_as_frequent_as_asked() -> None:
    def drawn(seed: int, **rates: float) -> list[bool]:
        faults = Faults(rates, seed)
        return [faults.strikes("drop_after") for _ in range(2000)]

    assert drawn(1, drop_after=0.3) == drawn(1, drop_after=0.3, drop_before=0.5)
    assert drawn(1, drop_after=0.3) != drawn(2, drop_after=0.3)
    assert 500 < sum(drawn(1, drop_after=0.3)) < 700
    assert not any(drawn(1)) and all(drawn(1, drop_after=1))


def test_struck_faults_are_counted(sandbox: Sandbox) -> None:
    before = sandbox.state()["struck"].get("poll_500", 0)
    sandbox.change(next={"poll_500": 1})
    sandbox.poll("1")
    assert sandbox.state()["struck"]["poll_500"] == before + 1
    assert sandbox.submit(req_key=KEY).status_code == 200


@pytest.mark.parametrize(
    ("kind", "status", "code"),
    [
        ("poll_not_found", "not_found", 10000),
        ("poll_expired", "expired", 10000),
        ("poll_done_error", "done", 50511),
        ("poll_50215", None, 50215),
    ],
)
def test_answers_that_say_something_else(
    sandbox: Sandbox, kind: str, status: str | None, code: int
) -> None:
    task_id = sandbox.task()
    sandbox.change(faults={kind: 1})
    told = sandbox.poll(task_id).json()
    assert (told["code"], (told["data"] or {}).get("status")) == (code, status)


@pytest.mark.parametrize("prefix", ["", "poll_"])
def test_good_answers_that_suffer_on_the_way(sandbox: Sandbox, ledger: Path, prefix: str) -> None:
    task_id = sandbox.task()
    before = len(lines_of(ledger))

    def told(kind: str) -> requests.Response:
        sandbox.change(faults={prefix + kind: 1})
        return sandbox.poll(task_id) if prefix else sandbox.submit()

    called_text = told("text")
    assert called_text.headers["content-type"].startswith("text/html")
    assert called_text.json()["code"] == 10000
    cut = told("truncated")
    assert cut.status_code == 200
    with pytest.raises(requests.exceptions.JSONDecodeError):
        cut.json()
    assert told("delay").elapsed.total_seconds() > 2.9
    assert len(lines_of(ledger)) - before == (0 if prefix else 3)


def test_an_answer_may_come_in_drips(sandbox: Sandbox) -> None:
    task_id = sandbox.task()
    sandbox.change(faults={"poll_slow": 1})
    assert sandbox.poll(task_id).json()["code"] == 10000


def test_files_that_are_not_the_picture(sandbox: Sandbox) -> None:
    task_id = sandbox.task(size=1048576)
    (url,) = sandbox.finished(task_id).json()["data"]["image_urls"]
    sandbox.change(faults={"file_wrong": 1})
    wrong = requests.get(url, timeout=10)
    assert wrong.headers["content-type"] == "image/jpeg"
    assert wrong.content.startswith(b"<!doctype html>")
    sandbox.change(faults={"file_redirect": 1})
    away = requests.get(url, timeout=10, allow_redirects=False)
    assert away.is_redirect
    assert away.headers["location"].startswith("http://169.254.")
    sandbox.change(faults={"file_huge": 1})
    with requests.get(url, timeout=10, stream=True) as huge:
        assert int(huge.headers["content-length"]) == 1024**3
    sandbox.change(faults={"file_slow": 1})
    with requests.get(url, timeout=10, stream=True) as slow:
        assert 0 < len(slow.raw.read1(1024)) < 100
