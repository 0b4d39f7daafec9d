"""Volcengine signature V4 (HMAC-SHA256): pure functions, one per step of the published algorithm.

Source: wire-protocol.md section 1 and the official SDK's SignerV4; proved by
tests/providers/vectors.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from datetime import datetime
from urllib.parse import quote

ALGORITHM = "HMAC-SHA256"
TERMINATOR = "request"
DATE_FORMAT = "%Y%m%dT%H%M%SZ"

Query = Mapping[str, str | list[str]]


def sha256_hex(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def x_date(moment: datetime) -> str:
    """`moment` (UTC) as the header wants it, such as 20260121T134540Z."""
    return moment.strftime(DATE_FORMAT)


def signed_host(netloc: str) -> str:
    """The host as it is signed: a port of 80 or 443 is left out, any other stays (vector E)."""
    name, colon, port = netloc.rpartition(":")
    return name if colon and port in ("80", "443") else netloc


def canonical_uri(path: str) -> str:
    """The percent-encoded path; "/" for an empty one. Slashes stay, "%" becomes %25."""
    return quote(path or "/", safe="/-_.~")


def canonical_query(query: Query) -> str:
    """Pairs sorted by raw key, strictly escaped (space is %20); a list repeats its key in order."""
    pairs: list[str] = []
    for key in sorted(query):
        value = query[key]
        values = value if isinstance(value, list) else [value]
        pairs.extend(f"{quote(key, safe='-_.~')}={quote(each, safe='-_.~')}" for each in values)
    return "&".join(pairs)


def signable(headers: Mapping[str, str]) -> dict[str, str]:
    """The headers that are signed, lower-cased, trimmed and sorted: content-*, host and every
    x-*.
    """
    chosen = {
        name.lower(): value.strip()
        for name, value in headers.items()
        if name.lower() in ("content-type", "content-md5", "host") or name.lower().startswith("x-")
    }
    if "host" in chosen:
        chosen["host"] = signed_host(chosen["host"])
    return dict(sorted(chosen.items()))


def signed_headers(headers: Mapping[str, str]) -> str:
    return ";".join(signable(headers))


def canonical_request(
    method: str, path: str, query: Query, headers: Mapping[str, str], body_sha256: str
) -> str:
    """The text whose hash is signed.

    The header block ends in a newline, so an empty line follows it.
    """
    block = "".join(f"{name}:{value}\n" for name, value in signable(headers).items())
    return "\n".join(
        (
            method.upper(),
            canonical_uri(path),
            canonical_query(query),
            block,
            signed_headers(headers),
            body_sha256,
        )
    )


def credential_scope(date: str, region: str, service: str) -> str:
    """`date` is the X-Date value; its first eight characters are the day."""
    return f"{date[:8]}/{region}/{service}/{TERMINATOR}"


def string_to_sign(date: str, scope: str, request: str) -> str:
    return "\n".join((ALGORITHM, date, scope, sha256_hex(request.encode())))


def signing_key(secret_key: str, date: str, region: str, service: str) -> bytes:
    """The day's key. The secret is used as UTF-8 text, never base64-decoded."""
    key = secret_key.encode()
    for part in (date[:8], region, service, TERMINATOR):
        key = hmac.digest(key, part.encode(), "sha256")
    return key


def signature(key: bytes, text: str) -> str:
    return hmac.digest(key, text.encode(), "sha256").hex()


def authorize(
    *,
    method: str,
    path: str,
    query: Query,
    headers: Mapping[str, str],
    body_sha256: str,
    access_key: str,
    secret_key: str,
    region: str,
    service: str,
) -> str:
    """The Authorization header for a request whose other headers, `X-Date` among them, are
    final.
    """
    date = signable(headers)["x-date"]
    scope = credential_scope(date, region, service)
    request = canonical_request(method, path, query, headers, body_sha256)
    key = signing_key(secret_key, date, region, service)
    proof = signature(key, string_to_sign(date, scope, request))
    return (
        f"{ALGORITHM} Credential={access_key}/{scope}, "
        f"SignedHeaders={signed_headers(headers)}, Signature={proof}"
    )
