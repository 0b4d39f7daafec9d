"""The calls from end to end, through the real sandbox; and one run however often a call is sent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
from django.test import Client
from django.urls import reverse

from generations.models import (
    Membership,
    Project,
)
from tests import tokens, world
from tests.running import ROOT, Site, wait_until
from tests.tokens import refused, runs_of

MAKE_TOKEN = """
from generations.models import User
from generations.services import people
user = User.objects.get(username="designer")
answer = people.make_token(user=user, name="flow", days="never", project="", may_run=True)
"""


@pytest.fixture
def program(team: world.Team) -> Client:
    """A program with a token of the team's editor that reads and runs."""
    return tokens.bearer(tokens.token(team.editor))


# --- From end to end, through the real sandbox ----------------------------------------------------


class Program:
    """A script's HTTP client."""

    def __init__(self, site: Site, value: str) -> None:
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.headers["Authorization"] = f"Bearer {value}"
        self.base = f"{site.url}{tokens.API}"

    def get(self, path: str, status: int = 200, **headers: str) -> requests.Response:
        where = path if path.startswith("http") else f"{self.base}/{path}"
        answer = self.http.get(where, headers=headers, timeout=30)
        assert answer.status_code == status, answer.text
        assert not answer.cookies
        return answer

    def post(self, path: str, status: int, **more: Any) -> Any:
        answer = self.http.post(f"{self.base}/{path}", timeout=60, **more)
        assert answer.status_code == status, answer.text
        return answer.json()

    def ended(self, run: dict[str, Any]) -> Any:
        def ask() -> Any:
            found = self.get(run["url"]).json()
            return None if found["active"] else found

        return wait_until(ask, timeout_s=120, what="the run to end")


def test_from_an_upload_to_the_file_in_parts(site: Site) -> None:
    program = Program(site, site.shell(MAKE_TOKEN))
    project = program.get("projects").json()["projects"][0]
    assert project["may_run"] is True
    here = f"projects/{project['id']}"
    picture = {"file": ("房间.jpg", world.picture((12, 90, 60), (400, 300)))}
    reference = program.post(f"{here}/references", 201, files=picture)
    assert (reference["name"], reference["width"], reference["height"]) == ("房间.jpg", 400, 300)
    body = tokens.run_body(count=2, references=[reference["id"]], settings={"scale": 0.25})
    run = program.post(f"{here}/generations", 201, json=body)
    assert (run["active"], run["settings"]["scale"]) == (True, "0.25")
    ended = program.ended(run)
    assert ended["state"] == "succeeded", ended
    assert [job["state"] for job in ended["jobs"]] == ["succeeded"] * 2
    assert ended["references"] == [{"id": reference["id"], "role": ""}]
    _file_in_parts(program, ended["jobs"][1]["assets"][0])
    newest = program.get(f"{here}/generations").json()["generations"][0]
    assert newest == ended


def _file_in_parts(program: Program, asset: dict[str, Any]) -> None:
    assert program.get(asset["url"]).json() == asset
    whole = program.get(asset["file"])
    assert whole.headers["Content-Type"] == f"image/{asset['format']}"
    parts = b""
    while len(parts) < len(whole.content):
        ends = f"bytes={len(parts)}-{len(parts) + 99_999}"
        parts += program.get(asset["file"], 206, Range=ends).content
    assert parts == whole.content
    program.get(asset["file"], 416, Range=f"bytes={len(parts)}-")
    program.get(asset["file"], 304, **{"If-None-Match": whole.headers["ETag"]})


# --- Once, however often it is sent ---------------------------------------------------------------


def press(tmp_path: Path, *flags: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.api_race", "6", *flags],
        cwd=ROOT,
        env={
            **os.environ,
            "DATABASE_URL": f"sqlite:///{tmp_path / 'race.sqlite3'}",
            "VAR_DIR": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


def test_the_same_key_at_once_makes_one_run(tmp_path: Path) -> None:
    assert press(tmp_path) == {"201": 1, "200": 5, "named": 1, "runs": 1, "jobs": 2}


def test_without_the_guard_each_makes_its_own(tmp_path: Path) -> None:
    assert press(tmp_path, "--unsafe")["runs"] == 6


@pytest.mark.django_db
def test_the_same_key_again_answers_with_the_first_run(team: world.Team, program: Client) -> None:
    key = {"Idempotency-Key": "a-key"}
    first = tokens.send(program, "POST", runs_of(team), tokens.run_body())
    assert first.status_code == 201
    program.defaults["HTTP_IDEMPOTENCY_KEY"] = key["Idempotency-Key"]
    made = tokens.send(program, "POST", runs_of(team), tokens.run_body(prompt="one"))
    again = tokens.send(program, "POST", runs_of(team), tokens.run_body(prompt="", engine="gone"))
    assert (made.status_code, again.status_code) == (201, 200)
    assert made.json() == again.json()
    assert team.project.generations.count() == 3  # the team's own, one without a key, one with
    # The keys of another person are other keys.
    other = tokens.bearer(tokens.token(team.owner), **{"idempotency-key": "a-key"})
    assert tokens.send(other, "POST", runs_of(team), tokens.run_body()).status_code == 201


@pytest.mark.django_db
def test_a_key_does_not_show_a_run_out_of_reach(team: world.Team) -> None:
    """The first call was made in a project that this token does not reach."""
    other = Project.objects.create(name="Other", slug="other")
    Membership.objects.create(project=other, user=team.editor, role="editor")
    key = {"idempotency-key": "twice"}
    wide = tokens.bearer(tokens.token(team.editor), **key)
    tokens.send(wide, "POST", runs_of(team), tokens.run_body(prompt="a secret"))
    narrow = tokens.bearer(tokens.token(team.editor, project=other), **key)
    where = reverse("api-generations", args=[other.public_id])
    answer = tokens.send(narrow, "POST", where, tokens.run_body())
    assert refused(answer, 422)[0]["field"] == "Idempotency-Key"
    assert b"a secret" not in answer.content


@pytest.mark.django_db
@pytest.mark.parametrize("key", ["x" * 41, "a\0b", "鍵", "two words"])
def test_a_key_is_short_and_plain(team: world.Team, key: str) -> None:
    program = tokens.bearer(tokens.token(team.editor), **{"idempotency-key": key})
    answer = tokens.send(program, "POST", runs_of(team), tokens.run_body())
    assert refused(answer, 422)[0]["field"] == "Idempotency-Key"
