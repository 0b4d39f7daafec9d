"""The page that compares two to four pictures, and picking the best of them."""

from __future__ import annotations

import re
from uuid import uuid4

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone, translation

from generations.models import (
    Allowance,
    Asset,
    Balance,
    Event,
    LedgerEntry,
    Reference,
    Use,
)
from generations.models.files import AssetQuerySet
from generations.services import gallery
from generations.services.gallery import marks
from tests import world
from tests.pages import text

pytestmark = pytest.mark.django_db
DONE = world.JobState.SUCCEEDED


@pytest.fixture
def client(team: world.Team) -> Client:
    found = Client(headers={"Accept-Language": "en"})
    found.force_login(team.viewer)
    return found


@pytest.fixture
def writer(team: world.Team) -> Client:
    found = Client(headers={"Accept-Language": "en"})
    found.force_login(team.editor)
    return found


@pytest.fixture
def five(team: world.Team) -> list[Asset]:
    """Five pictures of one run."""
    run = world.generation(team.project, team.editor, states=(DONE,) * 5)
    return gallery.siblings(run.assets.all()[0])


def made(team: world.Team, prompt: str = "一只猫", **settings: object) -> Asset:
    run = world.generation(team.project, team.editor, prompt=prompt, **settings)
    return run.assets.get()


def address(*assets: Asset, **more: str) -> str:
    named = [
        f"{letter}={each.public_id}" for letter, each in zip("abcdefghijklm", assets, strict=False)
    ]
    return f"{reverse('compare')}?{'&'.join([*named, *(f'{k}={v}' for k, v in more.items())])}"


def shown(page: str) -> list[tuple[str, str]]:
    """Letter and picture of every pane."""
    return [
        (letter, asset)
        for asset, letter in re.findall(r'data-asset="([0-9a-f-]{36})" data-letter="(\w)"', page)
    ]


def lettered(*assets: Asset) -> list[tuple[str, str]]:
    return [(letter, str(each.public_id)) for letter, each in zip("abcd", assets, strict=False)]


def strip(page: str) -> list[str]:
    """Where each picture of the strip below leads."""
    film = page.split('<nav class="thumbs"')[1].split("</nav>", maxsplit=1)[0]
    return re.findall(r'href="([^"]+)"', film.replace("&amp;", "&"))


# --- what the address says ---


@pytest.mark.parametrize("count", [2, 3, 4])
def test_the_address_is_the_comparison(client: Client, five: list[Asset], count: int) -> None:
    page = text(client.get(address(*five[:count])))
    assert shown(page) == lettered(*five[:count])
    usual = "grid" if count == 4 else "side"
    assert f'class="stage n{count} {usual}"' in page
    for mode in ("slider", "side", "grid", "flicker"):
        page = text(client.get(address(*five[:count], mode=mode)))
        assert f'class="stage n{count} {mode}"' in page
    assert f'class="stage n{count} {usual}"' in text(client.get(address(*five[:count], mode="<b>")))


def test_more_than_four_are_the_first_four_and_a_sentence(client: Client, team: world.Team) -> None:
    many = world.generation(team.project, team.editor, states=(DONE,) * 13).assets.order_by("pk")
    page = text(client.get(address(*many)))
    assert shown(page) == lettered(*many)
    assert "Up to four pictures can be compared. These are the first four of 13." in page
    again = "&".join(f"a={each.public_id}" for each in many)
    page = text(client.get(f"{reverse('compare')}?{again}"))
    assert shown(page) == lettered(*many)
    assert "first four of 13" in page


def test_a_picture_named_twice_is_shown_once(client: Client, five: list[Asset]) -> None:
    page = text(client.get(address(five[0], five[1], five[0])))
    assert shown(page) == lettered(*five[:2])
    assert "named more than once" in page
    assert "named more than once" not in text(client.get(address(*five[:2])))


def test_one_picture_waits_for_another(client: Client, five: list[Asset]) -> None:
    for page in (text(client.get(address(five[0]))), text(client.get(address(five[0], five[0])))):
        assert shown(page) == lettered(five[0])
        assert "Choose B in the strip below" in page
        assert address(five[0], five[2], mode="side") in strip(page)
    Asset.objects.exclude(pk=five[0].pk).delete()
    assert "There is no other picture here yet" in text(client.get(address(five[0])))
    assert "Choose pictures in the studio or the gallery" in text(client.get(reverse("compare")))


@pytest.mark.parametrize("bad", ["x", "%00", "1", "%F0%9F%90%B1", "a" * 10_000, "%ED%A0%80"])
@pytest.mark.parametrize("name", ["a", "b", "d", "m", "pick"])
def test_what_is_no_id_is_not_found(client: Client, team: world.Team, name: str, bad: str) -> None:
    page = f"{reverse('compare')}?a={team.asset.public_id}&{name}={bad}"
    assert client.get(page).status_code == 404


@pytest.mark.parametrize("letter", ["a", "b", "c", "d"])
def test_a_foreign_or_deleted_picture_is_not_found(
    client: Client, five: list[Asset], letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    foreign = world.team("rivals").asset
    for gone in (str(foreign.public_id), str(uuid4())):
        ids = dict(zip("abcd", (str(each.public_id) for each in five), strict=False))
        assert client.get(reverse("compare"), ids).status_code == 200
        assert client.get(reverse("compare"), ids | {letter: gone}).status_code == 404
    # With the guard gone the foreign one is shown: the 404 above is the guard's.
    monkeypatch.setattr(AssetQuerySet, "visible_to", lambda self, user: self.all())
    assert client.get(reverse("compare"), {"a": str(foreign.public_id)}).status_code == 200


def test_a_picture_in_the_trash_says_so_and_leaves_the_strip(
    client: Client, five: list[Asset]
) -> None:
    Asset.objects.filter(pk__in=[five[1].pk, five[4].pk]).update(trashed_at=timezone.now())
    page = text(client.get(address(*five[:2])))
    assert page.count("In the trash") == 1
    assert len([each for each in strip(page) if str(five[4].public_id) in each]) == 0
    assert "In the trash" not in text(client.get(address(five[0], five[2])))


def test_a_video_is_a_sentence(client: Client, five: list[Asset]) -> None:
    Asset.objects.filter(pk=five[1].pk).update(kind="video")
    page = text(client.get(address(*five[:3])))
    assert "Videos cannot be compared" in page
    assert shown(page) == lettered(five[0], five[2])
    alone = client.get(address(five[1]))
    assert alone.status_code == 200
    assert "Videos cannot be compared" in text(alone)


def test_a_plain_form_of_chosen_pictures_leads_to_the_address(
    client: Client, five: list[Asset]
) -> None:
    picks = [str(each.public_id) for each in five[:3]]
    answer = client.get(reverse("compare"), {"pick": picks})
    assert answer.status_code == 302
    assert answer["Location"] == address(*five[:3])
    all_five = client.get(
        reverse("compare"), {"pick": [str(each.public_id) for each in five]}, follow=True
    )
    assert "first four of 5" in text(all_five)


# --- the strip ---


def test_the_strip_puts_a_picture_at_the_letter_that_is_chosen(
    client: Client, five: list[Asset]
) -> None:
    three = five[:3]
    page = text(client.get(address(*three, at="c")))
    ways = strip(page)
    assert address(three[0], three[1], five[3], mode="side", at="c") in ways
    assert (
        address(three[2], three[1], three[0], mode="side", at="c") in ways
    )  # changes places with A
    assert page.split('<nav class="thumbs"')[1].count('aria-current="true"') == 1
    added = strip(text(client.get(address(*three, at="d"))))
    assert address(*three, five[3], mode="side", at="d") in added
    for odd in ("z", "", "<", "aa"):
        assert address(three[0], five[3], three[2], mode="side") in strip(
            text(client.get(address(*three, at=odd)))
        )


def test_swap_remove_and_letters_are_links(client: Client, five: list[Asset]) -> None:
    page = text(client.get(address(*five[:3], at="c", mode="flicker"))).replace("&amp;", "&")
    assert address(five[2], five[1], five[0], mode="flicker", at="c") in page  # swapped
    assert address(five[0], five[2], mode="flicker") in page  # without B
    assert address(*five[:3], mode="flicker", at="a") in page
    four = text(client.get(address(*five[:4]))).replace("&amp;", "&")
    assert address(*five[1:4], mode="side") in four  # a grid of three is no grid
    assert "out of the comparison" not in text(client.get(address(*five[:2])))


def test_of_long_runs_the_strip_shows_what_is_around_both(team: world.Team) -> None:
    states = (DONE,) * 8
    runs = [world.generation(team.project, team.editor, states=states) for _each in range(2)]
    one, two = (gallery.siblings(each.assets.all()[0]) for each in runs)
    for place, around in ((0, two[0:3]), (4, two[3:6]), (7, two[5:8])):
        assert gallery.strip([one[0], two[place]], each=3, least=0) == one[:3] + around
    assert gallery.strip([one[0], one[7]], each=3, least=0) == one[:3] + one[5:]
    alone = made(team)
    assert gallery.strip([alone], least=4) == [alone, *reversed(two[5:])]


def test_queries_do_not_grow_with_pictures(client: Client, team: world.Team) -> None:
    runs = [world.generation(team.project, team.editor, states=(DONE,) * 6) for _each in range(4)]
    assets = [run.assets.order_by("pk")[0] for run in runs]
    for place, run in enumerate(runs):
        refer(run.pk, team, *range(place))

    def asked(*chosen: Asset) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert client.get(address(*chosen)).status_code == 200
        return len(seen)

    asked(*assets)
    # Of a run without references there are none to fetch: compare like with like.
    assert asked(assets[3], assets[2]) == asked(*assets) <= 20


# --- what differs ---


def refer(generation: int, team: world.Team, *numbers: int) -> None:
    for place, number in enumerate(numbers):
        reference = Reference.objects.filter(name=f"ref {number}").first()
        reference = reference or Reference.objects.create(
            project=team.project,
            user=team.editor,
            blob=world.blob(world.picture((60 * number, 9, 9))),
            name=f"ref {number}",
            format="jpeg",
            width=96,
            height=64,
        )
        Use.objects.create(generation_id=generation, reference=reference, position=place)


def test_rows_have_a_cell_for_each_and_mark_what_is_not_as_a(team: world.Team) -> None:
    others = [made(team, scale="0.8"), made(team), made(team, scale="0.8", size="2560x1440")]
    with translation.override("en"):
        rows = {row.label: row for row in gallery.rows([team.asset, *others])}
    strength = rows["Prompt strength"]
    assert [cell.value for cell in strength.cells] == ["0.5", "0.8", "0.5", "0.8"]
    assert [cell.other for cell in strength.cells] == [False, True, False, True]
    assert not strength.same
    assert rows["Size"].cells[0].came == "96 × 64"  # asked for 2048 × 2048
    assert not rows["Size"].same
    assert rows["Model"].same
    assert rows["Format"].same
    assert "References" not in rows


def test_a_parameter_only_one_has_is_a_dash_for_the_others(team: world.Team) -> None:
    other = made(team)
    type(other.generation).objects.filter(pk=other.generation_id).update(engine="gone-1.0")
    other.refresh_from_db()
    with translation.override("en"):
        rows = {row.label: row for row in gallery.rows([other, team.asset])}
    assert [cell.value for cell in rows["Prompt strength"].cells] == ["–", "0.5"]
    assert rows["Model"].cells[0].value == "gone-1.0"


def test_references_are_the_same_only_if_they_are(team: world.Team, client: Client) -> None:
    pictures = [made(team) for _each in range(4)]
    for asset, numbers in zip(pictures, [(1, 2), (1, 2), (2, 1), ()], strict=True):
        refer(asset.generation_id, team, *numbers)
    with translation.override("en"):
        row = next(row for row in gallery.rows(pictures) if row.label == "References")
    assert [cell.value for cell in row.cells] == ["2 references"] * 3 + ["–"]
    assert [cell.other for cell in row.cells] == [False, False, True, True]
    assert "2 references" in text(client.get(address(*pictures)))


def test_the_cost_is_what_the_ledger_says_once(team: world.Team) -> None:
    run = world.generation(team.project, team.editor, states=(DONE,) * 2)
    for scope in ("site", "person"):
        allowance = Allowance.objects.create(scope=scope, limit=50)
        balance = Balance.objects.create(
            allowance=allowance,
            user=team.editor if scope == "person" else None,
            period_key="2027-01-01",
            granted=50,
        )
        for job in run.jobs.all():
            LedgerEntry.objects.create(
                kind="spend", balance=balance, allowance=allowance, amount=3, job=job, round=1
            )
    with translation.override("en"):
        rows = {row.label: row for row in gallery.rows([*run.assets.all()])}
        none = {row.label: row for row in gallery.rows([team.asset])}
    assert {cell.value for cell in rows["Cost of the run"].cells} == {"6 images"}
    assert none["Cost of the run"].cells[0].value == "0 images"


def test_prompts_are_held_against_a(team: world.Team, client: Client) -> None:
    a, b, c = (
        made(team, "雨夜，白鹤缓步"),
        made(team, "雨夜，白鹤展翅"),
        made(team, "雨夜，白鹤缓步"),
    )
    page = text(client.get(address(a, b, c)))
    assert "<del>缓步</del><ins>展翅</ins>" in page
    assert page.count('<p class="words">') == 1  # C's is A's
    assert "the same" in text(client.get(address(a, c)))


def test_equal_rows_are_folded(team: world.Team, client: Client, five: list[Asset]) -> None:
    page = text(client.get(address(*five[:4])))
    folded = re.search(r"(\d+) identical", page)
    assert folded
    assert int(folded[1]) >= 5
    assert "<details" in page
    Asset.objects.update(blob=five[0].blob, job=None, derived_from=five[0])
    assert "Every parameter is the same" in text(client.get(address(*five[:2])))


def test_settings_are_offered_to_those_who_may_use_them(
    client: Client, writer: Client, five: list[Asset]
) -> None:
    assert five[0].generation
    use = f"recipe={five[0].generation.public_id}"
    assert use not in text(client.get(address(*five[:4])))
    assert text(writer.get(address(*five[:4]))).count(use) == 4


# --- picking the best ---


def pick(client: Client, asset: Asset, *among: Asset, **more: str) -> int:
    back = address(*among).partition("?")[2]
    url = reverse("asset-best", args=[asset.public_id])
    return client.post(url, {"back": back, **more}).status_code


def mark(asset: Asset) -> tuple[int | None, bool]:
    asset.refresh_from_db()
    return asset.rating, asset.favourite


def test_the_best_is_marked_moved_and_put_back(
    writer: Client, client: Client, five: list[Asset]
) -> None:
    a, b = five[:2]
    Asset.objects.filter(pk=a.pk).update(rating=3)
    assert pick(writer, a, a, b) == 302
    assert mark(a) == (5, True)
    page = text(writer.get(address(a, b)))
    assert page.count('name="undo"') == 1
    assert 'class="pane a best"' in page
    assert 'class="pane a best"' in text(client.get(address(a, b)))  # others see it too
    pick(writer, a, a, b)  # once more: what it was before stays remembered
    pick(writer, b, a, b)
    assert (mark(a), mark(b)) == ((3, False), (5, True))
    pick(writer, b, a, b, undo="1")
    assert (mark(a), mark(b)) == ((3, False), (None, False))


def test_what_others_judged_stays(writer: Client, five: list[Asset]) -> None:
    a, b, c = five[:3]
    Asset.objects.filter(pk=b.pk).update(rating=5, favourite=True)
    pick(writer, a, a, b, c)
    assert (mark(a), mark(b)) == ((5, True), (5, True))
    pick(writer, b, a, b, c, undo="1")  # nothing is remembered of it: no judgement
    assert (mark(a), mark(b)) == ((5, True), (None, False))
    pick(writer, c, c, b)  # a comparison without A leaves A alone
    assert mark(a) == (5, True)


def test_a_run_keeps_the_best_rating_and_its_card_is_told(
    team: world.Team, five: list[Asset]
) -> None:
    run = five[0].generation
    assert run
    before = marks.pick_best(asset=five[0], actor=team.editor)
    run.refresh_from_db()
    assert run.rating == 5
    assert Event.objects.filter(name=f"g-{run.public_id}").count() == 1
    marks.put_back(asset=five[0], mark=before, actor=team.editor)
    run.refresh_from_db()
    assert run.rating is None


def test_only_writers_pick_and_only_what_they_see(
    client: Client, writer: Client, five: list[Asset]
) -> None:
    foreign = world.team("rivals").asset
    assert pick(client, five[0], *five[:2]) == 403
    assert pick(writer, foreign, *five[:2]) == 404
    assert pick(writer, five[0], five[0], foreign) == 404
    assert {mark(five[0]), mark(foreign)} == {(None, False)}
    for back in ("a=x", "\0", "a=%00"):
        url = reverse("asset-best", args=[five[0].public_id])
        assert writer.post(url, {"back": back}).status_code in (302, 404)


def test_the_way_back_is_always_the_comparison(writer: Client, five: list[Asset]) -> None:
    url = reverse("asset-best", args=[five[0].public_id])
    for back in ("", "https://evil.example/", "//evil.example", "next=//evil&mode=grid"):
        assert writer.post(url, {"back": back})["Location"].startswith("/compare/")


def test_the_session_remembers_a_bounded_number(writer: Client, team: world.Team) -> None:
    many = world.generation(team.project, team.editor, states=(DONE,) * 25).assets.order_by("pk")
    for asset in many:
        pick(writer, asset)
    assert len(writer.session["picked"]) == 20
