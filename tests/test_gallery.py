"""The gallery, the detail page and compare."""

from __future__ import annotations

import re
from collections import Counter
from datetime import timedelta
from html import unescape

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generations.models import Asset, Generation, Outcome, Submission
from generations.services import gallery
from tests import world

pytestmark = pytest.mark.django_db
HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\u202e{{ 7*7 }}%(x)s"


@pytest.fixture
def client(team: world.Team) -> Client:
    found = Client(headers={"Accept-Language": "en"})
    found.force_login(team.viewer)
    return found


def many(team: world.Team, count: int) -> list[Asset]:
    """Pictures of which each three have the same time."""
    made = [world.generation(team.project, team.editor).assets.get() for _each in range(count)]
    start = timezone.now() - timedelta(hours=1)
    for place, asset in enumerate(made):
        asset.created_at = start + timedelta(seconds=place // 3)
    Asset.objects.bulk_update(made, ["created_at"])
    return made


def test_pages_neither_miss_nor_repeat(team: world.Team) -> None:
    many(team, 20)
    seen: list[int] = []
    cursor = None
    for _page in range(20):
        page = gallery.assets(project=team.project, after=cursor, limit=4)
        seen += [asset.pk for asset in page.assets]
        if page.next is None:
            break
        cursor = gallery.Place.parse(str(page.next))
        assert cursor == page.next
    assert Counter(seen) == Counter(Asset.objects.values_list("pk", flat=True))


@pytest.mark.parametrize(
    "text", ["", "_", "x_1", "2026-01-01_1", "2026-01-01T00:00:00+00:00_x", "9" * 400, "\0_1"]
)
def test_a_cursor_that_is_none_is_the_beginning(
    text: str, team: world.Team, client: Client
) -> None:
    assert gallery.Cursor.parse(text) is None
    assert gallery.Place.parse(f"0.{text}") is None
    page = reverse("gallery", args=[team.project.public_id])
    assert client.get(page, {"after": text}).status_code == 200


def test_the_next_page_is_a_fragment_with_the_same_address(
    team: world.Team, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("generations.views.gallery.PAGE", 3)
    many(team, 7)
    page = reverse("gallery", args=[team.project.public_id])
    first = client.get(page).content.decode()
    assert first.count('class="shot"') == 3
    address = unescape(first.split('class="more"')[1].split('href="')[1].split('"')[0])
    assert address.startswith("?after=")
    address = page + address
    fragment = client.get(address, headers={"HX-Request": "true"}).content.decode()
    assert fragment.count('class="shot"') == 3
    assert "<html" not in fragment
    assert "<h2>" not in fragment  # the day goes on
    assert "<html" in client.get(address).content.decode()


@pytest.mark.parametrize(
    ("name", "most"),
    [("gallery", 20), ("studio", 26)],  # the studio also reads the line in front of the account
)
def test_queries_do_not_grow_with_rows(
    name: str, most: int, team: world.Team, client: Client
) -> None:
    page = reverse(name, args=[team.project.public_id])
    client.get(page)
    with CaptureQueriesContext(
        connection,
    ) as few:
        client.get(page)
    many(team, 40)
    with CaptureQueriesContext(connection) as lots:
        client.get(page)
    assert len(lots) == len(few) <= most


@pytest.mark.parametrize("name", ["asset", "compare"])
def test_queries_do_not_grow_with_siblings(name: str, team: world.Team, client: Client) -> None:
    def ask(asset: Asset) -> int:
        url = reverse("asset", args=[asset.public_id])
        pair = f"?a={asset.public_id}&b={gallery.siblings(asset)[1].public_id}"
        url = url if name == "asset" else reverse("compare") + pair
        with CaptureQueriesContext(connection) as seen:
            assert client.get(url).status_code == 200
        return len(seen)

    states = (world.JobState.SUCCEEDED,)
    small = world.generation(team.project, team.editor, states=states * 2)
    large = world.generation(team.project, team.editor, states=states * 8)
    ask(small.assets.all()[0])
    assert ask(large.assets.all()[0]) == ask(small.assets.all()[0]) <= 20


def test_hostile_words_stay_words(team: world.Team, client: Client) -> None:
    made = world.generation(team.project, team.editor, prompt=HOSTILE)
    job = made.jobs.get()
    job.provider_message = HOSTILE
    job.save()
    asset = made.assets.get()
    other = team.asset
    for url in (
        reverse("gallery", args=[team.project.public_id]),
        reverse("studio", args=[team.project.public_id]),
        reverse("asset", args=[asset.public_id]),
        f"{reverse('compare')}?a={asset.public_id}&b={other.public_id}",
    ):
        text = client.get(url).content.decode()
        assert "<script>alert" not in text
        assert "<img src=x" not in text


def test_the_detail_marks_what_came_otherwise_than_asked(team: world.Team, client: Client) -> None:
    page = client.get(reverse("asset", args=[team.asset.public_id])).content.decode()
    assert "came as 96 × 64" in page  # asked for 2048 × 2048
    facts = {fact.key: fact for fact in gallery.asked_and_actual(team.asset)}
    assert facts["size"].differs
    assert not facts["format"].differs
    auto = world.generation(team.project, team.editor, size="auto-2k").assets.get()
    assert not any(fact.differs for fact in gallery.asked_and_actual(auto))


def test_the_detail_tells_the_ids_that_support_asks_for(team: world.Team, client: Client) -> None:
    page = reverse("asset", args=[team.asset.public_id])
    sent = Submission.objects.create(
        job=team.asset.job,
        body_sha256="0" * 64,
        outcome=Outcome.ACCEPTED,
        request_id="2026<b>ABC",
        remote_id=team.asset.job.remote_id,
    )
    shown = client.get(page).content.decode()
    assert "2026&lt;b&gt;ABC" in shown
    assert str(sent.uuid) in shown
    assert team.asset.job.remote_id in shown
    Submission.objects.update(request_id="")
    assert "Request id" not in client.get(page).content.decode()


def test_an_engine_that_left_the_catalogue_still_shows(team: world.Team, client: Client) -> None:
    Generation.objects.update(engine="gone-1.0")
    for url in (
        reverse("asset", args=[team.asset.public_id]),
        reverse("studio", args=[team.project.public_id]),
        f"{reverse('compare')}?a={team.asset.public_id}&b={team.asset.public_id}",
    ):
        assert client.get(url).status_code == 200


def test_the_detail_compares_with_the_next_of_its_run_or_the_picture_before(
    team: world.Team, client: Client
) -> None:
    def partner(asset: Asset) -> str:
        page = client.get(reverse("asset", args=[asset.public_id])).content.decode()
        found = re.search(rf"a={asset.public_id}(?:&amp;b=([0-9a-f-]+))?\"", page)
        assert found
        return found[1] or ""

    assert partner(team.asset) == ""  # nothing else here: compare asks for another
    done = world.JobState.SUCCEEDED
    first, second = world.generation(team.project, team.editor, states=(done, done)).assets.all()
    first, second = gallery.siblings(first)
    assert partner(first) == str(second.public_id)
    assert partner(second) == str(first.public_id)
    alone = world.generation(team.project, team.editor).assets.get()
    assert partner(alone) in {str(first.public_id), str(second.public_id)}
    assert partner(team.asset) == str(alone.public_id)  # the oldest: the newest instead
    Asset.objects.filter(pk=alone.pk).update(trashed_at=timezone.now())
    assert partner(team.asset) != str(alone.public_id)


ACTIONS = {"rating", "favourite", "reference", "edit", "again", "compare", "download", "trash"}
ACTIONS |= {"animate", "final"}  # a script shows the one that fits


@pytest.mark.parametrize("name", ["gallery", "studio"])
def test_a_picture_offers_all_that_can_be_done_with_it(team: world.Team, name: str) -> None:
    """By its menu; who only looks is offered what changes nothing."""
    for user, wanted in ((team.editor, ACTIONS), (team.viewer, {"compare", "download"})):
        reader = Client(headers={"Accept-Language": "en"})
        reader.force_login(user)
        page = reader.get(reverse(name, args=[team.project.public_id])).content.decode()
        menu = page.split('class="menu tile-menu"')[1].split("</div>")[0]
        assert set(re.findall(r'data-(?:do|link)="(\w+)"', menu)) == wanted
        assert " data-menu " in page


def test_the_detail_offers_all_that_can_be_done_with_it(team: world.Team) -> None:
    editor = Client(headers={"Accept-Language": "en"})
    editor.force_login(team.editor)
    page = editor.get(reverse("asset", args=[team.asset.public_id])).content.decode()
    for name in ("rating", "favourite", "trash"):
        assert f'name="{name}"' in page
    for link in ("Run again", "Use as reference", "Edit", "Compare", "Download"):
        assert re.search(rf"<a class=\"btn[^>]*>(?:(?!</a>).)*{link}", page), link
    trashed = {"asset": str(team.asset.public_id), "trash": "1"}
    back = trashed | {"next": reverse("asset", args=[team.asset.public_id])}
    assert 'name="restore"' in editor.post(reverse("mark"), back, follow=True).content.decode()
