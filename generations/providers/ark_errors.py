"""What each error of Ark's image generation means for us. Table: wire-protocol.md section 3.

The code decides, its part before the first dot where the whole is not known; then the HTTP status. On a
submit, whatever is neither a definite no nor an ask to wait is Ambiguous: a guess costs money twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from generations.providers.base import (
    Ambiguous,
    BadRequest,
    EngineFailed,
    KeyRefused,
    Moderated,
    ProviderError,
    Throttled,
)


@dataclass
class Fault:
    """An error as it was told: `code` is "" where none was. `http_status` is that of the answer it
    came in.
    """

    code: str
    message: str
    http_status: int | None = None
    request_id: str = ""
    retry_after: float | None = None


@dataclass(frozen=True, slots=True)
class Verdict:
    kind: type[ProviderError]
    reason: str = ""
    retryable: bool = False


_BAD = Verdict(BadRequest)
_UNKNOWN_MODEL = Verdict(BadRequest, "unknown_model")
_TOO_LARGE = Verdict(BadRequest, "body_too_large")
_UNREADABLE = Verdict(BadRequest, "reference_unreadable")
_KEY = Verdict(KeyRefused)
_NOT_ALLOWED = Verdict(KeyRefused, "not_allowed")
_NOT_OPENED = Verdict(KeyRefused, "not_opened")
# Not a matter of seconds: waiting for it would hold up everybody behind.
_SPENT = Verdict(KeyRefused, "provider_quota")
_RATE = Verdict(Throttled, "rate")
_FAULT = Verdict(EngineFailed, "engine_fault")
_FAILED = Verdict(EngineFailed)
_UNKNOWN = Verdict(Ambiguous)

CODES: dict[str, Verdict] = {
    "MissingParameter": _BAD,
    "InvalidParameter": _BAD,
    "InvalidImageURL": _UNREADABLE,
    "InputTextSensitiveContentDetected": Verdict(Moderated, "moderated_prompt"),
    "InputImageSensitiveContentDetected": Verdict(Moderated, "moderated_input"),
    "InputImageSensitiveContentDetected.PolicyViolation": Verdict(Moderated, "copyright_input"),
    "OutputImageSensitiveContentDetected": Verdict(Moderated, "moderated_output", retryable=True),
    "InvalidEndpoint": _NOT_OPENED,
    "AuthenticationError": _KEY,
    "InvalidAccountStatus": _NOT_ALLOWED,
    "AccessDenied": _NOT_ALLOWED,
    "AccountOverdueError": _SPENT,
    "OperationDenied": _SPENT,
    "ModelNotOpen": _NOT_OPENED,
    "InvalidEndpointOrModel": _UNKNOWN_MODEL,
    "InvalidEndpointOrModel.ModelIDAccessDisabled": _NOT_OPENED,
    "ModelAccountIpmRateLimitExceeded": _RATE,
    "ModelAccountRpmRateLimitExceeded": _RATE,
    "APIAccountRpmRateLimitExceeded": _RATE,
    "AccountRateLimitExceeded": _RATE,
    "RateLimitExceeded": _RATE,
    "ServerOverloaded": _RATE,
    "RequestBurstTooFast": _RATE,
    "QuotaExceeded": _SPENT,
    "SetLimitExceeded": _SPENT,
    "InternalServiceError": _UNKNOWN,
}
# 4xx that do not prove that nothing was begun: time-outs, conflicts, "too early", client gone.
_OPEN_4XX = frozenset({408, 409, 425, 499})


def error_of(fault: Fault) -> ProviderError:
    """The error of a whole call."""
    return _made(_verdict(fault), fault)


def refusal_of(fault: Fault) -> ProviderError:
    """The error of one picture of a set: it was not made, and not charged."""
    known = _known(fault.code)
    if known is None:
        return _made(_FAILED, fault)
    return _made(_FAULT if known.kind in (Ambiguous, Throttled) else known, fault)


def _verdict(fault: Fault) -> Verdict:
    status, known = fault.http_status or 0, _known(fault.code)
    if status >= 500 or status in _OPEN_4XX:
        return _UNKNOWN
    if status < 400:
        # The call was accepted and failed later, so nothing is left to wait for.
        return known if known and known.kind is not Throttled else _UNKNOWN
    if known is not None:
        return known if known.kind is not Throttled or status == 429 else _BAD
    return {401: _KEY, 403: _KEY, 413: _TOO_LARGE, 429: _RATE}.get(status, _BAD)


def _known(code: str) -> Verdict | None:
    return CODES.get(code) or CODES.get(code.partition(".")[0])


def _made(verdict: Verdict, fault: Fault) -> ProviderError:
    error = verdict.kind(
        fault.code,
        fault.message,
        http_status=fault.http_status,
        request_id=fault.request_id,
        retry_after=fault.retry_after,
        reason=verdict.reason,
    )
    if isinstance(error, Moderated):
        error.retryable = verdict.retryable
    return error
