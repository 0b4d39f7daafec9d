"""What a run will cost and has cost: classes, ranges, moments, and the price that is kept."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generations.models import Generation, Job, JobState, Price
from generations.providers import catalog, prices
from generations.services import compose, jobs, pricing
from generations.services.pricing import Book, Cost
from tests import world
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db
S = JobState


def cost(slug: str, count: int = 1, references: int = 0, **raw: object) -> Cost | None:
    engine = catalog.get_engine(slug)
    settings = catalog.clean_settings(engine, raw)
    return Book().estimate(engine, settings, references, count)


def test_every_published_price_belongs_to_a_model_and_is_seeded_once() -> None:
    assert set(prices.LIST) <= set(catalog.ENGINES)
    assert Price.objects.count() == sum(map(len, prices.LIST.values()))
    assert pricing.seed() == 0


@pytest.mark.parametrize(
    ("slug", "count", "references", "raw", "wanted"),
    [
        ("jimeng-image-4.0", 4, 0, {}, Cost(800, 800)),
        ("jimeng-image-4.0", 1, 0, {"single": False}, Cost(200, 3000)),
        ("jimeng-image-4.0", 2, 5, {"single": False}, Cost(400, 4000)),
        ("seedream-4.5", 1, 0, {"single": False, "max_images": "4"}, Cost(250, 1000)),
        ("seedream-5.0-pro", 1, 0, {"size": "1024x1024"}, Cost(300, 300)),
        ("seedream-5.0-pro", 1, 0, {"size": "2048x2048"}, Cost(600, 600)),
        ("jimeng-video-3.0", 1, 0, {"frames": "121"}, Cost(1400, 1400)),
        ("jimeng-video-3.0", 3, 0, {"frames": "241"}, Cost(8400, 8400)),
        ("jimeng-video-3.0-pro", 1, 0, {"frames": "241"}, Cost(10_000, 10_000)),
        ("jimeng-image-3.1", 1, 0, {}, None),
    ],
)
def test_estimates(
    slug: str, count: int, references: int, raw: dict[str, object], wanted: Cost | None
) -> None:
    assert cost(slug, count, references, **raw) == wanted


def test_amounts_in_words() -> None:
    said = [pricing.words(each) for each in (None, Cost(0, 0), Cost(200, 2800), Cost(125, 125))]
    assert said == ["", "¥0.00", "¥0.20–2.80", "¥0.125"]


def test_a_price_holds_from_its_moment_and_what_was_asked_for_keeps_its_own(
    team: world.Team,
) -> None:
    ask = {"project": team.project, "user": team.editor, "engine": world.ENGINE}
    before = compose.submit(**ask, prompt="a", settings={}, count=1)
    Price.objects.create(engine=world.ENGINE, mills=350)
    Price.objects.create(
        engine=world.ENGINE, mills=999, valid_from=timezone.now() + timedelta(days=1)
    )
    after = compose.submit(**ask, prompt="b", settings={}, count=1)
    assert [run.jobs.get().price_mills for run in (before, after)] == [200, 350]
    tomorrow = Book(timezone.now() + timedelta(days=2))
    assert tomorrow.each(catalog.get_engine(world.ENGINE), {}) == 999


BEFORE = {S.SUCCEEDED: S.COLLECTING, S.FAILED: S.RUNNING, S.UNCERTAIN: S.SUBMITTING}


def ended(job: Job, state: JobState, delivered: int) -> None:
    before = BEFORE[state]
    remote_id = "" if before == S.SUBMITTING else f"7{job.pk}"
    Job.objects.filter(pk=job.pk).update(state=before, remote_id=remote_id)
    job.refresh_from_db()
    assert jobs.apply([jobs.Change(job, (before,), state, {}, delivered=delivered)]) == [True]


def shown(run: Generation) -> tuple[int | None, Cost | None]:
    run.refresh_from_db()
    return run.cost_mills, pricing.cost_of(Generation.objects.get(pk=run.pk))


def test_a_run_costs_what_was_delivered_each_round_once(team: world.Team) -> None:
    run = compose.submit(
        project=team.project,
        user=team.editor,
        engine=world.ENGINE,
        prompt="a",
        settings={},
        count=3,
    )
    assert shown(run) == (None, Cost(600, 600))
    first, second, third = run.jobs.order_by("position")
    ended(first, S.SUCCEEDED, 1)
    assert shown(run) == (200, Cost(600, 600))
    ended(second, S.FAILED, 0)
    assert shown(run) == (200, Cost(400, 400))
    ended(third, S.UNCERTAIN, 0)
    assert shown(run) == (200, Cost(200, 400))  # it may have been charged
    third.refresh_from_db()
    jobs.send_again(job=third, actor=team.editor)
    assert shown(run) == (400, Cost(600, 600))  # the unknown one counts, and another is to come
    third.refresh_from_db()
    ended(third, S.SUCCEEDED, 1)
    assert shown(run) == (600, Cost(600, 600))


def test_another_round_has_the_price_of_its_own_moment(team: world.Team) -> None:
    run = compose.submit(
        project=team.project,
        user=team.editor,
        engine=world.ENGINE,
        prompt="a",
        settings={},
        count=1,
    )
    job = run.jobs.get()
    ended(job, S.FAILED, 0)
    Price.objects.create(engine=world.ENGINE, mills=350)
    job.refresh_from_db()
    jobs.retry(job=job, actor=team.editor)
    assert shown(run) == (0, Cost(350, 350))


def test_a_set_costs_as_many_as_came(team: world.Team) -> None:
    run = compose.submit(
        project=team.project,
        user=team.editor,
        engine=world.ENGINE,
        prompt="a",
        settings={"single": False},
        count=1,
    )
    assert shown(run) == (None, Cost(200, 3000))
    ended(run.jobs.get(), S.SUCCEEDED, 4)
    assert shown(run) == (800, Cost(800, 800))


# --- On the pages ---------------------------------------------------------------------------------


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.editor)
    return client


def test_the_panel_says_the_price_of_all_models_before_the_click(
    browser: Client, team: world.Team
) -> None:
    page = text(browser.get(url(team, "studio")))
    assert "· ¥0.80</span>" in page  # four pictures
    assert "· ¥0.20–3.00</span>" in page  # one set
    both = {"engine": world.ENGINE, "also": "jimeng-video-3.0", "prompt": "", "count": "2"}
    panel = text(browser.post(url(team, "compose-panel"), both, headers=HTMX))
    assert "· ¥1.80</span>" in panel  # two pictures and a video
    sets = {**both, "also": "jimeng-image-4.6", "count": "1"}
    panel = text(browser.post(url(team, "compose-panel"), sets, headers=HTMX))
    assert "· ¥0.42</span>" in panel
    assert "· ¥0.42–6.30</span>" in panel  # both as a set, as the next press would send it
    unknown = {"engine": world.ENGINE, "also": "jimeng-image-3.1", "prompt": "", "count": "2"}
    panel = text(browser.post(url(team, "compose-panel"), unknown, headers=HTMX))
    assert "¥" not in panel.partition('id="estimates"')[2].partition("Today")[0]


def test_a_card_says_what_its_run_may_cost(browser: Client, team: world.Team) -> None:
    compose.submit(
        project=team.project,
        user=team.editor,
        engine=world.ENGINE,
        prompt="a",
        settings={},
        count=2,
    )
    assert '<span class="chip num">¥0.40</span>' in text(browser.get(url(team, "studio")))


def test_administrators_add_prices_and_change_none(team: world.Team) -> None:
    client = Client(headers={"accept-language": "en"})
    admin = world.person("boss", is_staff=True, is_superuser=True)
    client.force_login(admin)
    add = reverse("admin:generations_price_add")
    good = {"engine": world.ENGINE, "up_to": "0", "mills": "180", "note": "contract"}
    good |= {"valid_from_0": "2026-11-01", "valid_from_1": "00:00:00"}
    assert client.post(add, good).status_code == 302
    row = Price.objects.get(mills=180)
    assert (row.engine, row.actor) == (world.ENGINE, admin)
    bad: tuple[dict[str, str], ...] = (
        {"mills": "-1"},
        {"mills": "1000001"},
        {"mills": ""},
        {"engine": "no-such"},
        {"up_to": "x"},
        {"valid_from_0": "0001-01-01"},
        {"valid_from_0": "20260-01-01"},
        {},
    )
    for change in bad:  # the last one is the same again
        answer = client.post(add, good | change)
        assert answer.status_code == 200, change
        assert answer.context["errors"], change
    listed = text(client.get(reverse("admin:generations_price_changelist")))
    assert "¥0.18 / picture" in listed
    where = reverse("admin:generations_price_change", args=[row.pk])
    assert client.post(where, good | {"mills": "1"}).status_code == 403
    assert client.post(reverse("admin:generations_price_delete", args=[row.pk])).status_code == 403
