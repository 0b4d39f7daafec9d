"""Two programs send the same call with the same key in the same moment.

Run as a script: `python -m tests.api_race N [--unsafe]`. Prints one JSON object: how often each status was
answered, how many runs they name, and how many rows there are. `--unsafe` removes the guard (looks for the
key, lets everybody else look, then makes the row), as a negative control.
"""

from __future__ import annotations

import json
import sys
import threading
from collections import Counter
from typing import Any

from tests.at_once import belonging, race  # isort: skip  # first: it sets Django up

from django.conf import settings
from django.db import connection

from generations.models import Generation, Job, Project, User
from generations.services import accounts, compose
from tests import tokens

KEY = {"Idempotency-Key": "7f3a2c1e-once"}


def remove_the_guard(people: int) -> None:
    """Everybody looks whether the key has been used before anybody makes a row; rows forget their key."""
    gate = threading.Barrier(people)
    make, before = compose._generation, compose.asked_before

    def look(*, user: User, form_token: str) -> Generation | None:
        found = before(user=user, form_token=form_token)
        connection.close()
        gate.wait(timeout=60)
        return found

    def forget(*given: Any) -> Generation:
        project, user, asked, _token, origin, tie = given
        return make(project, user, asked, None, origin, tie)

    compose.asked_before, compose._generation = look, forget  # type: ignore[assignment]


def main(people: int, unsafe: bool) -> None:
    project, user = belonging("designer", "editor")
    accounts.ensure_accounts()
    settings.ALLOWED_HOSTS.append("testserver")
    value = tokens.token(user)
    if unsafe:
        remove_the_guard(people)
    statuses, named = _ask(people, project, value)
    rows = {"named": len(named), "runs": Generation.objects.count(), "jobs": Job.objects.count()}
    print(json.dumps({**statuses, **rows}))


def _ask(people: int, project: Project, value: str) -> tuple[Counter[str], set[str]]:
    statuses: Counter[str] = Counter()
    named: set[str] = set()
    url = f"{tokens.API}/projects/{project.public_id}/generations"

    def ask(_number: int) -> None:
        answer = tokens.send(tokens.bearer(value, **KEY), "POST", url, tokens.run_body(count=2))
        statuses[str(answer.status_code)] += 1
        named.add(answer.json()["id"])

    outcomes = race(people, ask, done="done", refused=(AssertionError, "refused"))
    assert outcomes == {"done": people}, outcomes
    return statuses, named


if __name__ == "__main__":
    main(int(sys.argv[1]), "--unsafe" in sys.argv)
