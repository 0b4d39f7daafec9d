"""The sandbox as an ASGI application: the visual API, Ark, the result files, and the control endpoints
for tests.
"""

from __future__ import annotations

import asyncio
import ipaddress
import json
from collections.abc import Awaitable, Callable

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox import ark
from sandbox.actions import picture_of, video_of
from sandbox.connection import Dripping, Truncated
from sandbox.faults import FILE
from sandbox.labels import Wanted, tagged
from sandbox.paint import as_png
from sandbox.store import ResultFile, Task
from sandbox.videos import VIDEOS
from sandbox.visual import visual
from sandbox.wire import gateway_envelope, new_request_id
from sandbox.world import World

_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"]
Endpoint = Callable[[Request], Awaitable[Response]]


async def result_file(request: Request) -> Response:
    """Serve one picture or video: 404 for an unknown address, 403 for one that has died."""
    world: World = request.app.state.world
    fault = world.faults.first(FILE) or ""
    if fault in _INSTEAD:
        return _INSTEAD[fault]()
    found = world.store.find_file(request.path_params["token"])
    if found is None:
        return PlainTextResponse("no such file", 404)
    file, task = found
    if world.clock() >= file.expires:
        return PlainTextResponse("this address has expired", 403)
    data, media_type = await _made(world, task, file)
    world.answers["file:200"] += 1
    kind = {"file_truncate": Truncated, "file_slow": Dripping}.get(fault, Response)
    return kind(data, media_type=media_type, headers={"Cache-Control": "private, max-age=86400"})


async def _made(world: World, task: Task, file: ResultFile) -> tuple[bytes, str]:
    """One result of a task with the labels that its address was asked for with, and its media type."""
    wanted = Wanted.of(file.labels)
    if task.req_key in VIDEOS:
        data, kind = await world.painter.mp4(video_of(world, task)), "video/mp4"
    else:
        picture = picture_of(world, task, file.position, wanted.logo)
        data, kind = await world.painter.jpeg(picture), "image/jpeg"
        if task.recipe.get("format") == "png":
            data, kind = await asyncio.to_thread(as_png, data), "image/png"
    return tagged(data, wanted.meta), kind


_PAGE = "<!doctype html><title>Welcome</title><script>document.title = 'run'</script>"
_HUGE = 1024 * 1024 * 1024
# Where a fault leaves nothing of the picture. Only the length of the huge one is ever sent in full.
_INSTEAD: dict[str, Callable[[], Response]] = {
    "file_404": lambda: PlainTextResponse("injected fault", 404),
    "file_500": lambda: PlainTextResponse("injected fault", 500),
    "file_wrong": lambda: Response(_PAGE, media_type="image/jpeg"),
    "file_huge": lambda: Truncated(
        bytes(1024), media_type="image/jpeg", headers={"Content-Length": str(_HUGE)}
    ),
    "file_redirect": lambda: RedirectResponse("http://169.254.169.254/latest/meta-data/"),
}


def loopback_only(endpoint: Endpoint) -> Endpoint:
    """Refuse callers from other machines with 403."""

    async def guarded(request: Request) -> Response:
        client = request.client
        if client is None or not ipaddress.ip_address(client.host).is_loopback:
            return JSONResponse({"error": "only from this machine"}, 403)
        return await endpoint(request)

    return guarded


async def health(request: Request) -> Response:
    """Answer 200 as soon as calls are accepted."""
    return JSONResponse({"ok": True})


async def state(request: Request) -> Response:
    """Tell the settings and what happened so far."""
    world: World = request.app.state.world
    return JSONResponse(
        {
            "settings": world.settings(),
            "tasks": world.store.statuses(),
            "unfinished": world.store.unfinished(),
            "busiest": world.busiest,
            "accepted": world.ledger.accepted,
            "answers": dict(world.answers),
            "struck": dict(world.faults.struck),
            "suffered": world.suffered,
            "painted": world.painter.painted,
        }
    )


async def change_faults(request: Request) -> Response:
    """Change faults, latency, jitter, qps, concurrency; what is not named stays.

    400 and one sentence if anything is wrong.
    """
    world: World = request.app.state.world
    # A page in somebody's browser cannot send this type across origins without asking first, and it
    # is not told yes.
    if request.headers.get("content-type", "").partition(";")[0].strip() != "application/json":
        return JSONResponse({"error": "send application/json"}, 415)
    try:
        world.change(json.loads(await request.body()))
    except (TypeError, ValueError, RecursionError) as error:
        return JSONResponse({"error": str(error)}, 400)
    return JSONResponse(world.settings())


async def no_such_page(request: Request, error: Exception) -> Response:
    """Answer unknown paths and methods as the gateway does."""
    assert isinstance(error, HTTPException)
    request_id = new_request_id(request.app.state.world.clock())
    return JSONResponse(gateway_envelope("ServiceNotFound", request_id, "", ""), error.status_code)


def build_app(world: World) -> Starlette:
    """Return the application over ``world``, which the caller closes."""
    app = Starlette(
        routes=[
            Route("/", visual, methods=_METHODS),
            Route("/files/{token:str}.jpeg", result_file, methods=["GET"]),
            Route("/files/{token:str}.mp4", result_file, methods=["GET"]),
            Route("/files/{token:str}.png", result_file, methods=["GET"]),
            Route(f"{ark.BASE}/images/generations", ark.generate, methods=["POST"]),
            Route(f"{ark.BASE}/contents/generations/tasks", ark.list_tasks, methods=["GET"]),
            Route("/_sandbox/health", loopback_only(health), methods=["GET"]),
            Route("/_sandbox/state", loopback_only(state), methods=["GET"]),
            Route("/_sandbox/faults", loopback_only(change_faults), methods=["POST"]),
        ],
        exception_handlers={HTTPException: no_such_page},
    )
    app.state.world = world
    return app
