"""Both layers' envelopes and error tables, as the official pages and recorded replies give them.

Sources: docs 85621/1817045 (business codes), 6444/69728 (common service codes), 6369/68677 (gateway
codes).
"""

from __future__ import annotations

import secrets
import time
from dataclasses import dataclass
from typing import Any

REGION = "cn-north-1"
SERVICE = "cv"
SUCCESS = 10000


@dataclass(frozen=True, slots=True)
class ServiceCode:
    """One row of the service tables.

    ``post`` codes are found after generating and so surface at GetResult.
    """

    http: int
    message: str
    post: bool = False


@dataclass(frozen=True, slots=True)
class GatewayCode:
    """One row of the gateway table; ``number`` is None where no page tells it."""

    http: int
    number: int | None
    message: str


SERVICE_CODES: dict[int, ServiceCode] = {
    50200: ServiceCode(400, "Invalid Arguments"),
    50201: ServiceCode(400, "Missing Arguments"),
    50204: ServiceCode(400, "Parse Arguments Failed"),
    50205: ServiceCode(400, "Image Size Limited"),
    50206: ServiceCode(400, "Image Empty"),
    50207: ServiceCode(400, "Image Decode Error"),
    50209: ServiceCode(400, "Video Empty"),
    50210: ServiceCode(400, "Video Decode Error"),
    50211: ServiceCode(400, "Video Size Limited"),
    50213: ServiceCode(400, "Request Body Size Limited"),
    50214: ServiceCode(400, "Video Time Too Long"),
    50215: ServiceCode(400, "Input invalid for this service."),
    50218: ServiceCode(400, "Resource exists risk"),
    50400: ServiceCode(401, "Access Denied"),
    50402: ServiceCode(404, "Request Method Not Found"),
    50411: ServiceCode(400, "Pre Img Risk Not Pass"),
    50412: ServiceCode(400, "Text Risk Not Pass"),
    50413: ServiceCode(400, "Post Text Risk Not Pass"),
    50429: ServiceCode(429, "Request Has Reached API Limit, Please Try Later"),
    50430: ServiceCode(429, "Request Has Reached API Concurrent Limit, Please Try Later"),
    50500: ServiceCode(500, "Internal Error", post=True),
    50501: ServiceCode(500, "Internal RPC Error", post=True),
    50511: ServiceCode(400, "Post Img Risk Not Pass", post=True),
    50512: ServiceCode(400, "Post Text Risk Not Pass", post=True),
    50513: ServiceCode(400, "Pre Video Risk Not Pass"),
    50514: ServiceCode(400, "Pre Audio Risk Not Pass"),
    50516: ServiceCode(400, "Post Video Risk Not Pass", post=True),
    50517: ServiceCode(400, "Post Audio Risk Not Pass", post=True),
    50518: ServiceCode(400, "Pre Img Risk Not Pass: Copyright"),
    50519: ServiceCode(400, "Post Img Risk Not Pass: Copyright", post=True),
    50520: ServiceCode(400, "Risk Internal Error", post=True),
    50521: ServiceCode(400, "Antidirt Internal Error", post=True),
    50522: ServiceCode(400, "Image Copyright Internal Error", post=True),
}

GATEWAY_CODES: dict[str, GatewayCode] = {
    "MissingParameter": GatewayCode(
        400, 100002, "The request is missing a required parameter: Action or Version."
    ),
    "MissingAuthenticationToken": GatewayCode(
        401, 100003, "The request carries no authentication token."
    ),
    "MissingRequestInfo": GatewayCode(
        400, 100004, "The request lacks access key, service, region or timestamp in its signature."
    ),
    "MissingSignature": GatewayCode(401, 100005, "The request carries no signature."),
    "InvalidTimestamp": GatewayCode(
        400, 100006, "The signature has expired or its timestamp is invalid."
    ),
    "ServiceNotFound": GatewayCode(404, 100007, "The requested service does not exist."),
    "InvalidActionOrVersion": GatewayCode(
        404, 100008, "Could not find the operation for this Action and Version."
    ),
    "InvalidAccessKey": GatewayCode(
        401, 100009, "The security token included in the request is invalid."
    ),
    "SignatureDoesNotMatch": GatewayCode(
        401,
        100010,
        "The request signature we calculated does not match the signature you provided. "
        "Check your Secret Access Key and signing method.",
    ),
    "LackPolicy": GatewayCode(403, 100012, "The account has no policy for this operation."),
    "AccessDenied": GatewayCode(
        403, 100013, "The account is not authorized to perform this operation."
    ),
    "InvalidAuthorization": GatewayCode(
        400, 100024, "The Authorization header is not in a form we know."
    ),
    "InvalidCredential": GatewayCode(400, 100025, "The credential of the request is invalid."),
    "InvalidSecretToken": GatewayCode(401, 100026, "The security token of the request is invalid."),
    "FlowLimitExceeded": GatewayCode(
        429, None, "The request was throttled. Please try again later."
    ),
    "InternalError": GatewayCode(500, None, "The request failed because of an internal error."),
    "InternalServiceError": GatewayCode(502, None, "The upstream service failed."),
    "ServiceUnavailableTemp": GatewayCode(503, None, "The service is temporarily unavailable."),
    "InternalServiceTimeout": GatewayCode(504, None, "The upstream service timed out."),
}


class Refusal(Exception):
    """A request that is answered with an error envelope.

    Its two kinds are the two layers of the provider.
    """


class ServiceRefusal(Refusal):
    """Refused by the service: ``code`` is a key of SERVICE_CODES; ``detail`` is appended to the
    documented message.
    """

    def __init__(self, code: int, detail: str = "", data: dict[str, Any] | None = None) -> None:
        super().__init__(code, detail)
        self.code = code
        self.data = data
        documented = SERVICE_CODES[code]
        self.http = documented.http
        self.message = f"{documented.message}: {detail}" if detail else documented.message


class GatewayRefusal(Refusal):
    """Refused by the gateway: ``name`` is a key of GATEWAY_CODES."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.name = name
        self.http = GATEWAY_CODES[name].http


def new_request_id(now: float) -> str:
    """Return an identifier in the shape of the provider's: local time, then 20 hexadecimal digits."""
    return time.strftime("%Y%m%d%H%M%S", time.localtime(now)) + secrets.token_hex(10).upper()


def service_envelope(
    code: int, data: dict[str, Any] | None, message: str, request_id: str, seconds: float
) -> dict[str, Any]:
    """Return the service layer's answer; ``seconds`` is how long it took."""
    return {
        "code": code,
        "data": data,
        "message": message,
        "request_id": request_id,
        "status": code,
        "time_elapsed": f"{seconds * 1000:.6f}ms",
    }


def gateway_envelope(name: str, request_id: str, action: str, version: str) -> dict[str, Any]:
    """Return the gateway's answer for the error ``name``."""
    row = GATEWAY_CODES[name]
    error: dict[str, Any] = {"Code": name, "Message": row.message}
    if row.number is not None:
        error = {"CodeN": row.number, **error}
    metadata = {
        "RequestId": request_id,
        "Action": action,
        "Version": version,
        "Service": SERVICE,
        "Region": REGION,
    }
    return {"ResponseMetadata": {**metadata, "Error": error}}
