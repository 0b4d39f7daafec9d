"""The verifier against the six published-by-SDK vectors, and each way to fail it."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta

import pytest

from sandbox.signing import (
    SignedRequest,
    canonical_request,
    parse_authorization,
    sign,
    signing_key,
    verify,
)
from sandbox.wire import GatewayRefusal

DATE = "20260121T134540Z"
NOW = datetime(2026, 1, 21, 13, 45, 40, tzinfo=UTC)
KEYS = {"AKEXAMPLE": "SKEXAMPLE"}
HOST = "visual.volcengineapi.com"
JSON = "application/json"
BODY_D = b'{"req_key": "jimeng_t2i_v40", "task_id": "7392616336519610409"}'
BODY_B = (
    '{"req_key":"jimeng_t2v_v30_1080p","prompt":"千军万马，镜头缓缓推近",'
    '"seed":-1,"frames":121,"aspect_ratio":"16:9"}'
)
GET_RESULT = (("Action", "CVSync2AsyncGetResult"), ("Version", "2022-08-31"))
SUBMIT = (("Action", "CVSync2AsyncSubmitTask"), ("Version", "2022-08-31"))


@dataclass(frozen=True)
class Vector:
    """One row of the table of vectors."""

    name: str
    query: tuple[tuple[str, str], ...]
    host: str
    body: bytes
    canonical: str
    signature: str
    token: str = ""
    method: str = "POST"
    signed_host: str = ""

    def request(self) -> SignedRequest:
        """Return the request as a server receives it."""
        digest = hashlib.sha256(self.body).hexdigest()
        headers = {"host": self.host, "x-content-sha256": digest, "x-date": DATE}
        if self.method == "POST":
            headers["content-type"] = JSON
        if self.token:
            headers["x-security-token"] = self.token
        names = ";".join(sorted(headers))
        scope = "AKEXAMPLE/20260121/cn-north-1/cv/request"
        value = f"Credential={scope}, SignedHeaders={names}, Signature={self.signature}"
        headers["authorization"] = f"HMAC-SHA256 {value}"
        return SignedRequest(self.method, "/", self.query, headers, self.body)


VECTORS = [
    Vector(
        "A",
        SUBMIT,
        HOST,
        b'{"req_key": "jimeng_t2i_v40", "prompt": "a corgi on the grass", "force_single": true}',
        "81902c25e02ecc3a3ec1f392f8d95438dd0d6a1e18f72360e22184dae57b9bd2",
        "a6f1f54cd510581249e823074c3acd97504d33557a54daa2f422ae3250e2d143",
    ),
    Vector(
        "B",
        SUBMIT,
        HOST,
        BODY_B.encode(),
        "f2c4ad8896f110aee98f5bc3ade1ffb5545a7c1d473253bf0dd1ec27a7d067d1",
        "981d70a734c2b959eb6fb360a89ff6627ebdd78d3025a6c2718015a79142e703",
    ),
    Vector(
        "C",
        (
            ("Version", "2022-08-31"),
            ("Action", "CVProcess"),
            ("note", "a b/c+d~e*f=g&h 中文"),
            ("X-Trace", "%41"),
        ),
        HOST,
        b"{}",
        "6648b429c3595447d79579eaf5ddf7570e60977a314fa33a11fc26ef946777f6",
        "b178419c8ed459ff9f753a65bf28b18aab11cc926e297383fe66ef0ca83da090",
    ),
    Vector(
        "D",
        GET_RESULT,
        "127.0.0.1:8321",
        BODY_D,
        "d695393af73a70b8ed49a113ab6ae49db755de2b20e6f552d7a919a3159d6eb1",
        "a6f4a18acae0c8dc80c714f30c008d767000c7f4a2231b2fe8f31a741bcac8c7",
        token="STSEXAMPLETOKEN",
    ),
    Vector(
        "E",
        GET_RESULT,
        "127.0.0.1:80",
        BODY_D,
        "3ba0fe7b501f6360160ef88a84815486e75709c6c4add7934e9ec187dc724493",
        "c2cf2603dd3bc6d4787e57c651eb2acff02d01418fee0a01d873cc703b4474c4",
        signed_host="127.0.0.1",
    ),
    Vector(
        "F",
        (("Action", "VideoInpaintQueryTask"), ("Version", "2020-08-26"), ("task_id", "1")),
        HOST,
        b"",
        "24fe4fb7cf30497ffeb0c543a0a87158ddfca726a86356a09e4c23210c2edcd3",
        "ccb39d16c5153607aa9c392b4dc51d9f426b29fee1fe14e556b6c2c0766f0b46",
        method="GET",
    ),
]
A = VECTORS[0]


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector.name)
def test_vector(vector: Vector) -> None:
    request = vector.request()
    authorization = parse_authorization(request.headers["authorization"])
    host = vector.signed_host or vector.host
    canonical = canonical_request(request, authorization.signed_headers, host)
    assert hashlib.sha256(canonical.encode()).hexdigest() == vector.canonical
    assert sign("SKEXAMPLE", DATE, authorization, canonical) == vector.signature
    verify(request, KEYS, NOW)


def test_signing_key_is_the_published_one() -> None:
    expected = "86972773223e0dc322bdb1b68c6f38fa1dbbf0458c9ac936fe869fc61d62aa4b"
    assert signing_key("SKEXAMPLE", "20260121", "cn-north-1", "cv").hex() == expected


@pytest.mark.parametrize("skew", [timedelta(minutes=-14), timedelta(minutes=14)])
def test_clock_within_window(skew: timedelta) -> None:
    verify(A.request(), KEYS, NOW + skew)


def _headers(**changes: str | None) -> SignedRequest:
    request = A.request()
    headers = {**request.headers}
    for name, value in changes.items():
        headers.pop(name.replace("_", "-"), None)
        if value is not None:
            headers[name.replace("_", "-")] = value
    return replace(request, headers=headers)


def _authorization(old: str, new: str) -> SignedRequest:
    value = A.request().headers["authorization"]
    assert old in value
    return _headers(authorization=value.replace(old, new))


REFUSED: dict[str, tuple[SignedRequest, str]] = {
    "no authorization": (_headers(authorization=None), "MissingAuthenticationToken"),
    "other algorithm": (_headers(authorization="Bearer x"), "InvalidAuthorization"),
    "no signature": (_authorization(f", Signature={A.signature}", ""), "MissingSignature"),
    "no credential": (_authorization("Credential=", "Other="), "MissingRequestInfo"),
    "no access key": (_authorization("AKEXAMPLE/", "/"), "MissingRequestInfo"),
    "no region": (_authorization("cn-north-1/", ""), "MissingRequestInfo"),
    "no date header": (_headers(x_date=None), "MissingRequestInfo"),
    "odd date header": (_headers(x_date="2026-01-21"), "InvalidTimestamp"),
    "scope of another day": (_authorization("20260121/", "20260122/"), "InvalidTimestamp"),
    "unknown key": (_authorization("AKEXAMPLE", "AKOTHER"), "InvalidAccessKey"),
    "other service": (_authorization("/cv/", "/tos/"), "ServiceNotFound"),
    "other region": (_authorization("cn-north-1", "us-east-1"), "InvalidAuthorization"),
    "other terminator": (_authorization("cv/request", "cv/other"), "InvalidAuthorization"),
    "host unsigned": (_authorization("host;", ""), "InvalidAuthorization"),
    "date unsigned": (_authorization(";x-date", ""), "InvalidAuthorization"),
    "token unsigned": (_headers(x_security_token="T"), "InvalidSecretToken"),
    "signature differs": (
        _authorization(A.signature, A.signature[:-1] + "0"),
        "SignatureDoesNotMatch",
    ),
    "signature not ASCII": (_authorization(A.signature, "é" * 64), "SignatureDoesNotMatch"),
    "other host": (_headers(host="127.0.0.1"), "SignatureDoesNotMatch"),
    "other type": (_headers(content_type="text/plain"), "SignatureDoesNotMatch"),
    "other body": (replace(A.request(), body=b"{}"), "SignatureDoesNotMatch"),
    "other method": (replace(A.request(), method="PUT"), "SignatureDoesNotMatch"),
    "other path": (replace(A.request(), path="/x"), "SignatureDoesNotMatch"),
}


@pytest.mark.parametrize("case", REFUSED)
def test_refused(case: str) -> None:
    request, name = REFUSED[case]
    with pytest.raises(GatewayRefusal) as caught:
        verify(request, KEYS, NOW)
    assert caught.value.name == name


@pytest.mark.parametrize("skew", [timedelta(minutes=-16), timedelta(minutes=16)])
def test_clock_outside_window(skew: timedelta) -> None:
    with pytest.raises(GatewayRefusal, match="InvalidTimestamp"):
        verify(A.request(), KEYS, NOW + skew)


def test_wrong_content_hash_header_that_is_not_signed() -> None:
    request = A.request()
    headers = {**request.headers, "x-content-sha256": "0" * 64}
    names = ("content-type", "host", "x-date")
    value = headers["authorization"].replace("x-content-sha256;", "")
    authorization = parse_authorization(value)
    canonical = canonical_request(request, names, HOST)
    right = sign("SKEXAMPLE", DATE, authorization, canonical)
    headers["authorization"] = value.replace(authorization.signature, right)
    with pytest.raises(GatewayRefusal, match="SignatureDoesNotMatch"):
        verify(replace(request, headers=headers), KEYS, NOW)
    del headers["x-content-sha256"]
    verify(replace(request, headers=headers), KEYS, NOW)


def test_values_of_one_key_keep_their_order() -> None:
    request = replace(A.request(), query=(("b", "2"), ("a", "9"), ("b", "1"), ("B", "0")))
    assert canonical_request(request, ("host",), HOST).split("\n")[2] == "B=0&a=9&b=2&b=1"
