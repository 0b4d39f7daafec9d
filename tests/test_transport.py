"""References on their way to a provider: signed addresses, who may use them, and when there are none."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import time_machine
from django.core import signing
from django.test import Client
from pytest_django import Settings

from generations.models import (
    Generation,
    Job,
    JobState,
    LedgerEntry,
    ProviderAccount,
    Reference,
    Use,
)
from generations.providers import catalog, get_provider
from generations.services import compose
from generations.services.driver.slice import Slice
from generations.services.library import transport
from tests import world

ENGINE = catalog.get_engine(world.ENGINE)


@pytest.fixture
def reference(team: world.Team) -> Reference:
    return world.reference(team)


def path_of(team: world.Team, reference: Reference) -> str:
    (url,) = transport.carried(world.job_using(team, reference), ENGINE, world.account())
    return url.removeprefix("http://127.0.0.1:8000")


# --- The address ----------------------------------------------------------------------------------


@pytest.mark.django_db
def test_a_signed_address_needs_no_session_and_serves_one_file(
    team: world.Team, reference: Reference, client: Client
) -> None:
    path = path_of(team, reference)
    response = client.get(path)
    assert response.status_code == 200
    assert b"".join(response.streaming_content) == world.picture((200, 120, 40))  # type: ignore[attr-defined]
    assert response["Content-Type"] == "image/jpeg"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert "private" in response["Cache-Control"]
    assert "Set-Cookie" not in response
    assert client.head(path).status_code == 200
    for method in ("post", "put", "patch", "delete"):
        assert getattr(client, method)(path).status_code == 405


@pytest.mark.django_db
def test_a_forged_address_is_not_found(
    team: world.Team, reference: Reference, client: Client
) -> None:
    path = path_of(team, reference)
    token = path.split("/")[2]
    payload, *rest = token.split(":")
    job = team.jobs[JobState.QUEUED]
    bound = [job.pk, reference.pk, "fit-other"]
    forged = [
        "x",
        token[:-1],
        token + "A",
        ":".join([payload[:-2] + ("AA" if payload[-2:] != "AA" else "BB"), *rest]),
        signing.dumps([job.pk, reference.pk, "320"], salt="another salt"),
        signing.dumps(bound, salt=transport.SALT),  # no such rendition
        signing.dumps("text", salt=transport.SALT),
        signing.dumps([1, 2], salt=transport.SALT),
        signing.dumps(bound, salt=transport.SALT, key="another key"),
        "%00",
        "A" * 5_000,
    ]
    for each in forged:
        assert client.get(f"/r/{each}/").status_code == 404, each[:80]


@pytest.mark.django_db
def test_an_address_dies_after_an_hour(
    team: world.Team, reference: Reference, client: Client
) -> None:
    with time_machine.travel("2026-11-20 12:00:00+00:00", tick=False) as clock:
        path = path_of(team, reference)
        clock.shift(3_599)
        assert client.get(path).status_code == 200
        clock.shift(2)
        assert client.get(path).status_code == 404


@pytest.mark.django_db
def test_an_address_dies_with_its_job(
    team: world.Team, reference: Reference, client: Client
) -> None:
    path = path_of(team, reference)
    jobs = Job.objects.filter(pk=team.jobs[JobState.QUEUED].pk)
    for state, status in [("submitting", 200), ("uncertain", 200), ("cancelled", 404)]:
        jobs.update(state=state)
        assert client.get(path).status_code == status
    jobs.update(state="queued")
    Use.objects.all().delete()
    assert client.get(path).status_code == 404  # a job that does not use it


@pytest.mark.django_db
@pytest.mark.parametrize("guard", ["lifetime", "state", "salt"])
def test_each_guard_is_what_stops_it(
    guard: str,
    team: world.Team,
    reference: Reference,
    client: Client,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The negative controls: what is refused above is let in once its guard is taken out."""
    with time_machine.travel("2026-11-20 12:00:00+00:00", tick=False) as clock:
        path = path_of(team, reference)
        job = team.jobs[JobState.QUEUED]
        if guard == "lifetime":
            clock.shift(7_200)
        if guard == "state":
            Job.objects.filter(pk=job.pk).update(state=JobState.CANCELLED)
        if guard == "salt":
            bound = [job.pk, reference.pk, world.rendition(reference).spec]
            path = f"/r/{signing.dumps(bound, salt='another salt')}/"
        assert client.get(path).status_code == 404
        taken_out = {"lifetime": ("LIFETIME_S", 10_000), "state": ("FINAL", ())}
        monkeypatch.setattr(transport, *taken_out.get(guard, ("SALT", "another salt")))
        assert client.get(path).status_code == 200


# --- Which address --------------------------------------------------------------------------------

REMOTE = "https://visual.volcengineapi.com"


@pytest.mark.parametrize(
    ("provider", "public", "base"),
    [
        ("http://127.0.0.1:9100", "", "http://127.0.0.1:8000"),
        ("http://localhost:9100", "", "http://127.0.0.1:8000"),
        ("http://[::1]:9100", "", "http://127.0.0.1:8000"),
        ("http://127.0.0.1:9100", "https://studio.example.com", "http://127.0.0.1:8000"),
        (REMOTE, "https://studio.example.com", "https://studio.example.com"),
        (REMOTE, "", None),
        (REMOTE, "http://127.0.0.1:8000", None),
        (REMOTE, "http://localhost", None),
        ("http://[broken", "", None),
    ],
)
def test_where_a_provider_fetches(
    provider: str, public: str, base: str | None, settings: Settings
) -> None:
    settings.PUBLIC_BASE_URL = public
    assert transport.base_url(ProviderAccount(base_url=provider)) == base


@pytest.mark.django_db
def test_a_run_nobody_could_serve_is_refused_before_anything_is_reserved(
    team: world.Team, reference: Reference, settings: Settings
) -> None:
    ProviderAccount.objects.update(base_url=REMOTE)
    before = (Generation.objects.count(), LedgerEntry.objects.count())

    def run(*chosen: compose.Chosen) -> Generation:
        return compose.submit(
            project=team.project,
            user=team.owner,
            engine=ENGINE.slug,
            prompt="一只柯基",
            settings={},
            count=1,
            references=chosen,
        )

    with pytest.raises(compose.ComposeProblem) as caught:
        run(compose.Chosen(reference))
    (error,) = caught.value.errors
    assert (error.field, error.message) == ("references", transport.NO_ADDRESS)
    assert "PUBLIC_BASE_URL" in error.message
    assert (Generation.objects.count(), LedgerEntry.objects.count()) == before
    settings.PUBLIC_BASE_URL = "https://studio.example.com"
    assert run(compose.Chosen(reference)).uses.count() == 1
    settings.PUBLIC_BASE_URL = ""
    assert run().uses.count() == 0


# --- What the driver sends ------------------------------------------------------------------------


def driver(job: Job) -> Slice:
    """A driver that prepares calls and sends none."""
    made = object.__new__(Slice)
    made.provider = get_provider("jimeng")
    made.lease = type("Held", (), {"account": job.account})()
    return made


@pytest.mark.django_db
def test_the_call_names_the_references_in_their_order(team: world.Team) -> None:
    one = world.reference(team)
    two = world.reference(team, data=world.picture((1, 2, 3)))
    job = world.job_using(team, two, one)
    call = driver(job).build(job)
    assert call is not None
    urls = json.loads(call.body)["image_urls"]
    found = [transport.found(url.split("/")[4]) for url in urls]
    assert [each.reference_id for each in found if each] == [two.pk, one.pk]


@pytest.mark.django_db
def test_a_run_without_references_asks_nothing_more(
    team: world.Team, django_assert_num_queries: Callable[..., Any]
) -> None:
    job = world.job_using(team)
    with django_assert_num_queries(0):
        assert transport.carried(job, ENGINE, job.account) == []


@pytest.mark.django_db
@pytest.mark.parametrize("broken", ["uses", "order", "address"])
def test_what_cannot_be_sent_fails_unsent(
    broken: str, team: world.Team, settings: Settings
) -> None:
    one, two = world.reference(team), world.reference(team, data=world.picture((1, 2, 3)))
    job = world.job_using(team, one, two)
    if broken == "uses":
        Use.objects.filter(position=1).delete()
    if broken == "order":
        job.generation.recipe["references"].reverse()
    if broken == "address":
        job.account.base_url = REMOTE
    assert driver(job).build(job) is None
    job.refresh_from_db()
    assert (job.state, job.reason) == ("failed", "unbuildable")
