"""What went wrong on the wire, in our own words: library texts hold URLs and headers."""

from __future__ import annotations

import http.client
import ssl
from collections.abc import Iterator

from urllib3.exceptions import (
    ConnectTimeoutError,
    NameResolutionError,
    ReadTimeoutError,
)


class TooLarge(ValueError):
    """The answer passed its cap."""


NO_NAME = "the host name does not resolve"
REFUSED = "connection refused"
NO_CONNECTION = "no connection in time"
BAD_CERTIFICATE = "the TLS certificate was not accepted"
NO_TLS = "the TLS connection failed"
NO_ANSWER = "no answer in time"
# The first that matches anything in the chain of causes gives the sentence.
_SENTENCES: tuple[tuple[type[BaseException], str], ...] = (
    (TooLarge, "the answer is too large"),
    (NameResolutionError, NO_NAME),
    (ConnectionRefusedError, REFUSED),
    (ConnectTimeoutError, NO_CONNECTION),
    (ssl.SSLCertVerificationError, BAD_CERTIFICATE),
    (ReadTimeoutError, NO_ANSWER),
    (TimeoutError, NO_ANSWER),
    (ssl.SSLError, NO_TLS),
    (ConnectionError, "the connection was closed"),
    (http.client.IncompleteRead, "the answer was cut off"),
)


def words(fault: BaseException) -> str:
    """One sentence for `fault` and what caused it, free of anything the fault itself says."""
    chain = list(_chain(fault))
    for kind, sentence in _SENTENCES:
        if any(isinstance(each, kind) for each in chain):
            return sentence
    return f"the exchange failed ({type(fault).__name__})"


def _chain(fault: BaseException | None) -> Iterator[BaseException]:
    for _step in range(12):
        if fault is None:
            return
        yield fault
        reason = getattr(fault, "reason", None)
        fault = (
            reason if isinstance(reason, BaseException) else fault.__cause__ or fault.__context__
        )
