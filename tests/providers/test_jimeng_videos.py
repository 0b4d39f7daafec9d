"""Videos of the visual API: what is sent for each, and how the answer is read."""

from __future__ import annotations

import json
from typing import Any

import pytest

from generations.providers import catalog
from generations.providers.base import Moderated, RemoteStatus
from tests.providers.jimeng_answers import BASE, KEYS, PROVIDER, TASK, Answering, service

VIDEOS = [engine for engine in catalog.ENGINES.values() if engine.kind == "video"]
URL = "https://v3-vvecloud.yangyi08.com/a.mp4?x=1"
PACKED = ["AAAA", "BBBB"]


def built(slug: str, references: int = 0, **settings: object) -> dict[str, Any]:
    engine = catalog.get_engine(slug)
    cleaned = catalog.clean_settings(engine, {"seed": 7, **settings})
    call = PROVIDER.build(engine, "海浪", cleaned, references=PACKED[:references])
    assert call.action == "CVSync2AsyncSubmitTask"
    found: dict[str, Any] = json.loads(call.body)
    return found


@pytest.mark.parametrize(
    ("slug", "references", "settings", "body"),
    [
        ("jimeng-video-3.0", 0, {}, {"aspect_ratio": "16:9", "frames": 121}),
        (
            "jimeng-video-3.0",
            0,
            {"aspect_ratio": "9:16", "frames": "241"},
            {"aspect_ratio": "9:16", "frames": 241},
        ),
        ("jimeng-video-3.0-first", 1, {}, {"frames": 121}),
        ("jimeng-video-3.0-first-last", 2, {"frames": 241}, {"frames": 241}),
        (
            "jimeng-video-3.0-camera",
            1,
            {"template_id": "robo_arm", "camera_strength": "strong"},
            {"template_id": "robo_arm", "camera_strength": "strong", "frames": 121},
        ),
        ("jimeng-video-3.0-pro", 0, {}, {"frames": 121}),
        (
            "jimeng-video-3.0-pro",
            0,
            {"aspect_ratio": "1:1"},
            {"aspect_ratio": "1:1", "frames": 121},
        ),
        ("jimeng-video-3.0-pro", 1, {}, {"frames": 121}),
    ],
)
def test_exactly_this_is_sent(
    slug: str, references: int, settings: dict[str, object], body: dict[str, object]
) -> None:
    given = {"binary_data_base64": PACKED[:references]} if references else {}
    same = {"req_key": catalog.get_engine(slug).req_key, "prompt": "海浪", "seed": 7}
    assert built(slug, references, **settings) == {**same, **body, **given}


def test_every_name_is_one_of_the_official_pages() -> None:
    assert {engine.req_key for engine in VIDEOS} == {
        "jimeng_t2v_v30",
        "jimeng_t2v_v30_1080p",
        "jimeng_i2v_first_v30",
        "jimeng_i2v_first_v30_1080",
        "jimeng_i2v_first_tail_v30",
        "jimeng_i2v_first_tail_v30_1080",
        "jimeng_i2v_recamera_v30",
        "jimeng_ti2v_v30_pro",
    }


@pytest.mark.parametrize("engine", VIDEOS, ids=lambda engine: engine.slug)
def test_a_query_asks_for_nothing_the_page_does_not_know(
    engine: catalog.Engine, answering: Answering
) -> None:
    calls = answering(service(10000, {"status": "done", "video_url": URL}))
    found = PROVIDER.poll(engine, TASK, base_url=BASE, credentials=KEYS)
    assert (found.status, found.urls, found.images) == (RemoteStatus.DONE, (URL,), ())
    assert json.loads(calls[0]["body"]) == {"req_key": engine.req_key, "task_id": TASK}


@pytest.mark.parametrize(
    ("data", "status", "urls"),
    [
        ({"status": "in_queue", "video_url": None}, RemoteStatus.QUEUED, ()),
        ({"status": "generating"}, RemoteStatus.RUNNING, ()),
        ({"status": "generating", "video_url": URL}, RemoteStatus.RUNNING, ()),
        ({"status": "done", "videoUrl": URL}, RemoteStatus.DONE, (URL,)),
        ({"Status": "Success", "VideoUrl": [URL]}, RemoteStatus.DONE, (URL,)),
        ({"status": "done", "video_url": URL, "image_urls": []}, RemoteStatus.DONE, (URL,)),
        ({"status": "done", "video_url": "ftp://x/a.mp4"}, RemoteStatus.DONE, ()),
        ({"status": "done", "video_url": 7}, RemoteStatus.DONE, ()),
        ({"video_url": URL, "task_id": TASK}, RemoteStatus.DONE, (URL,)),
        ({"status": "not_found"}, RemoteStatus.NOT_FOUND, ()),
        ({"status": "expired"}, RemoteStatus.EXPIRED, ()),
    ],
)
def test_every_spelling_of_an_answer(
    data: dict[str, object], status: RemoteStatus, urls: tuple[str, ...], answering: Answering
) -> None:
    answering(service(10000, data))
    found = PROVIDER.poll(VIDEOS[0], TASK, base_url=BASE, credentials=KEYS)
    assert (found.status, found.urls) == (status, urls)


@pytest.mark.parametrize("code", ["50516", "50517"])
def test_a_video_that_is_refused_may_pass_another_time(code: str, answering: Answering) -> None:
    answering(service(int(code), {"status": "done", "video_url": ""}), 400)
    with pytest.raises(Moderated) as refused:
        PROVIDER.poll(VIDEOS[0], TASK, base_url=BASE, credentials=KEYS)
    assert (refused.value.reason, refused.value.retryable) == ("moderated_output", True)
