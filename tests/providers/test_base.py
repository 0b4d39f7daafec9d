"""The errors' promises, what foreign text becomes, and what credentials show."""

from __future__ import annotations

import copy
import pickle
import traceback

import pytest
from hypothesis import given
from hypothesis import strategies as st

from generations import providers
from generations.providers import base
from generations.providers.base import Credentials, ProviderError
from generations.providers.texts import clean_text

KINDS = [
    # kind, sent, permanent, charged, reason
    (base.NotSent, "no", False, "no", "not_sent"),
    (base.Throttled, "yes", False, "no", "rate"),
    (base.BadRequest, "yes", True, "no", "bad_request"),
    (base.Moderated, "yes", True, "no", "moderated_prompt"),
    (base.KeyRefused, "yes", True, "no", "key_refused"),
    (base.EngineFailed, "yes", True, "no", "engine_failed"),
    (base.Ambiguous, "yes", False, "unknown", "ambiguous"),
    (base.DownloadError, "yes", False, "no", "transient"),
]


@pytest.mark.parametrize(
    ("kind", "sent", "permanent", "charged", "reason"), KINDS, ids=lambda each: str(each)[-15:]
)
def test_an_error_carries_the_decision(
    kind: type[ProviderError], sent: str, permanent: bool, charged: str, reason: str
) -> None:
    error = kind("50413", "no\x00 way\u202e!", http_status=400, request_id="r", retry_after=2.0)
    assert (error.sent, error.permanent, error.charged) == (sent, permanent, charged)
    assert (error.reason, error.code, error.message) == (reason, "50413", "no way !")
    assert (error.http_status, error.request_id, error.retry_after) == (400, "r", 2.0)
    assert str(error) == f"{reason}: 50413: HTTP 400: no way !"
    assert repr(error) == f"{kind.__name__}({str(error)!r})"
    assert str(kind()) == reason


def test_nothing_is_both_safe_to_send_again_and_perhaps_charged() -> None:
    for kind, *_rest in KINDS:
        assert not (kind.sent == "no" and kind.charged != "no")
        assert not (kind.permanent and kind.charged == "unknown")


def test_errors_can_be_pickled_and_copied() -> None:
    error = base.Moderated("50511", "no", http_status=400, reason="moderated_output")
    error.retryable = True
    for twin in (pickle.loads(pickle.dumps(error)), copy.copy(error)):
        assert vars(twin) == vars(error)
        assert str(twin) == str(error)


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (None, ""),
        (50413, ""),
        ({"a": 1}, ""),
        ("  a\r\n\tb\x1b[31mc\x7f ", "a b [31mc"),
        ("a\u202eb\u2066c\u200bd\ufeff\ud800e", "a b c d e"),
        ("敏感词 🙂", "敏感词 🙂"),
        ("x" * 900, "x" * 500),
        ("see https://h.example/a.jpeg?X-Signature=abc&e=1, ok", "see https://h.example/a.jpeg ok"),
        ("HTTPS://h/a#frag", "HTTPS://h/a"),
        ("Authorization: Bearer ARK-SANDBOX done", "Authorization: *** done"),
        (
            "got HMAC-SHA256 Credential=AK/2026/cv/request, SignedHeaders=a;b, Signature=0af9 end",
            "got *** end",
        ),
        ("signature=0af9 X-Security-Token: STS", "*** ***"),
        ("the request signature we calculated", "the request signature we calculated"),
    ],
)
def test_foreign_text(text: object, clean: str) -> None:
    assert clean_text(text) == clean


@given(st.text(), st.integers(1, 50))
def test_foreign_text_is_one_short_printable_line(text: str, cap: int) -> None:
    clean = clean_text(text, cap)
    assert len(clean) <= cap
    assert clean == "" or clean.replace(" ", "").isprintable()


@given(st.text(max_size=30), st.text(max_size=600))
def test_no_cut_and_no_padding_brings_a_secret_back(before: str, after: str) -> None:
    secret = "SKCANARY0123456789"
    for cap in (5, 20, 500):
        assert "CANARY" not in clean_text(before + secret + after, cap, ("", secret))


def test_credentials_show_their_fingerprint_only() -> None:
    keys = Credentials("AKCANARY", "SKCANARY", "STSCANARY")
    assert keys.fingerprint == "ab1efeaa17ea9e87"
    assert keys.fingerprint == Credentials("AKCANARY", "other").fingerprint
    assert keys.fingerprint != Credentials("AKCANARX", "SKCANARY").fingerprint
    assert f"{keys} {keys!r} {[keys]}".count("CANARY") == 0
    assert keys.secrets == ("AKCANARY", "SKCANARY", "STSCANARY")
    try:
        raise ValueError(keys)
    except ValueError:
        assert "CANARY" not in traceback.format_exc()


def test_a_call_is_hashed_over_its_exact_bytes() -> None:
    call = base.Call("e", "a", "v", b"{}")
    assert call.body_sha256 == ("44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a")
    assert "{}" not in repr(call)


def test_a_marked_text_is_itself() -> None:
    assert base.N_("Size") == "Size"


def test_the_registry() -> None:
    assert providers.get_provider("jimeng").slug == "jimeng"
    assert all(slug == provider.slug for slug, provider in providers.PROVIDERS.items())
    with pytest.raises(KeyError):
        providers.get_provider("nobody")
