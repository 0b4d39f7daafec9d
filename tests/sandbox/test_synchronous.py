"""CVProcess: one call, answered with the picture when it is done."""

from __future__ import annotations

import io
import json
import time
from pathlib import Path

import pytest
import requests
from PIL import Image

from tests.sandbox.caller import SUBMIT, Sandbox

PROCESS = ("CVProcess", "2022-08-31")
GENERAL = "general_v2.0"


def process(sandbox: Sandbox, **body: object) -> requests.Response:
    return sandbox.call(PROCESS, {"req_key": GENERAL, "prompt": "a corgi on the grass", **body})


@pytest.mark.parametrize("as_url", [True, False])
def test_the_answer_is_the_picture(sandbox: Sandbox, ledger: Path, as_url: bool) -> None:
    sandbox.change(latency=1.0, jitter=0)
    began = time.monotonic()
    answer = process(sandbox, width=768, height=512, return_url=as_url).json()
    assert time.monotonic() - began >= 1.0
    assert answer["code"] == 10000
    (given,) = answer["data"]["image_urls" if as_url else "binary_data_base64"]
    if as_url:
        with Image.open(io.BytesIO(requests.get(given, timeout=10).content)) as image:
            assert image.size == (768, 512)
    line = json.loads(ledger.read_text().splitlines()[-1])
    assert (line["action"], line["req_key"]) == (PROCESS[0], GENERAL)


def test_each_engine_is_asked_in_its_own_way(sandbox: Sandbox) -> None:
    for action, key in [(PROCESS, "jimeng_t2i_v40"), (SUBMIT, GENERAL)]:
        answer = sandbox.call(action, {"req_key": key, "prompt": "a corgi"})
        assert answer.json()["code"] == 50204


def test_what_fails_fails_in_the_answer(sandbox: Sandbox) -> None:
    assert process(sandbox, width=1024).json()["code"] == 50200
    assert process(sandbox, prompt="输出审核测试").json()["code"] == 50511
    sandbox.change(next={"drop_after": 1})
    with pytest.raises(requests.ConnectionError):
        process(sandbox)
