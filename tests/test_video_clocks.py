"""A video's address dies within the hour: what people are told, what comes first, how long runs take."""

from __future__ import annotations

import time
from datetime import timedelta

import pytest
from django.utils import timezone
from pytest_django import DjangoAssertNumQueries

from generations.models import Generation, Job, JobState, User
from generations.providers import catalog
from generations.services import compose, jobs
from generations.services.driver import lease as leases
from generations.services.driver import watch
from generations.services.jobs import durations
from generations.templatetags import sentences
from tests import world

pytestmark = pytest.mark.django_db
S = JobState
VIDEO = "jimeng-video-3.0"
NOW = timezone.now().replace(microsecond=0)


def job_of(team: world.Team, slug: str, number: int, **fields: object) -> Job:
    engine = catalog.get_engine(slug)
    wanted = {"frames": fields.pop("frames", "121")} if engine.kind == "video" else {}
    recipe = compose.build_recipe(engine, "海浪", wanted)
    user: User = team.editor
    made = Generation.objects.create(
        project=team.project,
        user=user,
        recipe=recipe,
        recipe_sha256=catalog.recipe_sha256(recipe),
        engine=slug,
        kind=engine.kind,
        prompt="海浪",
        count=1,
    )
    return Job.objects.create(
        generation=made,
        account=world.account(),
        user=user,
        position=0,
        remote_id=str(number),
        **fields,
    )


def made_ago(team: world.Team, slug: str, number: int, minutes: float) -> Job:
    """A result that the provider told of so long ago, of a task of ten hours."""
    answered = NOW - timedelta(minutes=minutes)
    times = {"answered_at": answered, "deadline_at": answered + timedelta(hours=2)}
    return job_of(team, slug, number, state=S.COLLECTING, **times)


def test_the_clock_is_that_of_the_address(team: world.Team) -> None:
    video, picture = made_ago(team, VIDEO, 1, 20), made_ago(team, world.ENGINE, 2, 20)
    assert jobs.lost_at(video) == NOW + timedelta(minutes=40)
    assert jobs.lost_at(picture) == NOW + timedelta(minutes=100)
    assert sentences.kept_until(video) != sentences.kept_until(picture)
    assert jobs.lost_at(job_of(team, VIDEO, 3)) is None
    video.deadline_at = NOW + timedelta(minutes=5)
    assert jobs.lost_at(video) == video.deadline_at  # forgotten before its address dies


def test_what_dies_first_stands_first(
    team: world.Team, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    picture = made_ago(team, world.ENGINE, 1, 80)  # 40 minutes left
    video = made_ago(team, VIDEO, 2, 30)  # 30 minutes left, though its task has 90
    later = made_ago(team, VIDEO, 3, 12)
    for found in (jobs.not_archived(), jobs.at_risk(NOW), jobs.not_archived() | jobs.at_risk(NOW)):
        with django_assert_num_queries(1):
            assert [each.pk for each in found] == [video.pk, picture.pk, later.pk]
    by_deadline = Job.objects.filter(pk__in=(video.pk, picture.pk)).order_by("deadline_at")
    assert [each.pk for each in by_deadline] == [picture.pk, video.pk]  # the other way round


def test_a_length_of_video_is_a_class_of_its_own(team: world.Team) -> None:
    """Ten seconds take longer than five, whatever the shape."""
    for number, (frames, seconds) in enumerate([("121", 60), ("241", 140)] * 6):
        sent = NOW - timedelta(hours=1)
        times = {"sent_at": sent, "accepted_at": sent, "finished_at": NOW}
        answered = sent + timedelta(seconds=seconds)
        job_of(team, VIDEO, number, state=S.SUCCEEDED, frames=frames, answered_at=answered, **times)
    durations.forget()
    engine = catalog.get_engine(VIDEO)
    known = {}
    for frames in ("121", "241"):
        settings = catalog.clean_settings(engine, {"frames": frames, "aspect_ratio": "9:16"})
        found = durations.class_from(VIDEO, settings, 0)
        assert found.size == frames
        known[frames] = durations.usual(found).p50
    assert known == {"121": 60.0, "241": 140.0}


def test_deadlines_are_those_of_the_task(team: world.Team) -> None:
    assert jobs.deadline(job_of(team, VIDEO, 1), NOW) == NOW + timedelta(hours=12)


@pytest.mark.parametrize("slug", [VIDEO, world.ENGINE])
def test_the_first_look_comes_soon_however_long_a_run_takes(slug: str, team: world.Team) -> None:
    """A prompt that is refused at once is no news a minute later."""
    lease = leases.take(world.account())
    assert lease is not None
    driver = watch.Watch(lease)
    job = job_of(team, slug, 1, state=S.RUNNING, accepted_at=timezone.now())
    driver.watch(job)
    due, _ticket, found = driver.due[0]
    assert found is job
    assert 0 < due - time.monotonic() <= 5
    usual = catalog.get_engine(slug).typical_latency_s
    assert abs(due - time.monotonic() - min(usual / 2, 5)) < 1
