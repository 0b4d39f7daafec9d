"""What the calls refuse, in the pages' words; what they show, page by page."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.conf import settings
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext, override

from generations.models import (
    Allowance,
    Generation,
    Job,
    JobState,
    Project,
    ProviderAccount,
    Reference,
)
from generations.providers import catalog
from generations.services import people
from tests import tokens, world
from tests.pages import HTMX, url
from tests.people import client_of
from tests.tokens import refused, runs_of

pytestmark = pytest.mark.django_db


@pytest.fixture
def program(team: world.Team) -> Client:
    """A program with a token of the team's editor that reads and runs."""
    return tokens.bearer(tokens.token(team.editor))


# --- Refused in the same words --------------------------------------------------------------------

BAD_VALUES = ("x", "-1", "999999999", "0.12345", "\0", "16:99", "5000x5000", "9999x1")


def said_by_the_form(team: world.Team, engine: str, raw: dict[str, object]) -> set[tuple[str, str]]:
    """Field and sentence of each problem that the page answers with; none when it took them."""
    body = {"prompt": "a cat", "engine": engine, "count": "1", "form_token": "", **raw}
    answer = client_of(team.editor).post(url(team, "compose"), body, headers=HTMX)
    if answer.status_code == 200:
        return set()
    errors = answer.context["form"].errors
    return {(field, text) for field, texts in errors.items() for text in texts}


def said_by_the_command(team: world.Team, engine: str, raw: dict[str, str]) -> str:
    """What the command line answers when it refuses: in the site's language, not the person's."""
    given = [f"{name}={value}" for name, value in raw.items()]
    user = team.editor.username
    with pytest.raises(CommandError) as refused:
        call_command(
            "generate", "a cat", project=team.project.slug, user=user, engine=engine, set=given
        )
    return str(refused.value)


def in_the_sites_language(said: list[dict[str, Any]]) -> str:
    with override(settings.LANGUAGE_CODE):
        return " ".join(gettext(each["key"]) % each["params"] for each in said)


@pytest.mark.parametrize("slug", catalog.ENGINES)
def test_bad_settings_are_refused_as_the_form_and_the_command_refuse_them(
    slug: str, team: world.Team, program: Client
) -> None:
    """Each setting of each model, with values that are no good for it (and some that are)."""
    refusals = 0
    for param in catalog.get_engine(slug).params:
        asked = False
        for value in BAD_VALUES:
            raw = {param.fields[-1] if param.kind == "bool" else param.name: value}
            body = tokens.run_body(engine=slug, settings=raw)
            answer = tokens.send(program, "POST", runs_of(team), body)
            said = [] if answer.status_code == 201 else refused(answer, 422)
            here = {(each["field"], each["message"]) for each in said}
            assert here == said_by_the_form(team, slug, raw), raw
            assert all(each["key"] % each["params"] == each["message"] for each in said)
            if said and not asked:  # once for each setting: a command takes its time
                assert said_by_the_command(team, slug, raw) == in_the_sites_language(said)
                asked = True
            refusals += bool(said)
    assert refusals > len(BAD_VALUES)


def test_what_else_is_refused_keeps_its_key_in_chinese(team: world.Team) -> None:
    value = tokens.token(team.editor)
    program = tokens.bearer(value, **{"accept-language": "zh-CN"})
    for more, field, key in (
        ({"prompt": " \n"}, "prompt", "Write what the picture should show."),
        ({"prompt": "a\0b"}, "prompt", "The prompt holds characters that cannot be sent."),
        ({"engine": "dall-e"}, "engine", "There is no model called “%(slug)s”."),
        ({"count": 9}, "count", "Choose a number of pictures from 1 to %(max)s."),
        ({"count": 10**30}, "count", "Choose a number of pictures from 1 to %(max)s."),
        ({"settings": {"sizes": "1"}}, "sizes", "There is no setting called “%(name)s”."),
    ):
        answer = tokens.send(program, "POST", runs_of(team), tokens.run_body(**more))
        (said,) = refused(answer, 422)
        assert (said["field"], said["key"].startswith(key)) == (field, True)
        assert re.search("[\u4e00-\u9fff]", said["message"])
        assert answer["Content-Language"] == "zh-hans"


def test_over_the_limit_is_a_conflict_in_the_quotas_words(
    team: world.Team, program: Client
) -> None:
    Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=2)
    answer = tokens.send(program, "POST", runs_of(team), tokens.run_body(count=3))
    (said,) = refused(answer, 409)
    assert said["message"].startswith("This needs 3 images, but you have 2 left")
    assert team.project.generations.count() == 1
    assert tokens.send(program, "POST", runs_of(team), tokens.run_body(count=2)).status_code == 201


def test_an_archived_project_can_be_read_and_nothing_else(
    team: world.Team, program: Client
) -> None:
    Project.objects.filter(pk=team.project.pk).update(archived_at=timezone.now())
    for where, body in (
        (runs_of(team), tokens.run_body()),
        (reverse("api-reference", args=[team.project.public_id]), tokens.upload_body()),
        (reverse("api-cancel", args=[team.generation.public_id]), None),
    ):
        (said,) = refused(tokens.send(program, "POST", where, body), 403)
        assert said["key"] == "This project is archived. An owner can restore it."
    assert program.get(runs_of(team)).status_code == 200
    (shown,) = program.get(reverse("api-projects")).json()["projects"]
    assert (shown["archived"], shown["may_run"]) == (True, False)
    assert Reference.objects.count() == 0


def test_without_an_account_nothing_runs(team: world.Team, program: Client) -> None:
    ProviderAccount.objects.update(enabled=False)
    answer = tokens.send(program, "POST", runs_of(team), tokens.run_body())
    assert refused(answer, 422)[0]["field"] == "engine"


# --- What is shown --------------------------------------------------------------------------------


def test_a_job_says_in_words_where_it_is_and_why_it_ended(
    team: world.Team, program: Client
) -> None:
    Job.objects.filter(pk=team.jobs[JobState.FAILED].pk).update(reason="moderated_prompt")
    where = reverse("api-generation", args=[team.generation.public_id])
    said = {each["state"]: each["sentence"] for each in program.get(where).json()["jobs"]}
    assert said["queued"] == "Queued"
    assert said["succeeded"] == "Done"
    assert said["failed"].startswith("The service's content check refused the prompt.")
    assert said["uncertain"].startswith("It was sent, but no clear answer came back.")
    chinese = program.get(where, headers={"accept-language": "zh"}).json()["jobs"]
    assert all(re.search("[\u4e00-\u9fff]", each["sentence"]) for each in chinese)
    program.cookies["django_language"] = "zh-hans"
    assert program.get(where).json()["jobs"][0]["sentence"] == "Done"  # a cookie says nothing here


def test_what_is_in_the_trash_is_not_listed(team: world.Team, program: Client) -> None:
    where = reverse("api-generation", args=[team.generation.public_id])

    def count() -> int:
        return sum(len(each["assets"]) for each in program.get(where).json()["jobs"])

    assert count() == 1
    team.generation.assets.update(trashed_at=timezone.now())
    assert count() == 0
    one = program.get(reverse("api-asset", args=[team.asset.public_id])).json()
    assert one["trashed"] is True


def test_pages_follow_one_another_in_a_fixed_number_of_queries(
    team: world.Team, program: Client, django_assert_max_num_queries: Any
) -> None:
    for n in range(30):
        world.generation(team.project, team.editor, prompt=f"cat {n}")
    seen: list[str] = []
    after = ""
    while True:
        with django_assert_max_num_queries(12):
            page = program.get(runs_of(team), {"after": after}).json()
        seen += [each["id"] for each in page["generations"]]
        if page["next"] is None:
            break
        after = page["next"]
    assert len(seen) == len(set(seen)) == 31
    wanted = Generation.objects.order_by("-created_at", "-id").values_list("public_id", flat=True)
    assert seen == [str(each) for each in wanted]


@pytest.mark.parametrize(
    "after",
    ["x", "_", "2026-01-01_1", "0001-01-01T00:00:00+14:00_1", "9999-12-31T23:59:59-14:00_1"],
)
def test_a_cursor_that_is_none_is_refused(team: world.Team, program: Client, after: str) -> None:
    (said,) = refused(program.get(runs_of(team), {"after": after}), 422)
    assert said["field"] == "after"


def test_cancelling_takes_what_waits(team: world.Team, program: Client) -> None:
    made = tokens.send(program, "POST", runs_of(team), tokens.run_body(count=3)).json()
    answer = tokens.send(program, "POST", reverse("api-cancel", args=[made["id"]]))
    assert {each["state"] for each in answer.json()["jobs"]} == {"cancelled"}
    assert people.tokens_of(user=team.editor).get().last_used_at is not None
