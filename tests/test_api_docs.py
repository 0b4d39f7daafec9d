"""docs/api.md works as it stands: its commands are run, in order, against a real installation; so is the page."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from html import escape
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from django.test import Client
from django.urls import reverse

from generations.api import described
from generations.api.calls import MADE
from tests import world
from tests.pages import text
from tests.people import client_of
from tests.running import ROOT, Site, wait_until

DOC = (ROOT / "docs" / "api.md").read_text(encoding="utf-8")
COMMANDS = re.findall(r"^    (curl .*)$", DOC, re.MULTILINE)
MAKE_TOKEN = """
from generations.models import User
from generations.services import people
user = User.objects.get(username="designer")
answer = people.make_token(user=user, name="docs", days="30", project="", may_run=True)
"""


def addressed(command: str) -> tuple[str, str]:
    """Method and path of a command, its variables as the schema's places."""
    words = shlex.split(command)
    posts = {"-F", "--json", "-X"} & set(words)
    path = urlsplit(words[-1].removeprefix("$STUDIO")).path
    return "post" if posts else "get", re.sub(r"\$([A-Z]+)", lambda m: f"{{{m[1].lower()}}}", path)


@pytest.mark.django_db  # the schema names what is on offer
def test_every_call_is_in_the_page_and_every_command_is_a_call() -> None:
    calls = {(m, path) for path, each in described.schema()["paths"].items() for m in each}
    assert {addressed(command) for command in COMMANDS} == calls
    assert len(calls) == 9


def test_the_statuses_are_those_of_the_schema() -> None:
    told = {int(each) for each in re.findall(r"^\| (\d+) \|", DOC, re.MULTILINE)}
    assert told == {*MADE, 405}


class Shell:
    """Runs the page's commands with what the answers so far have said."""

    def __init__(self, folder: Path, **variables: str) -> None:
        self.folder, self.variables = folder, variables

    def run(self, command: str) -> Any:
        done = subprocess.run(
            ["bash", "-c", command],
            cwd=self.folder,
            env={**os.environ, "no_proxy": "*", **self.variables},
            capture_output=True,
            text=True,
            timeout=60,
        )
        assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
        return json.loads(done.stdout) if done.stdout else None


def _steps(shell: Shell) -> Iterator[tuple[str, Any]]:
    """Each command's call and answer, with what the next ones need put aside."""
    for command in COMMANDS:
        _method, path = addressed(command)
        answer = shell.run(command)
        if path.endswith("/{generation}"):
            answer = wait_until(lambda c=command: _done(shell.run(c)), timeout_s=90)
            shell.variables["ASSET"] = answer["jobs"][0]["assets"][0]["id"]
        yield path, answer


def _done(answer: dict[str, Any]) -> dict[str, Any] | None:
    return None if answer["active"] else answer


def test_the_commands_do_what_the_page_says(site: Site, tmp_path: Path) -> None:
    (tmp_path / "picture.jpg").write_bytes(world.picture((90, 60, 30), (320, 240)))
    value = site.shell(MAKE_TOKEN)
    shell = Shell(tmp_path, STUDIO=site.url, TOKEN=value, KEY=os.urandom(8).hex(), NEXT="")
    seen: dict[str, Any] = {}
    for path, answer in _steps(shell):
        seen[path] = answer
        if path.endswith("/projects"):
            shell.variables["PROJECT"] = answer["projects"][0]["id"]
        elif path.endswith("/references"):
            shell.variables["REFERENCE"] = answer["id"]
        elif path.endswith("/generations") and "id" in answer:
            shell.variables["GENERATION"] = answer["id"]
            assert answer["references"] == [{"id": shell.variables["REFERENCE"], "role": ""}]
            assert answer["settings"]["scale"] == "0.7"
    assert seen["/api/v1/generations/{generation}"]["state"] == "succeeded"
    assert (tmp_path / "part.bin").stat().st_size == 100
    assert seen["/api/v1/generations/{generation}/cancel"]["state"] == "succeeded"
    listed = seen["/api/v1/projects/{project}/generations"]["generations"]
    assert shell.variables["GENERATION"] in [each["id"] for each in listed]


# --- The page in the studio -----------------------------------------------------------------------


@pytest.mark.django_db
@pytest.mark.parametrize("language", ["en", "zh-hans"])
def test_the_page_lists_every_call(team: world.Team, language: str) -> None:
    client = client_of(team.viewer, **{"accept-language": language})
    page = text(client.get(reverse("api-docs")))
    assert f'href="{reverse("api-docs")}"' in text(client.get(reverse("settings")))
    for path, methods in described.schema()["paths"].items():
        for method, told in methods.items():
            assert f"<b>{method.upper()}</b> {path}" in page
            assert (escape(told["summary"]) in page) is (language == "en")
    for name in ("Idempotency-Key", "multipart/form-data", "settings", "after"):
        assert name in page
    assert "//" not in re.sub(r"https?://(testserver|www\.w3\.org)", "", page)  # nothing from afar


@pytest.mark.django_db
def test_a_person_reads_the_schema_in_a_browser_and_nobody_else_does(team: world.Team) -> None:
    assert client_of(team.viewer).get(reverse("api-openapi")).json()["openapi"] == "3.1.0"
    assert Client().get(reverse("api-openapi")).status_code == 401
