"""The live stream: what a page sees, and what it does not miss."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests

from tests.running import Site, wait_until

pytestmark = pytest.mark.timeout(180)


class Listener:
    """One open stream on a socket of its own, which can be hung up while a thread reads from it."""

    def __init__(
        self, site: Site, session: requests.Session, path: str, *, port: int = 0, **headers: str
    ) -> None:
        self.events: list[tuple[int, str]] = []
        self.head = ""
        cookies = "; ".join(f"{each.name}={each.value}" for each in session.cookies)
        lines = [f"GET {path} HTTP/1.1", "Host: 127.0.0.1", f"Cookie: {cookies}"]
        lines += [f"{name}: {value}" for name, value in headers.items()]
        self.socket = socket.create_connection(("127.0.0.1", port or site.port), timeout=60)
        self.socket.sendall(("\r\n".join(lines) + "\r\n\r\n").encode())
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        """Lines of the answer; the sizes of its chunks are lines without a colon and mean nothing."""
        fields: dict[str, str] = {}
        with contextlib.suppress(OSError), self.socket.makefile("r", encoding="utf-8") as file:
            for line in file:
                name, _colon, value = line.strip().partition(": ")
                if name:
                    fields[name] = value
                elif "event" in fields:
                    self.events.append((int(fields["id"]), fields["event"]))
                    fields = {}
                elif not self.head:
                    self.head = str(fields)
                    fields = {}

    def names(self) -> set[str]:
        return {name for _number, name in self.events}

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)
        self.socket.close()


@pytest.fixture
def project(site: Site) -> Iterator[str]:
    code = (
        "from generations.models import *; answer = str(Project.objects.get(slug='demo').public_id)"
    )
    yield site.shell(code)


def newest(site: Site) -> int:
    code = "from generations.models import *; answer = Event.objects.order_by('pk').last().pk"
    found: int = site.shell(code)
    return found


def run(site: Site, prompt: str) -> str:
    """Compose, wait for the picture; the generation's id."""
    generate = ["generate", prompt, "--project", "demo", "--size", "1024x1024", "--wait"]
    return site.manage(*generate, "--skip-checks").stdout.split()[0]


def test_every_change_arrives_in_order(site: Site, project: str) -> None:
    listener = Listener(site, site.session(), f"/p/{project}/events/")
    wait_until(lambda: "text/event-stream" in listener.head, timeout_s=10)
    made = run(site, "山水")
    wait_until(lambda: listener.names() >= {"new", f"g-{made}"}, timeout_s=20)
    time.sleep(1)
    numbers = [number for number, name in listener.events if name == f"g-{made}"]
    assert numbers == sorted(set(numbers))
    # asked, sending, running, fetching, the picture, done
    assert len(numbers) >= 5
    listener.close()


def test_a_cursor_misses_nothing(site: Site, project: str) -> None:
    before = newest(site)
    made = run(site, "江南")
    session = site.session()
    for path, headers in [
        (f"/p/{project}/events/?after={before}", {}),
        (f"/p/{project}/events/", {"Last-Event-ID": str(before)}),
    ]:
        listener = Listener(site, session, path, **headers)
        wait_until(lambda seen=listener: f"g-{made}" in seen.names(), timeout_s=20)
        assert all(number > before for number, _name in listener.events)
        listener.close()


@pytest.mark.parametrize("after", ["999999999999", "1"])
def test_a_cursor_of_another_time_is_told_to_refresh(site: Site, project: str, after: str) -> None:
    """From a database that was replaced, or so old that the events in between were pruned."""
    if after == "1":
        site.shell(
            "from generations.models import *; "
            "answer = Event.objects.filter(pk__lte=Event.objects.order_by('pk').last().pk - 2).delete()[0]"
        )
    listener = Listener(site, site.session(), f"/p/{project}/events/?after={after}")
    wait_until(lambda: "refresh" in listener.names(), timeout_s=20)
    listener.close()


def test_a_server_restart_loses_nothing(site: Site, project: str) -> None:
    cursor = newest(site)
    session = site.session()
    site.stop_web()
    made = run(site, "塞北")
    site.start_web()
    listener = Listener(site, session, f"/p/{project}/events/?after={cursor}")
    wait_until(lambda: f"g-{made}" in listener.names(), timeout_s=20)
    listener.close()


def test_strangers_hear_nothing(site: Site, project: str) -> None:
    assert (
        requests.get(
            f"{site.url}/p/{project}/events/", allow_redirects=False, timeout=10
        ).status_code
        == 302
    )
    fragment: dict[str, Any] = {"HX-Request": "true"}
    answer = requests.get(f"{site.url}/p/{project}/events/", headers=fragment, timeout=10)
    assert (answer.status_code, answer.headers["HX-Redirect"][:7]) == (401, "/login/")
    site.shell(
        "from generations.models import *; "
        "u, _ = User.objects.get_or_create(username='stranger'); "
        f"u.set_password('{site.password}'); u.save(); answer = 1"
    )
    session = site.session("stranger")
    assert session.get(f"{site.url}/p/{project}/events/", timeout=10).status_code == 404


def test_many_watchers_hold_no_database_connection(site: Site, project: str) -> None:
    """Fifty streams, one poller; the sign-in page still answers."""
    session = site.session()
    before = newest(site)
    listeners = [
        Listener(site, session, f"/p/{project}/events/?after={before}") for _each in range(50)
    ]
    made = run(site, "大漠")
    wait_until(lambda: all(f"g-{made}" in each.names() for each in listeners), timeout_s=20)
    assert requests.get(f"{site.url}/login/", timeout=10).ok
    for each in listeners:
        each.close()
