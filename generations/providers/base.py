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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, ClassVar, Protocol

from generations.providers.labels import UNLABELLED, Labels
from generations.providers.texts import CODE_CAP, REQUEST_ID_CAP, clean_text

if TYPE_CHECKING:
    from generations.providers.engine import Engine
    from generations.providers.parameters import SettingValue

# How long a synchronous engine may take to answer.
LONGEST_CALL_S = 600.0


def N_(text: str) -> str:
    """Mark `text` as a msgid (makemessages looks for this name); whoever shows it translates it."""
    return text


class ProviderError(Exception):
    """A call that did not give what was asked.

    `reason` is the slug the pages turn into a sentence.
    """

    sent: ClassVar[str] = "yes"
    permanent: ClassVar[bool] = False
    charged: ClassVar[str] = "no"
    default_reason: ClassVar[str] = "internal"
    ahead_s: float | None = None  # of the provider's clock, where `Provider.check` could tell

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
        status = f"HTTP {self.http_status}" if self.http_status else ""
        facts = (self.code, status, self.message)
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
    """Not accepted for now. `reason` is "rate" or "concurrency"; `retry_after` in seconds, if told."""

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
    """The run failed. `confirm`: told without a finished status; it may be the query that failed."""

    default_reason = "engine_failed"
    confirm = False


class Ambiguous(ProviderError):
    """Sent, and the outcome is unknown. `reason` "not_provider": what answered is somebody else."""

    charged = "unknown"
    default_reason = "ambiguous"


class DownloadError(ProviderError):
    """A result file that did not arrive whole. `reason` is one of "dead_url" (gone: ask the provider
    for a fresh URL), "refused_url" (we will not go there), "too_large" and "transient" (try again).
    """

    default_reason = "transient"

    @property
    def transient(self) -> bool:
        return self.reason == "transient"


@dataclass(frozen=True, slots=True, repr=False)
class Credentials:
    """A key pair with, for temporary keys, its token; or an API key alone. Shown by its fingerprint."""

    access_key: str
    secret_key: str = field(default="", repr=False)
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
    """A prepared submit: built once, hashed, then sent. `body` is the exact JSON, UTF-8; `most`: so many
    pictures may come of it; `streams`: they come one by one; `model_id`: the provider's.
    """

    engine_slug: str
    action: str
    version: str
    body: bytes = field(repr=False)
    most: int = 1
    streams: bool = False
    model_id: str = ""

    @property
    def body_sha256(self) -> str:
        return hashlib.sha256(self.body).hexdigest()


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the job. `remote_id` is its decimal string, never a number."""

    remote_id: str
    request_id: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A picture of an answer: its place, and address, bytes, or why it was not made (nor charged)."""

    index: int
    url: str = field(default="", repr=False)
    image: bytes = field(default=b"", repr=False)
    refusal: ProviderError | None = None


def pictures(urls: Sequence[str] = (), images: Sequence[bytes] = ()) -> tuple[Part, ...]:
    """The parts of an answer that lists addresses, or bytes, in their order."""
    found = [Part(at, url=url) for at, url in enumerate(urls)]
    return tuple(found or [Part(at, image=image) for at, image in enumerate(images)])


@dataclass(frozen=True, slots=True)
class Finished:
    """A synchronous engine's answer to a submit: the result. Without a picture, nothing was made."""

    parts: tuple[Part, ...] = ()
    request_id: str = ""


# Told of each picture as it arrives, in the thread of the call; must not raise.
Arrived = Callable[[Part], None]


def nobody(_part: Part) -> None:
    """For a caller who reads the whole answer at its end."""


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
    `code` is the provider's own where it says more than the status: "50215" beside NOT_FOUND.
    """

    status: RemoteStatus
    urls: tuple[str, ...] = field(default=(), repr=False)
    images: tuple[bytes, ...] = field(default=(), repr=False)
    request_id: str = ""
    code: str = ""


class Provider(Protocol):
    """One company's API. One instance per process: stateless and thread-safe. Every method but `build`
    makes one HTTP call, raises only ProviderError, and never calls twice.
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
        labels: Labels = UNLABELLED,
    ) -> Call:
        """The body to send. `force_single` overrules the recipe's; references are as their rule says."""

    def submit(
        self,
        call: Call,
        *,
        base_url: str,
        credentials: Credentials,
        client_request_id: str,
        arrived: Arrived = nobody,
    ) -> Accepted | Finished:
        """Ask for the run. Ambiguous means it may be running and may be charged. A synchronous engine
        answers with the result, after up to LONGEST_CALL_S seconds; `arrived` hears of each picture
        that comes, also when the call fails in the end.
        """

    def poll(
        self,
        engine: Engine,
        remote_id: str,
        *,
        base_url: str,
        credentials: Credentials,
        labels: Labels = UNLABELLED,
    ) -> Progress:
        """Ask how it stands, the result to carry `labels`. Moderated, BadRequest and EngineFailed end the run; others do not."""

    def cancel(
        self, engine: Engine, remote_id: str, *, base_url: str, credentials: Credentials
    ) -> bool:
        """True: cancelled. False: the provider says that it cannot any more."""

    def probe(self, *, base_url: str, credentials: Credentials) -> None:
        """Make a signed call that costs nothing; raise if the key is refused or nobody answers."""

    def check(self, *, base_url: str, credentials: Credentials) -> float | None:
        """One that tells more: raise what is wrong, else return by how much its clock is ahead, if told."""
