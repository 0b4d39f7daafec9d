"""Each error of the tables in wire-protocol.md 2.2 and 2.3, on a submit."""

from __future__ import annotations

import pytest

from generations.providers import jimeng_errors
from generations.providers.base import (
    BadRequest,
    EngineFailed,
    KeyRefused,
    Moderated,
    ProviderError,
    Throttled,
)
from tests.providers.jimeng_answers import (
    TASK,
    Answering,
    gateway,
    service,
    submit,
)

TABLE: list[tuple[int, int, type[ProviderError], str, bool]] = [
    # code, HTTP status, kind on submit, reason, retryable
    *[
        (code, 400, BadRequest, reason, False)
        for reason, codes in {
            "bad_request": (50200, 50201, 50202, 50204),
            "reference_size": (50205, 50211, 50214),
            "reference_unreadable": (50206, 50207, 50209, 50210),
            "body_too_large": (50213,),
            "input_refused": (50215,),
        }.items()
        for code in codes
    ],
    (50218, 400, Moderated, "moderated_input", False),
    (50400, 401, KeyRefused, "not_opened", False),
    (50402, 404, BadRequest, "request_broken", False),
    (50411, 400, Moderated, "moderated_input", False),
    (50511, 400, Moderated, "moderated_output", True),
    (50412, 400, Moderated, "moderated_prompt", False),
    (50512, 400, Moderated, "moderated_text", False),
    (50413, 400, Moderated, "copyright_prompt", False),
    (50513, 400, Moderated, "moderated_input", False),
    (50514, 400, Moderated, "moderated_input", False),
    (50516, 400, Moderated, "moderated_output", True),
    (50517, 400, Moderated, "moderated_output", True),
    (50518, 400, Moderated, "copyright_input", False),
    (50519, 400, Moderated, "copyright_output", True),
    (50520, 400, EngineFailed, "check_failed", False),
    (50521, 400, EngineFailed, "check_failed", False),
    (50522, 400, EngineFailed, "check_failed", False),
    (50429, 429, Throttled, "rate", False),
    (50430, 429, Throttled, "concurrency", False),
]
GATEWAY: list[tuple[int | None, str, int, type[ProviderError]]] = [
    (100002, "MissingParameter", 400, BadRequest),
    (100003, "MissingAuthenticationToken", 401, KeyRefused),
    (100004, "MissingRequestInfo", 400, KeyRefused),
    (100005, "MissingSignature", 401, KeyRefused),
    (100006, "InvalidTimestamp", 400, KeyRefused),
    (100007, "ServiceNotFound", 404, BadRequest),
    (100008, "InvalidActionOrVersion", 404, BadRequest),
    (100009, "InvalidAccessKey", 401, KeyRefused),
    (100010, "SignatureDoesNotMatch", 401, KeyRefused),
    (100012, "LackPolicy", 403, KeyRefused),
    (100013, "AccessDenied", 403, KeyRefused),
    (100024, "InvalidAuthorization", 400, KeyRefused),
    (100025, "InvalidCredential", 400, KeyRefused),
    (100026, "InvalidSecretToken", 401, KeyRefused),
    (None, "FlowLimitExceeded", 429, Throttled),
    (None, "FlowLimitExceeded", 200, Throttled),
    (None, "Surprise", 400, BadRequest),
    (None, "Surprise", 403, KeyRefused),
    (None, "Surprise", 429, Throttled),
]


def test_the_tables_cover_all_that_the_provider_knows() -> None:
    codes = {str(code) for code, *_rest in TABLE} - {"50202"}
    assert codes == set(jimeng_errors.SERVICE)
    numbers = {str(number) for number, *_rest in GATEWAY if number}
    names = {name for _number, name, *_rest in GATEWAY} - {"Surprise"}
    unclear = {"InternalError", "InternalServiceError", "ServiceUnavailableTemp"}
    assert numbers | names | unclear | {"InternalServiceTimeout"} == set(jimeng_errors.GATEWAY)


@pytest.mark.parametrize("spelling", [int, str])
@pytest.mark.parametrize("http_status", ["documented", 200])
@pytest.mark.parametrize(("code", "status", "kind", "reason", "retryable"), TABLE)
def test_a_refused_submit(
    code: int,
    status: int,
    kind: type[ProviderError],
    reason: str,
    retryable: bool,
    http_status: object,
    spelling: type,
    answering: Answering,
) -> None:
    answering(service(spelling(code)), 200 if http_status == 200 else status)
    with pytest.raises(ProviderError) as caught:
        submit()
    error = caught.value
    assert type(error) is kind
    assert (error.reason, error.code, error.message) == (reason, str(code), "no")
    assert (error.charged, error.request_id) == ("no", "20260121")
    assert getattr(error, "retryable", False) is retryable


@pytest.mark.parametrize(("number", "name", "status", "kind"), GATEWAY)
def test_a_submit_refused_by_the_gateway(
    number: int | None, name: str, status: int, kind: type[ProviderError], answering: Answering
) -> None:
    answering(gateway(name, number), status)
    with pytest.raises(ProviderError) as caught:
        submit()
    assert type(caught.value) is kind
    assert (caught.value.code, caught.value.request_id) == (name, "20260121")


@pytest.mark.parametrize("number", [n for n, *_rest in GATEWAY if n])
def test_a_gateway_number_is_enough(number: int, answering: Answering) -> None:
    answering(gateway("", number), 400)
    with pytest.raises(ProviderError) as caught:
        submit()
    kind = next(kind for n, _name, _status, kind in GATEWAY if n == number)
    assert type(caught.value) is kind
    assert caught.value.code == str(number)


@pytest.mark.parametrize(
    ("document", "status", "kind"),
    [
        ({"status": 50413, "data": None}, 400, Moderated),
        ({"Error": {"Code": 50413, "Message": "no"}}, 400, Moderated),
        ({"Error": {"Code": "50413"}}, 200, Moderated),
        ({"Error": {"code": "InvalidParameter", "message": "no"}}, 400, BadRequest),
        ({"Error": "Unauthorized"}, 401, KeyRefused),
        ({"Error": "QuotaExceeded", "message": "no"}, 400, BadRequest),
        (gateway("SignatureDoesNotMatch") | service(10000, {"task_id": TASK}), 401, KeyRefused),
        (b"<html>Forbidden</html>", 403, KeyRefused),
        (b"<html>Not Found</html>", 404, BadRequest),
        (b"too big", 413, BadRequest),
        (b"", 429, Throttled),
    ],
)
def test_other_shapes_of_a_refusal(
    document: object, status: int, kind: type[ProviderError], answering: Answering
) -> None:
    answering(document, status)
    with pytest.raises(ProviderError) as caught:
        submit()
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("7", 7.0),
        ("0.5", 0.5),
        ("-3", None),
        ("0", None),
        ("nan", None),
        ("inf", None),
        ("soon", None),
        ("", None),
        ("999999", 3600.0),
        ("Wed, 21 Oct 2099 07:28:00 GMT", 3600.0),
        ("Wed, 21 Oct 2099 07:28:00 -0000", 3600.0),
        ("Wed, 21 Oct 2015 07:28:00 GMT", None),
        ("Wed, 99 Oct 2015 07:28:00 GMT", None),
    ],
)
def test_retry_after(header: str, seconds: float | None, answering: Answering) -> None:
    answering(service(50429), 429, **{"retry-after": header})
    with pytest.raises(Throttled) as caught:
        submit()
    assert caught.value.retry_after == seconds
