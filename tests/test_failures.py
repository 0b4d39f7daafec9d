"""Failures in plain words: from the provider's reply bytes to the sentence and the one next step."""

from __future__ import annotations

import html
import json
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import translation

from generations.models import Job, JobState
from generations.providers import jimeng_errors
from generations.providers.base import ProviderError
from generations.providers.http import Answer
from generations.providers.jimeng_reply import read
from generations.services.driver import verdicts
from generations.templatetags import failures, studio, tiles
from generations.templatetags.failures import Step
from tests import world
from tests.pages import HTMX, text
from tests.providers.jimeng_answers import gateway, service

pytestmark = pytest.mark.django_db
S = JobState
P, R, SET, AGAIN, TELL, WAIT = Step
FREE, UNKNOWN = "no", "unknown"


@dataclass(frozen=True, slots=True)
class Row:
    """One code on a submit: what came, and the reason, charge and step that follow from it."""

    code: int | str
    status: int
    reason: str
    step: Step | None
    charged: str = FREE
    number: int | None = None
    after: JobState = S.FAILED

    @property
    def body(self) -> bytes:
        plain = isinstance(self.code, int)
        document = service(self.code) if plain else gateway(str(self.code), self.number)
        return json.dumps(document).encode()


def _rows(reason: str, step: Step, *codes: tuple[int, int], **more: Any) -> list[Row]:
    return [Row(code, status, reason, step, **more) for code, status in codes]


def _bad(*codes: int) -> list[tuple[int, int]]:
    return [(code, 400) for code in codes]


def _named(reason: str, step: Step, *codes: tuple[int | None, str, int]) -> list[Row]:
    return [Row(name, status, reason, step, number=number) for number, name, status in codes]


SERVICE = [
    *_rows("bad_request", SET, *_bad(50200, 50201, 50204)),
    *_rows("reference_size", R, *_bad(50205, 50211, 50214)),
    *_rows("reference_unreadable", R, *_bad(50206, 50207, 50209, 50210)),
    *_rows("body_too_large", R, *_bad(50213)),
    *_rows("input_refused", SET, *_bad(50215)),
    *_rows("not_opened", TELL, (50400, 401)),
    *_rows("request_broken", TELL, (50402, 404)),
    *_rows("moderated_prompt", P, *_bad(50412)),
    *_rows("copyright_prompt", P, *_bad(50413)),
    *_rows("moderated_text", P, *_bad(50512)),
    *_rows("moderated_input", R, *_bad(50218, 50411, 50513, 50514)),
    *_rows("copyright_input", R, *_bad(50518)),
    *_rows("moderated_output", AGAIN, *_bad(50511, 50516, 50517)),
    *_rows("copyright_output", AGAIN, *_bad(50519)),
    *_rows("check_failed", AGAIN, *_bad(50520, 50521, 50522)),
    *_rows("rate", WAIT, (50429, 429), after=S.QUEUED),
    *_rows("concurrency", WAIT, (50430, 429), after=S.QUEUED),
]
# Nobody knows what became of these: the card asks, and nothing is sent again by itself.
OPEN = [
    Row(code, status, "ambiguous", None, UNKNOWN, after=S.UNCERTAIN)
    for code, status in [
        (50500, 500),
        (50501, 500),
        ("InternalError", 500),
        ("InternalServiceError", 502),
        ("ServiceUnavailableTemp", 503),
        ("InternalServiceTimeout", 504),
    ]
]
GATEWAY = [
    *_named(
        "request_broken",
        TELL,
        (100002, "MissingParameter", 400),
        (100007, "ServiceNotFound", 404),
        (100008, "InvalidActionOrVersion", 404),
    ),
    *_named(
        "key_refused",
        TELL,
        (100003, "MissingAuthenticationToken", 401),
        (100004, "MissingRequestInfo", 400),
        (100005, "MissingSignature", 401),
        (100009, "InvalidAccessKey", 401),
        (100010, "SignatureDoesNotMatch", 401),
        (100024, "InvalidAuthorization", 400),
        (100025, "InvalidCredential", 400),
        (100026, "InvalidSecretToken", 401),
    ),
    *_named("clock", TELL, (100006, "InvalidTimestamp", 400)),
    *_named("not_allowed", TELL, (100012, "LackPolicy", 403), (100013, "AccessDenied", 403)),
    Row("FlowLimitExceeded", 429, "rate", WAIT, after=S.QUEUED),
]
SAMPLES = [
    *_named("request_broken", TELL, (None, "MissingParameter", 400), (None, "TaskNotFound", 404)),
    *_named("bad_request", SET, (None, "InvalidParameter", 400)),
    *_named("key_refused", TELL, (None, "Unauthorized", 401), (None, "InvalidSignature", 403)),
    *_named("provider_quota", TELL, (None, "QuotaExceeded", 400), (None, "QuotaExceeded", 403)),
    *_named("content_filtered", P, (None, "ContentFiltered", 400)),
    Row("QuotaExceeded", 429, "provider_quota", WAIT, after=S.QUEUED),
    Row("QuotaExceeded", 500, "ambiguous", None, UNKNOWN, after=S.UNCERTAIN),
]
TABLE = [*SERVICE, *OPEN, *GATEWAY, *SAMPLES]
# On a poll of a run that goes on: what ends it, and under which reason.
POLLED = {
    50205: "reference_size",
    50207: "reference_unreadable",
    50411: "moderated_input",
    50412: "moderated_prompt",
    50519: "copyright_output",
    50520: "check_failed",
    50500: "engine_fault",
    50501: "engine_fault",
}


def error_of(body: bytes, status: int, doing: jimeng_errors.Doing = "submit") -> ProviderError:
    return jimeng_errors.error_of(read(Answer(status, {}, body), ()), doing)


@pytest.fixture
def job() -> Job:
    team = world.team("acme")
    return world.generation(team.project, team.editor, states=(S.QUEUED,)).jobs.get()


def tile_of(job: Job) -> tiles.Tile:
    return tiles.tiles(job.generation)[0]


def test_the_table_covers_all_that_the_provider_knows() -> None:
    known = {*jimeng_errors.SERVICE, *jimeng_errors.GATEWAY, *jimeng_errors.SAMPLES}
    said = {str(row.code) for row in TABLE} | {str(row.number) for row in TABLE if row.number}
    assert said == known | jimeng_errors.INTERNAL


@pytest.mark.parametrize("row", TABLE, ids=lambda row: f"{row.code}-{row.status}")
def test_from_the_wire_to_the_next_step(job: Job, row: Row) -> None:
    error = error_of(row.body, row.status)
    assert (error.reason, error.charged) == (row.reason, row.charged)
    change = verdicts.after_submit(job, error, epoch=1)
    assert (change.after, change.fields["reason"]) == (row.after, row.reason)
    job.state, job.reason = change.after, row.reason
    job.provider_message, job.provider_code = error.message, error.code
    job.save()
    with translation.override("en"):
        _says(tile_of(job), row)


def _says(tile: tiles.Tile, row: Row) -> None:
    if row.step is None:
        assert tile.kind == "uncertain"
    elif row.step is WAIT:
        assert tile.kind == "pending"
        assert tile.words == str(failures.WAITS[row.reason])
    else:
        assert tile.why == failures.MEANINGS[row.reason]
        assert tile.why is not None
        assert tile.why.step is row.step
        assert "charged" in tile.words
        assert "Nothing was" in tile.words


@pytest.mark.parametrize(("code", "reason"), POLLED.items())
def test_a_run_that_ends_while_it_is_asked_about(job: Job, code: int, reason: str) -> None:
    error = error_of(json.dumps(service(code)).encode(), 400, "poll")
    change = verdicts.after_poll(job, error, 1)
    assert change is not None
    assert (change.after, change.fields["reason"]) == (S.FAILED, reason)


@pytest.mark.parametrize("row", [*GATEWAY, *SAMPLES], ids=lambda row: f"{row.code}-{row.status}")
def test_a_refused_question_ends_no_run(job: Job, row: Row) -> None:
    """The reasons are finer than the decision: by whatever name, this is about the question."""
    assert verdicts.after_poll(job, error_of(row.body, row.status, "poll"), 1) is None
    broken = error_of(json.dumps(service(50400)).encode(), 401, "poll")
    assert verdicts.after_poll(job, broken, 1) is None


# --- What the page says ---------------------------------------------------------------------------

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
    "prompt": '<textarea id="prompt" name="prompt" rows="4" aria-describedby="prompt-count '
    'prompt-error" aria-invalid="true"',
    "references": 'class="field refs-field" aria-invalid="true" '
    'aria-describedby="references-error"',
    "settings": 'id="size-field" aria-invalid="true" aria-describedby="settings-error"',
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
        assert (f'id="{why.about}-error">{why}</p>' in found) is bool(why.about)
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


# --- In Chinese -----------------------------------------------------------------------------------


@pytest.mark.parametrize("reason", [*failures.MEANINGS, "something new"])
def test_every_end_is_said_in_chinese(reason: str) -> None:
    _chinese(failures.meaning(Job(reason=reason)))


@pytest.mark.parametrize("reason", failures.WAITS)
def test_every_wait_is_said_in_chinese(reason: str) -> None:
    _chinese(failures.WAITS[reason])


def _chinese(why: failures.Meaning) -> None:
    with translation.override("zh-hans"):
        said = str(why)
    assert said != why.sentence
    assert said.endswith("。") or why.step is WAIT
    assert ("扣费" in said) is ("charged" in why.sentence)
