"""The official SDK (PyPI ``volcengine``) against the sandbox: what it signs must be what we verify."""

from __future__ import annotations

import base64
import io
import json
import time
from collections.abc import Iterator
from typing import Any

import av
import pytest
import requests
from PIL import Image

from tests.sandbox.caller import KEY, Sandbox

VisualService = pytest.importorskip("volcengine.visual.VisualService").VisualService
URL_JSON = json.dumps({"return_url": True})
MARKED = json.dumps({"aigc_meta": {"producer_id": "one", "content_propagator": "studio"}})


@pytest.fixture
def sdk(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """The SDK's singleton, pointed at the sandbox."""
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    service = VisualService()
    service.set_ak("AKSANDBOX")
    service.set_sk("SKSANDBOX")
    service.set_host(sandbox.host)
    service.set_scheme("http")
    service.set_connection_timeout(5)
    service.set_socket_timeout(10)
    yield service
    # A second construction resets host and keys of the first: leave no trace for other tests.
    VisualService()


def result(sdk: Any, task_id: str, **more: str) -> dict[str, Any]:
    """Poll until it is done."""
    for _ in range(100):
        body = {"req_key": KEY, "task_id": task_id, "req_json": URL_JSON, **more}
        answer: dict[str, Any] = sdk.cv_sync2async_get_result(body)
        assert answer["code"] == 10000
        if answer["data"]["status"] == "done":
            return answer
        time.sleep(0.05)
    raise AssertionError("not done in 5 s")


@pytest.mark.parametrize("prompt", ["a corgi on the grass", "一只柯基在草地上，85mm 浅景深 🐕"])
def test_submit_and_fetch_a_picture(sdk: Any, prompt: str) -> None:
    body = {"req_key": KEY, "prompt": prompt, "width": 1536, "height": 1024, "scale": 0.5}
    answer = sdk.cv_sync2async_submit_task({**body, "force_single": True})
    assert (answer["code"], answer["message"]) == (10000, "Success")
    (url,) = result(sdk, answer["data"]["task_id"])["data"]["image_urls"]
    image = Image.open(io.BytesIO(requests.get(url, timeout=10).content))
    image.load()
    assert image.size == (1536, 1024)


def frame() -> str:
    """A first frame, as base64."""
    out = io.BytesIO()
    Image.new("RGB", (640, 480), (40, 90, 160)).save(out, "JPEG")
    return base64.b64encode(out.getvalue()).decode()


@pytest.mark.parametrize("given", [False, True])
def test_submit_and_fetch_a_video(sdk: Any, given: bool) -> None:
    key = "jimeng_ti2v_v30_pro"
    body = {"req_key": key, "prompt": "镜头缓缓推近", "seed": -1, "frames": 121}
    more = {"binary_data_base64": [frame()]} if given else {"aspect_ratio": "4:3"}
    answer = sdk.cv_sync2async_submit_task({**body, **more})
    assert (answer["code"], answer["message"]) == (10000, "Success")
    found = result(sdk, answer["data"]["task_id"], req_key=key, req_json=MARKED)["data"]
    assert set(found) == {"status", "video_url", "aigc_meta_tagged"}
    file = requests.get(found["video_url"], timeout=10)
    assert file.headers["Content-Type"] == "video/mp4"
    with av.open(io.BytesIO(file.content)) as video:
        (stream,) = video.streams.video
        assert (stream.width, stream.height) == (1664, 1248)
        assert sum(1 for _frame in video.decode(stream)) == 121


def test_security_token(sdk: Any) -> None:
    sdk.set_session_token("STSEXAMPLETOKEN")
    try:
        assert sdk.cv_sync2async_submit_task({"req_key": KEY, "prompt": "a"})["code"] == 10000
    finally:
        sdk.set_session_token("")


def test_wrong_key(sdk: Any) -> None:
    sdk.set_sk("SKOTHER")
    with pytest.raises(Exception, match="100010") as caught:
        sdk.cv_sync2async_submit_task({"req_key": KEY, "prompt": "a corgi"})
    assert "SignatureDoesNotMatch" in str(caught.value)
    sdk.set_ak("AKOTHER")
    with pytest.raises(Exception, match="100009"):
        sdk.cv_sync2async_submit_task({"req_key": KEY, "prompt": "a corgi"})


def test_missing_req_key(sdk: Any) -> None:
    with pytest.raises(Exception, match="50201"):
        sdk.cv_sync2async_get_result({"task_id": "7392616336519610409"})


def test_refused_prompt(sdk: Any) -> None:
    with pytest.raises(Exception, match="50412"):
        sdk.cv_sync2async_submit_task({"req_key": KEY, "prompt": "敏感词测试"})


def test_unknown_task(sdk: Any) -> None:
    answer = sdk.cv_sync2async_get_result({"req_key": KEY, "task_id": "7392616336519610409"})
    assert (answer["code"], answer["data"]["status"]) == (10000, "not_found")


def test_cancel(sdk: Any, sandbox: Sandbox) -> None:
    sandbox.change(latency=60)
    task = sdk.cv_sync2async_submit_task({"req_key": KEY, "prompt": "a corgi"})["data"]
    body = {"req_key": KEY, "task_id": task["task_id"]}
    assert sdk.cv_cancel_task(body)["code"] == 10000
    assert sdk.cv_sync2async_get_result(body)["data"]["status"] == "not_found"
    with pytest.raises(Exception, match="50215"):
        sdk.cv_cancel_task(body)


def test_html_error_page(sdk: Any, sandbox: Sandbox) -> None:
    sandbox.change(next={"502html": 1})
    with pytest.raises(Exception, match="502 Bad Gateway"):
        sdk.cv_sync2async_submit_task({"req_key": KEY, "prompt": "a corgi"})
