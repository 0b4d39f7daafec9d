"""Frames of videos on their way to a provider: in the call itself, as base64."""

from __future__ import annotations

import base64
import io
import json

import pytest
from PIL import Image
from pytest_django import Settings

from generations.models import Job, ProviderAccount, Reference
from generations.providers import catalog
from generations.services import compose
from tests import world
from tests.test_transport import REMOTE, driver

TAIL = catalog.get_engine("jimeng-video-3.0-first-last")


def filming(team: world.Team, *used: Reference) -> Job:
    """The team's queued job, as if it made a video of these."""
    job = world.job_using(team, *used)
    job.generation.engine, job.generation.kind = TAIL.slug, "video"
    job.generation.recipe["settings"] = {"frames": "121", "seed": 7}
    return job


@pytest.mark.django_db
def test_frames_travel_as_base64_and_never_as_addresses(
    team: world.Team, settings: Settings
) -> None:
    """Also to a provider that could not reach us."""
    one = world.reference(team, data=world.picture((9, 8, 7), (640, 480)))
    two = world.reference(team, data=world.picture((1, 2, 3), (900, 900)))
    job = filming(team, one, two)
    job.account.base_url = REMOTE
    call = driver(job).build(job)
    assert call is not None
    body = json.loads(call.body)
    assert set(body) == {"req_key", "prompt", "binary_data_base64", "frames", "seed"}
    assert (body["req_key"], body["frames"], body["seed"]) == (TAIL.req_key, 121, 7)
    first, second = (base64.b64decode(text, validate=True) for text in body["binary_data_base64"])
    assert first == (settings.MEDIA_ROOT / one.blob.name).read_bytes()
    with Image.open(io.BytesIO(second)) as image:
        assert image.size == (640, 480)


@pytest.mark.django_db
def test_a_frame_whose_bytes_are_gone_fails_unsent(team: world.Team, settings: Settings) -> None:
    one = world.reference(team, data=world.picture((9, 8, 7), (640, 480)))
    job = filming(team, one, one)
    (settings.MEDIA_ROOT / one.blob.name).unlink()
    assert driver(job).build(job) is None
    job.refresh_from_db()
    assert (job.state, job.reason) == ("failed", "unbuildable")


@pytest.mark.django_db
def test_a_video_of_frames_needs_no_public_address(team: world.Team) -> None:
    ProviderAccount.objects.update(base_url=REMOTE)
    frame = world.reference(team, data=world.picture((9, 8, 7), (640, 480)))
    made = compose.submit(
        project=team.project,
        user=team.owner,
        engine=TAIL.slug,
        prompt="海浪",
        settings={},
        count=1,
        references=[compose.Chosen(frame), compose.Chosen(frame)],
    )
    assert (made.kind, made.uses.count()) == ("video", 2)
    with pytest.raises(compose.ComposeProblem):
        compose.submit(
            project=team.project,
            user=team.owner,
            engine=TAIL.slug,
            prompt="海浪",
            settings={},
            count=1,
            references=[compose.Chosen(frame)],
        )
