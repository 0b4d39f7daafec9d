"""What the sandbox's Ark refuses, and what each fault does to an answer."""

from __future__ import annotations

from typing import Any

import pytest
import requests

from sandbox.ark_models import MODELS
from sandbox.ark_wire import CODES, FINAL_429
from tests.sandbox.ark_caller import AUTO, LITE, PRO, T2I, V40, V45, code, events, picture, post
from tests.sandbox.caller import Sandbox

# --- Refusals -----------------------------------------------------------------------------------


@pytest.mark.parametrize("word", CODES)
@pytest.mark.parametrize("stream", [False, True])
def test_every_code_is_reached_by_its_word(sandbox: Sandbox, word: str, stream: bool) -> None:
    accepted = sandbox.state()["accepted"]
    answer = post(sandbox, prompt=f"a corgi sandbox:{word}. Nice", stream=stream)
    assert (answer.status_code, code(answer)) == (CODES[word][0], word)
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["x-request-id"] in answer.json()["error"]["message"]
    if answer.status_code == 429:
        final = word in FINAL_429
        assert answer.headers["x-should-retry"] == ("false" if final else "true")
        assert ("retry-after" in answer.headers) is not final
    assert sandbox.state()["accepted"] == accepted


def test_flat(sandbox: Sandbox) -> None:
    sandbox.change(next={"flat": 1})
    body = post(sandbox, size="9x9").json()
    assert (body["code"], body["type"], body["param"]) == ("InvalidParameter", "", "size")
    assert post(sandbox, size="9x9").json()["error"]["type"] == "BadRequest"


@pytest.mark.parametrize(
    ("body", "param"),
    [
        ({"model": V45, "size": "1024x1024"}, "size"),
        ({"model": LITE, "size": "1024x1024"}, "size"),
        ({"model": LITE, "size": "1K"}, "size"),
        ({"model": V40, "size": "3K"}, "size"),
        ({"model": PRO, "size": "4K"}, "size"),
        ({"model": PRO, "size": "2160x2160"}, "size"),
        ({"size": "4097x4096"}, "size"),
        ({"size": "16384x900"}, "size"),
        ({"size": 2048}, "size"),
        ({"prompt": 7}, "prompt"),
        ({"watermark": "no"}, "watermark"),
        ({"seed": 7}, "seed"),
        ({"model": T2I, "seed": -2}, "seed"),
        ({"model": T2I, "guidance_scale": 11}, "guidance_scale"),
        ({"model": PRO, "stream": True}, "stream"),
        ({"model": V45, "output_format": "png"}, "output_format"),
        ({"model": LITE, "output_format": "gif"}, "output_format"),
        (
            {"model": V45, "optimize_prompt_options": {"mode": "fast"}},
            "optimize_prompt_options.mode",
        ),
        ({"sequential_image_generation": "yes"}, "sequential_image_generation"),
        ({**AUTO, "sequential_image_generation_options": {"max_images": 16}}, ".max_images"),
        ({**AUTO, "sequential_image_generation_options": 3}, "_options"),
        ({"image": 7}, "image"),
        ({"image": ["x"] * 15}, "image"),
        ({"model": T2I, "image": "x"}, "image"),
        ({"response_format": "png"}, "response_format"),
    ],
)
def test_a_parameter_that_is_wrong(sandbox: Sandbox, body: dict[str, Any], param: str) -> None:
    answer = post(sandbox, **body)
    assert (answer.status_code, code(answer)) == (400, "InvalidParameter")
    assert answer.json()["error"]["param"].endswith(param)


def test_who_and_what(sandbox: Sandbox) -> None:
    assert (post(sandbox, key="OTHER").status_code, code(post(sandbox, key=""))) == (
        401,
        "AuthenticationError",
    )
    assert (post(sandbox, model="x").status_code, code(post(sandbox, model="x"))) == (
        404,
        "InvalidEndpointOrModel.NotFound",
    )
    assert code(post(sandbox, model=None)) == code(post(sandbox, prompt="")) == "MissingParameter"
    unknown = post(sandbox, model="ep-20260101000000-abcde")
    assert (unknown.status_code, code(unknown)) == (404, "InvalidEndpointOrModel.NotFound")
    tasks = f"{sandbox.url}/api/v3/contents/generations/tasks?page_num=1"
    right = {"Authorization": "Bearer ARK-SANDBOX"}
    assert sandbox.http.get(tasks, headers=right, timeout=5).json() == {"total": 0, "items": []}
    assert sandbox.http.get(tasks, timeout=5).status_code == 401


@pytest.mark.parametrize("model", MODELS)
def test_every_model_makes_its_usual_picture(sandbox: Sandbox, model: str) -> None:
    assert post(sandbox, model=model).json()["data"][0]["size"] == MODELS[model].usual


def test_more_in_and_out_than_fifteen(sandbox: Sandbox) -> None:
    options = {"sequential_image_generation_options": {"max_images": 15}}
    assert code(post(sandbox, image=picture(), **AUTO, **options)) == "InvalidParameter"


@pytest.mark.parametrize(
    ("image", "said"),
    [
        (picture(), ""),
        (picture(kind="WEBP"), ""),
        (picture(kind="PNG"), ""),
        (picture((1700, 100)), "InvalidParameter"),
        (picture((14, 14)), "InvalidParameter"),
        (picture((6100, 6000)), "InvalidParameter"),
        (picture(bar="magenta"), "InputImageSensitiveContentDetected"),
        (picture(bar="cyan"), "InputImageSensitiveContentDetected.PolicyViolation"),
        (picture().replace("jpeg", "JPEG"), "InvalidImageURL.InvalidFormat"),
        ("data:image/jpeg;base64,", "InvalidImageURL.EmptyURL"),
        ("data:image/jpeg;base64,§", "InvalidImageURL.InvalidFormat"),
        ("data:image/jpeg;base64,aGVsbG8=", "InvalidImageURL.InvalidFormat"),
        ("https://elsewhere.example/a.jpeg", "InvalidImageURL.InvalidFormat"),
    ],
)
def test_input_pictures(sandbox: Sandbox, image: str, said: str) -> None:
    answer = post(sandbox, image=image)
    assert ("" if answer.ok else code(answer)) == said


def test_an_input_picture_is_fetched_and_seen(sandbox: Sandbox) -> None:
    url = post(sandbox, size="1024x1024").json()["data"][0]["url"]
    plain, with_it = (
        post(sandbox, model=T2I, seed=1).json(),
        post(sandbox, image=[url, picture()]).json(),
    )
    assert plain["usage"]["generated_images"] == with_it["usage"]["generated_images"] == 1
    assert sandbox.state()["answers"]["reference:taken"] >= 2


# --- Limits and faults --------------------------------------------------------------------------


def test_limits(sandbox: Sandbox) -> None:
    sandbox.change(qps=1)
    answers = [post(sandbox, prompt="sandbox:slow=0") for _each in range(2)]
    assert code(answers[1]) == "ModelAccountRpmRateLimitExceeded"


@pytest.mark.parametrize(
    ("fault", "status", "said"),
    [
        ("429", 429, "ModelAccountRpmRateLimitExceeded"),
        ("500", 500, "InternalServiceError"),
        ("late_500", 500, "InternalServiceError"),
        ("502html", 502, ""),
    ],
)
def test_a_fault_that_answers(sandbox: Sandbox, fault: str, status: int, said: str) -> None:
    accepted = sandbox.state()["accepted"]
    sandbox.change(next={fault: 1})
    answer = post(sandbox)
    assert answer.status_code == status
    assert "html" in answer.text if not said else code(answer) == said
    assert sandbox.state()["accepted"] == accepted + (fault == "late_500")


@pytest.mark.parametrize(("fault", "takes"), [("drop_before", 0), ("drop_after", 1)])
def test_a_connection_that_drops(sandbox: Sandbox, fault: str, takes: int) -> None:
    accepted = sandbox.state()["accepted"]
    sandbox.change(next={fault: 1})
    with pytest.raises(requests.ConnectionError):
        post(sandbox)
    assert sandbox.state()["accepted"] == accepted + takes
    assert sandbox.state()["suffered"]["mine"] == fault


def test_a_stream_that_is_cut(sandbox: Sandbox) -> None:
    sandbox.change(next={"truncated": 1})
    answer, body = post(sandbox, prompt="四张图", stream=True, **AUTO), b""
    with pytest.raises(requests.exceptions.ChunkedEncodingError):
        for piece in answer.iter_content(None):
            body += piece
    assert body.count(b"\n\n") == 2
    assert not body.endswith(b"\n")


def test_a_stream_that_ends_in_a_fault(sandbox: Sandbox) -> None:
    sandbox.change(next={"late_500": 1})
    told = events(post(sandbox, prompt="二张图", stream=True, **AUTO))
    assert [name.rpartition(".")[2] for name, _data in told] == [
        *["partial_succeeded"] * 2,
        "error",
        "",
    ]


def test_halves_and_wrong_names(sandbox: Sandbox) -> None:
    sandbox.change(next={"truncated": 1})
    with pytest.raises(ValueError, match=r"Expecting|Unterminated"):
        post(sandbox).json()
    sandbox.change(next={"text": 1})
    assert post(sandbox).headers["content-type"].startswith("text/html")
