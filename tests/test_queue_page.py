"""The line in front of an account, the page that shows it, and the orders on it."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from generations.models import (
    Batch,
    Generation,
    Job,
    JobState,
    Membership,
    Priority,
    ProviderAccount,
    Role,
    User,
)
from generations.services import jobs, quota
from generations.services.driver import claims, lease
from generations.services.jobs import waiting
from tests import world
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db
S = JobState


@pytest.fixture
def browser(team: world.Team) -> Client:
    Job.objects.all().delete()
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.editor)
    return client


def ask(team: world.Team, user: User, prompt: str, *priorities: int, **fields: Any) -> list[Job]:
    """Waiting jobs of one run."""
    states = (S.QUEUED,) * len(priorities or (0,))
    made = world.generation(team.project, user, prompt=prompt, states=states)
    for job, priority in zip(made.jobs.all(), priorities or (0,), strict=True):
        Job.objects.filter(pk=job.pk).update(priority=priority, **fields)
    return list(made.jobs.order_by("pk"))


def line(user: User | None = None) -> list[int]:
    """Who is claimed when, as job ids; only one person's when asked for."""
    rows = Job.objects.filter(state=S.QUEUED)
    order = jobs.claim_order(jobs.places(jobs.not_paused(rows)), Counter())
    return [each.pk for each in order if user is None or each.user_id == user.pk]


def post(browser: Client, team: world.Team, order: str, job: Job | None = None) -> str:
    sent = {"order": order} | ({"job": str(job.public_id)} if job else {})
    assert browser.post(url(team, "queue"), sent)["Location"] == url(team, "queue")
    return text(browser.get(url(team, "queue")))


# --- The line -----------------------------------------------------------------------------------


def test_the_front_of_mine_keeps_the_order_of_the_rest(team: world.Team, browser: Client) -> None:
    mine = ask(team, team.editor, "猫", 0, 0, 0, 0)
    a, b, c, d = (job.pk for job in mine)
    post(browser, team, "front", mine[2])
    assert line() == [c, a, b, d]
    post(browser, team, "front", mine[3])
    assert line() == [d, c, a, b]
    post(browser, team, "front", mine[3])
    assert line() == [d, c, a, b]


def test_a_job_of_a_batch_takes_the_place_of_an_interactive_one(
    team: world.Team, browser: Client
) -> None:
    mine = ask(team, team.editor, "猫", 0, 0, 10, 10, 10)
    a, b, c, d, e = (job.pk for job in mine)
    post(browser, team, "front", mine[4])
    assert line() == [e, a, b, c, d]
    priorities = Job.objects.filter(pk__in=line()).values_list("priority", flat=True)
    assert Counter(priorities) == {Priority.INTERACTIVE: 2, Priority.BATCH: 3}


people_and_priorities = st.lists(
    st.tuples(st.integers(0, 2), st.sampled_from([0, 10])), min_size=1, max_size=14
)


@given(people_and_priorities, st.data())
@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_nobody_is_overtaken(
    team: world.Team, queue: list[tuple[int, int]], data: st.DataObject
) -> None:
    """Whoever moves their own jobs, as often as they like: the people are served in the same order."""
    Generation.objects.all().delete()
    people = [team.owner, team.editor, team.viewer]
    made = [ask(team, people[who], "猫", priority)[0] for who, priority in queue]
    whose = {job.pk: job.user_id for job in made}
    before = [whose[pk] for pk in line()]
    for _each in range(3):
        job = data.draw(st.sampled_from(made))
        rest = [pk for pk in line(job.user) if pk != job.pk]
        jobs.to_front(job=job)
        assert line(job.user) == [job.pk, *rest]
        assert [whose[pk] for pk in line()] == before


def test_it_would_notice_an_order_that_overtakes(
    team: world.Team, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: taking a better class without giving one up gets ahead of others."""
    theirs, mine = ask(team, team.owner, "狗", 10), ask(team, team.editor, "猫", 0, 10)
    assert line() == [mine[0].pk, theirs[0].pk, mine[1].pk]

    def greedy(ahead: list[Job], job: Job, rank: int) -> None:
        Job.objects.filter(pk=job.pk).update(priority=ahead[0].priority, rank=rank)

    with monkeypatch.context() as patched:
        patched.setattr(waiting, "_rotate", greedy)
        jobs.to_front(job=mine[1])
    assert line() == [mine[1].pk, mine[0].pk, theirs[0].pk]


def test_claims_follow_the_line(team: world.Team, browser: Client) -> None:
    mine = ask(team, team.editor, "猫", 0, 0, 10)
    ask(team, team.owner, "狗", 0, 10)
    post(browser, team, "front", mine[2])
    order = line()
    driver = lease.take(world.account())
    assert driver is not None
    first = claims.claim(driver, 1, Counter())[0]
    second = claims.claim(driver, 1, Counter({first.user_id: 1}))[0]
    assert [first.pk, second.pk] == order[:2]


def test_a_job_that_has_moved_on_stays_where_it_is(team: world.Team, browser: Client) -> None:
    mine = ask(team, team.editor, "猫", 0, 0)
    Job.objects.filter(pk=mine[1].pk).update(state=S.RUNNING, remote_id="71")
    assert "This picture has moved on" in post(browser, team, "front", mine[1])


def test_another_round_begins_at_the_end(team: world.Team, browser: Client) -> None:
    mine = ask(team, team.editor, "猫", 0, 0)
    jobs.to_front(job=mine[1])
    jobs.cancel(job=mine[1], actor=team.editor)
    mine[1].refresh_from_db()
    jobs.retry(job=mine[1], actor=team.editor)
    assert line() == [mine[0].pk, mine[1].pk]


# --- The page -----------------------------------------------------------------------------------


def test_mine_in_full_others_by_name_strangers_by_neither(
    team: world.Team, browser: Client
) -> None:
    rivals = world.team("rivals")
    Job.objects.all().delete()
    ask(team, team.owner, "主人的秘密", 0)
    ask(rivals, rivals.owner, "对手的秘密", 0, 0)
    mine = ask(team, team.editor, "我的猫", 0)
    Job.objects.filter(pk=mine[0].pk).update(queued_at=timezone.now())
    page = text(browser.get(url(team, "queue")))
    body = page.partition('id="lines-now"')[2]
    assert "我的猫" in body
    assert "Jimeng Image 4.0" in body
    assert '<span class="num n">3</span>' in body  # one turn each, the oldest first
    assert "acme-owner" in body
    assert "Somebody else" in body
    assert "2 waiting" in body
    assert "Sandbox: 0 in progress, 8 at once at most, 4 waiting." in body
    for secret in ("主人的秘密", "对手的秘密", "rivals", "rivals-owner"):
        assert secret not in body


def test_a_colleague_at_work_elsewhere_is_somebody(team: world.Team, browser: Client) -> None:
    rivals = world.team("rivals")
    Job.objects.all().delete()
    Membership.objects.create(project=rivals.project, user=team.owner, role=Role.EDITOR)
    ask(rivals, team.owner, "别处", 0)
    body = text(browser.get(url(team, "queue"))).partition('id="lines-now"')[2]
    assert "Somebody else" in body
    assert "acme-owner" not in body


def test_what_is_mine_where_i_may_look_no_more_has_no_prompt(
    team: world.Team, browser: Client
) -> None:
    rivals = world.team("rivals")
    Job.objects.all().delete()
    ask(rivals, team.editor, "从前的项目", 0)
    body = text(browser.get(url(team, "queue"))).partition('id="lines-now"')[2]
    assert "从前的项目" not in body
    assert "Nothing of yours is under way." in body
    assert "1 waiting" in body


def test_states_places_and_times(team: world.Team, browser: Client) -> None:
    ProviderAccount.objects.update(max_concurrent=1)
    mine = ask(team, team.editor, "猫", *[0] * 9)
    now = timezone.now()
    sent = {"sent_at": now, "accepted_at": now}
    Job.objects.filter(pk=mine[0].pk).update(state=S.RUNNING, remote_id="71", **sent)
    Job.objects.filter(pk=mine[1].pk).update(state=S.COLLECTING, remote_id="72")
    paused = Batch.objects.create(
        project=team.project, user=team.editor, name="Ten cats", paused_at=now
    )
    (held,) = ask(team, team.editor, "停", 10)
    Generation.objects.filter(jobs=held).update(batch=paused)
    page = text(browser.get(url(team, "queue"), headers=HTMX))
    assert page.lstrip().startswith("<section")
    assert "Generating · about 12 s" in page
    assert "Fetching</span>" in page
    assert "Queued · about 24 s" in page  # after the one that runs
    assert "Queued · about 2 minutes" in page  # the seventh
    assert "Paused with its batch</span>" in page
    assert "Ten cats" in page
    assert page.count('value="front"') == 6  # neither the foremost nor the paused one
    assert page.count('value="cancel"') == 9


def test_an_engine_that_has_gone_tells_no_time(team: world.Team, browser: Client) -> None:
    ask(team, team.editor, "猫", 0)
    Generation.objects.update(engine="gone")
    assert "about" not in text(browser.get(url(team, "queue"), headers=HTMX))


def test_the_page_asks_a_fixed_number_of_queries(
    team: world.Team, browser: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def count() -> int:
        browser.get(url(team, "queue"))
        with CaptureQueriesContext(connection) as caught:
            browser.get(url(team, "queue"))
        return len(caught)

    ask(team, team.editor, "猫", 0)
    ask(team, team.owner, "狗", 0)
    few = count()
    for _each in range(5):
        ask(team, team.editor, "猫", *[10] * 8)
        ask(team, team.owner, "狗", *[0] * 8)
        ask(team, team.viewer, "鸟", *[0] * 8)
    assert count() == few
    monkeypatch.setattr("generations.services.jobs.inflight.MINE", 5)
    assert "and 36 more of yours" in text(browser.get(url(team, "queue")))


def test_cancel_one_and_all_of_mine(team: world.Team, browser: Client) -> None:
    rivals = world.team("rivals")
    Job.objects.all().delete()
    theirs = ask(team, team.owner, "狗", 0)
    looked_at = ask(rivals, team.editor, "只看", 0)
    Membership.objects.create(project=rivals.project, user=team.editor, role=Role.VIEWER)
    mine = ask(team, team.editor, "猫", *[0] * 4)
    Job.objects.filter(pk=mine[3].pk).update(state=S.RUNNING, remote_id="71")
    post(browser, team, "cancel", mine[1])
    assert "2 are cancelled." in post(browser, team, "cancel-all")
    states = Job.objects.filter(pk__in=[job.pk for job in mine]).order_by("pk")
    assert list(states.values_list("state", flat=True)) == [S.CANCELLED] * 3 + [S.RUNNING]
    for job in (*theirs, *looked_at):
        job.refresh_from_db()
        assert job.state == S.QUEUED
    assert quota.discrepancies() == []
    assert "There is no such order." in post(browser, team, "explode")


def test_only_ones_own_jobs_and_only_where_one_may_write(team: world.Team, browser: Client) -> None:
    rivals = world.team("rivals")
    (theirs,) = ask(team, team.owner, "狗", 0)
    (looked_at,) = ask(rivals, team.editor, "只看", 0)
    address = url(team, "queue")
    for order in ("front", "cancel"):
        assert browser.post(address, {"order": order, "job": theirs.public_id}).status_code == 404
        found = browser.post(address, {"order": order, "job": looked_at.public_id})
        assert found.status_code == 404
    Membership.objects.create(project=rivals.project, user=team.editor, role=Role.VIEWER)
    found = browser.post(address, {"order": "cancel", "job": looked_at.public_id})
    assert found.status_code == 403
