"""Reading what Ark's image generation answers: one JSON object, or a stream of events.

Source: wire-protocol.md section 3. Both are read into the same `Reply`, because a server may send either
whatever was asked for. Nothing in here raises.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from generations.providers.ark_errors import Fault, refusal_of
from generations.providers.ark_stream import Frames
from generations.providers.base import Arrived, Part
from generations.providers.http import Answer
from generations.providers.texts import CODE_CAP, MESSAGE_CAP, clean_text, seconds_in

URL_CAP, MEDIA_CAP = 8192, 32
_REQUEST_ID = re.compile(r"\bRequest id: *([0-9A-Za-z-]{8,80})", re.IGNORECASE)
# The first that is there; no page names it for sure.
_REQUEST_ID_HEADERS = ("x-request-id", "x-tt-logid")


@dataclass
class Reply:
    """What has been heard so far. `made`: how many pictures the bill counts, None until it is told.

    `ended`: the answer is whole. `unreadable`: some of it made no sense. `plain`: it is no stream;
    None until its first byte says so.
    """

    arrived: Arrived
    secrets: tuple[str, ...] = field(default=(), repr=False)
    parts: dict[int, Part] = field(default_factory=dict)
    fault: Fault | None = None
    made: int | None = None
    ended: bool = False
    unreadable: bool = False
    plain: bool | None = None
    frames: Frames = field(default_factory=Frames)

    @property
    def pictures(self) -> int:
        return sum(1 for part in self.parts.values() if part.refusal is None)

    def in_order(self) -> tuple[Part, ...]:
        return tuple(self.parts[index] for index in sorted(self.parts))

    # --- piece by piece ---

    def feed(self, piece: bytes) -> None:
        """Hear one piece of the body. A stream never begins with a brace, JSON always does."""
        if self.plain is None:
            start = piece.lstrip(b" \t\r\n\xef\xbb\xbf")
            self.plain = start[:1] == b"{" if start else None
        if not self.plain:
            self._each(self.frames.feed(piece))

    def close(self) -> None:
        """Nothing more comes."""
        if not self.plain:
            self._each(self.frames.close())

    def _each(self, frames: Iterable[str]) -> None:
        for data in frames:
            if data.strip() == "[DONE]":
                self.ended = True
                continue
            event = _object(data)
            if event is not None:
                self._event(event)
            elif data.strip():
                self.unreadable = True

    def _event(self, event: Mapping[str, object]) -> None:
        """By the `type` in the data; where there is none, by what it holds."""
        kind = _text(event.get("type")).rpartition(".")[2]
        if kind == "completed" or "usage" in event:
            self.ended = True
            self._count(event)
        elif kind.startswith("partial_") or "image_index" in event or "url" in event:
            self._item(event, event.get("image_index"))
        elif event.get("error"):
            self.fault = self.fault_in(event)

    # --- as a whole ---

    def read(self, answer: Answer) -> None:
        """Hear the end of an answer that came whole, or all of it where no piece was heard."""
        if self.plain is None:
            self.feed(answer.body)
        self.close()
        document = _object(answer.body) if self.plain else None
        if document is not None:
            self._document(document, answer)
        if self.fault is None and not 200 <= answer.status < 300:
            self.fault = Fault("", "")
        if self.fault is not None:
            self.fault.http_status = answer.status
            self.fault.retry_after = seconds_in(answer.headers.get("retry-after", ""))
            self.fault.request_id = self.fault.request_id or request_id(answer)

    def _document(self, document: Mapping[str, object], answer: Answer) -> None:
        """A plain answer: pictures, or an error with its wrapper or without."""
        items = document.get("data")
        if document.get("error"):
            self.fault = self.fault_in(document)
        elif not isinstance(items, list) and document.get("code"):
            self.fault = self.fault_in({"error": document})
        if isinstance(items, list) and 200 <= answer.status < 300:
            for index, item in enumerate(items):
                self._item(item if isinstance(item, Mapping) else {}, index)
            self.ended = True
            self._count(document)

    def _count(self, event: Mapping[str, object]) -> None:
        usage = event.get("usage")
        made = usage.get("generated_images") if isinstance(usage, Mapping) else None
        if isinstance(made, int) and not isinstance(made, bool):
            self.made = made

    def _item(self, item: Mapping[str, object], index: object) -> None:
        """One picture, or the error in its place."""
        place = index if isinstance(index, int) and 0 <= index < MEDIA_CAP else len(self.parts)
        while place in self.parts:  # told twice: neither may be lost
            place += 1
        if place >= MEDIA_CAP:
            return
        url, image = _address(item.get("url")), _decoded(item.get("b64_json"))
        if url or image:
            part = Part(place, url, b"" if url else image)
        elif item.get("error"):
            part = Part(place, refusal=refusal_of(self.fault_in(item)))
        else:
            self.unreadable = True
            return
        self.parts[place] = part
        self.arrived(part)

    def fault_in(self, holder: Mapping[str, object]) -> Fault:
        """The error that `holder` tells; its texts are clean and hold no secret."""
        error = holder.get("error")
        told: Mapping[str, object] = error if isinstance(error, Mapping) else {"message": error}
        message = clean_text(told.get("message"), MESSAGE_CAP, self.secrets)
        found = _REQUEST_ID.search(message)
        code = told.get("code")
        return Fault(
            clean_text(str(code) if isinstance(code, int) else code, CODE_CAP, self.secrets),
            message,
            request_id=found[1] if found else "",
        )


def request_id(answer: Answer) -> str:
    """The server's own name for the call, "" where it tells none."""
    return next(
        (answer.headers[name] for name in _REQUEST_ID_HEADERS if name in answer.headers), ""
    )


def _object(text: str | bytes) -> Mapping[str, object] | None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def _text(value: object) -> str:
    return value.strip() if isinstance(value, str) else ""


def _address(value: object) -> str:
    """An http(s) address of sane length, or ""."""
    url = _text(value)
    good = url.lower().startswith(("http://", "https://")) and len(url) <= URL_CAP
    return url if good else ""


def _decoded(value: object) -> bytes:
    try:
        return base64.b64decode("".join(_text(value).split()), validate=True)
    except (binascii.Error, ValueError):
        return b""
