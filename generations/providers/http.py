"""The one HTTP door: the only module that imports requests (and urllib3 below it).

One adapter per thread, driven without `requests.Session`: a Session would read the environment's
proxies, keep cookies, and read a redirect's body without a limit. Here: no environment, no cookies,
no redirects, no retries. What was sent is known exactly: the connection itself notes its first
byte. Exceptions are made from our own words and raised outside the `except`, so nothing chains to
a request, its headers or its URL.
"""

from __future__ import annotations

import contextlib
import http.client
import os
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, BinaryIO

import requests
from requests.adapters import HTTPAdapter
from requests.structures import CaseInsensitiveDict
from requests.utils import DEFAULT_CA_BUNDLE_PATH
from urllib3.exceptions import HTTPError

from generations.providers import addresses
from generations.providers.base import Ambiguous, DownloadError, NotSent, ProviderError
from generations.providers.connections import Attempt, Pool, SecurePool
from generations.providers.faults import TooLarge, words
from generations.providers.texts import ahead_in

__all__ = ["Answer", "DownloadError", "DownloadResult", "download", "request"]

Heard = Callable[[bytes], object]

USER_AGENT = "Diptych/0.1"
CONNECT_S = 5.0
READ_S = 60.0
ANSWER_S = 180.0
ANSWER_CAP = 96 * 1024 * 1024
# Servers drop idle connections after 5 s or more; one we leave before that cannot go stale in our
# hands.
IDLE_S = 3.0
CHUNK = 64 * 1024

_FAULTS = (
    requests.RequestException,
    HTTPError,
    http.client.HTTPException,
    OSError,
    ValueError,
)


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, whatever the status. Header names are lower case."""

    status: int
    headers: Mapping[str, str] = field(repr=False)
    body: bytes = field(repr=False)

    @property
    def ahead_s(self) -> float | None:
        """How many seconds the other clock is ahead of ours, read when the answer is fresh."""
        return ahead_in(self.headers.get("date", ""))


@dataclass(frozen=True, slots=True)
class DownloadResult:
    bytes: int
    content_type: str


class _Thread(threading.local):
    adapter: _Adapter | None = None
    used_at: float = 0.0


_thread = _Thread()
# A forked child must never write into a connection that its parent still uses.
os.register_at_fork(after_in_child=lambda: setattr(_thread, "adapter", None))


@lru_cache(maxsize=1)
def _tls() -> ssl.SSLContext:
    """One context for all threads: reading the CA bundle again costs tens of ms per connection."""
    return ssl.create_default_context(cafile=DEFAULT_CA_BUNDLE_PATH)


class _Adapter(HTTPAdapter):
    """Connects to `address` when given, whatever the URL's host resolves to by now; TLS is for
    the host.
    """

    def __init__(self, *, address: str = "", host: str = "") -> None:
        self._address, self._host = address, host
        super().__init__(pool_connections=2, pool_maxsize=1, max_retries=0)

    def init_poolmanager(self, *args: Any, **kwargs: Any) -> None:
        super().init_poolmanager(*args, **kwargs)
        self.poolmanager.pool_classes_by_scheme = {"http": Pool, "https": SecurePool}

    def build_connection_pool_key_attributes(
        self, request: requests.PreparedRequest, verify: Any, cert: Any = None
    ) -> tuple[Any, Any]:
        where, _how = super().build_connection_pool_key_attributes(request, verify, cert)
        secure = where["scheme"] == "https"
        how: dict[str, Any] = {"ssl_context": _tls()} if secure else {}
        if self._address:
            where["host"] = self._address
            if secure:
                how["server_hostname"] = self._host
        return where, how

    def cert_verify(self, *args: Any, **kwargs: Any) -> None:
        """Nothing: the context of `_tls` verifies, and the inherited step would load its CAs
        again.
        """


def _adapter() -> _Adapter:
    """This thread's adapter; its idle connections are dropped before the other side drops them."""
    now = time.monotonic()
    if _thread.adapter is None:
        _thread.adapter = _Adapter()
    elif now - _thread.used_at > IDLE_S:
        _thread.adapter.close()
    _thread.used_at = now
    return _thread.adapter


def _prepare(
    method: str, url: str, headers: Mapping[str, str], body: bytes | None
) -> requests.PreparedRequest:
    """A PreparedRequest with exactly this URL and these headers: re-quoting would break a
    signature.
    """
    prepared = requests.PreparedRequest()
    prepared.method, prepared.url, prepared.body = method, url, body
    prepared.headers = CaseInsensitiveDict({"User-Agent": USER_AGENT, "Accept": "*/*", **headers})
    if body is not None:
        prepared.headers["Content-Length"] = str(len(body))
    return prepared


def _send(
    adapter: _Adapter, prepared: requests.PreparedRequest, timeout: tuple[float, float]
) -> requests.Response:
    return adapter.send(prepared, stream=True, timeout=timeout, verify=True, proxies={})


def request(
    method: str,
    url: str,
    *,
    headers: Mapping[str, str],
    body: bytes | None = None,
    connect_s: float = CONNECT_S,
    read_s: float = READ_S,
    total_s: float = ANSWER_S,
    cap: int = ANSWER_CAP,
    heard: Heard | None = None,
) -> Answer:
    """Send once and return the whole answer, whatever its status.

    `heard` gets each piece of the body as it arrives, also of one that breaks off; then `total_s`
    is for the whole exchange, to the second.

    Raises NotSent when no byte was sent, Ambiguous otherwise: time-out (`read_s` between two
    pieces, `total_s` for the body), reset, more than `cap` bytes (unpacked), anything that is not
    HTTP.
    """
    attempt = Attempt()
    failure: ProviderError
    try:
        prepared = _prepare(method, url, headers, body)
        until = time.monotonic() + total_s
        with (
            attempt.current(),
            attempt.within(total_s) if heard else contextlib.nullcontext(),
            _send(_adapter(), prepared, (connect_s, read_s)) as response,
        ):
            content = _content(response, cap, until, heard)
            if attempt.expired:
                raise TimeoutError  # its end looks like a clean one
        _thread.used_at = time.monotonic()
        fields = {name.lower(): value for name, value in response.headers.items()}
        return Answer(response.status_code, fields, content)
    except _FAULTS as fault:
        failure = (Ambiguous if attempt.sent else NotSent)(message=words(fault))
    raise failure


def _content(response: requests.Response, cap: int, until: float, heard: Heard | None) -> bytes:
    content = bytearray()
    # read1, not read: what has come is seen at once, so that a trickle meets `until`.
    while piece := response.raw.read1(CHUNK, decode_content=True):
        content += piece
        if heard is not None:
            heard(piece)
        if len(content) > cap:
            raise TooLarge
        if time.monotonic() > until:
            raise TimeoutError
    return bytes(content)


Sink = Callable[[bytes], object] | BinaryIO


def download(
    url: str,
    *,
    sink: Sink,
    allow_loopback: bool,
    allowed_hosts: frozenset[str] = frozenset(),
    max_bytes: int,
    deadline_s: float,
) -> DownloadResult:
    """Stream a result file into `sink` (a function or a binary file), or raise DownloadError.

    The host is resolved once and every address checked (`addresses.approve`); the connection goes
    to that very address, with SNI, certificate and Host for the name. No redirect is followed,
    nothing is unpacked, `max_bytes` is counted while streaming, and the whole takes at most
    `deadline_s` (a timer cuts a trickle off). What `sink` raises passes through.
    """
    place = addresses.parse(url)
    pinned = addresses.approve(place, allow_loopback=allow_loopback, allowed_hosts=allowed_hosts)
    write = sink if callable(sink) else sink.write
    attempt = Attempt()
    with attempt.within(deadline_s), _open(place, pinned[:3], attempt, deadline_s) as response:
        _check_head(response, max_bytes)
        count = 0
        for chunk in _pieces(response, attempt):
            count += len(chunk)
            if count > max_bytes:
                raise DownloadError(message=f"more than {max_bytes} bytes", reason="too_large")
            write(chunk)
        if not count:
            raise DownloadError(message="an empty file")
        return DownloadResult(count, response.headers.get("Content-Type", "")[:100])


def _open(
    place: addresses.Place, pinned: list[str], attempt: Attempt, deadline_s: float
) -> requests.Response:
    """The response from the first address that takes the connection."""
    headers = {
        "Host": place.netloc,
        "Accept-Encoding": "identity",
        "Connection": "close",
    }
    connect_s = min(CONNECT_S, deadline_s)
    message = ""
    for address in pinned:
        adapter = _Adapter(address=address, host=place.host)
        prepared = _prepare("GET", place.url, headers, None)
        try:
            with attempt.current():
                return _send(adapter, prepared, (connect_s, min(READ_S, deadline_s)))
        except _FAULTS as fault:
            message = words(fault)
        if attempt.sent or attempt.expired:
            break
    raise DownloadError(message="took too long" if attempt.expired else message)


def _check_head(response: requests.Response, max_bytes: int) -> None:
    """Raise DownloadError for every status but 200, for packed content and for a length over
    the cap.
    """
    status = response.status_code
    if 300 <= status < 400:
        raise DownloadError(message="a redirect", reason="refused_url", http_status=status)
    if status in (408, 425, 429) or status >= 500:
        raise DownloadError(message="not now", http_status=status)
    if status != 200:
        raise DownloadError(message="gone", reason="dead_url", http_status=status)
    if response.headers.get("Content-Encoding", "identity").lower() != "identity":
        raise DownloadError(message="packed content was not asked for", reason="refused_url")
    length = response.headers.get("Content-Length", "")
    if length.isdigit() and int(length[:20]) > max_bytes:
        raise DownloadError(message=f"more than {max_bytes} bytes", reason="too_large")


def _pieces(response: requests.Response, attempt: Attempt) -> Iterator[bytes]:
    """The raw body; a fault of the wire becomes DownloadError("transient")."""
    message = ""
    try:
        while piece := response.raw.read1(CHUNK, decode_content=False):
            yield piece
    except _FAULTS as fault:
        message = words(fault)
    if message or attempt.expired:
        raise DownloadError(message="took too long" if attempt.expired else message)
