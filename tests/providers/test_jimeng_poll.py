"""Every recorded shape of progress, and what an error means for a run that was accepted."""

from __future__ import annotations

import base64

import pytest

from generations.providers import jimeng_reply
from generations.providers.base import (
    Ambiguous,
    BadRequest,
    EngineFailed,
    KeyRefused,
    Moderated,
    Progress,
    ProviderError,
    RemoteStatus,
    Throttled,
)
from tests.providers.jimeng_answers import (
    TASK,
    Answering,
    gateway,
    poll,
    service,
)

URL = "https://p9.example/a.jpeg?x-expires=1&x-signature=abc"
PICTURE = b"\xff\xd8\xff\xe0 not really"
PACKED = base64.b64encode(PICTURE).decode()
PROGRESS: dict[str, tuple[object, Progress]] = {
    "queued": (service(10000, {"status": "in_queue"}), Progress(RemoteStatus.QUEUED)),
    "generating": (
        service(10000, {"status": "generating", "image_urls": None, "binary_data_base64": []}),
        Progress(RemoteStatus.RUNNING),
    ),
    "done": (
        service(10000, {"status": "done", "image_urls": [URL], "binary_data_base64": None}),
        Progress(RemoteStatus.DONE, (URL,)),
    ),
    "done, a set": (
        service(10000, {"status": "done", "image_urls": [URL, URL + "2"]}),
        Progress(RemoteStatus.DONE, (URL, URL + "2")),
    ),
    "done, one url as text": (
        service(10000, {"status": "done", "image_urls": URL}),
        Progress(RemoteStatus.DONE, (URL,)),
    ),
    "done, bytes": (
        service(10000, {"status": "done", "image_urls": None, "binary_data_base64": [PACKED]}),
        Progress(RemoteStatus.DONE, (), (PICTURE,)),
    ),
    "done, bytes with a prefix and lines": (
        service(
            10000,
            {
                "status": "done",
                "binary_data_base64": [f"data:image/jpeg;base64,{PACKED[:8]}\n{PACKED[8:]}"],
            },
        ),
        Progress(RemoteStatus.DONE, (), (PICTURE,)),
    ),
    "done, both are the same pictures": (
        service(10000, {"status": "done", "image_urls": [URL], "binary_data_base64": [PACKED]}),
        Progress(RemoteStatus.DONE, (URL,)),
    ),
    "done, broken ones left out": (
        service(10000, {"status": "done", "binary_data_base64": ["***", PACKED, 5, None, "A", ""]}),
        Progress(RemoteStatus.DONE, (), (PICTURE,)),
    ),
    "done, odd urls left out": (
        service(
            10000,
            {
                "status": "done",
                "image_urls": [None, 3, "", "ftp://x", "https://" + "x" * 9000, URL],
            },
        ),
        Progress(RemoteStatus.DONE, (URL,)),
    ),
    "done, nothing at all": (service(10000, {"status": "done"}), Progress(RemoteStatus.DONE)),
    "media without a status": (
        service(10000, {"image_urls": [URL]}),
        Progress(RemoteStatus.DONE, (URL,)),
    ),
    "media of an unfinished run": (
        service(10000, {"status": "generating", "image_urls": [URL]}),
        Progress(RemoteStatus.RUNNING),
    ),
    "null data": (service(10000), Progress(RemoteStatus.RUNNING)),
    "unknown status": (service(10000, {"status": "dreaming"}), Progress(RemoteStatus.RUNNING)),
    "status of a wrong type": (service(10000, {"status": 7}), Progress(RemoteStatus.RUNNING)),
    "not found": (service(10000, {"status": "not_found"}), Progress(RemoteStatus.NOT_FOUND)),
    "expired": (service(10000, {"status": "expired"}), Progress(RemoteStatus.EXPIRED)),
    "cancelled": (service(10000, {"status": "cancelled"}), Progress(RemoteStatus.CANCELLED)),
    "canceled": (service(10000, {"status": "CANCELED"}), Progress(RemoteStatus.CANCELLED)),
    "stale id": (service(50215), Progress(RemoteStatus.NOT_FOUND, code="50215")),
    "seed 000": (
        {
            "ResponseMetadata": {"RequestId": "20260121"},
            "Result": {"Status": "Success", "ImageUrls": [URL]},
        },
        Progress(RemoteStatus.DONE, (URL,)),
    ),
    "seed 003 not_start": (
        {"ResponseMetadata": {"RequestId": "20260121"}, "data": {"status": "not_start"}},
        Progress(RemoteStatus.QUEUED),
    ),
    "seed 003 pending": (service(10000, {"status": "pending"}), Progress(RemoteStatus.QUEUED)),
    "seed 003 running": (service(10000, {"status": "running"}), Progress(RemoteStatus.RUNNING)),
    "processing": (service(10000, {"status": "Processing"}), Progress(RemoteStatus.RUNNING)),
    "seed 003 success": (service(10000, {"status": "success"}), Progress(RemoteStatus.DONE)),
    "other spelling": (service(10000, {"Status": "In-Queue"}), Progress(RemoteStatus.QUEUED)),
    "its own task id": (
        service(10000, {"status": "in_queue", "task_id": int(TASK)}),
        Progress(RemoteStatus.QUEUED),
    ),
}


@pytest.mark.parametrize("status", [200, 400, 500])
@pytest.mark.parametrize("name", PROGRESS)
def test_every_spelling_of_progress(name: str, status: int, answering: Answering) -> None:
    document, expected = PROGRESS[name]
    answering(document, status)
    found = poll()
    assert (found.status, found.urls, found.images, found.code) == (
        expected.status,
        expected.urls,
        expected.images,
        expected.code,
    )
    assert found.request_id == "20260121"


def test_the_three_ways_of_being_gone_are_told_apart(answering: Answering) -> None:
    found = []
    for document in (
        service(10000, {"status": "not_found"}),
        service(10000, {"status": "expired"}),
        service(50215),
    ):
        answering(document)
        found.append((poll().status, poll().code))
    assert len(set(found)) == 3


def test_no_more_media_than_any_engine_makes(answering: Answering) -> None:
    answering(service(10000, {"status": "done", "image_urls": [URL] * 1000}))
    assert len(poll().urls) == jimeng_reply.MEDIA_CAP
    answering(service(10000, {"status": "done", "binary_data_base64": [PACKED] * 1000}))
    assert len(poll().images) == jimeng_reply.MEDIA_CAP


POLL_ERRORS: dict[str, tuple[int, object, type[ProviderError], bool]] = {
    # status, document, kind, confirm
    "failed": (200, service(10000, {"status": "failed"}), EngineFailed, False),
    "fail": (200, {"data": {"status": "FAIL"}}, EngineFailed, False),
    "done and 50500": (200, service(50500, {"status": "done"}), EngineFailed, False),
    "50500": (500, service(50500), EngineFailed, True),
    "50501": (500, service(50501), EngineFailed, True),
    "done and 50511": (200, service(50511, {"status": "done"}), Moderated, False),
    "50519": (400, service(50519), Moderated, False),
    "50413": (400, service(50413), Moderated, False),
    "50520": (400, service(50520), EngineFailed, True),
    "done and 50215": (400, service(50215, {"status": "done"}), EngineFailed, False),
    "done and 50204": (400, service(50204, {"status": "done"}), EngineFailed, False),
    "done and an unknown code": (200, service(59999, {"status": "done"}), EngineFailed, False),
    "input undecodable": (400, service(50207), EngineFailed, True),
    "about the question": (400, service(50201), BadRequest, False),
    "about the key": (401, service(50400), KeyRefused, False),
    "rate": (429, service(50429), Throttled, False),
    "concurrency": (429, service(50430), Throttled, False),
    "flow": (429, gateway("FlowLimitExceeded"), Throttled, False),
    "bare 429": (429, b"", Throttled, False),
    "signature": (401, gateway("SignatureDoesNotMatch", 100010), KeyRefused, False),
    "clock": (400, gateway("InvalidTimestamp", 100006), KeyRefused, False),
    "bare 403": (403, b"", KeyRefused, False),
    "gateway parameter": (400, gateway("MissingParameter", 100002), Ambiguous, False),
    "gateway action": (404, gateway("InvalidActionOrVersion", 100008), Ambiguous, False),
    "gateway 500": (500, gateway("InternalError"), Ambiguous, False),
    "unknown code": (200, service(59999), Ambiguous, False),
    "unknown 400": (400, service(59999), Ambiguous, False),
    "html": (502, b"<html>", Ambiguous, False),
    "bare 404": (404, b"", Ambiguous, False),
    "empty": (200, b"", Ambiguous, False),
    "no code, no status": (200, {"data": {}}, Ambiguous, False),
    "another task": (200, service(10000, {"status": "done", "task_id": "7"}), Ambiguous, False),
}


@pytest.mark.parametrize("name", POLL_ERRORS)
def test_poll_errors(name: str, answering: Answering) -> None:
    status, document, kind, confirm = POLL_ERRORS[name]
    answering(document, status)
    with pytest.raises(ProviderError) as caught:
        poll()
    assert type(caught.value) is kind
    assert getattr(caught.value, "confirm", False) is confirm
