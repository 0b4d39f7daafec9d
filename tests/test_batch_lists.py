"""Lists of prompts: read, checked, previewed, started once."""

from __future__ import annotations

import re

import pytest
from django.test import Client
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from generations.models import (
    Allowance,
    Batch,
    Job,
    JobState,
    Priority,
    ProviderAccount,
)
from generations.services import compose
from tests import world
from tests.batching import CATS, plan, problems, url_of
from tests.pages import text, url

pytestmark = pytest.mark.django_db
S = JobState


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.editor)
    return client


def body(**changed: str) -> dict[str, str]:
    usual = {
        "how": "list",
        "lines": CATS,
        "template": "",
        "name": "",
        "engine": world.ENGINE,
        "size": "2048x2048",
        "scale": "0.5",
        "output": "single",
        "count": "1",
        "step": "preview",
    }
    return usual | changed


# --- Reading ------------------------------------------------------------------------------------


def test_lines_keep_the_numbers_of_the_editor(team: world.Team) -> None:
    draft = plan(CATS)
    assert [(line.number, line.prompt) for line in draft.lines] == [
        (1, "一只猫在窗台"),
        (3, "两只猫在屋顶"),
        (4, "三只猫在花园"),
    ]


def test_one_bad_line_among_fifty_is_marked_and_the_rest_runs(team: world.Team) -> None:
    lines = [f"第 {n} 只猫" for n in range(1, 51)]
    lines[16] = "长" * 801
    draft = plan("\n".join(lines))
    assert list(problems(draft)) == [17]
    assert "801" in problems(draft)[17]
    assert (len(draft.good), draft.bad, draft.pictures) == (49, 1, 49)


def test_twins_are_pointed_out_and_kept(team: world.Team) -> None:
    draft = plan("猫\n狗\n猫\n猫")
    assert [line.twin for line in draft.lines] == [0, 0, 1, 1]
    assert len(draft.good) == 4


def test_what_cannot_be_sent_is_a_bad_line(team: world.Team) -> None:
    assert list(problems(plan("猫\na\0b\n\u200b\n\ud800\n狗"))) == [2, 3, 4]


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_a_table_fills_the_slots(team: world.Team, mark: str) -> None:
    table = f"动物{mark}地方\n猫{mark}窗台\n\n狗{mark}\n鸟{mark}树{mark}天\n马{mark}{{地方}}"
    draft = plan(table, "一只{动物}在{ 地方 }，{动物}特写")
    assert [line.prompt for line in draft.good] == [
        "一只猫在窗台，猫特写",
        "一只马在{地方}，马特写",
    ]
    assert problems(draft) == {
        4: "No value for {地方}.",
        5: "The line has 3 values for 2 columns. Put quotes around a value that holds a comma.",
    }


def test_a_quoted_value_may_hold_commas_and_lines(team: world.Team) -> None:
    draft = plan('a,b\n"x, y","one\ntwo"\nz,w', "{a}: {b}")
    assert [(line.number, line.prompt) for line in draft.lines] == [
        (2, "x, y: one\ntwo"),
        (4, "z: w"),
    ]


REFUSED: list[tuple[str, str | None, str, str]] = [
    ("", None, "lines", "at least one line"),
    (" \n\n", None, "lines", "at least one line"),
    ("猫\n" * 5000, None, "lines", "5000 lines; a batch takes at most 500"),
    ("a,b\n1,2", "no slot here", "template", "for each column"),
    ("a,b\n1,2", "", "template", "for each column"),
    ("a,b\n1,2", "{c}", "lines", "No column is called “c”. The first line names: a, b."),
    ("a,b", "{a}", "lines", "at least one line"),
    ("", "{a}", "lines", "at least one line"),
    ('a,b\n1,2\n"open,3', "{a}", "lines", "Line 3 cannot be read"),
    ("a\n" + "x" * 200_000, "{a}", "lines", "Line 2 cannot be read"),
]


@pytest.mark.parametrize(("pasted", "template", "field", "said"), REFUSED)
def test_a_list_that_cannot_be_read_says_why(
    team: world.Team, pasted: str, template: str | None, field: str, said: str
) -> None:
    with pytest.raises(compose.ComposeProblem) as refused:
        plan(pasted, template)
    (error,) = refused.value.errors
    assert error.field == field
    assert said in error.message % error.params


def test_every_problem_of_the_settings_is_named_at_once(team: world.Team) -> None:
    ProviderAccount.objects.update(enabled=False)
    with pytest.raises(compose.ComposeProblem) as refused:
        plan("", settings={"scale": "7"}, count=0)
    assert [error.field for error in refused.value.errors] == ["count", "engine", "scale", "lines"]
    with pytest.raises(compose.ComposeProblem, match="There is no model"):
        plan("猫", engine="no-such")


def test_slots_of_a_table_are_those_of_the_library(team: world.Team) -> None:
    draft = plan("动物,光\n猫,\n狗,夜", "{{一}}只{动物}，{光=晨光}，{风格:水彩|油画}")
    assert [line.prompt for line in draft.good] == ["{一}只猫，晨光，水彩", "{一}只狗，夜，水彩"]


@pytest.mark.parametrize(
    ("template", "said"),
    [("a {open", "single “{”"), ("{}", "is no slot"), ("{a:|}", "needs 1 to 20 choices")],
)
def test_a_brace_that_is_no_slot_is_named(team: world.Team, template: str, said: str) -> None:
    with pytest.raises(compose.ComposeProblem) as refused:
        plan("a\n1", template)
    (error,) = refused.value.errors
    assert error.field == "template"
    assert said in error.message % error.params


@given(st.text(alphabet="ab{}:=| \n"), st.text(alphabet="a1{}\n,", min_size=1))
@example("{a}{b=1}", "a\n{")
@settings(
    max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_any_template_makes_lines_or_a_sentence(
    team: world.Team, template: str, table: str
) -> None:
    try:
        draft = plan(table, template)
    except compose.ComposeProblem as refused:
        (error,) = refused.errors
        assert error.field in ("lines", "template")
        assert error.message % error.params
    else:
        assert draft.lines


# --- The form -----------------------------------------------------------------------------------


def token_of(page: str) -> dict[str, str]:
    found = dict(re.findall(r'name="(form_token|previewed)" value="([^"]+)"', page))
    assert set(found) == {"form_token", "previewed"}
    return found


def test_from_a_list_to_a_batch_once(browser: Client, team: world.Team) -> None:
    address = url(team, "batch-new")
    assert browser.get(address).status_code == 200
    page = text(browser.post(address, body(lines=CATS + "长" * 801)))
    assert "3 lines run" in page
    assert "1 line cannot run and is left out" in page
    assert "801" in page
    assert not Batch.objects.exists()
    ready = body(lines=CATS + "长" * 801, step="start") | token_of(page)
    answers = [browser.post(address, ready) for _double in range(2)]
    batch = Batch.objects.get()
    assert [each["Location"] for each in answers] == [url_of(batch)] * 2
    assert (batch.name, batch.lines.count()) == ("一只猫在窗台", 4)
    assert batch.generations.count() == 3
    assert {job.priority for job in Job.objects.filter(generation__batch=batch)} == {Priority.BATCH}
    page = text(browser.get(url_of(batch)))
    assert "0 of 3 done" in page
    assert "1 left out" in page
    assert page.count('class="line') == 5  # the list and its four lines


def test_what_is_started_is_what_was_looked_at(browser: Client, team: world.Team) -> None:
    address = url(team, "batch-new")
    page = text(browser.post(address, body()))
    changed = browser.post(address, body(lines=CATS + "四只猫", step="start") | token_of(page))
    assert changed.status_code == 422
    assert "You changed something since the preview" in text(changed)
    assert "4 lines run" in text(changed)
    assert not Batch.objects.exists()


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        ({"lines": ""}, "Paste at least one line."),
        ({"lines": "猫\n" * 501}, "The list has 501 lines; a batch takes at most 500."),
        ({"lines": "长" * 801}, "No line can run."),
        ({"count": "99"}, "from 1 to 8"),
        ({"scale": "x"}, "is not a number"),
        ({"name": "n" * 101}, "at most 100 characters"),
        ({"how": "table"}, "with a {slot} for each column"),
        ({"how": "table", "template": "{a}"}, "No column is called"),
        ({"engine": "no-such"}, "There is no model called"),
    ],
)
@pytest.mark.parametrize("step", ["preview", "start"])
def test_bad_input_is_said_and_kept(
    browser: Client, team: world.Team, sent: dict[str, str], said: str, step: str
) -> None:
    answer = browser.post(url(team, "batch-new"), body(step=step, **sent))
    assert answer.status_code == 422
    assert said in text(answer)
    for name, value in sent.items():
        typed = (
            answer.context["form"]
            if name in ("count", "scale", "engine")
            else answer.context["pasted"]
        )
        assert typed.typed(name) == value
    assert not Batch.objects.exists()


def test_500_lines_of_800_characters_fit_into_one_request(
    browser: Client, team: world.Team
) -> None:
    longest = "\n".join(f"{n:04d}{'长' * 796}" for n in range(500))
    page = text(browser.post(url(team, "batch-new"), body(lines=longest)))
    assert "500 lines run" in page
    assert "up to" not in page.partition("preview-title")[2].partition("</header>")[0]


def test_more_than_the_allowance_holds_is_said_before(browser: Client, team: world.Team) -> None:
    Allowance.objects.create(scope=Allowance.Scope.PERSON, limit=5)
    page = text(browser.post(url(team, "batch-new"), body(count="2")))
    assert "6 pictures" in page
    assert "5 left" in page
    assert "That is more than the allowance holds." in page
