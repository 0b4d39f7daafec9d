"""What every provider speaks: the words of a call, and the errors that carry the decision.

    ProviderError        sent  charged  what the caller does
     ├─ NotSent          no    no       no byte left: send again when it is reachable
     ├─ Throttled        yes   no       not accepted: back off, send again
     ├─ Refused          yes   no       a definite no: the job ends, a person may change something
     │   ├─ BadRequest                  a parameter, or the request itself
     │   ├─ Moderated                   content risk; `retryable`: another try may pass
     │   ├─ KeyRefused                  key, permission, service; tells nothing of an accepted task
     │   └─ EngineFailed                the run itself; `confirm`: ask again before believing it
     ├─ Ambiguous        yes   unknown  submit: never sent again by a machine; poll: transient
     └─ DownloadError    yes   no       a result file; `transient`: the same URL is worth a try

No error holds a request, a credential or a URL with its query: `str()`, `repr()` and the exception
chain are safe to log and to show.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

if TYPE_CHECKING:
    from generations.providers.engine import Engine
    from generations.providers.parameters import SettingValue

MESSAGE_CAP = 500
CODE_CAP = 60
REQUEST_ID_CAP = 100

_URL_QUERY = re.compile(r"(\bhttps?://[^\s\"'<>?#]*)[?#][^\s\"'<>]*", re.IGNORECASE)
_SECRETS = (
    re.compile(r"\bHMAC-SHA256\s+Credential=.*?Signature=[0-9a-z]*", re.IGNORECASE),
    re.compile(r"\bBearer\s+\S+", re.IGNORECASE),
    re.compile(
        r"\b(?:Credential|(?:X-)?Signature|X-Security-Token)\s*[=:]\s*\S+",
        re.IGNORECASE,
    ),
)


def N_(text: str) -> str:
    """Mark `text` as a msgid (the name is the one makemessages looks for); whoever shows it
    translates it.
    """
    return text


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


class ProviderError(Exception):
    """A call that did not give what was asked.

    `reason` is the slug the pages turn into a sentence.
    """

    sent: ClassVar[str] = "yes"
    permanent: ClassVar[bool] = False
    charged: ClassVar[str] = "no"
    default_reason: ClassVar[str] = "internal"

    def __init__(
        self,
        code: object = "",
        message: object = "",
        *,
        http_status: int | None = None,
        request_id: object = "",
        retry_after: float | None = None,
        reason: str = "",
    ) -> None:
        super().__init__()
        self.code = clean_text(code, CODE_CAP)
        self.message = clean_text(message)
        self.http_status = http_status
        self.request_id = clean_text(request_id, REQUEST_ID_CAP)
        self.retry_after = retry_after
        self.reason = reason or self.default_reason

    def __str__(self) -> str:
        facts = (
            self.code,
            f"HTTP {self.http_status}" if self.http_status else "",
            self.message,
        )
        return ": ".join([self.reason, *(fact for fact in facts if fact)])

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"

    def __reduce__(self) -> tuple[type, tuple[()], dict[str, object]]:
        return type(self), (), self.__dict__


class NotSent(ProviderError):
    """Refused connection, no name, no TLS, connect time-out: no byte of the request left."""

    sent = "no"
    default_reason = "not_sent"


class Throttled(ProviderError):
    """Not accepted for now.

    `reason` is "rate" or "concurrency"; `retry_after` in seconds, if told.
    """

    default_reason = "rate"


class Refused(ProviderError):
    """A definite no; nothing was charged."""

    permanent = True


class BadRequest(Refused):
    default_reason = "bad_request"


class Moderated(Refused):
    """Content risk. `retryable`: the provider's table says another try of the same may pass."""

    default_reason = "moderated_prompt"
    retryable = False


class KeyRefused(Refused):
    default_reason = "key_refused"


class EngineFailed(Refused):
    """The run failed.

    `confirm`: told without a finished status, so it may be the query that failed.
    """

    default_reason = "engine_failed"
    confirm = False


class Ambiguous(ProviderError):
    """Sent, and the outcome is unknown."""

    charged = "unknown"
    default_reason = "ambiguous"


class DownloadError(ProviderError):
    """A result file that did not arrive whole.

    `reason` is one of "dead_url" (gone: ask the provider for a fresh URL), "refused_url" (we will
    not go there), "too_large" and "transient" (try the same URL again).
    """

    default_reason = "transient"

    @property
    def transient(self) -> bool:
        return self.reason == "transient"


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A key pair and, for temporary keys, its token. Shown only by its fingerprint."""

    access_key: str
    secret_key: str = field(repr=False)
    session_token: str = field(default="", repr=False)

    @property
    def fingerprint(self) -> str:
        """First 16 hex digits of sha256(access key): names the key, does not give it away."""
        return hashlib.sha256(self.access_key.encode("utf-8", "surrogatepass")).hexdigest()[:16]

    @property
    def secrets(self) -> tuple[str, ...]:
        return (self.access_key, self.secret_key, self.session_token)

    def __repr__(self) -> str:
        return f"Credentials({self.fingerprint})"


@dataclass(frozen=True, slots=True)
class Call:
    """A prepared submit: built once, hashed, then sent. `body` is the exact JSON, UTF-8."""

    engine_slug: str
    action: str
    version: str
    body: bytes = field(repr=False)

    @property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the job. `remote_id` is its decimal string, never a number."""

    remote_id: str
    request_id: str = ""


class RemoteStatus(StrEnum):
    QUEUED = "queued"
    RUNNING = "running"
    DONE = "done"
    NOT_FOUND = "not_found"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Progress:
    """How a task stands. When DONE, `urls` or (if the provider sent bytes) `images`, never both.

    `code` is the provider's own code where it says more than the status: "50215" beside NOT_FOUND.
    """

    status: RemoteStatus
    urls: tuple[str, ...] = field(default=(), repr=False)
    images: tuple[bytes, ...] = field(default=(), repr=False)
    request_id: str = ""
    code: str = ""


class Provider(Protocol):
    """One company's API. One instance per process: stateless and thread-safe.

    Every method but `build` makes one HTTP call, raises only ProviderError, and never calls twice.
    """

    slug: str

    def build(
        self,
        engine: Engine,
        prompt: str,
        settings: Mapping[str, SettingValue],
        *,
        references: Sequence[str] = (),
        force_single: bool | None = None,
    ) -> Call:
        """Turn a frozen recipe into the body to send.

        `force_single` overrules the recipe's `single`.
        """

    def submit(
        self,
        call: Call,
        *,
        base_url: str,
        credentials: Credentials,
        client_request_id: str,
    ) -> Accepted:
        """Ask for the run. Ambiguous means it may be running and may be charged."""

    def poll(
        self, engine: Engine, remote_id: str, *, base_url: str, credentials: Credentials
    ) -> Progress:
        """Ask how it stands.

        Moderated, BadRequest and EngineFailed end the run; other errors do not.
        """

    def cancel(
        self, engine: Engine, remote_id: str, *, base_url: str, credentials: Credentials
    ) -> bool:
        """True: cancelled. False: the provider says that it cannot any more."""

    def probe(self, *, base_url: str, credentials: Credentials) -> None:
        """Make a signed call that costs nothing; raise if the key is refused or nobody answers."""
