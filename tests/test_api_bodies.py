"""What is sent to the API in a shape that it does not take: refused in words, whatever it is."""

from __future__ import annotations

import json
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generations.api import admission
from generations.models import Reference
from generations.services.library.references import MAX_BYTES
from tests import tokens, world
from tests.tokens import refused, runs_of

pytestmark = pytest.mark.django_db
GOOD = json.dumps(tokens.run_body())


@pytest.fixture
def program(team: world.Team) -> Client:
    return tokens.bearer(tokens.token(team.editor))


def post(program: Client, team: world.Team, body: str | bytes, kind: str = admission.JSON) -> Any:
    return program.generic("POST", runs_of(team), body, content_type=kind)


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


# --- No JSON, or more than is read ----------------------------------------------------------------

NOT_JSON: dict[str, str | bytes] = {
    "text": "hello",
    "cut": GOOD[:-1],
    "two": GOOD + GOOD,
    "a key twice": '{"prompt": "a", "prompt": "b", "engine": "jimeng-image-4.0"}',
    "a key twice inside": '{"settings": {"scale": 1, "scale": 0}}',
    "nested": nested(100_000),
    "nested objects": '{"a":' * 100_000,
    "NaN": '{"count": NaN}',
    "infinity": '{"count": -Infinity}',
    "5,000 digits": '{"count": ' + "9" * 5_000 + "}",
    "UTF-16": GOOD.encode("utf-16"),
    "Latin-1": '{"prompt": "é"}'.encode("latin-1"),
    "a byte order mark": b"\xef\xbb\xbf" + GOOD.encode(),
    "NUL": b"\0",
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_what_is_no_json_is_said(name: str, team: world.Team, program: Client) -> None:
    (said,) = refused(post(program, team, NOT_JSON[name]), 400)
    assert said["message"].startswith("The body is not JSON: ")
    assert team.project.generations.count() == 1


@pytest.mark.parametrize(
    "kind",
    [
        *("", "text/plain", "application/x-www-form-urlencoded", "application/jsonp"),
        *("multipart/form-data; boundary=x", "application/json/x", "a" * 5_000, "\x7f"),
    ],
)
def test_only_json_is_read(kind: str, team: world.Team, program: Client) -> None:
    (said,) = refused(post(program, team, GOOD, kind), 415)
    assert said["message"] == "Send the body as application/json."


@pytest.mark.parametrize("kind", ["application/json; charset=utf-8", "APPLICATION/JSON"])
def test_json_may_say_its_charset(kind: str, team: world.Team, program: Client) -> None:
    assert post(program, team, GOOD, kind).status_code == 201


def test_a_body_over_a_megabyte_is_not_read(team: world.Team, program: Client) -> None:
    room = admission.JSON_MAX - len(json.dumps(tokens.run_body(prompt="")))
    fits = json.dumps(tokens.run_body(prompt="x" * room))
    assert len(fits) == admission.JSON_MAX
    assert refused(post(program, team, fits), 422)[0]["field"] == "prompt"
    (said,) = refused(post(program, team, fits + " "), 413)
    assert said["params"] == {"max": 1_000_000}


@pytest.mark.parametrize("length", ["", "x", "-1", "１"])
def test_a_body_says_how_long_it_is(length: str, team: world.Team, program: Client) -> None:
    more = {"HTTP_TRANSFER_ENCODING": "chunked", "CONTENT_LENGTH": length}
    answer = program.generic("POST", runs_of(team), GOOD, content_type=admission.JSON, **more)
    refused(answer, 411)


# --- Fields ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"user": 1}, "user"),
        ({"cost_mills": 0}, "cost_mills"),
        ({"form_token": "x"}, "form_token"),
        ({"\0": 1}, "\0"),
        ({"prompt": None}, "prompt"),
        ({"prompt": ["a"]}, "prompt"),
        ({"engine": 4}, "engine"),
        ({"count": "2"}, "count"),
        ({"count": True}, "count"),
        ({"count": 1.5}, "count"),
        ({"settings": []}, "settings"),
        ({"settings": {"scale": [1]}}, "settings.scale"),
        ({"settings": {"scale": {}}}, "settings.scale"),
        ({"settings": dict.fromkeys(map(str, range(101)), 1)}, "settings"),
        ({"references": "x"}, "references"),
        ({"references": [1]}, "references.0"),
        ({"references": ["x"] * 41}, "references"),
        ({"references": ["x"]}, "references"),
        ({"references": ["\0"]}, "references"),
        ({"references": ["a.00000000-0000-4000-8000-000000000000"]}, "references"),
    ],
)
def test_unknown_fields_and_wrong_types_are_named(
    more: dict[str, Any], field: str, team: world.Team, program: Client
) -> None:
    (said,) = refused(post(program, team, json.dumps(tokens.run_body(**more))), 422)
    assert said["field"] == field
    assert said["message"]
    assert team.project.generations.count() == 1


def test_every_problem_is_told_at_once(team: world.Team, program: Client) -> None:
    said = refused(post(program, team, '{"promt": "a", "count": "2"}'), 422)
    assert {each["field"] for each in said} == {"prompt", "engine", "promt", "count"}


ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters()),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(st.characters()), inner),
    max_leaves=8,
)
FIELDS = ("prompt", "engine", "settings", "count", "references")


@given(body=st.dictionaries(st.sampled_from(FIELDS), ANYTHING), raw=st.binary(), scale=ANYTHING)
@settings(
    max_examples=150,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_no_body_breaks_it(
    body: dict[str, Any], raw: bytes, scale: object, team: world.Team, program: Client
) -> None:
    """Any Unicode, half surrogate pairs included, any numbers, any nesting; and any bytes."""
    shaped = tokens.run_body(settings={"scale": scale, "size": scale})
    for each in (json.dumps(tokens.run_body() | body), json.dumps(shaped), raw):
        answer = post(program, team, each)
        assert answer.status_code in (201, 400, 422), each
        assert readable(answer)


def readable(answer: Any) -> bool:
    """Whether any reader of JSON takes it: half of a surrogate pair is no text."""
    json.dumps(json.loads(answer.content), ensure_ascii=False).encode()
    return True


@pytest.mark.parametrize(
    "more", [{"settings": {"scale": "\ud800"}}, {"settings": {"\udfff": 1}}, {"engine": "\ud800"}]
)
def test_half_a_character_is_not_given_back(
    more: dict[str, Any], team: world.Team, program: Client
) -> None:
    answer = post(program, team, json.dumps(tokens.run_body(**more)))
    assert refused(answer, 422)
    assert readable(answer)


# --- Files ----------------------------------------------------------------------------------------


def upload(program: Client, team: world.Team, body: dict[str, Any], **more: Any) -> Any:
    return program.post(reverse("api-reference", args=[team.project.public_id]), body, **more)


def file(data: bytes, name: str = "a.jpg") -> SimpleUploadedFile:
    return SimpleUploadedFile(name, data, "image/jpeg")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "file"),
        ({"file": "text"}, "file"),
        ({"file": file(b""), "note": "x"}, "note"),
        ({"file": file(b"x"), "more": file(b"x")}, "more"),
        ({"file": [file(b"x"), file(b"y")]}, "file"),
        ({"file": file(b"<svg/>")}, "file"),
        ({"file": file(b"")}, "file"),
    ],
)
def test_what_is_no_picture_is_refused(
    body: dict[str, Any], field: str, team: world.Team, program: Client
) -> None:
    said = refused(upload(program, team, body), 422)
    assert field in {each["field"] for each in said}
    assert Reference.objects.count() == 0


def test_an_upload_is_a_form_and_not_too_large(team: world.Team, program: Client) -> None:
    where = reverse("api-reference", args=[team.project.public_id])
    answer = program.generic("POST", where, "{}", content_type=admission.JSON)
    assert refused(answer, 415)[0]["message"] == "Send the body as multipart/form-data."
    broken = program.generic("POST", where, "x", content_type="multipart/form-data")
    refused(broken, 400)
    refused(upload(program, team, {"file": file(bytes(MAX_BYTES + 1))}), 413)
    more = {"CONTENT_LENGTH": str(admission.UPLOAD_MAX + 1)}
    refused(upload(program, team, {"file": file(b"x")}, **more), 413)
    assert Reference.objects.count() == 0


def test_the_same_picture_twice_is_one_reference(team: world.Team, program: Client) -> None:
    first, second = (upload(program, team, tokens.upload_body()) for _each in range(2))
    assert (first.status_code, second.status_code) == (201, 201)
    assert first.json() == second.json()
    assert Reference.objects.get().project == team.project
