"""Ark's errors and their two shapes, as section 3's table of the official pages gives them.

Source: docs 82379/1299023 (codes), 82379/1541523 (the API).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.world import World

_TYPES = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    429: "TooManyRequests",
    500: "InternalServerError",
}
_RATE = "The request was refused because a limit is reached. Please retry after a moment."
_INPUT = "The request was refused because an input image may contain sensitive information."
_OUTPUT = "The request failed because an output image may contain sensitive information."
CODES: dict[str, tuple[int, str]] = {
    "MissingParameter": (400, "The request is missing a required parameter."),
    "InvalidParameter": (400, "A parameter specified in the request is not valid."),
    "InvalidImageURL.EmptyURL": (400, "The image URL specified in the request is empty."),
    "InvalidImageURL.InvalidFormat": (400, "The image specified in the request cannot be read."),
    "InputTextSensitiveContentDetected": (
        400,
        "The request was refused because the input text may contain sensitive information.",
    ),
    "InputImageSensitiveContentDetected": (400, _INPUT),
    "InputImageSensitiveContentDetected.PrivacyInformation": (400, _INPUT),
    "InputImageSensitiveContentDetected.PolicyViolation": (400, _INPUT),
    "OutputImageSensitiveContentDetected": (400, _OUTPUT),
    "OutputImageSensitiveContentDetected.DeepFake": (400, _OUTPUT),
    "InvalidEndpoint.ClosedEndpoint": (400, "The endpoint is closed or temporarily unavailable."),
    "AuthenticationError": (401, "The API key or AK/SK in the request is missing or invalid."),
    "InvalidAccountStatus": (401, "The account is not in a valid status."),
    "AccessDenied": (403, "The account may not use this resource."),
    "AccountOverdueError": (403, "The account has an overdue balance."),
    "OperationDenied.ServiceOverdue": (403, "The service has an overdue balance."),
    "ModelNotOpen": (404, "The account has not activated the model."),
    "InvalidEndpointOrModel.NotFound": (404, "The model or endpoint does not exist."),
    "InvalidEndpointOrModel.ModelIDAccessDisabled": (404, "Use an endpoint id, not a model id."),
    "ModelAccountIpmRateLimitExceeded": (429, _RATE),
    "ModelAccountRpmRateLimitExceeded": (429, _RATE),
    "APIAccountRpmRateLimitExceeded": (429, _RATE),
    "AccountRateLimitExceeded": (429, _RATE),
    "RateLimitExceeded.EndpointRPMExceeded": (429, _RATE),
    "ServerOverloaded": (429, "The service is overloaded. Please retry later."),
    "RequestBurstTooFast": (429, _RATE),
    "QuotaExceeded": (429, "The quota of the account is used up."),
    "SetLimitExceeded": (429, "The account has reached the inference limit set for the model."),
    "InternalServiceError": (500, "The service failed. Please retry later."),
}
# A pause does not help: the SDK is told not to send these again.
FINAL_429 = frozenset({"QuotaExceeded", "SetLimitExceeded"})


@dataclass(frozen=True, slots=True)
class Problem:
    """An error to tell: ``code`` is a key of CODES, ``detail`` is appended to its message."""

    code: str
    detail: str = ""
    param: str = ""

    def told(self, request_id: str) -> dict[str, str]:
        """Return what stands under ``error`` of a picture or an event."""
        message = CODES[self.code][1]
        message = f"{message[:-1]}: {self.detail}." if self.detail else message
        return {"code": self.code, "message": f"{message} Request id: {request_id}"}


class ArkRefusal(Exception):
    """A request that is answered with an error."""

    def __init__(self, code: str, detail: str = "", param: str = "") -> None:
        super().__init__(code, detail)
        self.problem = Problem(code, detail, param)


def refused(world: World, problem: Problem, request_id: str, http: int = 0) -> Response:
    """Return the answer to a request that is refused or has failed."""
    status = http or CODES[problem.code][0]
    kind = _TYPES[CODES[problem.code][0]]
    told: dict[str, Any] = {**problem.told(request_id), "param": problem.param, "type": kind}
    world.answers[f"ark:{problem.code}"] += 1
    flat = world.faults.first(("flat",))
    body = {**told, "type": ""} if flat else {"error": told}
    headers = {"X-Request-Id": request_id}
    if status == 429:
        final = problem.code in FINAL_429
        headers["x-should-retry"] = "false" if final else "true"
        headers |= {} if final else {"Retry-After": "1"}
    return JSONResponse(body, status, headers=headers)
