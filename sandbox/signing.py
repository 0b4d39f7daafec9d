"""Verification of Volcengine V4 signatures, from the server's side.

Source: docs 85621/1817045 and the behaviour of the official SDK's ``SignerV4``. Everything is
recomputed from what was received: the signed header names in the order the caller listed them, the
decoded and re-encoded query, the bytes of the body.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import quote

from sandbox.wire import REGION, SERVICE, GatewayRefusal

ALGORITHM = "HMAC-SHA256"
TERMINATOR = "request"
CLOCK_WINDOW = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class SignedRequest:
    """What a signature covers.

    ``query`` is decoded pairs in order of arrival; header names are lower case.
    """

    method: str
    path: str
    query: Sequence[tuple[str, str]]
    headers: Mapping[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Authorization:
    """The parsed ``Authorization`` header."""

    access_key: str
    date: str
    region: str
    service: str
    signed_headers: tuple[str, ...]
    signature: str

    @property
    def scope(self) -> str:
        """The credential scope, as it stands in the string to sign."""
        return f"{self.date}/{self.region}/{self.service}/{TERMINATOR}"


def parse_authorization(value: str) -> Authorization:
    """Parse an ``Authorization`` header.

    Raises GatewayRefusal: InvalidAuthorization (another algorithm or form), MissingSignature,
    MissingRequestInfo (credential incomplete).
    """
    algorithm, _, rest = value.strip().partition(" ")
    if algorithm != ALGORITHM:
        raise GatewayRefusal("InvalidAuthorization")
    pairs = (part.strip().partition("=") for part in rest.split(","))
    fields = {name: content for name, _, content in pairs}
    if not fields.get("Signature"):
        raise GatewayRefusal("MissingSignature")
    credential = fields.get("Credential", "").split("/")
    if len(credential) != 5 or not all(credential):
        raise GatewayRefusal("MissingRequestInfo")
    access_key, date, region, service, terminator = credential
    signed = tuple(
        name.strip().lower() for name in fields.get("SignedHeaders", "").split(";") if name.strip()
    )
    if terminator != TERMINATOR or not {"host", "x-date"} <= set(signed):
        raise GatewayRefusal("InvalidAuthorization")
    return Authorization(access_key, date, region, service, signed, fields["Signature"])


def canonical_query(pairs: Iterable[tuple[str, str]]) -> str:
    """Return the query sorted by key (bytes), values of one key in their own order, everything but
    ``A-Za-z0-9-_.~`` escaped.
    """
    ordered = sorted(pairs, key=lambda pair: _utf8(pair[0]))
    return "&".join(
        f"{quote(_utf8(key), safe='-_.~')}={quote(_utf8(value), safe='-_.~')}"
        for key, value in ordered
    )


def canonical_request(request: SignedRequest, signed_headers: Sequence[str], host: str) -> str:
    """Return the canonical request over ``signed_headers``, with ``host`` in the place of the
    received one.
    """
    values = {**request.headers, "host": host}
    lines = "".join(f"{name}:{values.get(name, '').strip()}\n" for name in signed_headers)
    return "\n".join(
        (
            request.method,
            quote(_utf8(request.path or "/"), safe="/-_.~"),
            canonical_query(request.query),
            lines,
            ";".join(signed_headers),
            hashlib.sha256(request.body).hexdigest(),
        )
    )


def signing_key(secret: str, date: str, region: str, service: str) -> bytes:
    """Derive the signing key. ``secret`` is used as text, although real ones look like base64."""
    key = secret.encode()
    for part in (date, region, service, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def sign(secret: str, x_date: str, authorization: Authorization, canonical: str) -> str:
    """Return the lower-case hexadecimal signature of a canonical request."""
    digest = hashlib.sha256(_utf8(canonical)).hexdigest()
    text = f"{ALGORITHM}\n{x_date}\n{authorization.scope}\n{digest}"
    key = signing_key(secret, authorization.date, authorization.region, authorization.service)
    return hmac.digest(key, _utf8(text), "sha256").hex()


def verify(request: SignedRequest, secrets: Mapping[str, str], now: datetime) -> None:
    """Return when the request is rightly signed by a known key, else raise GatewayRefusal.

    ``secrets`` maps access keys to secret keys; ``now`` is timezone-aware.
    """
    if not request.headers.get("authorization"):
        raise GatewayRefusal("MissingAuthenticationToken")
    authorization = parse_authorization(request.headers["authorization"])
    _check_scope(authorization)
    x_date = _check_date(request, authorization, now)
    secret = secrets.get(authorization.access_key)
    if secret is None:
        raise GatewayRefusal("InvalidAccessKey")
    if (
        "x-security-token" in request.headers
        and "x-security-token" not in authorization.signed_headers
    ):
        raise GatewayRefusal("InvalidSecretToken")
    _check_signature(request, authorization, secret, x_date)


def _check_scope(authorization: Authorization) -> None:
    if authorization.service != SERVICE:
        raise GatewayRefusal("ServiceNotFound")
    if authorization.region != REGION:
        raise GatewayRefusal("InvalidAuthorization")


def _check_date(request: SignedRequest, authorization: Authorization, now: datetime) -> str:
    x_date = request.headers.get("x-date", "").strip()
    if not x_date:
        raise GatewayRefusal("MissingRequestInfo")
    try:
        signed_at = datetime.strptime(x_date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    except ValueError:
        raise GatewayRefusal("InvalidTimestamp") from None
    if abs(now - signed_at) > CLOCK_WINDOW or authorization.date != x_date[:8]:
        raise GatewayRefusal("InvalidTimestamp")
    return x_date


def _check_signature(
    request: SignedRequest, authorization: Authorization, secret: str, x_date: str
) -> None:
    digest = hashlib.sha256(request.body).hexdigest()
    claimed = request.headers.get("x-content-sha256", digest).strip()
    matches = [
        hmac.compare_digest(
            sign(
                secret,
                x_date,
                authorization,
                canonical_request(request, authorization.signed_headers, host),
            ).encode(),
            _utf8(authorization.signature),
        )
        for host in _hosts(request.headers.get("host", ""))
    ]
    if not any(matches) or not hmac.compare_digest(_utf8(claimed), digest.encode()):
        raise GatewayRefusal("SignatureDoesNotMatch")


def _hosts(received: str) -> list[str]:
    # The SDK signs a host on a default port without that port, although it sends it.
    bare, _, port = received.rpartition(":")
    return [received, bare] if bare and port in ("80", "443") else [received]


def _utf8(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
