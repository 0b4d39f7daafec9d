"""The administrators' list of jobs nobody knows the outcome of, and the three ways out."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generations.models import Job, JobState, Outcome, Submission
from tests import world

pytestmark = pytest.mark.django_db
S = JobState
LIST = "admin:generations_uncertainjob_changelist"
HASH = "ab" * 32


@pytest.fixture
def job(team: world.Team) -> Job:
    found = team.jobs[S.UNCERTAIN]
    Job.objects.filter(pk=found.pk).update(sent_at=timezone.now())
    Submission.objects.create(job=found, body_sha256=HASH, outcome=Outcome.UNKNOWN)
    return found


def desk(**rights: bool) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(world.person("boss", is_staff=True, **rights))
    return client


def order(client: Client, what: str, job: Job, **more: str) -> str:
    body = {"action": what, "_selected_action": [str(job.pk)], **more}
    return client.post(reverse(LIST), body, follow=True).content.decode()


def state(job: Job) -> str:
    return Job.objects.get(pk=job.pk).state


def test_the_list_says_what_was_sent_and_under_which_id(job: Job, team: world.Team) -> None:
    answer = desk(is_superuser=True).get(reverse(LIST))
    page = answer.content.decode()
    assert HASH in page and str(job.submissions.get().uuid) in page
    assert str(team.jobs[S.QUEUED].public_id) not in page
    assert "unsafe" not in answer["Content-Security-Policy"]
    assert " style=" not in page and "onclick" not in page


@pytest.mark.parametrize(
    ("what", "more", "after"),
    [
        ("adopt", {"remote_id": "7000000000000000001"}, S.RUNNING),
        ("send_again", {}, S.QUEUED),
        ("dismiss", {}, S.FAILED),
    ],
)
def test_each_way_out_asks_first(job: Job, what: str, more: dict[str, str], after: str) -> None:
    client = desk(is_superuser=True)
    assert 'name="apply"' in order(client, what, job)
    assert state(job) == S.UNCERTAIN
    assert "Done for 1 picture." in order(client, what, job, apply="1", **more)
    assert state(job) == after
    assert "Done for" not in order(client, what, job, apply="1", **more)


@pytest.mark.parametrize("typed", ["abc", "", "1" * 31])
def test_a_bad_task_id_is_a_sentence(job: Job, typed: str) -> None:
    page = order(desk(is_superuser=True), "adopt", job, apply="1", remote_id=typed)
    assert "errorlist" in page or "A task id is a number of up to 30 digits." in page
    assert state(job) == S.UNCERTAIN


def test_who_may_only_look_decides_nothing(job: Job) -> None:
    client = desk()
    clerk = Permission.objects.filter(codename="view_uncertainjob")
    world.User.objects.get(username="boss").user_permissions.set(clerk)
    assert HASH in client.get(reverse(LIST)).content.decode()
    for what in ("adopt", "send_again", "dismiss"):
        order(client, what, job, apply="1", remote_id="7")
    assert state(job) == S.UNCERTAIN
