"""Health for machines, the status page for staff, and alerts told once an episode."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import pytest
from django import db
from django.core import mail
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from generations.models import DriverLease, Episode, Job, JobState
from generations.services import disk, health, jobs, outputs
from generations.services.health import episodes, questions
from generations.services.people import letters
from generations.templatetags import sentences
from studio.env import EnvironmentProblem
from studio.mail import webhook
from tests import world

S, Kind = JobState, Episode.Kind
LONG_AGO = timedelta(minutes=30)


def test_alive_asks_nothing_and_nobody(settings: Any) -> None:
    """Without the database mark a query would be an error."""
    answer = Client().get(reverse("healthz"))
    assert (answer.status_code, answer.json()) == (200, {"ok": True})


@pytest.mark.django_db
def test_ready_in_numbers_and_without_secrets(team: world.Team, settings: Any) -> None:
    settings.DISK_FLOOR = 1
    answer = Client().get(reverse("readyz"))
    assert answer.status_code == 200
    found = answer.json()
    assert found["ok"] and found["database"] == "writes"
    assert found["disk_free_bytes"] > found["disk_floor_bytes"]
    keys = [part for pair in settings.SANDBOX_KEYS for part in pair if part]
    assert len(keys) >= 2
    for secret in (settings.SECRET_KEY, *keys):
        assert secret not in answer.content.decode()


@pytest.mark.django_db
@pytest.mark.parametrize("what", ["driver", "collect", "disk", "database"])
def test_not_ready(
    what: str, team: world.Team, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.DISK_FLOOR = 1
    past = timezone.now() - LONG_AGO
    if what == "driver":
        DriverLease.objects.create(account=world.account(), heartbeat_at=past, expires_at=past)
    if what == "collect":
        job = team.jobs[S.QUEUED]
        fields = {"state": S.COLLECTING, "remote_id": "7", "not_before": past}
        Job.objects.filter(pk=job.pk).update(**fields)
    if what == "disk":
        settings.DISK_FLOOR = 2**62
    if what == "database":

        def broken() -> None:
            raise db.OperationalError("database is locked")

        monkeypatch.setattr(questions, "_write", broken)
    answer = Client().get(reverse("readyz"))
    assert (answer.status_code, answer.json()["ok"]) == (503, False)


@pytest.mark.django_db
@pytest.mark.parametrize("page", ["readyz", "status"])
def test_the_same_number_of_queries_whatever_there_is(page: str, team: world.Team) -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(world.person("clerk", is_staff=True))
    client.get(reverse(page))

    def cost() -> int:
        with CaptureQueriesContext(
            connection,
        ) as asked:
            client.get(reverse(page))
        return len(asked)

    few = cost()
    for _each in range(5):
        world.generation(team.project, team.editor, states=(S.QUEUED, S.RUNNING, S.COLLECTING))
    assert cost() == few


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_staff_see_how_things_stand(team: world.Team, language: str) -> None:
    Episode.objects.create(kind=Kind.KEY_REFUSED, subject="<b>Volcengine</b>")
    client = Client(headers={"accept-language": language})
    client.force_login(world.person("clerk", is_staff=True, language=language))
    page = client.get(reverse("status")).content.decode()
    assert world.account().label in page
    assert "&lt;b&gt;Volcengine" in page
    if language == "en":
        assert "1 waiting" in page and "Uncertain: 1" in page


# --- Alerts ---------------------------------------------------------------------------------------


class Hook(BaseHTTPRequestHandler):
    got: list[dict[str, str]] = []
    waits = 0.0

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        time.sleep(self.waits)
        self.got.append(json.loads(body))
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_rest: object) -> None:
        """Nothing: the test reads what came."""


@pytest.fixture
def hook(settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[dict[str, str]]]:
    server = HTTPServer(("127.0.0.1", 0), Hook)
    monkeypatch.setattr(Hook, "got", [])
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.ALERT_WEBHOOK_URL = f"http://127.0.0.1:{server.server_port}/hook"
    settings.ADMINS = [("boss", "boss@example.com")]
    settings.DISK_FLOOR = 1
    yield Hook.got
    server.shutdown()
    server.server_close()


def look() -> None:
    health.look()
    letters.all_sent()


def key_refused(team: world.Team) -> Job:
    job = team.jobs[S.FAILED]
    fields = {"reason": "key_refused", "finished_at": timezone.now()}
    Job.objects.filter(pk=job.pk).update(**fields)
    return job


@pytest.mark.django_db
def test_each_trouble_is_told_once_an_episode(team: world.Team, hook: list[dict[str, str]]) -> None:
    job = key_refused(team)
    for _each in range(3):
        look()
    assert [each["alert"] for each in hook] == ["key_refused"]
    assert len(mail.outbox) == 1 and mail.outbox[0].to == ["boss@example.com"]
    assert world.account().label in mail.outbox[0].body
    Job.objects.filter(pk=job.pk).update(finished_at=timezone.now() - LONG_AGO)
    look()
    (row,) = Episode.objects.all()
    assert row.closed_at is not None
    key_refused(team)
    look()
    assert (len(hook), len(mail.outbox), Episode.objects.count()) == (2, 2, 2)


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [Kind.WORKER_DEAD, Kind.AT_RISK, Kind.DISK])
def test_every_kind(kind: str, team: world.Team, hook: list[dict[str, str]], settings: Any) -> None:
    past, job = timezone.now() - LONG_AGO, team.jobs[S.QUEUED]
    look()
    assert hook == []
    if kind == Kind.WORKER_DEAD:
        DriverLease.objects.create(account=world.account(), heartbeat_at=past, expires_at=past)
    if kind == Kind.AT_RISK:
        fields = {"state": S.COLLECTING, "remote_id": "7", "answered_at": past}
        Job.objects.filter(pk=job.pk).update(**fields)
    if kind == Kind.DISK:
        settings.DISK_FLOOR = int(disk.free() / 1.5)
    look()
    assert [each["alert"] for each in hook] == [kind]


@pytest.mark.django_db
def test_an_account_that_is_switched_off_is_no_dead_worker(
    team: world.Team, hook: list[dict[str, str]]
) -> None:
    past, account = timezone.now() - LONG_AGO, world.account()
    DriverLease.objects.create(account=account, heartbeat_at=past, expires_at=past)
    type(account).objects.update(enabled=False)
    look()
    assert hook == []
    assert Client().get(reverse("readyz")).status_code == 200


@pytest.mark.django_db
def test_a_slow_or_dead_webhook_keeps_nobody_waiting(
    team: world.Team, hook: list[dict[str, str]], settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Hook, "waits", 2.0)
    monkeypatch.setattr(episodes, "WEBHOOK_S", 0.3)
    key_refused(team)
    health.look()
    assert hook == []  # it has returned before anything was answered
    letters.all_sent()
    settings.ALERT_WEBHOOK_URL = "http://127.0.0.1:9/nobody"
    episodes.tell(Kind.DISK, "Disk", "")
    assert len(mail.outbox) == 2


@pytest.mark.parametrize("url", ["http://example.com/x", "ftp://127.0.0.1/", "https://", "x"])
def test_a_webhook_elsewhere_must_be_https(url: str) -> None:
    with pytest.raises(EnvironmentProblem) as said:
        webhook(url)
    assert "example" not in str(said.value)


def test_where_a_webhook_may_be() -> None:
    for url in ("", "https://example.com/x", "http://127.0.0.1:9/x", "http://localhost/x"):
        assert webhook(url) == url


@pytest.mark.parametrize("kind", Kind.values)
def test_every_alert_has_a_sentence(kind: str) -> None:
    with translation.override("en"):
        assert episodes.sentence(kind, "Volcengine").endswith((".", "?"))


# --- The disk floor -------------------------------------------------------------------------------


@pytest.mark.django_db
def test_below_the_floor_nothing_is_fetched_and_the_card_says_so(
    team: world.Team, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun: list[object] = []
    monkeypatch.setattr(outputs, "keep", lambda **how: begun.append(how))
    job = team.jobs[S.QUEUED]
    fields = {"state": S.COLLECTING, "remote_id": "7", "output_urls": ["http://127.0.0.1:9/x"]}
    Job.objects.filter(pk=job.pk).update(**fields)
    settings.DISK_FLOOR = 2**62
    jobs.finish(job_id=job.pk, alive=lambda: None)
    job.refresh_from_db()
    assert (begun, job.state, job.reason) == ([], S.COLLECTING, "disk_low")
    with translation.override("en"):
        assert sentences.under_way(job) == "Waiting: the studio's disk is full"
    settings.DISK_FLOOR = 1
    Job.objects.filter(pk=job.pk).update(not_before=None)
    jobs.finish(job_id=job.pk, alive=lambda: None)
    assert len(begun) == 1
