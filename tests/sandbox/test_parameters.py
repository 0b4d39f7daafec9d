"""What a submission may contain, and what the model decides for itself."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.engines import ENGINES, find_engine, read_request
from sandbox.plan import choose_size, choose_times, count_outputs
from sandbox.triggers import Triggers, read_triggers
from sandbox.wire import ServiceRefusal
from tests.sandbox.caller import KEY, SUBMIT, Sandbox

ENGINE = ENGINES[KEY]
URL = "https://example.org/a.jpeg"


def asked(**body: Any) -> Any:
    """Read a body with a prompt that orders nothing."""
    return read_request(ENGINE, {"prompt": "a corgi", **body})


ACCEPTED: list[dict[str, Any]] = [
    {"prompt": "柯" * 800},
    {"prompt": "🐕" * 800},
    {"prompt": "a\r\n" * 400},
    {"size": 1048576},
    {"size": 16777216},
    {"width": 1024, "height": 1024},
    {"width": 4096, "height": 4096},
    {"width": 1024, "height": 3072},
    {"width": 3072, "height": 1024},
    {"width": 4096, "height": 1024, "max_ratio": 4},
    {"scale": 0},
    {"scale": 1},
    {"scale": 0.33},
    {"force_single": True},
    {"min_ratio": 0.0625, "max_ratio": 16},
    {"image_urls": []},
    {"image_urls": [URL] * 10},
    {"size": None, "width": None, "height": None, "scale": None, "force_single": None},
    {"seed": 5, "unknown": {}, "return_url": True},
]

REFUSED: list[tuple[dict[str, Any], int]] = [
    ({"prompt": None}, 50201),
    ({"prompt": ""}, 50201),
    ({"prompt": " \n"}, 50201),
    ({"prompt": 5}, 50204),
    ({"prompt": "柯" * 801}, 50200),
    ({"size": 1048575}, 50200),
    ({"size": 16777217}, 50200),
    ({"size": "2K"}, 50204),
    ({"size": 4194304.0}, 50204),
    ({"size": True}, 50204),
    ({"width": 2048}, 50200),
    ({"height": 2048}, 50200),
    ({"width": 1023, "height": 1024}, 50200),
    ({"width": 4097, "height": 4096}, 50200),
    ({"width": 0, "height": 2048}, 50200),
    ({"width": -2048, "height": -2048}, 50200),
    ({"width": 1023, "height": 3072}, 50200),
    ({"width": 3073, "height": 1024}, 50200),
    ({"width": 2048, "height": 1024, "max_ratio": 1.5}, 50200),
    ({"width": 1024, "height": 2048, "min_ratio": 0.6}, 50200),
    ({"scale": -0.01}, 50200),
    ({"scale": 1.01}, 50200),
    ({"scale": float("nan")}, 50200),
    ({"scale": 10**400}, 50200),
    ({"scale": "0.5"}, 50204),
    ({"scale": True}, 50204),
    ({"force_single": 1}, 50204),
    ({"force_single": "true"}, 50204),
    ({"min_ratio": 0.06}, 50200),
    ({"min_ratio": 16}, 50200),
    ({"max_ratio": 0.0625}, 50200),
    ({"max_ratio": 16.1}, 50200),
    ({"min_ratio": 2, "max_ratio": 1}, 50200),
    ({"image_urls": [URL] * 11}, 50200),
    ({"image_urls": ["data:image/png;base64,AA"]}, 50200),
    ({"image_urls": URL}, 50204),
    ({"image_urls": [5]}, 50204),
]


@pytest.mark.parametrize("body", ACCEPTED, ids=range(len(ACCEPTED)))
def test_accepted(body: dict[str, Any]) -> None:
    assert asked(**body).engine is ENGINE


@pytest.mark.parametrize(("body", "code"), REFUSED, ids=range(len(REFUSED)))
def test_refused(body: dict[str, Any], code: int) -> None:
    with pytest.raises(ServiceRefusal) as caught:
        asked(**body)
    assert caught.value.code == code


def test_refusal_over_the_wire_names_the_parameter(sandbox: Sandbox) -> None:
    response = sandbox.submit(scale=2)
    assert response.status_code == 400
    answer = response.json()
    assert (answer["code"], answer["status"], answer["data"]) == (50200, 50200, None)
    assert "scale" in answer["message"]


@pytest.mark.parametrize(
    ("body", "code"),
    [({}, 50201), ({"req_key": ""}, 50201), ({"req_key": 4}, 50204), ({"req_key": "x"}, 50204)],
)
def test_req_key(sandbox: Sandbox, body: dict[str, Any], code: int) -> None:
    with pytest.raises(ServiceRefusal) as caught:
        find_engine(body)
    assert caught.value.code == code
    response = sandbox.call(SUBMIT, {"prompt": "a corgi", **body})
    assert (response.status_code, response.json()["code"]) == (400, code)


def test_defaults_are_the_documented_ones() -> None:
    settings = asked().settings
    assert settings == {
        "size": 4194304,
        "scale": 0.5,
        "force_single": False,
        "min_ratio": 1 / 3,
        "max_ratio": 3.0,
    }


@pytest.mark.parametrize(
    ("prompt", "number"),
    [
        ("一只柯基", 1),
        ("一张柯基的照片", 1),
        ("画四张柯基", 4),
        ("柯基 6 幅", 6),
        ("两张海报", 2),
        ("4 pictures of a corgi", 4),
        ("three watercolour paintings", 3),
        ("a series of 6", 6),
        ("a set of five", 5),
        ("a picture of 3 dogs", 1),
        ("一组柯基", 4),
        ("99 images", 15),
        ("0 images", 1),
    ],
)
def test_number_of_pictures(prompt: str, number: int) -> None:
    assert count_outputs(asked(prompt=prompt), Triggers()) == number


def test_number_of_pictures_is_bounded_by_single_and_by_references() -> None:
    four = "4 pictures of a corgi"
    assert count_outputs(asked(prompt=four, force_single=True), Triggers(images=7)) == 1
    assert count_outputs(asked(prompt="99 images", image_urls=[URL] * 10), Triggers()) == 5
    assert count_outputs(asked(prompt=four), Triggers(images=7)) == 7


@pytest.mark.parametrize(
    ("body", "size"),
    [
        ({}, (2048, 2048)),
        ({"size": 1048576}, (1024, 1024)),
        ({"width": 2304, "height": 1728, "size": 1048576}, (2304, 1728)),
        ({"width": 1777, "height": 999}, (1777, 999)),
        ({"prompt": "corgi, 16:9"}, (2720, 1520)),
        ({"prompt": "corgi, 0:9"}, (2048, 2048)),
        ({"prompt": "竖版柯基"}, (1760, 2336)),
        ({"min_ratio": 2}, (2896, 1440)),
    ],
)
def test_size(body: dict[str, Any], size: tuple[int, int]) -> None:
    request = asked(**body)
    assert choose_size(request) == size
    width, height = size
    assert "width" in body or width * height <= request.settings["size"]


def test_times_are_repeatable_and_within_the_jitter() -> None:
    for task_id in map(str, range(200)):
        starts, ends = choose_times(1, task_id, 10, 0.2, None)
        assert (starts, ends) == choose_times(1, task_id, 10, 0.2, None)
        assert 8 <= ends <= 12
        assert starts == pytest.approx(0.15 * ends)
    assert choose_times(1, "1", 10, 0.2, None) != choose_times(2, "1", 10, 0.2, None)
    assert choose_times(1, "1", 10, 0.2, 30)[1] == 30


@pytest.mark.parametrize(
    ("prompt", "triggers"),
    [
        ("a corgi", Triggers()),
        ("a corgi sandbox:50412", Triggers(code=50412)),
        ("敏感词测试", Triggers(code=50412)),
        ("版权词测试", Triggers(code=50413)),
        ("输出审核测试", Triggers(code=50511)),
        ("输出版权测试", Triggers(code=50519)),
        ("内部错误测试", Triggers(code=50500)),
        ("慢任务测试", Triggers(seconds=30)),
        ("sandbox:slow=1.5", Triggers(seconds=1.5)),
        ("sandbox:images=4 sandbox:50511", Triggers(images=4, code=50511)),
        ("sandbox:AccessDenied", Triggers(gateway="AccessDenied")),
        ("sandbox:99999 sandbox:images sandbox:nothing", Triggers()),
    ],
)
def test_triggers(prompt: str, triggers: Triggers) -> None:
    assert read_triggers(prompt) == triggers
