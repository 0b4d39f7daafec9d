"""Models of an administrator's own: what they are, who may use them, and one rule that says no."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from generations.models import Batch, BatchLine, CustomEngine, Generation, JobState
from generations.providers import catalog, clones, get_provider
from generations.services import batches, compose, engines, jobs
from tests import batching, tokens, world
from tests.clones import ID, SLUG, clone, only
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db
PARENT = catalog.get_engine(world.ENGINE)


def ask(team: world.Team, engine: str = SLUG, **more: Any) -> Generation:
    asked = {"prompt": "一只柯基", "settings": {}, "count": 1} | more
    return compose.submit(project=team.project, user=team.editor, engine=engine, **asked)


def refusal(team: world.Team, engine: str = SLUG, **more: Any) -> tuple[str, str]:
    """Field and message key of what is refused."""
    with pytest.raises(compose.ComposeProblem) as caught:
        ask(team, engine, **more)
    (error,) = caught.value.errors
    return error.field, error.message


# --- What a clone is ------------------------------------------------------------------------------


def test_it_is_its_parent_under_another_id_and_name() -> None:
    clone(good_for_en="Our own look", good_for_zh="")
    with translation.override("en"):
        found = engines.known(SLUG)
    assert found == clones.clone(
        PARENT, slug=SLUG, req_key=ID, label="House Image 5", good_for="Our own look"
    )
    assert (found.params, found.rules, found.revision) == (
        PARENT.params,
        PARENT.rules,
        PARENT.revision,
    )
    call = get_provider("jimeng").build(found, "x", catalog.defaults(found))
    theirs = get_provider("jimeng").build(PARENT, "x", catalog.defaults(PARENT))
    assert json.loads(call.body) == json.loads(theirs.body) | {"req_key": ID}
    with translation.override("zh-hans"):
        chinese = engines.known(SLUG)
        assert chinese and (chinese.label, chinese.good_for) == ("自家图片 5", PARENT.good_for)
    offered = list(engines.on_offer())
    assert offered.index(SLUG) == offered.index(world.ENGINE) + 1


def test_its_limits_narrow_what_is_new_and_nothing_that_was(team: world.Team) -> None:
    made = ask(team, clone().slug, settings={"size": "4096x4096"}, count=4)
    clone(count_max=2, references_max=3, offered={"size": ["auto-2k", "2048x2048", "9x9"]})
    offered, whole = engines.find(SLUG), engines.known(SLUG)
    assert offered and whole
    assert (offered.references.maximum, whole.references.maximum) == (3, 10)
    size = next(each for each in offered.params if each.name == "size")
    assert size.values == ("auto-2k", "2048x2048")
    assert refusal(team, count=3)[0] == "count"
    for wrong in ({"size": "4096x4096"}, {"size": "auto-4k"}, {"width": "2000", "height": "2000"}):
        assert refusal(team, settings=wrong)[0] == "size"
    assert ask(team, count=2, settings={"width": "2048", "height": "2048"}).count == 2
    # The old run is built, shown and asked after as it was made.
    call = get_provider("jimeng").build(whole, "x", made.recipe["settings"])
    assert json.loads(call.body)["width"] == 4096


def test_a_choice_that_is_not_offered_is_refused_and_its_default_moves(team: world.Team) -> None:
    clone("slow-video", "jimeng-video-3.0", req_key="v", offered={"frames": ["241"]})
    engine = engines.find("slow-video")
    assert engine
    assert catalog.defaults(engine)["frames"] == "241"
    assert refusal(team, "slow-video", settings={"frames": "121"})[0] == "frames"


def test_a_clone_outlives_its_parent_as_history(
    team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A release may retire what it is a clone of, or take it out."""
    ask(team, clone().slug)
    left = {slug: each for slug, each in catalog.ENGINES.items() if each is not PARENT}
    monkeypatch.setattr(catalog, "ENGINES", left)
    monkeypatch.setattr(catalog, "RETIRED", {world.ENGINE: PARENT})
    assert engines.known(SLUG)
    assert refusal(team) == ("engine", engines.GONE)
    monkeypatch.setattr(catalog, "RETIRED", {})
    assert engines.known(SLUG) is None
    assert refusal(team) == ("engine", engines.UNKNOWN)


# --- How it is found ------------------------------------------------------------------------------


def elsewhere(**fields: Any) -> None:
    """Another process changes the row: nothing here hears of it."""
    CustomEngine.objects.filter(slug=SLUG).update(**fields)


def test_a_process_hears_of_it_in_time(team: world.Team, monkeypatch: pytest.MonkeyPatch) -> None:
    assert SLUG not in engines.on_offer()
    CustomEngine.objects.create(
        slug=SLUG, parent=world.ENGINE, req_key=ID, label_en="A", label_zh="B"
    )
    assert SLUG not in engines.on_offer()  # read a moment ago
    assert engines.known(SLUG)  # and a slug nobody has heard of is looked for again
    assert SLUG in engines.on_offer()
    elsewhere(enabled=False)
    assert engines.find(SLUG)  # not heard of yet, and still nothing is begun:
    assert refusal(team) == ("engine", engines.GONE)
    assert engines.find(SLUG) is None  # that it heard
    elsewhere(enabled=True)
    assert engines.find(SLUG) is None
    now = time.monotonic() + engines.KEPT_S
    monkeypatch.setattr(time, "monotonic", lambda: now)
    assert engines.find(SLUG)


def test_looking_costs_one_query_for_all(team: world.Team) -> None:
    clone()
    engines.forget()
    with CaptureQueriesContext(
        connection,
    ) as asked:
        for slug in (SLUG, world.ENGINE, "gone-1", SLUG, "gone-1", ""):
            engines.known(slug)
        engines.on_offer(), engines.every()
    assert len(asked) == 2  # all of them, and once more for the one that nobody knows


def test_pages_ask_no_more_for_clones_than_for_others(team: world.Team, writer: Client) -> None:
    clone()

    def queries() -> int:
        writer.get(url(team))
        with CaptureQueriesContext(connection) as asked:
            assert writer.get(url(team)).status_code == 200
        return len(asked)

    ask(team, world.ENGINE)
    before = queries()
    for _n in range(4):
        ask(team)
    assert queries() == before


# --- One rule -------------------------------------------------------------------------------------


def by_form(team: world.Team, engine: str) -> str:
    browser = Client(headers={"Accept-Language": "en"})
    browser.force_login(team.editor)
    answer = browser.post(
        url(team, "compose"), {"prompt": "kept", "engine": engine, "count": 1}, headers=HTMX
    )
    assert answer.status_code == 422
    assert "kept" in text(answer)
    return re.findall(r'id="engine-error">([^<]+)', text(answer))[0]


def by_api(team: world.Team, engine: str) -> str:
    program = tokens.bearer(tokens.token(team.editor), **{"accept-language": "en"})
    answer = tokens.send(program, "POST", tokens.runs_of(team), tokens.run_body(engine=engine))
    (problem,) = tokens.refused(answer, 422)
    assert (problem["field"], problem["key"] in engines.REFUSALS) == ("engine", True)
    return str(problem["message"])


def by_command(team: world.Team, engine: str) -> str:
    with pytest.raises(CommandError) as caught, translation.override("en"):
        call_command("generate", "x", project="acme", engine=engine)
    return str(caught.value)


def by_list(team: world.Team, engine: str, tmp_path: Path) -> str:
    path = tmp_path / "list.jsonl"
    path.write_text(json.dumps({"prompt": "x", "engine": engine}))
    with pytest.raises(CommandError) as caught:
        call_command("generate", project="acme", list=path)
    return str(caught.value)


def by_batch(team: world.Team, engine: str) -> str:
    with pytest.raises(compose.ComposeProblem) as caught, translation.override("en"):
        batching.plan("一只猫", engine=engine, project=team.project)
    (error,) = caught.value.errors
    return error.message % error.params


@pytest.fixture
def off(team: world.Team, request: pytest.FixtureRequest, settings: Any) -> str:
    settings.LANGUAGE_CODE = "en"
    clone()
    if request.param == "project":
        only(team.project, world.ENGINE)
        return "is not switched on for this project"
    clone(enabled=False)
    return "is not on offer any more"


@pytest.mark.parametrize("off", ["site", "project"], indirect=True)
def test_one_rule_refuses_it_everywhere(team: world.Team, off: str, tmp_path: Path) -> None:
    said = {
        by_form(team, SLUG).replace("&quot;", '"'),
        by_api(team, SLUG),
        by_command(team, SLUG),
        by_batch(team, SLUG),
    }
    assert len(said) == 1
    (sentence,) = said
    assert off in sentence
    assert "House Image 5" in sentence
    assert sentence in by_list(team, SLUG, tmp_path)
    made = team.generation
    Generation.objects.filter(pk=made.pk).update(
        engine=SLUG, recipe={**made.recipe, "engine": SLUG}
    )
    failed = jobs_of(team, JobState.FAILED)
    with pytest.raises(jobs.NotPossible) as caught, translation.override("en"):
        jobs.retry(job=failed, actor=team.editor)
    assert caught.value.message == sentence


def jobs_of(team: world.Team, state: str) -> Any:
    return team.generation.jobs.select_related("generation__project").get(pk=team.jobs[state].pk)


@pytest.mark.parametrize("off", ["site", "project"], indirect=True)
def test_a_batch_waits_until_it_is_on_again(team: world.Team, woken: list[int], off: str) -> None:
    clone()
    was, team.project.engines = team.project.engines, []
    team.project.save()
    draft = batching.plan("一只猫\n两只猫", engine=SLUG, project=team.project)
    batch = batches.start(
        project=team.project, user=team.editor, draft=draft, name="", form_token="t"
    )
    if was:
        only(team.project, *was)
    else:
        clone(enabled=False)
    assert not batches.feed(batch_id=batch.pk)
    problems = BatchLine.objects.filter(batch=batch).values_list("problem", "problem_params")
    assert {message in engines.REFUSALS for message, _params in problems} == {True}
    assert [params for _message, params in problems] == [{"name": problems[0][1]["name"]}] * 2
    only(team.project)
    clone()
    batches.resume(batch=Batch.objects.get(pk=batch.pk))
    batches.feed(batch_id=batch.pk)
    assert Generation.objects.filter(batch=batch, engine=SLUG).count() == 2


def test_the_switch_counts_from_the_moment_it_is_thrown(team: world.Team) -> None:
    """The page was made before: what the request holds is old, what is written down is not."""
    clone()
    stale = team.project
    type(stale).objects.filter(pk=stale.pk).update(engines=[world.ENGINE])
    assert stale.engines == []
    assert refusal(team) == ("engine", engines.SWITCHED_OFF)
    assert Generation.objects.filter(engine=SLUG).count() == 0
