"""Ark as the sandbox plays it: what it answers, at once and as a stream."""

from __future__ import annotations

import base64
import io
import json
import time
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.sandbox.ark_caller import AUTO, LITE, V40, code, events, picture, post
from tests.sandbox.caller import Sandbox

# --- Good answers -------------------------------------------------------------------------------


def test_one_picture(sandbox: Sandbox, ledger: Path) -> None:
    body = post(sandbox, size="1760x2368", watermark=False).json()
    assert body["model"] == V40
    assert abs(body["created"] - time.time()) < 10
    assert body["usage"] == {"generated_images": 1, "output_tokens": 16280, "total_tokens": 16280}
    (item,) = body["data"]
    assert item["size"] == "1760x2368"
    with Image.open(io.BytesIO(requests.get(item["url"], timeout=10).content)) as image:
        assert (image.size, image.format) == ((1760, 2368), "JPEG")
    line = json.loads(ledger.read_text().splitlines()[-1])
    assert (line["action"], line["req_key"]) == ("images/generations", V40)
    assert line["client_request_id"] == "mine"


def test_every_null_means_absent(sandbox: Sandbox) -> None:
    names = ["image", "size", "seed", "watermark", "optimize_prompt", "tools", "output_format"]
    more = ["sequential_image_generation_options", "optimize_prompt_options", "stream"]
    answer = post(sandbox, **dict.fromkeys([*names, *more]))
    assert answer.json()["data"][0]["size"] == "2048x2048"
    assert post(sandbox, optimize_prompt_options={"thinking": None, "mode": "fast"}).ok


def test_the_picture_itself_as_png(sandbox: Sandbox) -> None:
    answer = post(sandbox, model=LITE, response_format="b64_json", output_format="png")
    data = base64.b64decode(answer.json()["data"][0]["b64_json"])
    with Image.open(io.BytesIO(data)) as image:
        assert (image.size, image.format) == ((2048, 2048), "PNG")
    url = post(sandbox, model=LITE, output_format="png").json()["data"][0]["url"]
    assert requests.get(url, timeout=10).content.startswith(b"\x89PNG")


@pytest.mark.parametrize(
    ("prompt", "size"), [("16:9", "2720x1520"), ("a square", "2048x2048"), ("竖版", "1760x2336")]
)
def test_a_size_word_leaves_the_shape_to_the_prompt(
    sandbox: Sandbox, prompt: str, size: str
) -> None:
    for word in ("2K", "2k"):
        assert post(sandbox, prompt=prompt, size=word).json()["data"][0]["size"] == size


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize(("most", "inputs", "count"), [(None, 0, 5), (3, 0, 3), (None, 12, 3)])
def test_how_many_come(
    sandbox: Sandbox, stream: bool, most: int | None, inputs: int, count: int
) -> None:
    options = {"sequential_image_generation_options": {"max_images": most}}
    image = [picture()] * inputs or None
    answer = post(sandbox, prompt="五张图", image=image, stream=stream, **AUTO, **options)
    if stream:
        assert len(events(answer)) == count + 2
    else:
        assert len(answer.json()["data"]) == count


def test_a_stream(sandbox: Sandbox) -> None:
    sandbox.change(latency=0.9, jitter=0)
    began, arrived = time.monotonic(), []
    answer = post(sandbox, prompt="三张图", stream=True, **AUTO)
    assert answer.headers["content-type"].startswith("text/event-stream")
    body = b""
    for piece in answer.iter_content(None):
        arrived.append(time.monotonic() - began)
        body += piece
    assert arrived[0] < 0.6 < arrived[-1]
    answer._content = body
    *parts, (kind, last), (_none, done) = events(answer)
    assert [name for name, _data in parts] == ["image_generation.partial_succeeded"] * 3
    assert [data["image_index"] for _name, data in parts] == [0, 1, 2]
    assert {*parts[0][1]} == {"type", "model", "created", "image_index", "url", "size"}
    assert (kind, done) == ("image_generation.completed", "[DONE]")
    assert last["usage"]["generated_images"] == 3


# --- Pictures that fail -------------------------------------------------------------------------

SOME = "三张图 sandbox:failed=1"


@pytest.mark.parametrize(
    ("prompt", "said", "made"),
    [
        (SOME, ["", "OutputImageSensitiveContentDetected", ""], 2),
        ("三张图 sandbox:broken=1", ["", "InternalServiceError"], 1),
    ],
)
def test_some_fail(sandbox: Sandbox, prompt: str, said: list[str], made: int) -> None:
    body = post(sandbox, prompt=prompt, **AUTO).json()
    assert [item.get("error", {}).get("code", "") for item in body["data"]] == said
    assert body["usage"]["generated_images"] == made
    *parts, (_kind, last), _done = events(post(sandbox, prompt=prompt, stream=True, **AUTO))
    assert [data.get("error", {}).get("code", "") for _name, data in parts] == said
    assert [name.rpartition("_")[2] for name, _data in parts] == [
        "failed" if each else "succeeded" for each in said
    ]
    assert last["usage"]["generated_images"] == made


def test_none_comes(sandbox: Sandbox) -> None:
    answer = post(sandbox, prompt="输出审核测试")
    assert (answer.status_code, code(answer)) == (400, "OutputImageSensitiveContentDetected")
    sandbox.change(next={"as_200": 1})
    answer = post(sandbox, prompt="内部错误测试")
    assert (answer.status_code, code(answer)) == (200, "InternalServiceError")
    *_failed, (kind, data), (_none, done) = events(
        post(sandbox, prompt="输出审核测试", stream=True)
    )
    assert (kind, done) == ("error", "[DONE]")
    assert data["error"]["code"] == "OutputImageSensitiveContentDetected"


def test_a_fault_after_the_stream_has_opened(sandbox: Sandbox) -> None:
    prompt = "sandbox:late=InvalidParameter"
    answer = post(sandbox, prompt=prompt, stream=True, **AUTO)
    assert answer.status_code == 200
    assert [name for name, _data in events(answer)] == ["error", ""]
    assert post(sandbox, prompt=prompt).status_code == 400
