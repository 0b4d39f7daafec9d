"""Asking the Ark provider over a real wire, and the recorded shapes of its answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from generations.providers import catalog
from generations.providers.ark import Ark
from generations.providers.base import Call, Credentials, Finished, Part
from tests.providers.wire import Reaction, say, serving

PROVIDER = Ark()
ENGINE = catalog.get_engine("seedream-4.0")
KEYS = Credentials("ARK-CANARY-KEY")
EVENT = "image_generation."
HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n"


def build(slug: str = "seedream-4.0", references: Sequence[str] = (), **settings: object) -> Call:
    engine = catalog.get_engine(slug)
    cleaned = catalog.clean_settings(engine, settings)
    return PROVIDER.build(engine, "四只柯基", cleaned, references=references)


def a_set(most: int = 4) -> Call:
    return build(output="set", max_images=most)


def url(index: int) -> str:
    return f"https://tos.example/{index}.jpeg?sig=x"


def succeeded(index: int, **more: object) -> dict[str, object]:
    head = {"type": f"{EVENT}partial_succeeded", "model": "m", "created": 1757323224}
    return {**head, "image_index": index, "url": url(index), "size": "2048x2048", **more}


def failed(index: int, code: str = "OutputImageSensitiveContentDetected") -> dict[str, object]:
    error = {"code": code, "message": "The request failed. Request id: 0217573232249999"}
    return {"type": f"{EVENT}partial_failed", "image_index": index, "error": error}


def completed(made: int) -> dict[str, object]:
    return {"type": f"{EVENT}completed", "usage": {"generated_images": made}}


def frame(data: object, *, event: bool = True, end: str = "\n") -> bytes:
    """One frame as it stands on the page."""
    text = data if isinstance(data, str) else json.dumps(data, ensure_ascii=False)
    name = data.get("type", "error") if isinstance(data, dict) else ""
    line = f"event: {name}{end}" if event and name else ""
    return f"{line}data: {text}{end}{end}".encode()


def frames(*data: object, **how: object) -> bytes:
    return b"".join(frame(each, **how) for each in data)


def chunked(body: bytes, *, ends: bool = True) -> bytes:
    """As a server without a length sends it; without its end, it broke off."""
    head = HEAD + b"Transfer-Encoding: chunked\r\n\r\n"
    whole = f"{len(body):x}\r\n".encode() + body + b"\r\n"
    return head + whole + (b"0\r\n\r\n" if ends else b"")


def closing(body: bytes) -> Reaction:
    """As an old server sends it: the connection's end is the body's."""

    def react(conn: object) -> None:
        conn.sendall(HEAD + b"Connection: close\r\n\r\n" + body)  # type: ignore[attr-defined]
        conn.shutdown(2)  # type: ignore[attr-defined]

    return react


def ask(react: Reaction, call: Call | None = None) -> tuple[Finished, list[Part]]:
    """Submit to a server that reacts like this: the answer, and what arrived before."""
    heard: list[Part] = []
    return heard_from(react, heard.append, call), heard


def heard_from(
    react: Reaction, arrived: Callable[[Part], None], call: Call | None = None
) -> Finished:
    with serving(react) as wire:
        found = PROVIDER.submit(
            call or a_set(),
            base_url=f"{wire.url}/api/v3",
            credentials=KEYS,
            client_request_id="0b5fbb1e-0000-4000-8000-000000000000",
            arrived=arrived,
        )
        assert len(wire.requests) == 1  # never twice, whatever happens
    assert isinstance(found, Finished)
    return found


def streams(*data: object, call: Call | None = None) -> tuple[Finished, list[Part]]:
    return ask(say(chunked(frames(*data, "[DONE]"))), call)
