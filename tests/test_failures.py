"""Failures in plain words: from the provider's reply bytes to the sentence and the one next step."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from django.utils import translation

from generations.models import Job, JobState
from generations.providers import jimeng_errors
from generations.providers.base import ProviderError
from generations.providers.http import Answer
from generations.providers.jimeng_reply import read
from generations.services.driver import verdicts
from generations.templatetags import failures, tiles
from generations.templatetags.failures import Step
from tests import world
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


@pytest.mark.parametrize("reason", [*failures.MEANINGS, "something new"])
def test_every_end_is_said_in_chinese(reason: str) -> None:
    _chinese(failures.MEANINGS.get(reason, failures.UNKNOWN))


@pytest.mark.parametrize("reason", failures.WAITS)
def test_every_wait_is_said_in_chinese(reason: str) -> None:
    _chinese(failures.WAITS[reason])


def _chinese(why: failures.Meaning) -> None:
    with translation.override("zh-hans"):
        said = str(why)
    assert said != why.sentence
    assert said.endswith("。") or why.step is WAIT
    assert ("扣费" in said) is ("charged" in why.sentence)
