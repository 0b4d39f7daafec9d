"""The live stream: one per page, holding no database connection.

One poller per process looks for new events while anyone watches, and hands them to every stream. On
PostgreSQL it looks when it is told to, and now and then to be safe. A page carries its cursor in the
stream's URL, so a reload, a sleep or a restart loses nothing.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from uuid import UUID

from asgiref.sync import sync_to_async
from django import db
from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import Http404, HttpRequest, HttpResponseBase, StreamingHttpResponse
from django.views.decorators.http import require_safe

from generations.models import Event, Project
from generations.services import events

# However many notifications come, the table is not read more often than this.
SPACING_S = 0.05
KEEP_ALIVE_S = 15.0
# A proxy or a browser may sit on a dead connection for ever: a stream ends and is opened anew.
LIFETIME_S = 600.0
BATCH = 500
Row = tuple[int, int, str]


def _after(cursor: int) -> list[Row]:
    rows = Event.objects.filter(pk__gt=cursor).order_by("pk")
    try:
        return list(rows.values_list("pk", "project_id", "name")[:BATCH])
    finally:
        db.connections.close_all()


def _newest() -> int:
    try:
        return Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
    finally:
        db.connections.close_all()


class FanOut:
    """Hands each new event to the streams of its project. Lives in one event loop."""

    def __init__(self) -> None:
        self.inboxes: dict[asyncio.Queue[Row], int] = {}
        self.task: asyncio.Task[None] | None = None
        self.ready = asyncio.Event()
        self.woken = asyncio.Event()
        self.cursor = 0

    async def join(self, project_id: int) -> asyncio.Queue[Row]:
        """An inbox that gets every event committed from now on."""
        inbox: asyncio.Queue[Row] = asyncio.Queue()
        self.inboxes[inbox] = project_id
        if self.task is None or self.task.done():
            self.ready.clear()
            self.task = asyncio.create_task(self._run())
        await self.ready.wait()
        return inbox

    def leave(self, inbox: asyncio.Queue[Row]) -> None:
        self.inboxes.pop(inbox, None)

    async def _run(self) -> None:
        if db.connection.vendor != "postgresql":
            return await self._poll()
        from generations.views import listening  # loads psycopg, which SQLite has no use for

        ear = asyncio.create_task(listening.listen(self.woken.set))
        try:
            await self._poll()
        finally:
            ear.cancel()

    async def _poll(self) -> None:
        while self.inboxes:
            self.woken.clear()
            try:
                rows = await self._look()
            except db.Error:
                rows = []  # the database is away; nothing is lost, the cursor stands
            for row in rows:
                self.cursor = row[0]
                for inbox, project_id in self.inboxes.items():
                    if project_id == row[1]:
                        inbox.put_nowait(row)
            await asyncio.sleep(SPACING_S)
            if len(rows) < BATCH:
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(self.woken.wait(), settings.EVENTS_POLL_S)

    async def _look(self) -> list[Row]:
        if self.ready.is_set():
            return await sync_to_async(_after, thread_sensitive=False)(self.cursor)
        self.cursor = await sync_to_async(_newest, thread_sensitive=False)()
        self.ready.set()
        return []


_fan_outs: dict[asyncio.AbstractEventLoop, FanOut] = {}


def _fan_out() -> FanOut:
    loop = asyncio.get_running_loop()
    for dead in [each for each in _fan_outs if each.is_closed()]:
        del _fan_outs[dead]
    return _fan_outs.setdefault(loop, FanOut())


def _missed(project_id: int, after: int) -> list[Row] | None:
    """What the page has not seen; None when that was pruned and it must fetch itself anew."""
    try:
        newest = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
        oldest = Event.objects.order_by("pk").values_list("pk", flat=True).first() or 0
        if after > newest or (after and after < oldest - 1):
            return None
        rows = Event.objects.filter(project_id=project_id, pk__gt=after).order_by("pk")
        found = list(rows.values_list("pk", "project_id", "name")[: BATCH + 1])
        return found if len(found) <= BATCH else None
    finally:
        db.connections.close_all()


def _visible(request: HttpRequest, public_id: UUID) -> Project | None:
    return Project.objects.visible_to(request.user).filter(public_id=public_id).first()


def message(number: int, name: str) -> bytes:
    """One server-sent event; its data is its name, ids only."""
    return f"id: {number}\nevent: {name}\ndata: {name}\n\n".encode()


async def _stream(project_id: int, after: int) -> AsyncIterator[bytes]:
    fan_out = _fan_out()
    inbox = await fan_out.join(project_id)
    try:
        yield b"retry: 2000\n\n"
        missed = await sync_to_async(_missed, thread_sensitive=False)(project_id, after)
        if missed is None:
            yield message(after, "refresh")
            missed = []
        seen = after
        for number, _project, name in missed:
            seen = number
            yield message(number, name)
        ends = asyncio.get_running_loop().time() + LIFETIME_S
        while asyncio.get_running_loop().time() < ends:
            try:
                number, _project, name = await asyncio.wait_for(inbox.get(), KEEP_ALIVE_S)
            except TimeoutError:
                yield b": still here\n\n"
                continue
            if number > seen:
                yield message(number, name)
    finally:
        fan_out.leave(inbox)


@require_safe
@login_required
async def stream(request: HttpRequest, project: UUID) -> HttpResponseBase:
    """Server-sent events of one project after the cursor `?after=N` (now, when it is missing)."""
    request.user = await request.auser()
    found = await sync_to_async(_visible)(request, project)
    if found is None:
        raise Http404
    text = request.headers.get("Last-Event-ID") or request.GET.get("after", "")
    if text.isascii() and text.isdigit() and len(text) < 19:
        after = int(text)
    else:
        after = await sync_to_async(events.latest_id)(project=found)
    response = StreamingHttpResponse(
        _stream(found.pk, after), content_type="text/event-stream; charset=utf-8"
    )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"
    return response
