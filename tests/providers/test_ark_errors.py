"""What each error of Ark means, wrapped or flat, on a refusal and inside an answer."""

from __future__ import annotations

import json

import pytest

from generations.providers.ark_errors import CODES
from generations.providers.base import (
    Ambiguous,
    BadRequest,
    EngineFailed,
    KeyRefused,
    Moderated,
    ProviderError,
    Throttled,
)
from tests.providers.ark_answers import ask, build
from tests.providers.wire import Reaction, hang_up, http_bytes, reset, say, say_json

TABLE: list[tuple[int, str, type[ProviderError], str]] = [
    (400, "MissingParameter", BadRequest, "bad_request"),
    (400, "MissingParameter.prompt", BadRequest, "bad_request"),
    (400, "InvalidParameter.size", BadRequest, "bad_request"),
    (400, "InvalidImageURL.EmptyURL", BadRequest, "reference_unreadable"),
    (400, "InvalidImageURL.InvalidFormat", BadRequest, "reference_unreadable"),
    (400, "InputTextSensitiveContentDetected", Moderated, "moderated_prompt"),
    (400, "InputImageSensitiveContentDetected", Moderated, "moderated_input"),
    (400, "InputImageSensitiveContentDetected.PrivacyInformation", Moderated, "moderated_input"),
    (400, "InputImageSensitiveContentDetected.PolicyViolation", Moderated, "copyright_input"),
    (400, "OutputImageSensitiveContentDetected", Moderated, "moderated_output"),
    (400, "OutputImageSensitiveContentDetected.DeepFake", Moderated, "moderated_output"),
    (400, "InvalidEndpoint.ClosedEndpoint", KeyRefused, "not_opened"),
    (400, "SomethingNew", BadRequest, "bad_request"),
    (413, "SomethingNew", BadRequest, "body_too_large"),
    (401, "AuthenticationError", KeyRefused, "key_refused"),
    (401, "InvalidAccountStatus", KeyRefused, "not_allowed"),
    (401, "SomethingNew", KeyRefused, "key_refused"),
    (403, "AccessDenied", KeyRefused, "not_allowed"),
    (403, "AccountOverdueError", KeyRefused, "provider_quota"),
    (403, "OperationDenied.ServiceOverdue", KeyRefused, "provider_quota"),
    (404, "ModelNotOpen", KeyRefused, "not_opened"),
    (404, "InvalidEndpointOrModel.NotFound", BadRequest, "unknown_model"),
    (404, "InvalidEndpointOrModel.ModelIDAccessDisabled", KeyRefused, "not_opened"),
    (429, "ModelAccountIpmRateLimitExceeded", Throttled, "rate"),
    (429, "ModelAccountRpmRateLimitExceeded", Throttled, "rate"),
    (429, "APIAccountRpmRateLimitExceeded", Throttled, "rate"),
    (429, "AccountRateLimitExceeded", Throttled, "rate"),
    (429, "RateLimitExceeded.EndpointRPMExceeded", Throttled, "rate"),
    (429, "ServerOverloaded", Throttled, "rate"),
    (429, "RequestBurstTooFast", Throttled, "rate"),
    (429, "SomethingNew", Throttled, "rate"),
    (429, "QuotaExceeded", KeyRefused, "provider_quota"),
    (429, "SetLimitExceeded", KeyRefused, "provider_quota"),
    (500, "InternalServiceError", Ambiguous, "ambiguous"),
    (500, "SomethingNew", Ambiguous, "ambiguous"),
    (503, "ServerOverloaded", Ambiguous, "ambiguous"),
    (500, "InvalidParameter", Ambiguous, "ambiguous"),
    (408, "SomethingNew", Ambiguous, "ambiguous"),
    (409, "InvalidParameter", Ambiguous, "ambiguous"),
    (200, "SomethingNew", Ambiguous, "ambiguous"),
    (200, "InternalServiceError", Ambiguous, "ambiguous"),
    (200, "ServerOverloaded", Ambiguous, "ambiguous"),
    (200, "OutputImageSensitiveContentDetected", Moderated, "moderated_output"),
]


def refused(react: Reaction) -> ProviderError:
    with pytest.raises(ProviderError) as caught:
        ask(react, build())
    return caught.value


@pytest.mark.parametrize("flat", [False, True])
@pytest.mark.parametrize(("status", "code", "kind", "reason"), TABLE)
def test_a_code(status: int, code: str, kind: type, reason: str, flat: bool) -> None:
    told = {"code": code, "message": "No. Request id: 02175732322400", "param": "", "type": ""}
    error = refused(say_json(status, told if flat else {"error": told}))
    assert (type(error), error.reason, error.code) == (kind, reason, code)
    assert (error.http_status, error.request_id) == (status, "02175732322400")
    assert getattr(error, "retryable", False) is (reason == "moderated_output")


def test_the_table_is_all_that_is_known() -> None:
    families = {code.partition(".")[0] for _status, code, *_rest in TABLE}
    assert {code.partition(".")[0] for code in CODES} == families - {"SomethingNew"}


@pytest.mark.parametrize(
    ("status", "kind"), [(400, BadRequest), (429, Throttled), (502, Ambiguous)]
)
@pytest.mark.parametrize(
    "body", [b"", b"<html>502</html>", b"{", b'{"error":"no"}', b'{"error":[]}']
)
def test_a_body_that_says_nothing(status: int, kind: type, body: bytes) -> None:
    assert type(refused(say(http_bytes(status, body)))) is kind


@pytest.mark.parametrize("status", [301, 307])
def test_a_redirect_is_not_followed(status: int) -> None:
    react = say(http_bytes(status, b"", Location="http://169.254.169.254/"))
    assert type(refused(react)) is Ambiguous


@pytest.mark.parametrize("react", [hang_up, reset])
def test_no_answer_is_unknown(react: Reaction) -> None:
    assert type(refused(react)) is Ambiguous


def test_how_long_to_wait_and_who_was_asked() -> None:
    body = json.dumps({"error": {"code": "ServerOverloaded", "message": "busy"}}).encode()
    error = refused(say(http_bytes(429, body, Retry_After="7", X_Request_Id="req-1")))
    assert (error.retry_after, error.request_id) == (7.0, "req-1")


def test_no_key_in_what_is_told() -> None:
    told = {"code": "ARK-CANARY-KEY", "message": "Bearer ARK-CANARY-KEY is ARK-CANARY-KEY"}
    error = refused(say_json(401, {"error": told}))
    assert "CANARY" not in f"{error!s}{error!r}{error.code}{error.message}{error.__dict__}"


def test_a_part_of_an_answer_waits_for_nothing() -> None:
    items = [{"url": "https://x.example/a"}, {"error": {"code": "ServerOverloaded"}}]
    found, _heard = ask(say_json(200, {"data": items, "usage": {"generated_images": 1}}), build())
    refusal = found.parts[1].refusal
    assert isinstance(refusal, EngineFailed)
    assert refusal.reason == "engine_fault"
