"""The visual API's one endpoint: ``POST /?Action=…&Version=…``.

Gateway checks here, actions in actions.py.
"""

from __future__ import annotations

import asyncio
import json
import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, Response

from sandbox import actions
from sandbox.connection import Dripping, Dropped
from sandbox.faults import ACCOUNT, POLL, POLL_WAY, SUBMIT_EARLY, SUBMIT_WAY
from sandbox.signing import SignedRequest, verify
from sandbox.wire import (
    SUCCESS,
    GatewayRefusal,
    Refusal,
    ServiceRefusal,
    gateway_envelope,
    new_request_id,
    service_envelope,
)
from sandbox.world import World

_log = logging.getLogger("sandbox")
MAX_BODY = 12 * 1024 * 1024
_MAX_DISCARDED = 64 * 1024 * 1024
_HTML = (
    "<html>\r\n<head><title>502 Bad Gateway</title></head>\r\n"
    "<body><center><h1>502 Bad Gateway</h1></center></body>\r\n</html>"
)
_DELAY_S = 3.0
_WAY_FAULTS = {
    actions.SUBMIT: SUBMIT_WAY,
    actions.PROCESS: SUBMIT_WAY,
    actions.GET_RESULT: POLL_WAY,
}
_EARLY_FAULTS = {
    actions.SUBMIT: SUBMIT_EARLY,
    actions.PROCESS: SUBMIT_EARLY,
    actions.GET_RESULT: POLL,
}


@dataclass(frozen=True, slots=True)
class Call:
    """One request: its decoded query, what it names, and when it began (``perf_counter``)."""

    query: tuple[tuple[str, str], ...]
    action: str
    version: str
    request_id: str
    began: float

    @classmethod
    def of(cls, request: Request, now: float) -> Call:
        """Read the query of ``request``; ``now`` is Unix time."""
        query = tuple(
            parse_qsl(request.scope["query_string"].decode("latin-1"), keep_blank_values=True)
        )
        names = dict(query)
        return cls(
            query,
            names.get("Action", ""),
            names.get("Version", ""),
            new_request_id(now),
            time.perf_counter(),
        )


async def visual(request: Request) -> Response:
    """Answer one call of the visual API; whatever is wrong becomes one of the two envelopes."""
    world: World = request.app.state.world
    call = Call.of(request, world.clock())
    try:
        response = await _answer(world, request, call)
    except ClientDisconnect:
        response = Response(status_code=400)
    except Refusal as refusal:
        response = _refused(call, refusal, world)
    except Exception:  # noqa: BLE001 - an emulator answers every call, and says so in its log
        # Our own fault looks like the service's own; the connection goes on.
        _log.exception("%s failed", call.action)
        world.answers[f"{call.action}:crash"] += 1
        response = _envelope(call, ServiceRefusal(50500), 500)
    return response


async def _answer(world: World, request: Request, call: Call) -> Response:
    fault = world.faults.first(_EARLY_FAULTS.get(call.action, ()))
    client_request_id = request.headers.get("x-client-request-id")
    if fault is not None and call.action == actions.SUBMIT:
        world.suffered[client_request_id or ""] = fault
    if fault in ("drop_before", "poll_drop"):
        return Dropped()
    body = await _read_body(request)
    if fault is not None:
        return _FAULT_ANSWERS[fault]()
    _check_gateway(world, request, call, body)
    if suffers := world.faults.first(ACCOUNT):
        return _ACCOUNT_ANSWERS[suffers]()
    data = await _handler(request, call)(
        world, actions.Received(_parse(body), body, call.action, client_request_id)
    )
    if isinstance(data, Response):
        return data
    world.answers[f"{call.action}:{SUCCESS}"] += 1
    elapsed = time.perf_counter() - call.began
    answer = service_envelope(SUCCESS, data, "Success", call.request_id, elapsed)
    suffered = world.faults.first(_WAY_FAULTS.get(call.action, ())) or ""
    if suffered in SUBMIT_WAY:
        world.suffered[client_request_id or ""] = suffered
    return await _on_the_way(JSONResponse(answer), suffered.removeprefix("poll_"))


def _handler(request: Request, call: Call) -> actions.Handler:
    found = actions.ACTIONS.get((call.action, call.version))
    if found is None:
        raise GatewayRefusal("InvalidActionOrVersion")
    if request.method != "POST":
        raise ServiceRefusal(50402)
    return found


async def _on_the_way(answer: Response, fault: str) -> Response:
    """Return a good ``answer`` as it arrives when ``fault`` strikes it."""
    if fault == "delay":
        await asyncio.sleep(_DELAY_S)
    if fault == "truncated":
        # The length is that of the half: the connection is well, the JSON is not.
        return Response(bytes(answer.body)[: len(answer.body) // 2], media_type="application/json")
    if fault == "text":
        return Response(answer.body, media_type="text/html")
    return Dripping(answer.body, media_type="application/json") if fault == "slow" else answer


async def _read_body(request: Request) -> bytes:
    """Return the body.

    What is above the limit is read and thrown away, so that the caller can read the refusal.
    """
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        if size <= MAX_BODY:
            chunks.append(chunk)
        elif size > _MAX_DISCARDED:
            break
    if size > MAX_BODY:
        raise ServiceRefusal(50213)
    return b"".join(chunks)


def _check_gateway(world: World, request: Request, call: Call, body: bytes) -> None:
    if not call.action or not call.version:
        raise GatewayRefusal("MissingParameter")
    signed = SignedRequest(
        request.method, request.url.path, call.query, dict(request.headers), body
    )
    keys = {world.options.access_key: world.options.secret_key, **world.options.more_keys}
    verify(signed, keys, datetime.fromtimestamp(world.clock(), UTC))


def _parse(body: bytes) -> dict[str, Any]:
    try:
        parsed = json.loads(body)
    except (ValueError, RecursionError):
        raise ServiceRefusal(50204, "the body is not JSON") from None
    if not isinstance(parsed, dict):
        raise ServiceRefusal(50204, "the body is not a JSON object")
    return parsed


def _refused(call: Call, refusal: Refusal, world: World) -> Response:
    if isinstance(refusal, GatewayRefusal):
        world.answers[f"{call.action}:{refusal.name}"] += 1
        body = gateway_envelope(refusal.name, call.request_id, call.action, call.version)
        return JSONResponse(body, refusal.http)
    assert isinstance(refusal, ServiceRefusal)
    world.answers[f"{call.action}:{refusal.code}"] += 1
    late = refusal.data is not None and world.options.result_errors_as_200
    return _envelope(call, refusal, 200 if late else refusal.http)


def _envelope(call: Call, refusal: ServiceRefusal, http: int) -> Response:
    elapsed = time.perf_counter() - call.began
    code, data, message = refusal.code, refusal.data, refusal.message
    return JSONResponse(service_envelope(code, data, message, call.request_id, elapsed), http)


def _gateway_fault(name: str) -> Callable[[], Response]:
    def fail() -> Response:
        raise GatewayRefusal(name)

    return fail


def _bad_gateway() -> Response:
    return HTMLResponse(_HTML, 502)


def _not_opened() -> Response:
    raise ServiceRefusal(50400)


_ACCOUNT_ANSWERS: dict[str, Callable[[], Response]] = {
    "not_opened": _not_opened,
    "no_permission": _gateway_fault("AccessDenied"),
    "stranger": lambda: HTMLResponse("<html><body><h1>It works!</h1></body></html>"),
}
_FAULT_ANSWERS: dict[str, Callable[[], Response]] = {
    "429": _gateway_fault("FlowLimitExceeded"),
    "500": _gateway_fault("InternalError"),
    "502html": _bad_gateway,
    "poll_500": _gateway_fault("InternalError"),
    "poll_502html": _bad_gateway,
}
