"""What the Ark provider sends: the body of every setting, its headers, and a probe that is free."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generations.providers import catalog, get_provider
from generations.providers.base import (
    LONGEST_CALL_S,
    Ambiguous,
    Credentials,
    KeyRefused,
    NotSent,
    RemoteStatus,
    Throttled,
)
from tests.providers.ark_answers import ENGINE, KEYS, PROVIDER, a_set, build
from tests.providers.jimeng_answers import Answering
from tests.providers.wire import say_json, serving

DATA = "data:image/jpeg;base64,/9j/4AAQ"
SINGLE = {
    "model": "doubao-seedream-4-0-250828",
    "prompt": "四只柯基",
    "size": "2048x2048",
    "sequential_image_generation": "disabled",
    "watermark": False,
    "optimize_prompt_options": {"mode": "standard"},
    "response_format": "url",
}


def body(*arguments: Any, **settings: object) -> dict[str, Any]:
    return json.loads(build(*arguments, **settings).body)


def test_one_picture_is_asked_for_in_one_piece() -> None:
    assert body() == SINGLE
    assert (build().most, build().streams) == (1, False)


def test_a_set_comes_as_a_stream() -> None:
    told = body(output="set", max_images="6")
    assert told["sequential_image_generation"] == "auto"
    assert told["sequential_image_generation_options"] == {"max_images": 6}
    assert told["stream"] is True
    assert (a_set(6).most, a_set(6).streams) == (6, True)


@pytest.mark.parametrize(("references", "most"), [(0, 15), (1, 14), (10, 5)])
def test_inputs_and_outputs_are_at_most_fifteen(references: int, most: int) -> None:
    told = body("seedream-4.0", [DATA] * references, output="set", max_images="15")
    assert told["sequential_image_generation_options"] == {"max_images": most}


@pytest.mark.parametrize("count", [0, 1, 3])
def test_references_travel_in_the_body(count: int) -> None:
    image = body("seedream-4.0", [DATA] * count).get("image")
    assert image == {0: None, 1: DATA, 3: [DATA] * 3}[count]


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"size": "auto-4k"}, {"size": "4K"}),
        ({"size": "2560×1440"}, {"size": "2560x1440"}),
        ({"mark": "marked"}, {"watermark": True}),
        ({"optimize_prompt": "fast"}, {"optimize_prompt_options": {"mode": "fast"}}),
    ],
)
def test_a_setting_on_the_wire(settings: dict[str, object], told: dict[str, object]) -> None:
    assert body(**settings) == SINGLE | told


@pytest.mark.parametrize("slug", ["seedream-4.5", "seedream-5.0-lite", "seedream-5.0-pro"])
def test_a_model_is_sent_nothing_it_does_not_know(slug: str) -> None:
    names = {
        "seedream-4.5": {"sequential_image_generation"},
        "seedream-5.0-lite": {"sequential_image_generation", "output_format"},
        "seedream-5.0-pro": {"optimize_prompt_options", "output_format"},
    }
    always = {"model", "prompt", "size", "watermark", "response_format"}
    assert body(slug).keys() == always | names[slug]


def test_a_word_of_the_half_size_classes() -> None:
    assert body("seedream-5.0-pro", size="auto-1.5k")["size"] == "1.5K"
    assert body("seedream-5.0-lite", size="auto-3k")["size"] == "3K"


@pytest.mark.parametrize(
    ("slug", "size"),
    [
        ("seedream-4.5", "1024x1024"),
        ("seedream-5.0-lite", "1024x1024"),
        ("seedream-5.0-pro", "4096x4096"),
        ("seedream-4.0", "16384x900"),
        ("seedream-4.0", "auto-3k"),
    ],
)
def test_a_size_of_another_model_is_refused_here(slug: str, size: str) -> None:
    with pytest.raises(catalog.SettingsError):
        build(slug, size=size)


def test_what_a_set_reserves() -> None:
    def most(references: int, **raw: object) -> int:
        return catalog.max_outputs(ENGINE, catalog.clean_settings(ENGINE, raw), references)

    assert most(0) == 1
    assert most(0, output="set") == 4
    assert most(8, output="set", max_images="15") == 7
    assert catalog.max_outputs(catalog.get_engine("seedream-5.0-pro"), {}, 3) == 1


# --- The call -----------------------------------------------------------------------------------


def submit(base_url: str, credentials: Credentials = KEYS) -> object:
    return PROVIDER.submit(
        build(), base_url=base_url, credentials=credentials, client_request_id="my-own-id"
    )


def test_its_headers() -> None:
    with serving(say_json(200, {"data": [{"url": "https://x.example/a"}]})) as wire:
        submit(f"{wire.url}/api/v3/")
        (request,) = wire.requests
    assert request.line == "POST /api/v3/images/generations HTTP/1.1"
    assert request.headers["authorization"] == "Bearer ARK-CANARY-KEY"
    assert request.headers["content-type"] == "application/json"
    assert request.headers["x-client-request-id"] == "my-own-id"
    assert request.body == build().body


def test_it_waits_as_long_as_a_picture_takes(answering: Answering) -> None:
    (calls, _found) = answering({"data": [{"url": "https://x.example/a"}]}), submit("http://x")
    assert calls[0]["read_s"] == calls[0]["total_s"] == LONGEST_CALL_S


@pytest.mark.parametrize("base_url", ["", "ftp://x", "http://", "http://[::1", "nonsense"])
def test_an_address_that_is_none_is_never_called(base_url: str) -> None:
    with pytest.raises(NotSent):
        submit(base_url)


@pytest.mark.parametrize("key", ["two lines\r\nX: y", "schlüssel", "a b"])
def test_a_key_that_no_header_can_carry(key: str) -> None:
    with pytest.raises(KeyRefused):
        submit("http://127.0.0.1:9", Credentials(key))


def test_there_is_nothing_to_ask_after_and_nothing_to_cancel() -> None:
    where = {"base_url": "http://127.0.0.1:9", "credentials": KEYS}
    assert get_provider("ark").poll(ENGINE, "1", **where).status == RemoteStatus.NOT_FOUND
    assert get_provider("ark").cancel(ENGINE, "1", **where) is False


@pytest.mark.parametrize(
    ("status", "document", "problem"),
    [
        (200, {"total": 0, "items": []}, None),
        (404, {"error": {"code": "ModelNotOpen"}}, None),
        (401, {"error": {"code": "AuthenticationError"}}, KeyRefused),
        (403, {"code": "AccessDenied"}, KeyRefused),
        (429, {"error": {"code": "AccountRateLimitExceeded"}}, Throttled),
        (503, {}, Ambiguous),
    ],
)
def test_a_probe_costs_nothing(status: int, document: object, problem: type | None) -> None:
    with serving(say_json(status, document)) as wire:
        if problem is None:
            PROVIDER.probe(base_url=f"{wire.url}/api/v3", credentials=KEYS)
        else:
            with pytest.raises(problem):
                PROVIDER.probe(base_url=f"{wire.url}/api/v3", credentials=KEYS)
        (request,) = wire.requests
    assert request.line.startswith("GET /api/v3/contents/generations/tasks?")
