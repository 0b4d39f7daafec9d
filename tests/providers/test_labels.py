"""AIGC labels on the wire: what a query asks for and what a call says, byte for byte."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generations.providers import catalog, get_provider
from generations.providers.base import Credentials
from generations.providers.labels import UNLABELLED, Implicit, Labels, Visible, labels_of
from tests.providers.jimeng_answers import BASE, ENGINE, KEYS, TASK, Answering, service

VIDEO = catalog.get_engine("jimeng-video-3.0")
WHOLE = Labels(
    Visible("tr", "en", 0.6, "Acme 制作"), Implicit("91310000", "Acme", "Acme studio", "P-7")
)
# wire-protocol.md 2.5: the names, their order and their types.
ASKED_PICTURE = (
    '{"return_url":true,"logo_info":{"add_logo":true,"position":3,"language":1,"opacity":0.6,'
    '"logo_text_content":"Acme 制作"},"aigc_meta":{"content_producer":"Acme","producer_id":"91310000",'
    '"content_propagator":"Acme studio","propagate_id":"P-7"}}'
)
ASKED_VIDEO = '{"aigc_meta":' + ASKED_PICTURE.partition('"aigc_meta":')[2]


def asked(answering: Answering, slug: str, labels: Labels) -> Any:
    calls = answering(service(10000, {"status": "in_queue"}))
    engine = catalog.known_engine(slug)
    assert engine
    get_provider("jimeng").poll(engine, TASK, base_url=BASE, credentials=KEYS, labels=labels)
    return json.loads(calls[0]["body"])


@pytest.mark.parametrize(
    ("slug", "labels", "req_json"),
    [
        (ENGINE.slug, WHOLE, ASKED_PICTURE),
        ("jimeng-image-4.6", WHOLE, ASKED_PICTURE),
        (ENGINE.slug, UNLABELLED, '{"return_url":true}'),
        (
            ENGINE.slug,
            Labels(Visible()),
            '{"return_url":true,"logo_info":{"add_logo":true,"position":0,"language":0,"opacity":1.0}}',
        ),
        (
            ENGINE.slug,
            Labels(implicit=Implicit("7")),
            '{"return_url":true,"aigc_meta":{"producer_id":"7"}}',
        ),
        (VIDEO.slug, WHOLE, ASKED_VIDEO),
        (VIDEO.slug, UNLABELLED, None),
        (VIDEO.slug, Labels(Visible()), None),
        ("general-2.0", WHOLE, '{"return_url":true}'),
    ],
)
def test_what_a_query_asks_for(
    slug: str, labels: Labels, req_json: str | None, answering: Answering
) -> None:
    found = asked(answering, slug, labels)
    assert found.get("req_json") == req_json
    assert {*found} == {"req_key", "task_id", *(["req_json"] if req_json else [])}


def test_the_answer_of_a_tagged_video_is_read(answering: Answering) -> None:
    url = "https://v3.example/a.mp4"
    answering(service(10000, {"status": "done", "video_url": url, "aigc_meta_tagged": True}))
    found = get_provider("jimeng").poll(
        VIDEO, TASK, base_url=BASE, credentials=Credentials("AK", "SK"), labels=WHOLE
    )
    assert found.urls == (url,)


@pytest.mark.parametrize("slug", [slug for slug in catalog.ENGINES if "seedream" in slug])
@pytest.mark.parametrize(
    ("labels", "setting", "sent"),
    [
        (UNLABELLED, False, False),
        (UNLABELLED, True, True),
        (Labels(Visible("tl")), False, True),
        (Labels(implicit=Implicit("7")), False, False),
    ],
)
def test_ark_says_it_in_the_call(slug: str, labels: Labels, setting: bool, sent: bool) -> None:
    engine = catalog.get_engine(slug)
    settings = catalog.defaults(engine) | {"watermark": setting}
    body = json.loads(get_provider("ark").build(engine, "一只猫", settings, labels=labels).body)
    assert body["watermark"] is sent
    plain = json.loads(get_provider("ark").build(engine, "一只猫", settings).body)
    assert body | {"watermark": setting} == plain


def test_the_submit_of_jimeng_stays_the_same() -> None:
    """There, labels belong to the query; in a submit they would be for callbacks alone."""
    provider, settings = get_provider("jimeng"), catalog.defaults(ENGINE)
    bodies = {
        provider.build(ENGINE, "一", settings, labels=each).body for each in (WHOLE, UNLABELLED)
    }
    assert len(bodies) == 1


def test_plain_values_become_labels() -> None:
    visible = {"corner": "tr", "language": "en", "opacity": "0.6", "text": "Acme 制作"}
    implicit = {"producer_id": "91310000", "producer": "Acme"}
    implicit |= {"propagator": "Acme studio", "propagator_id": "P-7"}
    assert labels_of({"visible": visible, "implicit": implicit}) == WHOLE
    assert labels_of({}) == UNLABELLED
