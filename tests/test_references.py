"""References on their shelves: taken in once, kept under runs, fitted to an engine, swept when unused."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from django.conf import settings
from django.utils import timezone
from PIL import Image
from pytest_django import Settings

from generations import imaging
from generations.models import Blob, Generation, Reference, Rendition, Use
from generations.providers import catalog
from generations.services import compose, outputs
from generations.services.library import fitting, problems, references
from generations.services.supervisor import ensure
from tests import world
from tests.pictures import delta_e, encoded, header_only, middles, patches

pytestmark = pytest.mark.django_db
ENGINE = catalog.get_engine(world.ENGINE)
Add = Callable[..., Reference]


@pytest.fixture
def add(team: world.Team, tmp_path: Path) -> Add:
    """Take a picture in: on the team's shelf, or on its owner's own."""

    def ingest(data: bytes, name: str = "a.png", *, own: bool = False) -> Reference:
        source = tmp_path / "upload"
        source.write_bytes(data)
        project = None if own else team.project
        return references.ingest(source=source, name=name, user=team.owner, project=project)

    return ingest


def photo(width: int = 900, height: int = 600, format: str = "JPEG") -> bytes:
    return encoded(Image.effect_noise((width, height), 50).convert("RGB"), format)


# --- Taking in ------------------------------------------------------------------------------------


def test_a_picture_has_a_master_thumbnails_and_what_is_sent(add: Add) -> None:
    row = add(photo(), "Küche.jpg")
    assert (row.name, row.format, row.width, row.height) == ("Küche.jpg", "jpeg", 900, 600)
    assert row.placeholder.startswith("data:image/webp;base64,")
    specs = set(row.renditions.values_list("spec", "width"))
    assert specs == {("640", 640), ("320", 320), (fitting.spec_of(ENGINE), 900)}
    for blob in [row.blob, *(each.blob for each in row.renditions.all())]:
        assert (settings.MEDIA_ROOT / blob.name).stat().st_size == blob.size


def test_the_same_picture_is_kept_once_on_each_shelf(add: Add) -> None:
    data = photo()
    shared, again, own = add(data), add(data, "other.jpg"), add(data, own=True)
    assert shared == again
    assert own != shared
    assert own.blob == shared.blob
    # Two references, and for each the rendition that is sent is the master itself.
    assert Blob.objects.get(pk=shared.blob_id).uses == 4
    assert Rendition.objects.filter(spec="320").count() == 2
    assert Blob.objects.get(pk=shared.renditions.get(spec="320").blob_id).uses == 2


def test_what_was_hidden_comes_back_when_it_is_added_again(add: Add) -> None:
    data = photo()
    row = add(data)
    references.hide(reference=row)
    row.refresh_from_db()
    assert row.hidden_at
    assert add(data).hidden_at is None
    assert Blob.objects.get(pk=row.blob_id).uses == 2


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


# --- Fitting --------------------------------------------------------------------------------------

RULE = ENGINE.references


@pytest.mark.parametrize(
    ("size", "part", "sent"),
    [
        ((1000, 800), (1000, 800), (1000, 800)),
        ((4096, 4096), (4096, 4096), (4096, 4096)),
        ((6000, 4000), (6000, 4000), (4096, 2731)),
        ((4000, 6000), (4000, 6000), (2731, 4096)),
        ((3001, 1000), (3000, 1000), (3000, 1000)),
        ((1000, 9000), (1000, 3000), (1000, 3000)),
        ((9000, 3000), (9000, 3000), (4096, 1366)),
        ((1, 65000), (1, 3), (1, 3)),
        ((65000, 1), (3, 1), (3, 1)),
        ((12001, 4000), (12000, 4000), (4096, 1366)),
    ],
)
def test_what_is_sent_of_a_picture(
    size: tuple[int, int], part: tuple[int, int], sent: tuple[int, int]
) -> None:
    plan = fitting.plan(*size, RULE)
    assert (plan.part, plan.size) == (part, sent)
    assert RULE.min_ratio <= Fraction(*plan.size) <= RULE.max_ratio
    left, upper, right, lower = plan.box
    assert abs(left - (size[0] - right)) <= 1
    assert abs(upper - (size[1] - lower)) <= 1


def test_a_picture_that_fits_is_sent_as_it_is(add: Add) -> None:
    row = add(photo())
    assert row.renditions.get(spec=fitting.spec_of(ENGINE)).blob == row.blob
    assert fitting.fit_note(row, ENGINE) == []


def test_a_long_picture_is_cropped_in_the_middle_and_scaled(add: Add) -> None:
    image = patches([(255, 0, 0), (0, 160, 0), (0, 160, 0), (0, 160, 0), (0, 0, 255)])
    row = add(encoded(image.resize((10_000, 2_000), Image.Resampling.NEAREST), "PNG"))
    sent = row.renditions.get(spec=fitting.spec_of(ENGINE))
    assert (sent.width, sent.height) == (4096, 1366)
    path = settings.MEDIA_ROOT / sent.blob.name
    assert max(delta_e(each, (0, 160, 0)) for each in middles(path, 3)) <= 2
    said = [note.message % note.params for note in fitting.fit_note(row, ENGINE)]
    assert "6000 × 2000" in said[0]
    assert "4096 × 1366" in said[1]


def test_it_is_made_once(add: Add, monkeypatch: pytest.MonkeyPatch) -> None:
    row = add(photo(5_000, 4_000))
    monkeypatch.setattr(imaging, "fit", lambda *_: pytest.fail("made again"))
    assert fitting.fitted(reference=row, engine=ENGINE).width == 4096


def test_what_is_transparent_stays_so_while_it_fits(add: Add) -> None:
    image = Image.effect_noise((1_200, 900), 90).convert("RGBA")
    image.putalpha(Image.linear_gradient("L").resize(image.size))
    row = add(encoded(image, "PNG"))
    assert row.renditions.get(spec=fitting.spec_of(ENGINE)).blob.content_type == "image/png"
    tight = replace(ENGINE, references=replace(RULE, max_bytes=400_000))
    sent = fitting.fitted(reference=row, engine=tight)
    assert sent.spec != fitting.spec_of(ENGINE)
    assert (sent.blob.content_type, sent.blob.size <= 400_000) == ("image/jpeg", True)
    top = middles(settings.MEDIA_ROOT / sent.blob.name, 1)
    assert len(top[0]) == 3  # laid on white


def test_a_model_of_one_format_gets_that(add: Add) -> None:
    row = add(encoded(patches().resize((256, 128)), "PNG"))
    picky = replace(ENGINE, references=replace(RULE, formats=("jpeg",)))
    sent = fitting.fitted(reference=row, engine=picky)
    assert sent.blob.content_type == "image/jpeg"
    (note,) = fitting.fit_note(row, picky)
    assert note.message % note.params == "It is sent as JPEG."


def test_what_can_never_fit_is_a_problem(add: Add) -> None:
    row = add(photo())
    tiny = replace(ENGINE, references=replace(RULE, max_bytes=10))
    with pytest.raises(references.ReferenceProblem):
        fitting.fitted(reference=row, engine=tiny)


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
