"""The older models' one call: what is sent, and what the answer is read as."""

from __future__ import annotations

import base64
import json

import pytest

from generations.providers import catalog
from generations.providers.base import LONGEST_CALL_S, Finished, Moderated, pictures
from tests.providers.jimeng_answers import BASE, KEYS, PROVIDER, Answering, service

ENGINE = catalog.RETIRED["general-2.0"]
CALL = PROVIDER.build(ENGINE, "一只柯基", catalog.defaults(ENGINE))


def submit() -> object:
    return PROVIDER.submit(CALL, base_url=BASE, credentials=KEYS, client_request_id="x")


def test_what_is_sent() -> None:
    assert (CALL.action, json.loads(CALL.body)) == (
        "CVProcess",
        {
            "req_key": "general_v2.0",
            "prompt": "一只柯基",
            "width": 512,
            "height": 512,
            "return_url": True,
        },
    )


@pytest.mark.parametrize(
    ("data", "finished"),
    [
        (
            {"image_urls": ["https://x.example/a"]},
            Finished(pictures(("https://x.example/a",)), "20260121"),
        ),
        (
            {"binary_data_base64": [base64.b64encode(b"jpeg").decode()]},
            Finished(pictures(images=(b"jpeg",)), "20260121"),
        ),
        ({"image_urls": None}, Finished((), "20260121")),
    ],
)
def test_the_answer_is_the_result(
    answering: Answering, data: dict[str, object], finished: Finished
) -> None:
    calls = answering(service(10000, data))
    assert submit() == finished
    (call,) = calls
    assert min(call["read_s"], call["total_s"]) >= LONGEST_CALL_S


def test_a_refusal_is_a_refusal(answering: Answering) -> None:
    answering(service(50412), status=400)
    with pytest.raises(Moderated):
        submit()


def test_nothing_new_is_composed_with_it() -> None:
    assert ENGINE.slug not in catalog.ENGINES
    assert catalog.known_engine(ENGINE.slug) is ENGINE
    with pytest.raises(catalog.UnknownEngine):
        catalog.get_engine(ENGINE.slug)
