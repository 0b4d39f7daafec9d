"""Cards: what one says in every state, and what a person may order on it."""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.contrib.messages import get_messages
from django.test import Client
from django.urls import reverse
from django.utils import timezone, translation

from generations.models import Allowance, Generation, Job, JobState, Membership, Submission
from generations.templatetags import sentences, studio, tiles
from tests import world
from tests.pages import HTMX, ids, text, url

pytestmark = pytest.mark.django_db
S = JobState


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.editor)
    return client


def card_of(browser: Client, team: world.Team, made: Generation) -> str:
    return text(browser.get(url(team, "generation", made.public_id), headers=HTMX))


def test_a_card_shows_every_state(browser: Client, team: world.Team) -> None:
    states = (S.SUCCEEDED, S.QUEUED, S.RUNNING, S.FAILED, S.CANCELLED, S.UNCERTAIN, S.EXPIRED)
    made = world.generation(team.project, team.editor, states=states)
    kinds = [tile.kind for tile in tiles.tiles(made)]
    assert kinds == ["picture", "pending", "pending", "failed", "cancelled", "uncertain", "failed"]
    page = card_of(browser, team, made)
    assert page.count("<figure") == 7
    for name in ("job-cancel", "job-retry", "job-send-again", "job-dismiss", "job-adopt"):
        assert reverse(name, args=[uuid4()]).rpartition("/")[0].rpartition("/")[2] in page
    assert "(may be charged twice)" in page


def test_a_card_alone_is_a_page_without_scripts(browser: Client, team: world.Team) -> None:
    page = text(browser.get(url(team, "generation", team.generation.public_id)))
    assert page.startswith("<!doctype")
    assert ids(page) == [str(team.generation.public_id)]


def test_what_a_person_or_a_provider_wrote_is_escaped(browser: Client, team: world.Team) -> None:
    nasty = "<img src=x onerror=alert(1)>"
    made = world.generation(team.project, team.editor, prompt=nasty, states=(S.FAILED,))
    made.jobs.update(reason="bad_request", provider_code="<b>", provider_message=nasty)
    page = card_of(browser, team, made)
    assert nasty not in page
    assert page.count("&lt;img src=x onerror=alert(1)&gt;") >= 2
    assert "Change the settings" in page
    assert "job-retry" not in page


def test_a_set_shows_its_pictures_and_one_growing_placeholder(team: world.Team) -> None:
    made = world.generation(team.project, team.editor, states=(S.COLLECTING,), output="set")
    first = world.asset(made.jobs.get())
    first.pk, first.public_id, first.position = None, uuid4(), 1
    first.save()
    assert [tile.kind for tile in tiles.tiles(made)] == ["picture", "picture", "pending"]


@pytest.mark.parametrize(
    ("fields", "account", "said"),
    [
        ({"state": S.QUEUED}, {}, "Queued"),
        ({"state": S.SUBMITTING}, {}, "Sending"),
        ({"state": S.RUNNING}, {}, "Generating"),
        ({"state": S.COLLECTING}, {}, "Fetching"),
        ({"state": S.QUEUED, "reason": "no_key"}, {}, "key is not set up"),
        ({"state": S.QUEUED, "reason": "rate"}, {}, "asks for a pause"),
        ({"state": S.QUEUED}, {"cool_until": timedelta(seconds=30)}, "cooling down until"),
        ({"state": S.QUEUED, "reason": "not_sent"}, {}, "unreachable"),
        ({"state": S.QUEUED}, {"unreachable_since": timedelta(0)}, "unreachable since"),
        ({"state": S.RUNNING}, {"unreachable_since": timedelta(0)}, "unreachable since"),
        ({"state": S.RUNNING, "cancel_asked_at": timedelta(1)}, {}, "Cancelling"),
    ],
)
def test_where_an_active_job_is(
    team: world.Team, fields: dict[str, Any], account: dict[str, timedelta], said: str
) -> None:
    now = timezone.now()
    job = Job(generation=team.generation, account=world.account(), remote_id="1", **fields)
    if job.cancel_asked_at:
        job.cancel_asked_at = now
    for name, offset in account.items():
        setattr(job.account, name, now + offset)
    with translation.override("en"):
        assert said in sentences.under_way(job, now)


def test_every_reason_says_what_it_cost() -> None:
    with translation.override("en"):
        for reason in sentences.ENDED.keys() - {"internal"}:
            assert "charged" in str(sentences.ENDED[reason])
        assert (
            sentences.ended(Job(reason="something new")) == "This picture was not made. Try again."
        )


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (5, "just now"),
        (65, "1 minute ago"),
        (7200, "2 hours ago"),
        (90_000, "1 day ago"),
        (900_000, "2026"),
    ],
)
def test_how_long_ago(seconds: int, said: str) -> None:
    now = timezone.now().replace(year=2026, month=6, day=20)
    with translation.override("en"):
        assert said in sentences.ago(now - timedelta(seconds=seconds), now)


def test_pictures_are_never_enlarged(team: world.Team) -> None:
    asset = team.asset
    widths: dict[int, list[str]] = {
        96: ["96w"],
        320: ["320w"],
        700: ["320w", "640w", "700w"],
        1280: ["320w", "640w", "1280w"],
        4096: ["320w", "640w", "1280w"],
    }
    for width, wanted in widths.items():
        asset.width = width
        found = [each.split()[1] for each in studio.srcset(asset).split(", ")]
        assert found == wanted


@pytest.mark.parametrize(
    ("count", "size", "columns"),
    [(1, "2048x2048", 3), (2, "2560x1440", 2), (3, "2560x1440", 3), (4, "2048x2048", 4)],
)
def test_few_and_wide_pictures_get_more_room(
    team: world.Team, count: int, size: str, columns: int
) -> None:
    made = world.generation(team.project, team.editor, states=(S.QUEUED,) * count, size=size)
    assert tiles.columns(tiles.tiles(made)) == columns


# --- Orders ---------------------------------------------------------------------------------------


def order(browser: Client, name: str, public_id: object, *, htmx: bool = True, **data: str) -> Any:
    return browser.post(reverse(name, args=[public_id]), data, headers=HTMX if htmx else {})


def test_orders_answer_with_the_card_as_it_is_now(browser: Client, team: world.Team) -> None:
    found = team.jobs
    retried = order(browser, "job-retry", found[S.FAILED].public_id)
    assert retried.status_code == 200
    assert ids(text(retried)) == [str(team.generation.public_id)]
    assert Job.objects.get(pk=found[S.FAILED].pk).state == S.QUEUED
    order(browser, "job-cancel", found[S.QUEUED].public_id)
    assert Job.objects.get(pk=found[S.QUEUED].pk).state == S.CANCELLED
    order(browser, "job-dismiss", found[S.UNCERTAIN].public_id)
    assert Job.objects.get(pk=found[S.UNCERTAIN].pk).reason == "dismissed"
    order(browser, "generation-cancel", team.generation.public_id)
    assert not team.generation.jobs.filter(state=S.QUEUED).exists()


def test_an_uncertain_job_can_be_sent_again_or_adopted(browser: Client, team: world.Team) -> None:
    job = team.jobs[S.UNCERTAIN]
    Submission.objects.create(job=job, body_sha256="0" * 64, outcome="unknown")
    bad = order(browser, "job-adopt", job.public_id, remote_id="12x")
    assert bad.status_code == 422
    assert "A task id is a number" in text(bad)
    order(browser, "job-adopt", job.public_id, remote_id=" 7392616336519610409 ")
    job.refresh_from_db()
    assert (job.state, job.remote_id) == (S.RUNNING, "7392616336519610409")
    Job.objects.filter(pk=job.pk).update(state=S.UNCERTAIN)
    order(browser, "job-send-again", job.public_id)
    job.refresh_from_db()
    assert (job.state, job.round) == (S.QUEUED, 2)


def test_an_order_that_comes_too_late_says_so(browser: Client, team: world.Team) -> None:
    job = team.jobs[S.SUCCEEDED]
    answer = order(browser, "job-retry", job.public_id)
    assert answer.status_code == 422
    assert "This picture has moved on" in text(answer)
    plain = order(browser, "job-retry", job.public_id, htmx=False)
    assert plain["Location"] == url(team, "generation", team.generation.public_id)
    assert "moved on" in str(next(iter(get_messages(plain.wsgi_request))))


def test_trying_again_beyond_the_allowance_is_refused_on_the_card(
    browser: Client, team: world.Team
) -> None:
    Allowance.objects.create(scope=Allowance.Scope.SITE, limit=0)
    answer = order(browser, "job-retry", team.jobs[S.FAILED].public_id)
    assert answer.status_code == 422
    assert "This needs 1 image" in text(answer)
    assert Job.objects.get(pk=team.jobs[S.FAILED].pk).state == S.FAILED


def test_a_removed_member_is_a_stranger_on_the_next_request(
    browser: Client, team: world.Team
) -> None:
    assert browser.get(url(team)).status_code == 200
    Membership.objects.filter(project=team.project, user=team.editor).delete()
    for name in ("studio", "feed", "events"):
        assert browser.get(url(team, name)).status_code == 404


def test_what_only_the_provider_has_shows_its_clock(browser: Client, team: world.Team) -> None:
    until = timezone.now().replace(hour=6, minute=5, second=0) + timedelta(days=1)
    made = world.generation(team.project, team.editor, states=(S.RUNNING,))
    made.jobs.update(deadline_at=until)
    assert "or lost" not in card_of(browser, team, made)
    made.jobs.update(state=S.COLLECTING)
    assert "14:05:00 or lost" in card_of(browser, team, made)
