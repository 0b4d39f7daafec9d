"""Ark's image generation: ``POST /api/v3/images/generations``, at once or as a stream.

Who may call, what is refused up front, and what is accepted here; what becomes of it in ark_run.py.
"""

from __future__ import annotations

import asyncio
import base64
import binascii
import hashlib
import hmac
import json
import logging
import math
import re
from typing import Any

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox.ark_models import Asked, read
from sandbox.ark_run import Run, Words, at_once, read_words, streamed
from sandbox.ark_wire import ArkRefusal, Problem, refused
from sandbox.connection import Dripping, Dropped
from sandbox.faults import ACCOUNT, SUBMIT_ACCEPTED, SUBMIT_EARLY, SUBMIT_WAY
from sandbox.plan import choose_times, count_in, ratio_in
from sandbox.references import Limits, fetch, opened, small
from sandbox.store import Task
from sandbox.wire import ServiceRefusal, new_request_id
from sandbox.world import World

_log = logging.getLogger("sandbox")
BASE = "/api/v3"
MAX_BODY = 64 * 1024 * 1024
_DELAY_S = 3.0
_STEP = 16
_DATA = re.compile(r"data:image/([a-z0-9.+-]+);base64,")
_INPUTS = Limits(
    max_bytes=30 * 1024 * 1024,
    max_side=36_000_000,
    min_side=15,
    max_ratio=16,
    max_area=36_000_000,
    formats=("JPEG", "PNG", "WEBP", "BMP", "TIFF", "GIF"),
)
# What is wrong with an input picture, in Ark's words.
_INPUT_CODES = {
    50206: "InvalidImageURL.EmptyURL",
    50207: "InvalidImageURL.InvalidFormat",
    50411: "InputImageSensitiveContentDetected",
    50518: "InputImageSensitiveContentDetected.PolicyViolation",
}


async def list_tasks(request: Request) -> Response:
    """Answer the list of video tasks, of which there are none."""
    world: World = request.app.state.world
    request_id = new_request_id(world.clock())
    if not _known(world, request):
        return refused(world, Problem("AuthenticationError"), request_id)
    return JSONResponse({"total": 0, "items": []}, headers={"X-Request-Id": request_id})


async def generate(request: Request) -> Response:
    """Answer one call; whatever is wrong becomes an error of the table."""
    world: World = request.app.state.world
    request_id = new_request_id(world.clock())
    try:
        return await _answer(world, request, request_id)
    except ClientDisconnect:
        return Response(status_code=400)
    except ArkRefusal as refusal:
        return refused(world, refusal.problem, request_id)
    except Exception:  # noqa: BLE001 - an emulator answers every call, and says so in its log
        _log.exception("images/generations failed")
        world.answers["ark:crash"] += 1
        return refused(world, Problem("InternalServiceError"), request_id)


async def _answer(world: World, request: Request, request_id: str) -> Response:
    early = world.faults.first(SUBMIT_EARLY) or ""
    _suffers(world, request, early)
    if early == "drop_before":
        return Dropped()
    raw = await _body(request)
    if early:
        return _early(world, early, request_id)
    if not _known(world, request):
        raise ArkRefusal("AuthenticationError")
    if suffers := world.faults.first(ACCOUNT):
        return _of_account(suffers)
    asked = read(_parse(raw))
    words = read_words(asked.prompt)
    if words.refuse:
        raise ArkRefusal(words.refuse)
    task = await _accept(world, asked, words)
    await world.ledger.append(
        {
            "time": task.submitted,
            "action": "images/generations",
            "req_key": task.req_key,
            "body_sha256": hashlib.sha256(raw).hexdigest(),
            "client_request_id": request.headers.get("x-client-request-id"),
            "task_id": task.task_id,
        }
    )
    late = world.faults.first((*SUBMIT_ACCEPTED, *SUBMIT_WAY)) or ""
    _suffers(world, request, late)
    if late == "drop_after":
        return Dropped()
    if late == "delay":
        await asyncio.sleep(_DELAY_S)
    world.answers["ark:accepted"] += 1
    run = Run(world, asked, words, task, request_id)
    return streamed(run, late) if asked.stream else _on_the_way(await at_once(run), late)


def _suffers(world: World, request: Request, fault: str) -> None:
    """Remember whose request was struck, by the caller's own id."""
    if fault:
        world.suffered[request.headers.get("x-client-request-id", "")] = fault


def _on_the_way(answer: Response, fault: str) -> Response:
    """Return ``answer`` as it arrives when ``fault`` strikes it."""
    body, kind = bytes(answer.body), "application/json"
    if fault == "truncated":
        return Response(body[: len(body) // 2], media_type=kind)
    if fault == "text":
        return Response(body, media_type="text/html")
    return Dripping(body, media_type=kind) if fault == "slow" else answer


def _early(world: World, fault: str, request_id: str) -> Response:
    if fault == "502html":
        return HTMLResponse("<html><body><h1>502 Bad Gateway</h1></body></html>", 502)
    code = "ModelAccountRpmRateLimitExceeded" if fault == "429" else "InternalServiceError"
    return refused(world, Problem(code), request_id)


def _of_account(fault: str) -> Response:
    if fault == "stranger":
        return HTMLResponse("<html><body><h1>It works!</h1></body></html>")
    raise ArkRefusal("ModelNotOpen" if fault == "not_opened" else "AccessDenied")


def _known(world: World, request: Request) -> bool:
    scheme, _space, key = request.headers.get("authorization", "").partition(" ")
    right = hmac.compare_digest(key.strip().encode(), world.options.ark_key.encode())
    return scheme.lower() == "bearer" and right


async def _body(request: Request) -> bytes:
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
    if size > MAX_BODY:
        raise ArkRefusal("InvalidParameter", "the request body is larger than 64 MB")
    return b"".join(chunks)


def _parse(raw: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(raw)
    except (ValueError, RecursionError):
        raise ArkRefusal("InvalidParameter", "the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise ArkRefusal("InvalidParameter", "the body is not a JSON object")
    return parsed


async def _accept(world: World, asked: Asked, words: Words) -> Task:
    if not world.rate.admit():
        raise ArkRefusal("ModelAccountRpmRateLimitExceeded")
    images = [asyncio.to_thread(_take, text, at) for at, text in enumerate(asked.images)]
    references = list(await asyncio.gather(*images))
    if references:
        world.answers["reference:taken"] += len(references)
    unfinished = world.store.unfinished()
    if world.concurrency and unfinished >= world.concurrency:
        raise ArkRefusal("ServerOverloaded")
    world.busiest = max(world.busiest, unfinished + 1)
    task_id, now = world.store.new_task_id(), world.clock()
    starts, ends = choose_times(
        world.options.seed, task_id, world.latency, world.jitter, words.seconds
    )
    width, height = asked.size or _shape(asked)
    wanted = count_in(asked.prompt) if words.images is None else words.images
    recipe = {
        "prompt": asked.prompt,
        "width": width,
        "height": height,
        "scale": 0.5,
        "seed": asked.seed,
        "count": max(1, min(wanted, asked.most)),
        "references": references,
        "format": asked.picture_format,
        "watermark": asked.watermark,
    }
    task = Task(task_id, asked.model.name, now, now + starts, now + ends, None, False, recipe)
    world.store.add(task)
    return task


def _shape(asked: Asked) -> tuple[int, int]:
    """Return width and height of the ratio that the prompt names, inside the size word's area."""
    ratio = max(1 / 16, min(ratio_in(asked.prompt), 16.0))
    width = max(_STEP, int(math.sqrt(asked.area * ratio)) // _STEP * _STEP)
    return width, max(_STEP, int(width / ratio) // _STEP * _STEP)


def _take(text: str, at: int) -> str:
    """Return what is kept of one input picture. Raises ArkRefusal."""
    name = f"image[{at}]"
    try:
        data = _inline(text) if text.startswith("data:") else fetch(text, name, _INPUTS)
        if len(data) > _INPUTS.max_bytes:
            raise ServiceRefusal(50205, f"{name} has more than {_INPUTS.max_bytes} bytes")
        return small(opened(data, name, _INPUTS))
    except ServiceRefusal as refusal:
        code = _INPUT_CODES.get(refusal.code, "InvalidParameter")
        raise ArkRefusal(code, refusal.message, "image") from None


def _inline(text: str) -> bytes:
    """Return the bytes of a data URI, whose type is in lower case. Raises ServiceRefusal."""
    found = _DATA.match(text)
    if found is None:
        raise ServiceRefusal(50207, "a data URI begins with data:image/<type>;base64,")
    try:
        return base64.b64decode(text[found.end() :], validate=True)
    except (binascii.Error, ValueError):
        raise ServiceRefusal(50207, "a data URI holds base64") from None
