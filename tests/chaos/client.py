"""People who compose over HTTP, click twice, press again when nothing answers, and clean up after."""

from __future__ import annotations

import contextlib
import random
import threading
import time
import uuid
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import requests

from tests.chaos.rows import Rows, key
from tests.chaos.world import PEOPLE, Settings, Stage
from tests.running import Site

REPEATED = 0.3
# What a form asks for, and how often: most are polled; the answer to others is the result, or a stream
# of them; a film takes its time; and one press may be for two models of two vendors.
PICTURE = {"engine": "jimeng-image-4.0", "size": "1024x1024"}
ASKED: tuple[tuple[int, dict[str, str]], ...] = (
    (60, PICTURE),
    (14, {"engine": "seedream-4.0", "size": "1024x1024"}),
    (
        8,
        {"engine": "seedream-4.0", "size": "1024x1024", "output": "set", "max_images": "3"},
    ),
    (12, {**PICTURE, "also": "seedream-4.0"}),
    (6, {"engine": "jimeng-video-3.0", "frames": "121"}),
)
# What a person does about a job in this state, and how often.
ORDERS = {"uncertain": ("send-again", "dismiss"), "failed": ("retry",), "running": ("cancel",)}
ORDERING = 0.15


@dataclass(slots=True)
class Person:
    """One signed-in browser. Whatever fails on the way is tried again with the same token."""

    site: Site
    name: str
    rng: random.Random
    stop: threading.Event
    session: requests.Session | None = None
    seen: Counter[str] = field(default_factory=Counter)

    def signed_in(self) -> requests.Session:
        if self.session is None:
            self.session = self.site.session(self.name)
        return self.session

    def post(self, path: str, body: dict[str, str]) -> int:
        """The status, or 0 when nobody answered (the web process is being killed, or stands still)."""
        try:
            session = self.signed_in()
            token = session.cookies.get("csrftoken", "")
            answer = session.post(
                f"{self.site.url}{path}",
                {**body, "csrfmiddlewaretoken": token},
                headers={"Referer": self.site.url},
                timeout=15,
                allow_redirects=False,
            )
        except (requests.RequestException, AssertionError):
            return 0
        lost = answer.headers.get("Location", "").startswith("/login")
        return 401 if lost else answer.status_code

    def compose(self, project: str, order: str, asked: dict[str, str], count: int) -> int:
        """One form, posted until it is answered: as made (302) or refused (422)."""
        body = {"prompt": order, **asked, "count": str(count), "form_token": order}
        path = f"/p/{project}/compose/"
        again = self.rng.random() < REPEATED
        self.seen["double clicks"] += again
        while not self.stop.is_set():
            with ThreadPoolExecutor(2) as pool:
                clicks = [pool.submit(self.post, path, body) for _ in range(1 + again)]
                statuses = [click.result() for click in clicks]
            self.seen.update(f"compose {status}" for status in statuses)
            if any(status in (302, 422) for status in statuses):
                return max(statuses)
            time.sleep(0.3)
        return 0

    def order(self, rows: Rows) -> None:
        """Do what a person does about a job that did not go as it should."""
        state = self.rng.choice(list(ORDERS))
        found = rows.ask(
            "SELECT public_id FROM generations_job WHERE state = ? ORDER BY id DESC LIMIT 5", state
        )
        if found:
            job = uuid.UUID(key(self.rng.choice(found)["public_id"]))
            what = self.rng.choice(ORDERS[state])
            status = self.post(f"/j/{job}/{what}/", {})
            self.seen[f"{what} {status}"] += 1


@dataclass(slots=True)
class Crowd:
    """Everybody at once, each with a share of the jobs, spread over the time of the kills."""

    site: Site
    stage: Stage
    settings: Settings
    stop: threading.Event = field(default_factory=threading.Event)
    seen: Counter[str] = field(default_factory=Counter)
    threads: list[threading.Thread] = field(default_factory=list)

    def start(self) -> None:
        for name in PEOPLE:
            thread = threading.Thread(target=self._work, args=(name,), daemon=True, name=name)
            self.threads.append(thread)
            thread.start()

    def join(self, timeout_s: float) -> None:
        ends = time.monotonic() + timeout_s
        for thread in self.threads:
            thread.join(max(0.1, ends - time.monotonic()))
        self.stop.set()
        for thread in self.threads:
            thread.join(30)

    def _work(self, name: str) -> None:
        settings, rows = self.settings, Rows(self.site.database_url)
        rng = random.Random(f"{settings.seed}:{name}")
        person = Person(self.site, name, rng, self.stop)
        share = settings.jobs // len(PEOPLE)
        pause = settings.kills * settings.every_s / max(1, share / 2.5)
        asked = number = 0
        while asked < share and not self.stop.is_set():
            count, number = min(rng.randint(1, 4), share - asked), number + 1
            form = rng.choices([each for _, each in ASKED], [often for often, _ in ASKED])[0]
            if "frames" in form or "max_images" in form:
                count = 1
            project = rng.choice(self.stage.projects)
            person.compose(project, f"{name} asks {number}", form, count)
            asked += count * (1 + ("also" in form))
            if rng.random() < ORDERING:
                with contextlib.suppress(OSError):
                    person.order(rows)
            self.stop.wait(pause * rng.uniform(0.5, 1.3))
        self.seen.update(person.seen)
