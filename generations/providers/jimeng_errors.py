"""What each error of the visual API means for us.

Tables: wire-protocol.md 2.2 (gateway), 2.3 (service).

A code that is not in a table is a definite no only with an HTTP status that says so; everything
else on a submit is Ambiguous, because a guess there costs money twice. On a poll only what speaks
of the run itself ends it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import Literal

from generations.providers.base import (
    Ambiguous,
    BadRequest,
    EngineFailed,
    KeyRefused,
    Moderated,
    ProviderError,
    Throttled,
)
from generations.providers.jimeng_reply import Reply

Doing = Literal["submit", "poll", "cancel"]


@dataclass(frozen=True, slots=True)
class Verdict:
    kind: type[ProviderError]
    reason: str = ""
    retryable: bool = False


_BAD = Verdict(BadRequest)
# About how the studio asks, not about what was asked for: no person can change that on a page.
_BROKEN = Verdict(BadRequest, "request_broken")
_UNKNOWN_MODEL = Verdict(BadRequest, "unknown_model")
_SIZE = Verdict(BadRequest, "reference_size")
_UNREADABLE = Verdict(BadRequest, "reference_unreadable")
_KEY = Verdict(KeyRefused)
_NOT_ALLOWED = Verdict(KeyRefused, "not_allowed")
_CLOCK = Verdict(KeyRefused, "clock")
_FAILED = Verdict(EngineFailed)
_CHECK_FAILED = Verdict(EngineFailed, "check_failed")
_UNKNOWN = Verdict(Ambiguous)
_RATE = Verdict(Throttled, "rate")
_PROMPT = Verdict(Moderated, "moderated_prompt")
_INPUT = Verdict(Moderated, "moderated_input")
_OUTPUT_AGAIN = Verdict(Moderated, "moderated_output", retryable=True)

SERVICE: dict[str, Verdict] = {
    "50200": _BAD,
    "50201": _BAD,
    "50204": _BAD,
    "50205": _SIZE,
    "50206": _UNREADABLE,
    "50207": _UNREADABLE,
    "50209": _UNREADABLE,
    "50210": _UNREADABLE,
    "50211": _SIZE,
    "50213": Verdict(BadRequest, "body_too_large"),
    "50214": _SIZE,
    "50215": Verdict(BadRequest, "input_refused"),
    "50218": _INPUT,
    "50400": Verdict(KeyRefused, "not_opened"),
    "50402": _BROKEN,
    "50411": _INPUT,
    "50412": _PROMPT,
    "50413": Verdict(Moderated, "copyright_prompt"),
    "50429": _RATE,
    "50430": Verdict(Throttled, "concurrency"),
    "50511": _OUTPUT_AGAIN,
    "50512": Verdict(Moderated, "moderated_text"),
    "50513": _INPUT,
    "50514": _INPUT,
    "50516": _OUTPUT_AGAIN,
    "50517": _OUTPUT_AGAIN,
    "50518": Verdict(Moderated, "copyright_input"),
    "50519": Verdict(Moderated, "copyright_output", retryable=True),
    "50520": _CHECK_FAILED,
    "50521": _CHECK_FAILED,
    "50522": _CHECK_FAILED,
}
# No page says whether these were charged: on a submit they leave the outcome open.
INTERNAL = frozenset({"50500", "50501"})
# A query carries no picture and no video: on a poll these can only speak of the run's own input.
ABOUT_INPUT = frozenset({"50205", "50206", "50207", "50209", "50210", "50211", "50214"})
# On a query, a task that is unknown or too old, or the wrong req_key for it.
STALE_TASK = "50215"

GATEWAY: dict[str, Verdict] = {
    "100002": _BROKEN,
    "MissingParameter": _BROKEN,
    "100003": _KEY,
    "MissingAuthenticationToken": _KEY,
    "100004": _KEY,
    "MissingRequestInfo": _KEY,
    "100005": _KEY,
    "MissingSignature": _KEY,
    "100006": _CLOCK,
    "InvalidTimestamp": _CLOCK,
    "100007": _BROKEN,
    "ServiceNotFound": _BROKEN,
    "100008": _BROKEN,
    "InvalidActionOrVersion": _BROKEN,
    "100009": _KEY,
    "InvalidAccessKey": _KEY,
    "100010": _KEY,
    "SignatureDoesNotMatch": _KEY,
    "100012": _NOT_ALLOWED,
    "LackPolicy": _NOT_ALLOWED,
    "100013": _NOT_ALLOWED,
    "AccessDenied": _NOT_ALLOWED,
    "100024": _KEY,
    "InvalidAuthorization": _KEY,
    "100025": _KEY,
    "InvalidCredential": _KEY,
    "100026": _KEY,
    "InvalidSecretToken": _KEY,
    "FlowLimitExceeded": _RATE,
    "InternalError": _UNKNOWN,
    "InternalServiceError": _UNKNOWN,
    "ServiceUnavailableTemp": _UNKNOWN,
    "InternalServiceTimeout": _UNKNOWN,
}
# Names that only older samples know (wire-protocol.md 2.7). What is decided follows from the HTTP
# status alone; the name says no more than which sentence fits a refusal.
SAMPLES: dict[str, str] = {
    "InvalidParameter": "bad_request",
    "Unauthorized": "key_refused",
    "InvalidSignature": "key_refused",
    "QuotaExceeded": "provider_quota",
    "ContentFiltered": "content_filtered",
    "TaskNotFound": "request_broken",
}
# 4xx that do not prove that nothing was begun: time-outs, conflicts, "too early", client gone.
_OPEN_4XX = frozenset({408, 409, 425, 499})


def error_of(reply: Reply, doing: Doing) -> ProviderError:
    """The error that `reply` (one with `is_error` or `run_failed`) stands for while `doing`
    that.
    """
    verdict = _worded(_verdict(reply, doing), reply)
    if _unknown_model(reply, doing):
        verdict = _UNKNOWN_MODEL
    error = verdict.kind(
        reply.name or reply.code,
        reply.message,
        http_status=reply.http_status,
        request_id=reply.request_id,
        retry_after=reply.retry_after,
        reason=verdict.reason,
    )
    if isinstance(error, Moderated):
        error.retryable = verdict.retryable
    if isinstance(error, EngineFailed):
        error.confirm = not reply.finished
    return error


def _verdict(reply: Reply, doing: Doing) -> Verdict:
    if reply.code in INTERNAL:
        return Verdict(EngineFailed, "engine_fault") if doing == "poll" else _UNKNOWN
    known = _known(reply)
    if known is None:
        return _by_status(reply, doing)
    if known.kind is BadRequest and doing == "poll":
        if reply.finished or reply.code in ABOUT_INPUT:
            return Verdict(EngineFailed, known.reason)
        return _UNKNOWN if reply.gateway else known
    return known


def _unknown_model(reply: Reply, doing: Doing) -> bool:
    """50204 is one code for a wrong type and for a model that is unknown or not opened (2.3): the words
    tell which. A query names a model that was known when it was asked.
    """
    return doing == "submit" and reply.code == "50204" and "req_key" in reply.message.lower()


def _worded(verdict: Verdict, reply: Reply) -> Verdict:
    """The same decision under the reason that an old sample's name gives it.

    An unknown outcome keeps its own: there the person has to hear that it may have been charged.
    """
    reason = SAMPLES.get(reply.name) or SAMPLES.get(reply.code)
    if reason is None or verdict.kind is Ambiguous:
        return verdict
    if verdict.kind is Throttled and reason != "provider_quota":
        return verdict
    return replace(verdict, reason=reason)


def _known(reply: Reply) -> Verdict | None:
    found = SERVICE.get(reply.code) or GATEWAY.get(reply.code) or GATEWAY.get(reply.name)
    if found is None and not reply.gateway and re.fullmatch(r"502\d\d", reply.code):
        return _BAD
    return found


def _by_status(reply: Reply, doing: Doing) -> Verdict:
    """For what no table knows."""
    status = reply.http_status
    if status == 429:
        return _RATE
    if doing == "poll" and reply.finished and not reply.gateway:
        return _FAILED
    if status in (401, 403):
        return _KEY
    if doing != "poll" and 400 <= status < 500 and status not in _OPEN_4XX:
        return _BAD
    return _UNKNOWN
