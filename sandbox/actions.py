"""The actions of the visual API that engines use: submit, get result, cancel, and process, an older
engines' one-call way.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from starlette.responses import Response

from sandbox.connection import Dropped
from sandbox.engines import Asked, find_engine, read_request
from sandbox.faults import POLL_WORDS, SUBMIT_ACCEPTED, SUBMIT_LATE
from sandbox.film import Clip, clip_of
from sandbox.frames import take_frames
from sandbox.labels import TEXTS, Logo, Wanted, read_wanted, tagged
from sandbox.paint import Picture
from sandbox.plan import choose_size, choose_times, count_outputs
from sandbox.references import take_in
from sandbox.store import Task
from sandbox.triggers import Triggers, read_triggers
from sandbox.videos import AskedVideo, find_video, read_video, video_data
from sandbox.wire import SERVICE_CODES, GatewayRefusal, ServiceRefusal
from sandbox.world import World

SUBMIT = "CVSync2AsyncSubmitTask"
GET_RESULT = "CVSync2AsyncGetResult"
CANCEL = "CVCancelTask"
PROCESS = "CVProcess"

Answer = dict[str, Any] | Response | None


@dataclass(frozen=True, slots=True)
class Received:
    """A request that passed the gateway: parsed body, its bytes, the action, the caller's own
    request id if it sent one.
    """

    body: dict[str, Any]
    raw: bytes
    action: str
    client_request_id: str | None


async def submit(world: World, received: Received) -> Answer:
    """Accept a task and return its id.

    Raises ServiceRefusal or GatewayRefusal; then nothing was accepted.
    """
    task = await _accept(world, received)
    if _drops(world, received):
        return Dropped()
    return {"task_id": task.task_id}


async def process(world: World, received: Received) -> Answer:
    """Accept a task, wait until it is done, and answer with its picture. Raises as submit does."""
    task = await _accept(world, received, synchronous=True)
    if _drops(world, received):
        return Dropped()
    await asyncio.sleep(max(0.0, task.ends - world.clock()))
    if task.failure is not None:
        raise ServiceRefusal(task.failure)
    return await _pictures(world, task, Wanted(as_urls=bool(received.body.get("return_url"))))


async def _accept(world: World, received: Received, *, synchronous: bool = False) -> Task:
    if not world.rate.admit():
        raise ServiceRefusal(50429)
    asked = _asked(received.body, synchronous=synchronous)
    triggers = read_triggers(asked.prompt)
    _refuse_early(triggers)
    recipe = await _recipe(world, asked, triggers)
    if fault := world.faults.first(SUBMIT_LATE):
        raise ServiceRefusal(int(fault))
    unfinished = world.store.unfinished()
    if world.concurrency and unfinished >= world.concurrency:
        raise ServiceRefusal(50430)
    world.busiest = max(world.busiest, unfinished + 1)
    task = _new_task(world, asked.engine.req_key, triggers, recipe)
    world.store.add(task)
    await world.ledger.append(_ledger_line(task, received))
    return task


def _asked(body: dict[str, Any], *, synchronous: bool) -> Asked | AskedVideo:
    video = None if synchronous else find_video(body)
    if video is not None:
        return read_video(video, body)
    return read_request(find_engine(body, synchronous=synchronous), body)


async def _recipe(world: World, asked: Asked | AskedVideo, triggers: Triggers) -> dict[str, Any]:
    """What will be made, as it is stored; input pictures are looked at here."""
    if isinstance(asked, AskedVideo):
        size, given = await take_frames(asked)
        more: dict[str, Any] = {
            "frames": asked.frames,
            "template": asked.template,
            "strength": asked.strength,
            "given": given,
        }
        taken = len(given)
    else:
        size, references = choose_size(asked), await take_in(asked.references)
        more = {
            "scale": asked.strength,
            "count": count_outputs(asked, triggers),
            "references": references,
        }
        taken = len(references)
    if taken:
        world.answers["reference:taken"] += taken
    width, height = size
    return {
        "prompt": asked.prompt,
        "width": width,
        "height": height,
        "seed": asked.seed,
        **more,
    }


def _drops(world: World, received: Received) -> bool:
    """Whether the answer to an accepted submission gets lost; who suffered it is remembered."""
    fault = world.faults.first(SUBMIT_ACCEPTED)
    if fault:
        world.suffered[received.client_request_id or ""] = fault
    return bool(fault)


def _refuse_early(triggers: Triggers) -> None:
    if triggers.gateway is not None:
        raise GatewayRefusal(triggers.gateway)
    if triggers.code is not None and not SERVICE_CODES[triggers.code].post:
        raise ServiceRefusal(triggers.code)


def _new_task(world: World, req_key: str, triggers: Triggers, recipe: dict[str, Any]) -> Task:
    task_id = world.store.new_task_id()
    now = world.clock()
    starts, ends = choose_times(
        world.options.seed, task_id, world.latency, world.jitter, triggers.seconds
    )
    return Task(task_id, req_key, now, now + starts, now + ends, triggers.code, False, recipe)


def _ledger_line(task: Task, received: Received) -> dict[str, Any]:
    return {
        "time": task.submitted,
        "action": received.action,
        "req_key": task.req_key,
        "body_sha256": hashlib.sha256(received.raw).hexdigest(),
        "client_request_id": received.client_request_id,
        "task_id": task.task_id,
    }


async def get_result(world: World, received: Received) -> Answer:
    """Return a task's status and, when it is done, its pictures or its video.

    Raises ServiceRefusal, also for a task that failed.
    """
    video = find_video(received.body) is not None
    wanted = read_wanted(received.body, video=video)
    bare = video_data if video else _result
    task = _named_task(world, received.body)
    if words := world.faults.first(POLL_WORDS):
        return _untrue(words, bare, 50516 if video else 50511)
    if task is None:
        if world.options.not_found_as_50215:
            raise ServiceRefusal(50215)
        return bare("not_found")
    status = task.status(world.clock())
    if status != "done":
        return bare(status)
    if task.failure is not None:
        raise ServiceRefusal(task.failure, data=bare("done"))
    if video:
        return _video(world, task, wanted)
    return await _pictures(world, task, wanted)


def _video(world: World, task: Task, wanted: Wanted) -> dict[str, Any]:
    lives = world.options.video_url_ttl
    token = world.store.mint_file(task.task_id, 0, lives, wanted.kept)
    found = video_data("done", f"{world.address}/files/{token}.mp4")
    return {**found, "aigc_meta_tagged": True} if wanted.meta else found


async def _pictures(world: World, task: Task, wanted: Wanted) -> dict[str, Any]:
    count = task.recipe["count"]
    if wanted.as_urls:
        mint = world.store.mint_file
        tokens = (mint(task.task_id, place, labels=wanted.kept) for place in range(count))
        return _result("done", urls=[f"{world.address}/files/{token}.jpeg" for token in tokens])
    pictures = await asyncio.gather(
        *(world.painter.jpeg(picture_of(world, task, at, wanted.logo)) for at in range(count))
    )
    marked = (tagged(picture, wanted.meta) for picture in pictures)
    return _result("done", base64s=[base64.b64encode(picture).decode() for picture in marked])


def _untrue(fault: str, bare: Callable[[str], dict[str, Any]], code: int) -> Answer:
    """Answer as ``fault`` has it, whatever the task's state is; ``code`` is that of a failed one."""
    if fault == "poll_50215":
        raise ServiceRefusal(50215)
    if fault == "poll_done_error":
        raise ServiceRefusal(code, data=bare("done"))
    return bare(fault.removeprefix("poll_"))


def _result(
    status: str, urls: list[str] | None = None, base64s: list[str] | None = None
) -> dict[str, Any]:
    return {"binary_data_base64": base64s, "image_urls": urls, "status": status}


def video_of(world: World, task: Task) -> Clip:
    """Return the video that is made for a task."""
    return clip_of(task.recipe, _seed(task), fast=world.options.fast_media)


def _seed(task: Task) -> str:
    seed = task.recipe["seed"]
    return task.task_id if seed is None else f"seed {seed}"


def picture_of(world: World, task: Task, position: int, logo: Logo | None = None) -> Picture:
    """Return what is painted for one position of a task, with the mark that its submit or its query
    asked for."""
    recipe = task.recipe
    if recipe.get("watermark"):
        logo = Logo(text=TEXTS[0])
    return Picture(
        recipe["prompt"],
        (recipe["width"], recipe["height"]),
        recipe["scale"],
        f"{_seed(task)}:{position}",
        world.options.fast_media,
        tuple(base64.b64decode(each) for each in recipe.get("references", ())),
        logo,
    )


def _named_task(world: World, body: dict[str, Any]) -> Task | None:
    """Return the task that ``body`` names by req_key and task_id, or None; a cancelled one is as
    good as gone.
    """
    engine = find_video(body) or find_engine(body)
    task_id = body.get("task_id")
    if task_id is None or task_id == "":
        raise ServiceRefusal(50201, "task_id")
    if not isinstance(task_id, str):
        raise ServiceRefusal(50204, "task_id must be a string")
    task = world.store.find(task_id) if task_id.isascii() and task_id.isdecimal() else None
    gone = task is None or task.cancelled or task.req_key != engine.req_key
    return None if gone else task


async def cancel(world: World, received: Received) -> Answer:
    """Cancel a queued task. Raises ServiceRefusal 50215 when it is generating, done or unknown."""
    task = _named_task(world, received.body)
    if task is None or not world.store.cancel(task.task_id):
        raise ServiceRefusal(50215, "only a queued task can be cancelled")
    return None


Handler = Callable[[World, Received], Awaitable[Answer]]
ACTIONS: dict[tuple[str, str], Handler] = {
    (SUBMIT, "2022-08-31"): submit,
    (GET_RESULT, "2022-08-31"): get_result,
    (CANCEL, "2024-06-06"): cancel,
    (PROCESS, "2022-08-31"): process,
}
