"""What live pages cost and how late they are: `python -m bench.live [VIEWERS]`.

Viewers are streams with a session of their own; each fetches the card that an event names, as a page does.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench import processes, report
from bench.report import Figure
from tests.running import Site, running_site

PROJECTS, SECONDS = 50, 60
ROWS = "from generations.models import *\n"
PEOPLE = """
from importlib import import_module
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from generations.services import projects
demo = Project.objects.get(slug="demo")
person = User.objects.get(username="designer")
run = Generation.objects.order_by("pk")[0]
store = import_module(settings.SESSION_ENGINE).SessionStore
rooms, keys = [], []
for n in range({projects}):
    project = projects.create(name=f"Room {{n}}", owner=person)
    made = Generation.objects.create(project=project, user=person, recipe=run.recipe,
        recipe_sha256=run.recipe_sha256, engine=run.engine, kind=run.kind, prompt=run.prompt,
        count=1, state="active")
    Job.objects.create(generation=made, account=run.jobs.first().account, user=person, position=0,
        max_outputs=1)
    Job.objects.filter(generation=made).update(state="running", remote_id=str(made.pk))
    rooms.append([str(project.public_id), str(made.public_id), made.pk])
for n in range({viewers}):
    session = store()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = "django.contrib.auth.backends.ModelBackend"
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.create()
    keys.append(session.session_key)
cursor = Event.objects.order_by("-pk").values_list("pk", flat=True).first() or 0
answer = {{"rooms": rooms, "keys": keys, "cursor": cursor}}
"""
# Touches one run a second, and says when each event was committed.
TOUCH = """
import time
from generations.services import jobs
answer = []
for n in range({seconds}):
    began = time.time()
    jobs.touch([{ids}[n % {projects}]])
    answer.append([Event.objects.order_by("-pk").values_list("pk", flat=True)[0], time.time()])
    time.sleep(max(0, 1 - (time.time() - began)))
"""


@dataclass(slots=True)
class Crowd:
    """What the viewers saw: when each event came, by its number, and how many cards were fetched."""

    port: int
    size: int
    came: dict[int, list[float]] = field(default_factory=dict)
    open: int = 0
    full: asyncio.Event = field(default_factory=asyncio.Event)
    cards: int = 0

    async def watch(
        self, project: str, card: str, key: str, cursor: int, over: asyncio.Event
    ) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await self._ask(writer, f"/p/{project}/events/?after={cursor}", key)
        head = await reader.readuntil(b"\r\n\r\n")
        assert b" 200 " in head.splitlines()[0], head
        self.open += 1
        if self.open == self.size:
            self.full.set()
        reading = asyncio.create_task(self._read(reader, project, card, key))
        await over.wait()
        reading.cancel()
        writer.close()

    async def _read(self, reader: asyncio.StreamReader, project: str, card: str, key: str) -> None:
        while line := await reader.readline():
            if line.startswith(b"id: "):
                self.came.setdefault(int(line[4:]), []).append(time.time())
                await self._fetch(f"/p/{project}/g/{card}/", key)

    async def _fetch(self, path: str, key: str) -> None:
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        await self._ask(writer, path, key, "HX-Request: true\r\nConnection: close\r\n")
        answer = await reader.read()
        assert b" 200 " in answer.splitlines()[0], answer[:200]
        self.cards += 1
        writer.close()

    async def _ask(self, writer: asyncio.StreamWriter, path: str, key: str, more: str = "") -> None:
        host = f"Host: 127.0.0.1:{self.port}\r\nCookie: sessionid={key}\r\n{more}\r\n"
        writer.write(f"GET {path} HTTP/1.1\r\n{host}".encode())
        await writer.drain()


def streams(viewers: int) -> list[Figure]:
    """A minute with one event a second, in one of fifty projects at a time."""
    with tempfile.TemporaryDirectory() as folder, running_site(Path(folder), worker=False) as site:
        code = ROWS + PEOPLE.format(projects=PROJECTS, viewers=viewers)
        made = site.shell(code)
        crowd = Crowd(site.port, viewers)
        told, used = asyncio.run(_minute(site, crowd, made, viewers))
    late = sorted(came - told[number] for number in told for came in crowd.came.get(number, []))
    wanted = sum(1 for _number in told) * viewers // PROJECTS
    note = f"{crowd.open} streams, {len(late)} of {wanted} events, {crowd.cards} cards fetched"
    return [
        Figure(f"{viewers} viewers, web process, per cent of a core", used, "%", 15, note),
        Figure("event committed to seen by a viewer, p95", late[int(0.95 * len(late))], "s", 1.0),
    ]


async def _minute(
    site: Site, crowd: Crowd, made: dict[str, Any], viewers: int
) -> tuple[dict[int, float], float]:
    assert site.web is not None
    over = asyncio.Event()
    seats = [made["rooms"][n % PROJECTS] for n in range(viewers)]
    watching = [
        asyncio.create_task(crowd.watch(project, card, key, made["cursor"], over))
        for (project, card, _pk), key in zip(seats, made["keys"], strict=True)
    ]
    await crowd.full.wait()
    used, began = processes.cpu_s(site.web.process.pid), time.monotonic()
    ids = [pk for _project, _card, pk in made["rooms"]]
    code = ROWS + TOUCH.format(seconds=SECONDS, ids=ids, projects=PROJECTS)
    told = await asyncio.to_thread(site.shell, code)
    await asyncio.sleep(1.0)
    share = 100 * (processes.cpu_s(site.web.process.pid) - used) / (time.monotonic() - began)
    over.set()
    await asyncio.gather(*watching)
    return {int(number): float(moment) for number, moment in told}, share


def main(arguments: list[str]) -> int:
    viewers = int(arguments[0]) if arguments else 500
    return 0 if report.write(streams(viewers), "live") else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
