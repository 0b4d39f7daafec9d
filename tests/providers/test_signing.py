"""The V4 signer against the six published vectors, and the rules the vectors do not reach."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations.providers import signing

VECTORS = sorted((Path(__file__).parent / "vectors").glob("*.json"))


def load(path: Path) -> dict[str, Any]:
    return json.loads(path.read_text(encoding="utf-8"))


@pytest.fixture(params=VECTORS, ids=lambda path: path.stem)
def vector(request: pytest.FixtureRequest) -> dict[str, Any]:
    return load(request.param)


def authorize(vector: dict[str, Any], **changes: Any) -> str:
    given = vector | changes
    return signing.authorize(
        method=given["method"],
        path=given["path"],
        query=given["query"],
        headers=given["headers"],
        body_sha256=signing.sha256_hex(given["body"].encode()),
        access_key=given["access_key"],
        secret_key=given["secret_key"],
        region=given["region"],
        service=given["service"],
    )


def test_there_are_six_vectors() -> None:
    assert len(VECTORS) == 6


def test_every_step_of_a_vector(vector: dict[str, Any]) -> None:
    expected = vector["expected"]
    body_hash = signing.sha256_hex(vector["body"].encode())
    assert body_hash == expected["body_sha256"]
    request = signing.canonical_request(
        vector["method"], vector["path"], vector["query"], vector["headers"], body_hash
    )
    assert signing.sha256_hex(request.encode()) == expected["canonical_request_sha256"]
    date = vector["headers"]["X-Date"]
    key = signing.signing_key(vector["secret_key"], date, vector["region"], vector["service"])
    assert key.hex() == expected["signing_key"]
    scope = signing.credential_scope(date, vector["region"], vector["service"])
    text = signing.string_to_sign(date, scope, request)
    assert signing.signature(key, text) == expected["signature"]


def test_the_whole_header_of_a_vector(vector: dict[str, Any]) -> None:
    expected = vector["expected"]
    assert authorize(vector) == (
        "HMAC-SHA256 Credential=AKEXAMPLE/20260121/cn-north-1/cv/request, "
        f"SignedHeaders={expected['signed_headers']}, Signature={expected['signature']}"
    )


def test_canonical_request_spelt_out() -> None:
    vector = load(VECTORS[0])
    digest = vector["expected"]["body_sha256"]
    assert signing.canonical_request("post", "", vector["query"], vector["headers"], digest) == (
        "POST\n/\nAction=CVSync2AsyncSubmitTask&Version=2022-08-31\n"
        "content-type:application/json\nhost:visual.volcengineapi.com\n"
        f"x-content-sha256:{digest}\nx-date:20260121T134540Z\n\n"
        f"content-type;host;x-content-sha256;x-date\n{digest}"
    )


@pytest.mark.parametrize(
    "change",
    [
        {"secret_key": "SKEXAMPLF"},
        {"body": "{} "},
        {"path": "/x"},
        {"method": "GET"},
        {"query": {"Action": "CVProcess", "Version": "2022-08-31"}},
        {"region": "cn-north-2"},
        {"service": "iam"},
    ],
    ids=lambda change: next(iter(change)),
)
def test_every_input_changes_the_signature(change: dict[str, Any]) -> None:
    vector = load(VECTORS[0])
    assert authorize(vector, **change).rpartition("=")[2] != vector["expected"]["signature"]


def test_an_unsigned_header_does_not_change_the_signature() -> None:
    vector = load(VECTORS[0])
    headers = {**vector["headers"], "User-Agent": "x", "Accept": "*/*"}
    assert authorize(vector, headers=headers) == authorize(vector)


def test_every_x_header_is_signed() -> None:
    headers = {"X-Client-Request-Id": " abc ", "Host": "h", "Accept": "y", "content-MD5": "m"}
    assert signing.signable(headers) == {
        "content-md5": "m",
        "host": "h",
        "x-client-request-id": "abc",
    }


@pytest.mark.parametrize(
    ("netloc", "signed"),
    [
        ("h", "h"),
        ("h:80", "h"),
        ("h:443", "h"),
        ("h:8080", "h:8080"),
        ("[::1]", "[::1]"),
        ("[::1]:443", "[::1]"),
        ("[::1]:9100", "[::1]:9100"),
        ("[fd00::80]", "[fd00::80]"),
    ],
)
def test_signed_host(netloc: str, signed: str) -> None:
    assert signing.signed_host(netloc) == signed


@pytest.mark.parametrize(
    ("path", "canonical"),
    [
        ("", "/"),
        ("/", "/"),
        ("/a b", "/a%20b"),
        ("/a+b%", "/a%2Bb%25"),
        ("/中~-_.", "/%E4%B8%AD~-_."),
    ],
)
def test_canonical_uri(path: str, canonical: str) -> None:
    assert signing.canonical_uri(path) == canonical


def test_query_is_sorted_by_byte_and_lists_keep_their_order() -> None:
    query = {"b": ["2", "1"], "B": "x", "a": "", "_": "~"}
    assert signing.canonical_query(query) == "B=x&_=~&a=&b=2&b=1"


@given(st.dictionaries(st.text(min_size=1), st.text()))
def test_query_can_be_read_back_and_has_no_bare_reserved_character(query: dict[str, str]) -> None:
    text = signing.canonical_query(query)
    assert all(char.isascii() and (char.isalnum() or char in "-_.~%=&") for char in text)
    assert dict(parse_qsl(text, keep_blank_values=True)) == query


def test_x_date() -> None:
    assert signing.x_date(datetime(2026, 1, 21, 13, 45, 40, tzinfo=UTC)) == "20260121T134540Z"
