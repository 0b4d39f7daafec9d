"""What becomes of an accepted Ark request: pictures one after another, told as a stream or at once.

Order and shapes: docs 82379/1541523 and 82379/1824137.
"""

from __future__ import annotations

import asyncio
import base64
import json
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

from starlette.responses import JSONResponse, Response

from sandbox.actions import picture_of
from sandbox.ark_models import Asked
from sandbox.ark_wire import CODES, Problem, refused
from sandbox.connection import Cut, Live
from sandbox.paint import as_png
from sandbox.store import Task
from sandbox.triggers import ALIASES, SLOW_SECONDS
from sandbox.world import World

_WORD = re.compile(r"sandbox:([A-Za-z.]+)(?:=([\w.]+))?")
_OUTPUT = Problem("OutputImageSensitiveContentDetected")
_INTERNAL = Problem("InternalServiceError")
# The visual API's words, in Ark's.
_ALIASES = {
    "sandbox:50412": "sandbox:InputTextSensitiveContentDetected",
    "sandbox:50413": "sandbox:InputTextSensitiveContentDetected",
    "sandbox:50511": "sandbox:failed=0",
    "sandbox:50519": "sandbox:failed=0",
    "sandbox:50500": "sandbox:broken=0",
}


@dataclass(frozen=True, slots=True)
class Words:
    """What a prompt's words order: an error at once, one after the stream has opened, places that are
    moderated, the place at which the run breaks, seconds in all, how many pictures.
    """

    refuse: str = ""
    late: str = ""
    failed: frozenset[int] = frozenset()
    broken: int | None = None
    seconds: float | None = None
    images: int | None = None


def read_words(prompt: str) -> Words:
    """Return what the trigger words in ``prompt`` order; others mean nothing."""
    for alias, word in ALIASES.items():
        prompt = prompt.replace(alias, f" {_ALIASES.get(word, word)} ")
    found = _WORD.findall(prompt)
    codes = [word.rstrip(".") for word, _value in found]
    last = dict(found)
    late = last.get("late", "")
    return Words(
        refuse=next((code for code in codes if code in CODES), ""),
        late=late if late in CODES else "",
        failed=frozenset(_whole(value) or 0 for word, value in found if word == "failed"),
        broken=_whole(last.get("broken", "")),
        seconds=_seconds(last["slow"]) if "slow" in last else None,
        images=_whole(last.get("images", "")),
    )


def _seconds(text: str) -> float:
    return float(text) if re.fullmatch(r"\d{1,6}(\.\d{1,6})?", text) else SLOW_SECONDS


def _whole(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 9 else None


@dataclass(slots=True)
class Run:
    """One accepted request on its way."""

    world: World
    asked: Asked
    words: Words
    task: Task
    request_id: str

    @property
    def head(self) -> dict[str, Any]:
        return {"model": self.task.req_key, "created": int(self.task.submitted)}

    async def items(self) -> AsyncIterator[dict[str, Any]]:
        """Give each picture, or the error in its place, when it is due."""
        count = self.task.recipe["count"]
        each = (self.task.ends - self.task.submitted) / count
        for index in range(count):
            due = self.task.submitted + each * (index + 1)
            await asyncio.sleep(max(0.0, due - self.world.clock()))
            if index == self.words.broken:
                yield {"error": _INTERNAL.told(self.request_id)}
                return  # what the service breaks down over ends the rest, too
            if index in self.words.failed:
                yield {"error": _OUTPUT.told(self.request_id)}
            else:
                yield await self._picture(index)

    async def _picture(self, index: int) -> dict[str, Any]:
        recipe, task = self.task.recipe, self.task
        size = f"{recipe['width']}x{recipe['height']}"
        if not self.asked.as_base64:
            token = self.world.store.mint_file(task.task_id, index)
            return {"url": f"{self.world.address}/files/{token}.{recipe['format']}", "size": size}
        data = await self.world.painter.jpeg(picture_of(self.world, task, index))
        if recipe["format"] == "png":
            data = await asyncio.to_thread(as_png, data)
        return {"b64_json": base64.b64encode(data).decode(), "size": size}

    def usage(self, made: int) -> dict[str, int]:
        """Return the bill: only pictures that came count."""
        tokens = made * self.task.recipe["width"] * self.task.recipe["height"] // 256
        return {"generated_images": made, "output_tokens": tokens, "total_tokens": tokens}


# --- At once ------------------------------------------------------------------------------------


async def at_once(run: Run) -> Response:
    """Answer when all is done; with an error if no picture came."""
    if run.words.late:
        await asyncio.sleep(max(0.0, run.task.ends - run.world.clock()))
        return _failed(run, Problem(run.words.late))
    items = [item async for item in run.items()]
    if run.world.faults.first(("late_500",)):
        return refused(run.world, _INTERNAL, run.request_id)
    made = sum("error" not in item for item in items)
    if not made:
        return _failed(run, Problem(items[0]["error"]["code"]))
    body = {**run.head, "data": items, "usage": run.usage(made)}
    return JSONResponse(body, headers={"X-Request-Id": run.request_id})


def _failed(run: Run, problem: Problem) -> Response:
    as_200 = run.world.faults.first(("as_200",))
    return refused(run.world, problem, run.request_id, http=200 if as_200 else 0)


# --- As a stream --------------------------------------------------------------------------------


def streamed(run: Run, fault: str) -> Response:
    """Answer with one event a picture, as each is done. ``fault`` strikes it on its way."""
    kind = "text/html" if fault == "text" else "text/event-stream"
    pieces = (
        _cut(run) if fault == "truncated" else _slowed(run) if fault == "slow" else _events(run)
    )
    return Live(pieces, media_type=kind, headers={"X-Request-Id": run.request_id})


async def _events(run: Run) -> AsyncIterator[bytes]:
    made, first = 0, None
    if run.words.late:
        await asyncio.sleep(max(0.0, run.task.ends - run.world.clock()))
        first = Problem(run.words.late).told(run.request_id)
    else:
        index = 0
        async for item in run.items():
            word = "partial_failed" if "error" in item else "partial_succeeded"
            first = first or item.get("error")
            made += "error" not in item
            kind = f"image_generation.{word}"
            yield _frame(kind, {"type": kind, **run.head, "image_index": index, **item})
            index += 1
    if run.world.faults.first(("late_500",)):
        first, made = _INTERNAL.told(run.request_id), 0
    if made:
        kind = "image_generation.completed"
        yield _frame(kind, {"type": kind, **run.head, "usage": run.usage(made)})
    else:
        yield _frame("error", {"error": first})
    yield b"data: [DONE]\n\n"


def _frame(kind: str, data: dict[str, Any]) -> bytes:
    text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
    return f"event: {kind}\ndata: {text}\n\n".encode()


async def _cut(run: Run) -> AsyncIterator[bytes]:
    """Half of the pictures, then half a frame, then nothing more."""
    half, sent = max(1, run.task.recipe["count"] // 2), 0
    async for frame in _events(run):
        if sent == half:
            yield frame[: len(frame) // 2]
            raise Cut
        yield frame
        sent += 1


async def _slowed(run: Run) -> AsyncIterator[bytes]:
    """Sixteen bytes a second."""
    async for frame in _events(run):
        for at in range(0, len(frame), 4):
            yield frame[at : at + 4]
            await asyncio.sleep(0.25)
