"""Cancel, probe, and whatever else may come as an answer."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations.providers import catalog, get_provider, http, jimeng_reply
from generations.providers.base import (
    Accepted,
    Ambiguous,
    Call,
    Credentials,
    KeyRefused,
    Progress,
    ProviderError,
    Throttled,
)
from generations.providers.engine import Engine
from generations.providers.jimeng import Jimeng
from tests.providers.jimeng_answers import (
    BASE,
    KEYS,
    PROVIDER,
    TASK,
    Answering,
    cancel,
    gateway,
    poll,
    service,
    submit,
)


@pytest.mark.parametrize(
    ("document", "status", "outcome"),
    [
        (service(10000), 200, True),
        (service(10000, {}), 200, True),
        (service(50215), 400, False),
        (service(50200), 200, False),
        (service(59999), 200, False),
        (service(59999), 400, False),
        (gateway("InvalidActionOrVersion"), 404, False),
        (service(50400), 401, KeyRefused),
        (gateway("SignatureDoesNotMatch"), 401, KeyRefused),
        (service(50429), 429, Throttled),
        (service(50500), 500, Ambiguous),
        (gateway("InternalError"), 500, Ambiguous),
        (b"<html>", 502, Ambiguous),
        (b"", 200, Ambiguous),
    ],
)
def test_cancel(
    document: object, status: int, outcome: bool | type[ProviderError], answering: Answering
) -> None:
    answering(document, status)
    if isinstance(outcome, bool):
        assert cancel() is outcome
    else:
        with pytest.raises(outcome):
            cancel()


@pytest.mark.parametrize(
    ("document", "status", "kind"),
    [
        (service(10000, {"status": "not_found"}), 200, None),
        (service(50215), 400, None),
        (service(50201), 400, None),
        (service(50400), 401, KeyRefused),
        (gateway("InvalidAccessKey", 100009), 401, KeyRefused),
        (gateway("InvalidActionOrVersion", 100008), 404, Ambiguous),
        (gateway("FlowLimitExceeded"), 429, Throttled),
        (b"<html>", 200, Ambiguous),
        (b"", 503, Ambiguous),
    ],
)
def test_probe(
    document: object, status: int, kind: type[ProviderError] | None, answering: Answering
) -> None:
    calls = answering(document, status)
    if kind is None:
        PROVIDER.probe(base_url=BASE, credentials=KEYS)
    else:
        with pytest.raises(kind):
            PROVIDER.probe(base_url=BASE, credentials=KEYS)
    assert "CVSync2AsyncGetResult" in calls[0]["url"]
    assert json.loads(calls[0]["body"])["task_id"] == "0"


FIELDS = [
    "code",
    "data",
    "Result",
    "status",
    "task_id",
    "TaskId",
    "message",
    "request_id",
    "ResponseMetadata",
    "Error",
    "Code",
    "CodeN",
    "Message",
    "RequestId",
    "image_urls",
    "binary_data_base64",
]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(FIELDS) | st.text(max_size=4),
            inner
            | st.sampled_from(
                [10000, "10000", 50413, 50500, 50215, "done", "failed", "in_queue", TASK]
            ),
            max_size=5,
        )
    ),
    max_leaves=12,
)


@given(
    body=JSON.map(lambda each: json.dumps(each).encode()) | st.binary(max_size=60),
    status=st.integers(100, 599),
    headers=st.dictionaries(st.just("retry-after"), st.text(max_size=8)),
)
def test_no_answer_raises_anything_but_a_provider_error(
    body: bytes, status: int, headers: dict[str, str]
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(http, "request", lambda *_args, **_more: http.Answer(status, headers, body))
        for ask, kinds in ((submit, Accepted), (poll, Progress), (cancel, bool)):
            try:
                found = ask()
            except ProviderError as error:
                assert error.reason and len(error.message) <= 500 and len(error.code) <= 60
            else:
                assert isinstance(found, kinds)
                if isinstance(found, Accepted):
                    assert 0 < len(found.remote_id) <= 100 and len(found.request_id) <= 100


@given(st.integers(10**15, 10**40))
def test_no_task_id_is_ever_rounded(number: int) -> None:
    for written in (str(number), json.dumps(str(number))):
        body = f'{{"code":10000,"data":{{"task_id":{written}}}}}'.encode()
        reply = jimeng_reply.read(http.Answer(200, {}, body), ())
        assert reply.task_id == str(number)


def test_the_provider_fits_the_protocol(engine: Engine, credentials: Credentials) -> None:
    assert isinstance(get_provider(engine.provider), Jimeng)
    assert isinstance(PROVIDER.build(engine, "x", catalog.defaults(engine)), Call)
