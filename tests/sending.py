"""A set of four that is being sent, for tests that say what comes of it."""

from __future__ import annotations

from dataclasses import dataclass

import pytest
from django.utils import timezone

from generations.models import Allowance, Balance, Job, JobState, Submission
from generations.providers.base import Ambiguous, Moderated, Part
from generations.services import compose, jobs, outputs, queue, quota
from generations.services.driver.calls import Result
from generations.services.driver.lease import Lease, take
from generations.services.driver.watch import Watch
from generations.services.jobs import parts
from tests import world

S = JobState
BROKEN = Ambiguous(message="the connection was closed")
NO = Moderated("OutputImageSensitiveContentDetected", reason="moderated_output")


@dataclass
class Sending:
    """A set of four that is being sent, and the messages its pictures asked for."""

    watch: Watch
    job: Job
    row: Submission
    asked: list[tuple[int, int]]

    def hears(self, answer: object, verb: str = "part") -> None:
        self.watch.absorb([Result(verb, self.job, answer, self.row)])

    def ends(self, answer: object) -> Job:
        self.hears(answer, "submit")
        self.job.refresh_from_db()
        return self.job

    def fetches(self) -> None:
        """Do what the messages ask for."""
        while self.asked:
            job, place = self.asked.pop(0)
            parts.keep(job_id=job, place=place)

    def finishes(self) -> Job:
        jobs.finish(job_id=self.job.pk, alive=lambda: None)
        self.job.refresh_from_db()
        return self.job

    @property
    def places(self) -> list[int]:
        return sorted(self.job.assets.values_list("position", flat=True))


def part(index: int, shade: int = 0) -> Part:
    """A picture that is on the disk already, so that no test needs a server."""
    return Part(index, outputs.lay_down(world.picture((20 * index, shade, 99))))


def begin(job: Job, lease: Lease) -> Submission:
    Job.objects.filter(pk=job.pk).update(
        state=S.SUBMITTING,
        lease_epoch=lease.epoch,
        lease_owner=lease.owner,
        sent_at=timezone.now(),
    )
    job.refresh_from_db()
    return Submission.objects.create(job=job, round=job.round, body_sha256="0" * 64)


@pytest.fixture
def sending(team: world.Team, monkeypatch: pytest.MonkeyPatch) -> Sending:
    Allowance.objects.create(scope=Allowance.Scope.SITE, limit=100)
    made = compose.submit(
        project=team.project,
        user=team.editor,
        engine="seedream-4.0",
        prompt="四只柯基",
        settings={"output": "set", "max_images": "4"},
        count=1,
    )
    job = Job.objects.select_related("generation", "account").get(generation=made)
    asked: list[tuple[int, int]] = []
    monkeypatch.setattr(queue, "keep", lambda job_id, place: asked.append((job_id, place)))
    lease = take(job.account)
    assert lease is not None
    return Sending(Watch(lease), job, begin(job, lease), asked)


def money() -> tuple[int, int]:
    """Held and spent for the site; the books must agree."""
    assert quota.discrepancies() == []
    row = Balance.objects.get(user=None)
    return row.reserved, row.spent
