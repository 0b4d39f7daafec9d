"""What the comparison tells: prompts against A's, a row per parameter, a cell per picture."""

from __future__ import annotations

import re

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from generations.models import Allowance, Asset, Balance, LedgerEntry, Reference, Use
from generations.services import gallery
from tests import world
from tests.comparing import DONE, made
from tests.pages import address, text

pytestmark = pytest.mark.django_db


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


def test_references_are_the_same_only_if_they_are(team: world.Team, reader: Client) -> None:
    pictures = [made(team) for _each in range(4)]
    for asset, numbers in zip(pictures, [(1, 2), (1, 2), (2, 1), ()], strict=True):
        refer(asset.generation_id, team, *numbers)
    with translation.override("en"):
        row = next(row for row in gallery.rows(pictures) if row.label == "References")
    assert [cell.value for cell in row.cells] == ["2 references"] * 3 + ["–"]
    assert [cell.other for cell in row.cells] == [False, False, True, True]
    assert "2 references" in text(reader.get(address(*pictures)))


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


def test_prompts_are_held_against_a(team: world.Team, reader: Client) -> None:
    a, b, c = (
        made(team, "雨夜，白鹤缓步"),
        made(team, "雨夜，白鹤展翅"),
        made(team, "雨夜，白鹤缓步"),
    )
    page = text(reader.get(address(a, b, c)))
    assert "<del>缓步</del><ins>展翅</ins>" in page
    assert page.count('<p class="words">') == 1  # C's is A's
    assert "the same" in text(reader.get(address(a, c)))


def test_equal_rows_are_folded(team: world.Team, reader: Client, five: list[Asset]) -> None:
    page = text(reader.get(address(*five[:4])))
    folded = re.search(r"(\d+) identical", page)
    assert folded
    assert int(folded[1]) >= 5
    assert "<details" in page
    Asset.objects.update(blob=five[0].blob, job=None, derived_from=five[0])
    assert "Every parameter is the same" in text(reader.get(address(*five[:2])))


def test_settings_are_offered_to_those_who_may_use_them(
    reader: Client, writer: Client, five: list[Asset]
) -> None:
    assert five[0].generation
    use = f"recipe={five[0].generation.public_id}"
    assert use not in text(reader.get(address(*five[:4])))
    assert text(writer.get(address(*five[:4]))).count(use) == 4


def test_queries_do_not_grow_with_pictures(reader: Client, team: world.Team) -> None:
    runs = [world.generation(team.project, team.editor, states=(DONE,) * 6) for _each in range(4)]
    assets = [run.assets.order_by("pk")[0] for run in runs]
    for place, run in enumerate(runs):
        refer(run.pk, team, *range(place))

    def asked(*chosen: Asset) -> int:
        with CaptureQueriesContext(connection) as seen:
            assert reader.get(address(*chosen)).status_code == 200
        return len(seen)

    asked(*assets)
    # Of a run without references there are none to fetch: compare like with like.
    assert asked(assets[3], assets[2]) == asked(*assets) <= 20
