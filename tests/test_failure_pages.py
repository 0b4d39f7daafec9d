"""Failures on the page: what a card says and offers, and what the panel marks when it is opened again."""

from __future__ import annotations

import html
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from generations.models import Job, JobState
from generations.templatetags import failures, studio, tiles
from generations.templatetags.failures import Step
from tests import world
from tests.pages import HTMX, text

pytestmark = pytest.mark.django_db
S = JobState
P, R, SET, AGAIN, TELL, WAIT = Step


@pytest.fixture
def job() -> Job:
    team = world.team("acme")
    return world.generation(team.project, team.editor, states=(S.QUEUED,)).jobs.get()


BUTTONS = {
    P: "Change the prompt",
    R: "Change the references",
    SET: "Change the settings",
    AGAIN: "Try again",
    TELL: "Tell an administrator",
}


@pytest.fixture
def browser(job: Job) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(job.user)
    return client


def card_of(browser: Client, job: Job) -> str:
    made = job.generation
    address = reverse("generation", args=[made.project.public_id, made.public_id])
    return html.unescape(text(browser.get(address, headers=HTMX)))


def end(job: Job, reason: str, state: JobState = S.FAILED, **more: Any) -> None:
    Job.objects.filter(pk=job.pk).update(state=state, reason=reason, **more)
    job.refresh_from_db()


@pytest.mark.parametrize("reason", [*failures.MEANINGS, "something new"])
def test_a_card_says_it_and_offers_one_step_that_works(
    browser: Client, job: Job, reason: str
) -> None:
    end(job, reason, provider_code="50413", provider_message="Post Text Risk Not Pass")
    page = card_of(browser, job)
    with translation.override("en"):
        why = failures.meaning(job)
        assert str(why) in page
    figure = page[page.index("<figure") : page.index("</figure>")]
    assert [label for label in BUTTONS.values() if f"{label}</" in figure] == [BUTTONS[why.step]]
    assert figure.index("The service's own words") < figure.index("Post Text Risk Not Pass")
    works = {
        AGAIN: reverse("job-retry", args=[job.public_id]),
        TELL: f"mailto:?subject=A%20picture%20was%20not%20made%20in%20the%20studio&body={quote(str(why))}",
    }
    assert works.get(why.step, f"?recipe={job.generation.public_id}") in figure


def test_who_may_only_look_is_offered_nothing() -> None:
    team = world.team("acme")
    end(team.jobs[S.FAILED], "key_refused")
    viewer = Client(headers={"accept-language": "en"})
    viewer.force_login(team.viewer)
    page = card_of(viewer, team.jobs[S.FAILED])
    assert "does not accept this studio's key" in page
    assert not [label for label in BUTTONS.values() if label in page]


@pytest.mark.parametrize("reason", ["bad_output", "too_large", "result_lost", "refused_url"])
def test_what_a_set_lost_is_said_on_its_card(reason: str) -> None:
    team = world.team("acme")
    made = world.generation(team.project, team.editor, output="set")
    kept = made.jobs.get()
    end(kept, reason, S.SUCCEEDED)
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(team.editor)
    page = card_of(browser, kept)
    assert [tile.kind for tile in tiles.tiles(made)] == ["picture", "lost"]
    assert "Not the whole set arrived" in page
    with translation.override("en"):
        assert str(failures.MEANINGS[reason]) in page
        assert studio.troubles(tiles.tiles(made)) == [str(failures.MEANINGS[reason])]
    assert "job-retry" not in page
    assert reverse("job-retry", args=[kept.public_id]) not in page


def test_a_set_that_came_whole_says_nothing() -> None:
    team = world.team("acme")
    made = world.generation(team.project, team.editor, output="set")
    assert [tile.kind for tile in tiles.tiles(made)] == ["picture"]


# --- Opened again ---------------------------------------------------------------------------------


def panel(browser: Client, job: Job) -> str:
    made = job.generation
    address = reverse("studio", args=[made.project.public_id])
    page = html.unescape(text(browser.get(address, {"recipe": str(made.public_id)})))
    return page[page.index('<form id="compose"') : page.index('<div class="send"')]


MARKED = {
    "prompt": 'aria-describedby="prompt-count prompt-blame" aria-invalid="true"',
    "references": 'class="field refs-field" aria-invalid="true" '
    'aria-describedby="references-blame"',
    "settings": 'id="size-field" aria-invalid="true" aria-describedby="settings-blame"',
}


@pytest.mark.parametrize("reason", failures.MEANINGS)
def test_the_input_at_fault_is_marked(browser: Client, job: Job, reason: str) -> None:
    end(job, reason)
    found = panel(browser, job)
    why = failures.MEANINGS[reason]
    assert [about for about, mark in MARKED.items() if mark in found] == [
        about for about in MARKED if about == why.about
    ]
    with translation.override("en"):
        assert (f'id="{why.about}-blame">{why}</p>' in found) is bool(why.about)
    assert found.count('aria-invalid="true"') == bool(why.about)


def test_a_run_that_is_tried_again_is_blamed_no_more(browser: Client, job: Job) -> None:
    end(job, "moderated_prompt", S.QUEUED)
    assert "aria-invalid" not in panel(browser, job)


def test_once_sent_the_forms_own_problems_count(browser: Client, job: Job) -> None:
    end(job, "moderated_input")
    made = job.generation
    address = reverse("compose", args=[made.project.public_id])
    sent = browser.post(address, {"prompt": "", "rerun_of": str(made.public_id)})
    assert sent.status_code == 422
    assert "content check refused a reference" not in text(sent).split('<div class="send"')[0]


def test_the_mark_blocks_nothing(browser: Client, job: Job) -> None:
    end(job, "moderated_prompt")
    made = job.generation
    before = Job.objects.count()
    address = reverse("compose", args=[made.project.public_id])
    typed = {"prompt": made.prompt, "count": "1", "rerun_of": str(made.public_id)}
    assert browser.post(address, typed).status_code == 302
    assert Job.objects.count() == before + 1
