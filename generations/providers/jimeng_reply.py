"""Reading what the visual API answers: two envelopes, and every older spelling of them.

Sources: wire-protocol.md 2.2 (envelopes), 2.4 (status), 2.7 (where pages and samples disagree).
Numbers are read as their exact text: a task id beyond 2^53 is never rounded, and a code is the
same whether it came as 50413 or "50413". Nothing in here raises.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from generations.providers.base import RemoteStatus
from generations.providers.http import Answer
from generations.providers.texts import (
    CODE_CAP,
    MESSAGE_CAP,
    REQUEST_ID_CAP,
    clean_text,
    seconds_in,
)

SUCCESS = "10000"
URL_CAP, MEDIA_CAP = 8192, 32

STATUSES = {
    "inqueue": RemoteStatus.QUEUED,
    "notstart": RemoteStatus.QUEUED,
    "pending": RemoteStatus.QUEUED,
    "generating": RemoteStatus.RUNNING,
    "running": RemoteStatus.RUNNING,
    "processing": RemoteStatus.RUNNING,
    "done": RemoteStatus.DONE,
    "success": RemoteStatus.DONE,
    "notfound": RemoteStatus.NOT_FOUND,
    "expired": RemoteStatus.EXPIRED,
    "cancelled": RemoteStatus.CANCELLED,
    "canceled": RemoteStatus.CANCELLED,
}
_FAILED = ("failed", "fail")
_TASK_ID = re.compile(r"[A-Za-z0-9_:-]{1,100}")


@dataclass(frozen=True, slots=True)
class Reply:
    """Either envelope, read.

    `code` and `name` are "" when absent; texts are clean and hold no secret.

    `gateway`: an error of the layer before the service. `readable`: the body was a JSON object.
    `ahead_s`: how far the provider's clock was ahead of ours.
    """

    http_status: int
    readable: bool = False
    gateway: bool = False
    code: str = ""
    name: str = ""
    message: str = ""
    request_id: str = ""
    retry_after: float | None = None
    ahead_s: float | None = None
    data: Mapping[str, object] = field(default_factory=dict, repr=False)

    @property
    def status(self) -> str:
        """`data.status` without case, dashes and underscores; "" when absent."""
        return _key(_text(pick(self.data, "status")))

    @property
    def run_failed(self) -> bool:
        return self.status in _FAILED

    @property
    def known(self) -> bool:
        """Whether it has what either envelope always has, and what other services have not."""
        return bool(self.request_id or self.status in STATUSES)

    @property
    def finished(self) -> bool:
        """Whether the run has ended, well or badly: then a code speaks of the run, not of the
        query.
        """
        return self.run_failed or STATUSES.get(self.status) is RemoteStatus.DONE

    @property
    def task_id(self) -> str:
        """The task id as the exact text that came; "" when absent or nothing that could be one."""
        text = _text(pick(self.data, "task_id"))
        return text if _TASK_ID.fullmatch(text) else ""

    @property
    def is_error(self) -> bool:
        """Told to be an error, or nothing that may be called a success.

        Without a code it is a success only if there is a task id or a known status.
        """
        if self.gateway or not self.readable:
            return True
        if self.code:
            return self.code != SUCCESS
        return not (self.task_id or self.run_failed or self.status in STATUSES)

    def urls(self) -> tuple[str, ...]:
        """Result URLs, in order, of pictures or else of the video; whatever is not an http(s) URL of
        sane length is left out.
        """
        found = _strings(pick(self.data, "image_urls")) or _strings(pick(self.data, "video_url"))
        fit = (url for url in found if url.lower().startswith(("http://", "https://")))
        return tuple(url for url in fit if len(url) <= URL_CAP)[:MEDIA_CAP]

    def images(self) -> tuple[bytes, ...]:
        """Result pictures that came as base64, in order; broken ones are left out."""
        found = _strings(pick(self.data, "binary_data_base64"))[:MEDIA_CAP]
        return tuple(picture for text in found if (picture := _decoded(text)))


def read(answer: Answer, secrets: Iterable[str]) -> Reply:
    """`answer` as a Reply. `secrets` are blotted out of every text, should the service echo one."""
    known = tuple(secrets)
    retry_after = seconds_in(answer.headers.get("retry-after", ""))
    document, ahead_s = _document(answer.body), answer.ahead_s
    if document is None:
        return Reply(answer.status, retry_after=retry_after, ahead_s=ahead_s)
    meta = _mapping(pick(document, "ResponseMetadata"))
    error = pick(meta, "Error") or pick(document, "Error")
    gateway = bool(error)
    if isinstance(error, Mapping):
        name, message = _text(pick(error, "Code")), pick(error, "Message")
        code = _text(pick(error, "CodeN")) or (name if name.isdigit() else "")
    elif gateway:
        code, name, message = "", _text(error), pick(document, "message")
    else:
        code, name, message = _service_code(document), "", pick(document, "message")
    request_id = pick(document, "request_id") or pick(meta, "RequestId")
    return Reply(
        http_status=answer.status,
        readable=True,
        gateway=gateway,
        code=clean_text(code, CODE_CAP, known),
        name=clean_text(name, CODE_CAP, known),
        message=clean_text(message, MESSAGE_CAP, known),
        request_id=clean_text(request_id, REQUEST_ID_CAP, known),
        retry_after=retry_after,
        ahead_s=ahead_s,
        data=_data(document),
    )


def pick(mapping: Mapping[str, object], name: str) -> object:
    """The value under `name`, whatever its case and underscores: task_id, TaskId, taskID."""
    if name in mapping:
        return mapping[name]
    wanted = _key(name)
    return next((value for key, value in mapping.items() if _key(key) == wanted), None)


def _key(name: str) -> str:
    return name.strip().lower().replace("_", "").replace("-", "").replace(" ", "")


def _document(body: bytes) -> Mapping[str, object] | None:
    try:
        document = json.loads(body, parse_int=str, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        return None
    return document if isinstance(document, dict) else None


def _data(document: Mapping[str, object]) -> Mapping[str, object]:
    """`data`, or `Result`, or `Result.data`."""
    data = _mapping(pick(document, "data")) or _mapping(pick(document, "Result"))
    return _mapping(pick(data, "data")) or data


def _service_code(document: Mapping[str, object]) -> str:
    """`code`; the top-level `status` is its numeric twin and stands in for it when it is
    missing.
    """
    code, twin = _text(pick(document, "code")), _text(pick(document, "status"))
    return code or (twin if twin.isdigit() else "")


def _mapping(value: object) -> Mapping[str, object]:
    return value if isinstance(value, Mapping) else {}


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _strings(value: object) -> list[str]:
    """A list's strings; a single string is a list of one; null, absent and anything else is
    empty.
    """
    values = value if isinstance(value, list) else [value]
    return [each for each in values if isinstance(each, str) and each]


def _decoded(text: str) -> bytes:
    packed = text.partition(",")[2] if text.startswith("data:") else text
    try:
        return base64.b64decode("".join(packed.split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
