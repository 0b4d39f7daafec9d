"""AIGC labels of the sandbox: drawn into their corner, written where a reader finds them."""

from __future__ import annotations

import base64
import json
from io import BytesIO
from itertools import product
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image, ImageChops

from generations.services import labels
from sandbox.labels import NAMESPACE, Logo, draw, tagged
from tests.clips import decoded, mp4
from tests.sandbox.ark_caller import T2I, post
from tests.sandbox.caller import GET_RESULT, KEY, Sandbox

TEXT = "jimeng_t2v_v30"
META = {"producer_id": "91310000", "content_producer": "Acme 影像", "propagate_id": "<P&7>"}
READ = {
    "Label": "1",
    "ContentProducer": "Acme 影像",
    "ProduceID": "91310000",
    "ReservedCode1": "",
    "ContentPropagator": "",
    "PropagateID": "<P&7>",
    "ReservedCode2": "",
}
CORNERS = ("right bottom", "left bottom", "left top", "right top")


def asked(sandbox: Sandbox, task: str, key: str = KEY, **wanted: object) -> Any:
    sandbox.finished(task, req_key=key)
    body = {"req_key": key, "task_id": task, "req_json": json.dumps(wanted)}
    answer = sandbox.call(GET_RESULT, body).json()
    assert answer["code"] == 10000, answer
    return answer["data"]


def fetched(url: str) -> bytes:
    return requests.get(url, timeout=20).content


def label_in(data: bytes, folder: Path) -> dict[str, str]:
    path = folder / "file"
    path.write_bytes(data)
    return labels.read(path)


def touched(plain: bytes, marked: bytes) -> str:
    """In which corner two pictures differ; whole numbers of noise do not count."""
    with Image.open(BytesIO(plain)) as old, Image.open(BytesIO(marked)) as new:
        box = ImageChops.difference(old.convert("L"), new.convert("L")).point(
            [0] * 60 + [255] * 196
        )
        left, top, right, bottom = box.getbbox() or (0, 0, 0, 0)
        side = "right" if left > old.width / 2 else "left" if right < old.width / 2 else "?"
        end = "bottom" if top > old.height / 2 else "top" if bottom < old.height / 2 else "?"
    return f"{side} {end}"


def test_a_visible_mark_stands_in_its_corner(sandbox: Sandbox) -> None:
    task = sandbox.task(width=1024, height=1024, prompt="雨夜")
    plain = fetched(asked(sandbox, task, return_url=True)["image_urls"][0])
    for (position, corner), language in product(enumerate(CORNERS), (0, 1)):
        logo = {"add_logo": True, "position": position, "language": language, "opacity": 1}
        data = asked(sandbox, task, return_url=True, logo_info=logo)
        assert touched(plain, fetched(data["image_urls"][0])) == corner, (position, language)
    off = {"add_logo": False, "position": 1}
    same = asked(sandbox, task, return_url=True, logo_info=off)["image_urls"][0]
    assert fetched(same) == plain
    unseen = {"add_logo": True, "opacity": 0}
    same = asked(sandbox, task, return_url=True, logo_info=unseen)["image_urls"][0]
    assert fetched(same) == plain


def test_a_long_text_stays_inside_and_opacity_counts() -> None:
    image = Image.new("RGB", (200, 100), (9, 9, 9))
    draw(image, Logo(2, 0.5, "a long text " * 30))
    brightest = max(high for _low, high in image.getextrema())  # type: ignore[misc]
    assert 9 < brightest < 160


def test_a_hidden_mark_is_in_the_picture_and_nothing_else_changes(
    sandbox: Sandbox, tmp_path: Path
) -> None:
    task = sandbox.task(width=1024, height=1024)
    plain = fetched(asked(sandbox, task, return_url=True)["image_urls"][0])
    data = asked(sandbox, task, return_url=True, aigc_meta=META)
    marked = fetched(data["image_urls"][0])
    assert (label_in(plain, tmp_path), label_in(marked, tmp_path)) == ({}, READ)
    with Image.open(BytesIO(plain)) as old, Image.open(BytesIO(marked)) as new:
        assert old.tobytes() == new.tobytes()
        assert NAMESPACE.encode() in new.info["xmp"]
    (packed,) = asked(sandbox, task, aigc_meta=META)["binary_data_base64"]
    assert base64.b64decode(packed) == marked


def test_a_video_is_tagged_and_says_so(sandbox: Sandbox, tmp_path: Path) -> None:
    task = sandbox.task(req_key=TEXT, aspect_ratio="1:1")
    whole = META | {"content_propagator": "Acme"}
    data = asked(sandbox, task, TEXT, aigc_meta=whole)
    assert data["aigc_meta_tagged"] is True
    marked = fetched(data["video_url"])
    assert label_in(marked, tmp_path) == READ | {"ContentPropagator": "Acme"}
    plain = fetched(asked(sandbox, task, TEXT)["video_url"])
    assert (label_in(plain, tmp_path), marked[: len(plain)]) == ({}, plain)


def test_every_kind_of_file_is_tagged_and_still_opens(tmp_path: Path) -> None:
    meta = dict.fromkeys(("content_producer", "producer_id", "content_propagator"), "x")
    out = BytesIO()
    Image.new("RGBA", (8, 8)).save(out, "PNG")
    png = tagged(out.getvalue(), meta | {"propagate_id": ""})
    Image.open(BytesIO(png)).load()
    film = tagged(mp4(frames=8), meta | {"propagate_id": ""})
    assert len(decoded(film)) == 8
    for data in (png, film):
        assert label_in(data, tmp_path)["ProduceID"] == "x"


@pytest.mark.parametrize(
    ("wanted", "code"),
    [
        ({"logo_info": "text"}, 50204),
        ({"logo_info": {"add_logo": 1}}, 50204),
        ({"logo_info": {"add_logo": True, "position": "0"}}, 50204),
        ({"logo_info": {"add_logo": True, "position": 4}}, 50200),
        ({"logo_info": {"add_logo": True, "opacity": 1.5}}, 50200),
        ({"logo_info": {"add_logo": True, "opacity": True}}, 50204),
        ({"aigc_meta": {"content_producer": "a"}}, 50201),
        ({"aigc_meta": {"producer_id": "a" * 257}}, 50200),
        ({"aigc_meta": []}, 50204),
        ({"aigc_meta": {"producer_id": "a" * 256}}, 10000),
    ],
)
def test_what_a_query_of_a_picture_may_ask(
    wanted: dict[str, object], code: int, sandbox: Sandbox
) -> None:
    body = {"req_key": KEY, "task_id": "7392616336519610409", "req_json": json.dumps(wanted)}
    assert sandbox.call(GET_RESULT, body).json()["code"] == code


def test_ark_marks_unless_it_is_told_not_to(sandbox: Sandbox) -> None:
    same = {"model": T2I, "seed": 7, "size": "1024x1024"}
    answers = [post(sandbox, watermark=each, **same).json() for each in (False, True, None)]
    plain, marked, usual = (fetched(each["data"][0]["url"]) for each in answers)
    assert touched(plain, marked) == CORNERS[0]
    assert usual == marked
