"""References on their shelves: taken in once, kept under runs, fitted to an engine, swept when unused."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from pytest_django import Settings

from generations import imaging
from generations.models import Blob, Generation, Reference, Rendition, Use
from generations.providers import catalog
from generations.services import compose, outputs
from generations.services.library import fitting, problems, references
from generations.services.supervisor import ensure
from tests import world
from tests.pictures import encoded, header_only, patches, photo
from tests.uploads import Add, add

__all__ = ["add"]

pytestmark = pytest.mark.django_db
ENGINE = catalog.get_engine(world.ENGINE)
# What picture models are sent; those that ask the same share one.
SENT = {
    fitting.spec_of(engine)
    for engine in catalog.ENGINES.values()
    if engine.kind == "image" and engine.references.maximum
}


# --- Taking in ------------------------------------------------------------------------------------


def test_a_picture_has_a_master_thumbnails_and_what_is_sent(add: Add) -> None:
    row = add(photo(), "Küche.jpg")
    assert (row.name, row.format, row.width, row.height) == ("Küche.jpg", "jpeg", 900, 600)
    assert row.placeholder.startswith("data:image/webp;base64,")
    specs = set(row.renditions.values_list("spec", "width"))
    assert specs == {("640", 640), ("320", 320), *((spec, 900) for spec in SENT)}
    for blob in [row.blob, *(each.blob for each in row.renditions.all())]:
        assert (settings.MEDIA_ROOT / blob.name).stat().st_size == blob.size


def test_what_one_model_cannot_be_sent_another_can(
    add: Add, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is refused when it is composed for that model, and not before."""
    rule = replace(ENGINE.references, max_bytes=600)
    strict = replace(ENGINE, slug="strict-1.0", references=rule)
    monkeypatch.setitem(catalog.ENGINES, strict.slug, strict)
    row = add(photo(), "a.jpg")
    assert row.renditions.filter(spec=fitting.spec_of(ENGINE)).exists()
    with pytest.raises(problems.ReferenceProblem):
        fitting.fitted(reference=row, engine=strict)


def test_the_same_picture_is_kept_once_on_each_shelf(add: Add) -> None:
    data = photo()
    shared, again, own = add(data), add(data, "other.jpg"), add(data, own=True)
    assert shared == again
    assert own != shared
    assert own.blob == shared.blob
    # Two references, and for each the renditions that are sent are the master itself.
    assert Blob.objects.get(pk=shared.blob_id).uses == 2 * (1 + len(SENT))
    assert Rendition.objects.filter(spec="320").count() == 2
    assert Blob.objects.get(pk=shared.renditions.get(spec="320").blob_id).uses == 2


def test_what_was_hidden_comes_back_when_it_is_added_again(add: Add) -> None:
    data = photo()
    row = add(data)
    references.hide(reference=row)
    row.refresh_from_db()
    assert row.hidden_at
    assert add(data).hidden_at is None
    assert Blob.objects.get(pk=row.blob_id).uses == 1 + len(SENT)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("photo.jpg", "photo.jpg"),
        ("  a \t\r\n b  ", "a b"),
        ("a\0b\x07c", "abc"),
        ("gnp\u202e.exe", "gnp.exe"),
        ("\u2066\u200f", "?"),
        ("", "?"),
        ("half \ud83d a pair", "half a pair"),
        ("参考图" * 100, ("参考图" * 100)[:120]),
        ("<script>alert(1)</script>", "<script>alert(1)</script>"),
    ],
)
def test_names_are_one_plain_line(name: str, kept: str) -> None:
    assert references.clean_name(name) == kept


@pytest.mark.parametrize(
    ("data", "message", "said"),
    [
        (b"hello", "kind", "“plan.png” is no picture"),
        (header_only(30_000, 30_000), "pixels", "more than 60 million pixels"),
        (photo()[:5_000], "damaged", "damaged or not complete"),
    ],
)
def test_a_refusal_is_a_sentence_and_leaves_nothing(
    data: bytes, message: str, said: str, add: Add
) -> None:
    before = Blob.objects.count()
    with pytest.raises(references.ReferenceProblem) as caught:
        add(data, "plan.png")
    assert said in caught.value.message % caught.value.params
    assert caught.value.message == problems._SENTENCES[message]
    assert Blob.objects.count() == before
    assert not Reference.objects.exists()
    assert list(settings.TEMP_ROOT.glob("ref-*")) == []


def test_every_refusal_of_imaging_has_its_sentence() -> None:
    for reason in ("kind", "damaged", "animated", "pixels", "heavy", "no such reason"):
        problem = problems.refused("a.jpg", reason)
        assert "a.jpg" in problem.message % problem.params


def test_51_megabytes_are_refused_unread(
    add: Add, tmp_path: Path, team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(imaging, "prepare", lambda *_: pytest.fail("it was read"))
    source = tmp_path / "large.jpg"
    with source.open("wb") as file:
        file.truncate(51 * 1024 * 1024)
    with pytest.raises(references.ReferenceProblem) as caught:
        references.ingest(source=source, name="large.jpg", user=team.owner, project=None)
    assert "51 MB" in caught.value.message % caught.value.params


def test_a_result_becomes_a_reference_that_knows_where_it_came_from(team: world.Team) -> None:
    made = references.adopt(asset=team.asset, user=team.owner, project=team.project)
    assert (made.from_asset, made.project) == (team.asset, team.project)
    assert made.name == team.generation.prompt[:40]
    again = references.adopt(asset=team.asset, user=team.editor, project=team.project)
    assert again == made


# --- In runs --------------------------------------------------------------------------------------


def run(team: world.Team, chosen: list[compose.Chosen], **more: object) -> Generation:
    return compose.submit(
        project=team.project,
        user=team.owner,
        engine=ENGINE.slug,
        prompt="一只柯基",
        settings=more,
        count=1,
        references=chosen,
    )


def test_a_run_keeps_its_references_in_their_order_and_roles(add: Add, team: world.Team) -> None:
    one, two = add(photo(), "one"), add(encoded(patches(), "PNG"), "two")
    made = run(team, [compose.Chosen(two, "style"), compose.Chosen(one, "subject")])
    assert made.recipe["references"] == [
        {"sha256": two.blob_id, "role": "style"},
        {"sha256": one.blob_id, "role": "subject"},
    ]
    chosen = references.chosen_of(generation=made, user=team.owner)
    assert [(each.reference, each.role) for each in chosen] == [(two, "style"), (one, "subject")]
    references.hide(reference=two)
    left = references.chosen_of(generation=made, user=team.owner)
    assert [each.reference for each in left] == [one]
    assert made.uses.count() == 2
    other = world.team("rivals")
    assert references.chosen_of(generation=made, user=other.owner) == []


@pytest.mark.parametrize(("count", "outputs_"), [(0, 15), (1, 14), (10, 5)])
def test_a_set_reserves_what_the_inputs_leave(
    count: int, outputs_: int, add: Add, team: world.Team
) -> None:
    row = add(photo())
    made = run(team, [compose.Chosen(row)] * count, output="set")
    assert made.jobs.get().max_outputs == outputs_


def test_eleven_are_refused(add: Add, team: world.Team) -> None:
    before = team.project.generations.count()
    with pytest.raises(compose.ComposeProblem) as caught:
        run(team, [compose.Chosen(add(photo()))] * 11)
    assert [error.field for error in caught.value.errors] == ["references"]
    assert team.project.generations.count() == before


def test_a_reference_that_cannot_be_fitted_refuses_the_run(
    add: Add, team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = add(photo(5_000, 3_000))
    row.renditions.all().delete()
    (settings.MEDIA_ROOT / row.blob.name).unlink()
    with pytest.raises(compose.ComposeProblem) as caught:
        run(team, [compose.Chosen(row)])
    assert caught.value.errors[0].field == "references"
    assert not Use.objects.exists()


# --- The sweep ------------------------------------------------------------------------------------


def test_the_sweep_spares_what_references_use(add: Add, settings: Settings) -> None:
    row = add(photo())
    old = timezone.now() - timedelta(days=3)
    Blob.objects.update(created_at=old)
    Blob.objects.filter(pk=row.blob_id).update(uses=0)  # even where the counter is wrong
    unused = outputs.store(_file(settings.TEMP_ROOT / "stray", b"stray"), "image/png")
    Blob.objects.filter(pk=unused.pk).update(created_at=old)
    ensure.sweep_files()
    assert Blob.objects.filter(pk=row.blob_id).exists()
    assert (settings.MEDIA_ROOT / row.blob.name).is_file()
    assert not Blob.objects.filter(pk=unused.pk).exists()
    assert not (settings.MEDIA_ROOT / unused.name).exists()


def test_the_sweep_takes_folders_that_a_crash_left(settings: Settings) -> None:
    left, fresh = settings.TEMP_ROOT / "ref-left", settings.TEMP_ROOT / "ref-fresh"
    for folder in (left, fresh):
        folder.mkdir()
        (folder / "master").write_bytes(b"x")
    hours_ago = time.time() - 7_200
    os.utime(left, (hours_ago, hours_ago))
    ensure.sweep_files()
    assert (left.exists(), fresh.exists()) == (False, True)
    (fresh / "master").unlink()
    fresh.rmdir()


def _file(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path
