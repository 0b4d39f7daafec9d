"""Foreign text: made fit to log and to show (one line, no control characters, no secrets), and what
a `Retry-After` says.
"""

from __future__ import annotations

import email.utils
import math
import re
import unicodedata
from collections.abc import Iterable
from datetime import UTC, datetime

MESSAGE_CAP = 500
CODE_CAP = 60
REQUEST_ID_CAP = 100
RETRY_AFTER_CAP = 3600.0

_URL_QUERY = re.compile(r"(\bhttps?://[^\s\"'<>?#]*)[?#][^\s\"'<>]*", re.IGNORECASE)
_SECRETS = (
    re.compile(r"\bHMAC-SHA256\s+Credential=.*?Signature=[0-9a-z]*", re.IGNORECASE),
    re.compile(r"\bBearer\s+\S+", re.IGNORECASE),
    re.compile(
        r"\b(?:Credential|(?:X-)?Signature|X-Security-Token)\s*[=:]\s*\S+",
        re.IGNORECASE,
    ),
)


def clean_text(text: object, cap: int = MESSAGE_CAP, secrets: Iterable[str] = ()) -> str:
    """One printable line of foreign text: no control or bidi characters, no secrets, at most
    `cap` long.

    Anything that is not a string gives "".
    """
    if not isinstance(text, str):
        return ""
    # Before any cut: half a secret would no longer be recognised.
    for secret in secrets:
        if secret:
            text = text.replace(secret, "***")
    text = text[: cap * 20]
    text = "".join(" " if unicodedata.category(char)[0] == "C" else char for char in text)
    text = _URL_QUERY.sub(r"\1", text)
    for pattern in _SECRETS:
        text = pattern.sub("***", text)
    return " ".join(text.split())[:cap]


def seconds_in(text: str) -> float | None:
    """Seconds to wait, from seconds or an HTTP date; None when absent, unreadable or past."""
    try:
        seconds = float(text)
    except ValueError:
        ahead = ahead_in(text)
        if ahead is None:
            return None
        seconds = ahead
    return min(seconds, RETRY_AFTER_CAP) if math.isfinite(seconds) and seconds > 0 else None


def ahead_in(text: str) -> float | None:
    """Seconds by which an HTTP date is ahead of our clock; None when it is absent or unreadable."""
    try:
        moment = email.utils.parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return (moment - datetime.now(UTC)).total_seconds()
