"""Videos over the wire: frames just inside and just outside, addresses that die, words and faults."""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image

from sandbox.frames import FRAMES, cut, nearest
from sandbox.triggers import BARS
from sandbox.videos import SIZES_720
from tests.clips import decoded
from tests.sandbox.caller import CANCEL, GET_RESULT, SUBMIT, Sandbox
from tests.sandbox.test_videos import ALIAS, FIRST, PRO, TAIL, TEXT


def encoded(
    size: tuple[int, int] = (640, 360),
    format: str = "JPEG",
    colour: tuple[int, int, int] = (200, 60, 40),
    *,
    noise: bool = False,
) -> bytes:
    out = io.BytesIO()
    image = Image.effect_noise(size, 90).convert("RGB") if noise else Image.new("RGB", size, colour)
    image.save(out, format)
    return out.getvalue()


def packed(data: bytes) -> str:
    return base64.b64encode(data).decode()


WIDE = encoded((960, 320))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (encoded((320, 320)), 0),
        (encoded((319, 320)), 50200),
        (WIDE, 0),
        (encoded((961, 320)), 50200),
        (encoded((320, 960)), 0),
        (encoded((320, 961)), 50200),
        (encoded((4096, 2000)), 0),
        (encoded((4097, 2000)), 50205),
        (encoded(format="PNG"), 0),
        (encoded(format="WEBP"), 50200),
        (encoded(format="GIF"), 50200),
        (b"<!doctype html>", 50207),
        (WIDE[: len(WIDE) // 2], 50207),
    ],
    ids=range(13),
)
def test_a_frame_just_inside_and_just_outside(data: bytes, code: int, sandbox: Sandbox) -> None:
    answer = sandbox.submit(req_key=FIRST, binary_data_base64=[packed(data)]).json()
    assert answer["code"] == (code or 10000), answer
    assert not code or "binary_data_base64[0]" in answer["message"]


def test_the_limit_of_bytes_is_that_of_what_travels(sandbox: Sandbox) -> None:
    picture = encoded((1200, 800), "PNG", noise=True)
    most = FRAMES.max_bytes // 4 * 3
    padded = picture + bytes(most - len(picture))
    assert len(packed(padded)) == FRAMES.max_bytes
    for data, code in ((padded, 10000), (padded + b"\0\0\0", 50205)):
        answer = sandbox.submit(req_key=FIRST, binary_data_base64=[packed(data)])
        assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("text", "code"), [("", 50206), ("????", 50207), ("AAA", 50207), ("AA AA", 50207)]
)
def test_what_is_no_base64(text: str, code: int, sandbox: Sandbox) -> None:
    answer = sandbox.submit(req_key=FIRST, binary_data_base64=[text]).json()
    assert answer["code"] == code, answer


@pytest.mark.parametrize("code", BARS)
def test_a_barred_frame_is_refused(code: int, sandbox: Sandbox) -> None:
    image = Image.new("RGB", (640, 360), (90, 120, 90))
    image.paste(BARS[code][1], (0, 0, 640, 30))
    out = io.BytesIO()
    image.save(out, "PNG")
    answer = sandbox.submit(req_key=FIRST, binary_data_base64=[packed(out.getvalue())])
    assert answer.json()["code"] == code


@pytest.mark.parametrize(
    ("second", "code"), [((640, 360), 10000), ((1280, 720), 10000), ((640, 400), 50200)]
)
def test_two_frames_have_one_ratio(
    second: tuple[int, int], code: int, sandbox: Sandbox, ledger: Path
) -> None:
    before = sandbox.state()["accepted"]
    frames = [packed(encoded()), packed(encoded(second))]
    answer = sandbox.submit(req_key=TAIL, binary_data_base64=frames).json()
    assert answer["code"] == code, answer
    assert sandbox.state()["accepted"] == before + (code == 10000)
    line = json.loads(ledger.read_text().splitlines()[-1])
    assert code != 10000 or line["task_id"] == answer["data"]["task_id"]


def test_frames_are_cut_to_the_nearest_ratio_in_their_middle() -> None:
    assert nearest(SIZES_720, (1000, 562)) == SIZES_720["16:9"]
    assert nearest(SIZES_720, (3000, 1000)) == SIZES_720["21:9"]
    assert nearest(SIZES_720, (1000, 1200)) == SIZES_720["3:4"]
    image = Image.new("RGB", (600, 200), (0, 0, 0))
    image.paste((255, 255, 255), (200, 0, 400, 200))
    assert cut(image, (64, 64)).getextrema() == ((255, 255),) * 3
    assert cut(image.transpose(Image.Transpose.ROTATE_90), (64, 64)).getextrema() == (
        ((255, 255),) * 3
    )


def test_a_video_is_an_address_that_lives_an_hour(sandbox: Sandbox) -> None:
    task_id = sandbox.task(req_key=TEXT, aspect_ratio="1:1")
    waiting = sandbox.poll(task_id, req_key=TEXT).json()["data"]
    assert waiting == {"status": waiting["status"], "video_url": None}
    found = sandbox.finished(task_id, req_key=TEXT).json()["data"]
    assert set(found) == {"status", "video_url"}
    file = requests.get(found["video_url"], timeout=20)
    assert (file.status_code, file.headers["Content-Type"]) == (200, "video/mp4")
    assert decoded(file.content)[0].size == SIZES_720["1:1"]
    again = sandbox.poll(task_id, req_key=TEXT).json()["data"]["video_url"]
    assert again != found["video_url"]
    assert requests.get(again, timeout=20).content == file.content


def test_an_address_dies(start: Any) -> None:
    sandbox = start("--video-url-ttl", "0.4")
    task_id = sandbox.task(req_key=TEXT)
    url = sandbox.finished(task_id, req_key=TEXT).json()["data"]["video_url"]
    dead = [requests.get(url, timeout=20).status_code for _each in range(2)]
    assert dead[-1] == 403
    assert sandbox.poll(task_id, req_key=TEXT).json()["data"]["video_url"] != url


def test_the_alias_is_the_pro(sandbox: Sandbox) -> None:
    task_id = sandbox.task(req_key=ALIAS)
    for key in (ALIAS, PRO):
        assert sandbox.finished(task_id, req_key=key).json()["data"]["status"] == "done"
    assert sandbox.poll(task_id, req_key=TEXT).json()["data"]["status"] == "not_found"


META = {"producer_id": "a" * 256, "content_propagator": "b" * 256, "propagate_id": "c"}


@pytest.mark.parametrize(
    ("req_json", "code"),
    [
        (json.dumps({"aigc_meta": META}), 10000),
        (json.dumps({"return_url": True}), 10000),
        ("", 10000),
        (json.dumps({"aigc_meta": {**META, "producer_id": ""}}), 50201),
        (json.dumps({"aigc_meta": {**META, "content_propagator": None}}), 50201),
        (json.dumps({"aigc_meta": {**META, "producer_id": "a" * 257}}), 50200),
        (json.dumps({"aigc_meta": {**META, "propagate_id": 7}}), 50204),
        (json.dumps({"aigc_meta": "text"}), 50204),
        ("{", 50204),
        ("[]", 50204),
        (7, 50204),
    ],
)
def test_what_a_query_may_ask(req_json: object, code: int, sandbox: Sandbox) -> None:
    body = {"req_key": TEXT, "task_id": "7392616336519610409", "req_json": req_json}
    answer = sandbox.call(GET_RESULT, body).json()
    assert answer["code"] == code
    assert code != 10000 or answer["data"] == {"status": "not_found", "video_url": None}


@pytest.mark.parametrize(
    ("prompt", "code"),
    [("视频审核测试", 50516), ("音频审核测试", 50517), ("sandbox:50500", 50500)],
)
def test_a_video_that_is_refused_when_done(prompt: str, code: int, sandbox: Sandbox) -> None:
    task_id = sandbox.task(req_key=TEXT, prompt=prompt)
    answer = sandbox.finished(task_id, req_key=TEXT)
    assert (answer.status_code, answer.json()["code"]) == (500 if code == 50500 else 400, code)
    assert answer.json()["data"] == {"status": "done", "video_url": None}


def test_words_and_faults_work_for_videos(sandbox: Sandbox) -> None:
    assert sandbox.submit(req_key=TEXT, prompt="敏感词测试").json()["code"] == 50412
    sandbox.change(next={"50430": 1, "poll_done_error": 1, "poll_expired": 1})
    assert sandbox.submit(req_key=TEXT).json()["code"] == 50430
    task_id = sandbox.task(req_key=TEXT)
    poll = [sandbox.poll(task_id, req_key=TEXT).json() for _each in range(2)]
    assert {each["code"] for each in poll} == {50516, 10000}
    assert {(each["data"] or {}).get("status") for each in poll} == {"done", "expired"}
    sandbox.change(latency=60)
    task_id = sandbox.task(req_key=TEXT)
    body = {"req_key": TEXT, "task_id": task_id}
    assert sandbox.call(CANCEL, body).json()["code"] == 10000


def test_a_video_is_not_asked_for_by_the_older_call(sandbox: Sandbox) -> None:
    answer = sandbox.call(("CVProcess", "2022-08-31"), {"req_key": TEXT, "prompt": "a"})
    assert answer.json()["code"] == 50204
    answer = sandbox.call(SUBMIT, {"req_key": "jimeng_ti2v_v30_pro_720p", "prompt": "a"})
    assert answer.json()["code"] == 50204
