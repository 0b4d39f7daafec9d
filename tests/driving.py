"""The real driver in the test's own thread, against a real sandbox, with a script that it follows."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from generations.models import Job, JobState, ProviderAccount, User
from generations.providers import catalog, http
from generations.providers.jimeng import Jimeng
from generations.services import accounts, compose, driver
from tests import world
from tests.running import Sandbox, wait_until

S = JobState
Script = Iterator[None]


def at(sandbox: Sandbox, settings: Any, **engine: float) -> ProviderAccount:
    """The account of a running sandbox, with room for everything, and little patience."""
    settings.SANDBOX_URL, settings.SANDBOX_ARK_URL = sandbox.url, f"{sandbox.url}/api/v3"
    settings.ENGINE = {**settings.ENGINE, "patience": 0.05, "slice_s": 600.0, **engine}
    row = accounts.ensure_accounts()
    ProviderAccount.objects.update(max_concurrent=50, rate_per_s=1000.0)
    row.refresh_from_db()
    return row


def ask(team: world.Team, user: User, count: int = 1, prompt: str = "一只柯基") -> list[Job]:
    made = compose.submit(
        project=team.project,
        user=user,
        engine=world.ENGINE,
        prompt=prompt,
        settings={"size": "1024x1024"},
        count=count,
    )
    return list(made.jobs.order_by("pk"))


def quick(team: world.Team) -> None:
    """A history in which every picture took half a second, so that polls begin early."""
    made = world.generation(team.project, team.editor, states=(S.FAILED,) * 5)
    now = timezone.now()
    made.jobs.update(state=S.SUCCEEDED, accepted_at=now - timedelta(seconds=0.5), answered_at=now)


def follow(account: ProviderAccount, script: Script, within_s: float = 90.0) -> None:
    """Drive until the script ends; each `yield` in it lets the driver go on for a moment."""
    ends = time.monotonic() + within_s

    def stop() -> bool:
        assert time.monotonic() < ends, "the script did not end in time"
        return next(script, "over") == "over"

    assert driver.drive(account_id=account.pk, stop=stop)


def until(question: Callable[[], object]) -> Script:
    """A step of a script: go on until the answer is true."""
    while not question():
        yield


def wait(seconds: float) -> Script:
    ends = time.monotonic() + seconds
    return until(lambda: time.monotonic() > ends)


def count(*states: JobState, **more: object) -> int:
    return Job.objects.filter(state__in=states, **more).count()


def a_result(sandbox: Sandbox) -> tuple[str, str]:
    """One run that the provider has done: its id there, and the address of its picture."""
    engine, key = catalog.get_engine(world.ENGINE), accounts.credentials_for(world.account())
    assert key is not None
    where = {"base_url": sandbox.url, "credentials": key}
    recipe = compose.build_recipe(engine, "一只柯基", {"size": "1024x1024"})
    call = Jimeng().build(engine, "一只柯基", recipe["settings"])
    made = Jimeng().submit(call, client_request_id="", **where)
    polled = wait_until(lambda: Jimeng().poll(engine, made.remote_id, **where).urls)
    return made.remote_id, str(polled[0])


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Every call that is made to the provider, as its address, in order; each goes through."""
    found: list[str] = []
    real = http.request

    def noted(method: str, url: str, **given: Any) -> http.Answer:
        found.append(url)
        return real(method, url, **given)

    monkeypatch.setattr(http, "request", noted)
    return found
