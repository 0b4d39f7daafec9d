"""Runs of an administrator's own models, through the real driver and the sandbox."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from django.utils import translation

from generations.models import Asset, Generation, JobState, ProviderAccount
from generations.services import compose, gallery, jobs
from generations.templatetags import failures
from tests import driving, world
from tests.clones import ID, SLUG, clone
from tests.driving import count, until
from tests.running import Sandbox, running_sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]
S = JobState
ENDPOINT = "ep-20261101000000-abcde"
ALSO = f"{ID}=jimeng_t2i_v40,{ENDPOINT}=doubao-seedream-4-5-251128"
SMALL = {"size": "1024x1024"}


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """A sandbox that serves ID and ENDPOINT beside what every sandbox serves."""
    folder = tmp_path_factory.mktemp("told")
    arguments = ("--latency", "1", "--fast-media", "--also", ALSO)
    with running_sandbox(folder, *arguments) as running:
        yield running


def ask(team: world.Team, engine: str, **settings: str) -> Generation:
    return compose.submit(
        project=team.project,
        user=team.editor,
        engine=engine,
        prompt="一只柯基",
        settings=settings,
        count=1,
    )


def idle() -> world.Team:
    """A team that waits for nothing else."""
    team = world.team("acme")
    team.jobs[S.QUEUED].delete()
    return team


def accounts_at(told: Sandbox, settings: Any) -> dict[str, ProviderAccount]:
    driving.at(told, settings)
    return {row.provider: row for row in ProviderAccount.objects.all()}


def test_a_clone_makes_a_verified_picture_also_when_it_is_switched_off_meanwhile(
    told: Sandbox, settings: Any
) -> None:
    """Limits that were narrowed meanwhile change nothing about it either."""
    account = accounts_at(told, settings)["jimeng"]
    team = idle()
    made = ask(team, clone().slug, **SMALL)
    assert (made.recipe["engine"], made.recipe["revision"]) == (SLUG, 1)

    def script() -> driving.Script:
        yield from until(lambda: made.jobs.filter(state=S.RUNNING).exists())
        clone(enabled=False, offered={"size": ["4096x4096"]}, count_max=1)
        yield from until(lambda: made.jobs.filter(state=S.COLLECTING).exists())

    driving.follow(account, script())
    jobs.finish(job_id=made.jobs.get().pk, alive=lambda: None)
    picture = Asset.objects.get(generation=made)
    assert (picture.width, picture.height) == (1024, 1024)
    sent = made.jobs.get().submissions.get()
    ours = [line for line in told.ledger() if line["client_request_id"] == str(sent.uuid)]
    assert [line["req_key"] for line in ours] == [ID]  # the sandbox is this file's, in any order
    assert sent.model_id == ID
    with translation.override("en"):
        facts = {fact.key: fact.value for fact in gallery.facts(picture)}
    assert (facts["engine"], facts["size"]) == ("House Image 5", "1024 × 1024")


def test_an_endpoint_of_ark_is_asked_as_its_model(told: Sandbox, settings: Any) -> None:
    account = accounts_at(told, settings)["ark"]
    team = idle()
    made = ask(team, clone(parent="seedream-4.5", req_key=ENDPOINT).slug)
    driving.follow(account, until(lambda: made.jobs.filter(state=S.COLLECTING).exists()))
    jobs.finish(job_id=made.jobs.get().pk, alive=lambda: None)
    assert Asset.objects.get(generation=made).width == 2048
    assert told.ledger()[-1]["req_key"] == ENDPOINT


@pytest.mark.parametrize(
    ("provider", "parent", "wrong"),
    [("jimeng", world.ENGINE, "jimeng_t2i_v51"), ("ark", "seedream-4.5", "ep-2026-typo")],
)
def test_an_id_that_the_provider_does_not_know_is_named(
    told: Sandbox, settings: Any, provider: str, parent: str, wrong: str
) -> None:
    account = accounts_at(told, settings)[provider]
    team = idle()
    before = len(told.ledger())
    made = ask(team, clone(parent=parent, req_key=wrong).slug)
    driving.follow(account, until(lambda: made.jobs.filter(state=S.FAILED).exists()))
    assert len(told.ledger()) == before
    job = made.jobs.get()
    assert job.reason == "unknown_model"
    # Once it is put right, the old failure still names what was wrong.
    clone(parent=parent, req_key="right")
    with translation.override("en"):
        said = str(failures.meaning(job))
    assert f"“{wrong}”" in said
    assert "Nothing was charged" in said
    assert "administrator" in said
    assert count(S.UNCERTAIN) == 1  # the team's own
