"""What a model is sent of a reference: cropped, scaled and encoded to its rules, once."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

import pytest
from django.conf import settings
from PIL import Image

from generations import imaging
from generations.providers import catalog
from generations.services.library import fitting, references
from tests import world
from tests.pictures import delta_e, encoded, middles, patches, photo
from tests.uploads import Add, add

__all__ = ["add"]
pytestmark = pytest.mark.django_db
ENGINE = catalog.get_engine(world.ENGINE)
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


def test_a_tall_picture_is_only_cropped(add: Add) -> None:
    row = add(photo(200, 900))
    sent = row.renditions.get(spec=fitting.spec_of(ENGINE))
    with Image.open(settings.MEDIA_ROOT / sent.blob.name) as image:
        assert (image.format, image.size) == ("JPEG", (200, 600))
    assert len(fitting.fit_note(row, ENGINE)) == 1


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


# --- Frames of a video ----------------------------------------------------------------------------

FIRST = catalog.get_engine("jimeng-video-3.0-first")
PRO = catalog.get_engine("jimeng-video-3.0-pro")
TAIL = catalog.get_engine("jimeng-video-3.0-first-last")


@pytest.mark.parametrize(
    ("size", "part", "sent"),
    [
        ((320, 320), (320, 320), (320, 320)),
        ((319, 319), (319, 319), (320, 320)),
        ((96, 64), (96, 64), (480, 320)),
        ((64, 96), (64, 96), (320, 480)),
        ((1, 1), (1, 1), (320, 320)),
        ((300, 100), (300, 100), (960, 320)),
        ((301, 100), (300, 100), (960, 320)),
        ((1, 65000), (1, 3), (320, 960)),
        ((9000, 3000), (9000, 3000), (4096, 1366)),
        ((4096, 4096), (4096, 4096), (4096, 4096)),
    ],
)
def test_what_is_sent_of_a_frame(
    size: tuple[int, int], part: tuple[int, int], sent: tuple[int, int]
) -> None:
    rule = FIRST.references
    plan = fitting.plan(*size, rule)
    assert (plan.part, plan.size) == (part, sent)
    assert rule.min_ratio <= Fraction(*plan.size) <= rule.max_ratio
    assert rule.min_side <= min(plan.size) <= max(plan.size) <= rule.max_side


@pytest.mark.parametrize("first", [(960, 320), (320, 960), (1000, 1000), (1023, 577)])
@pytest.mark.parametrize("second", [(1, 1), (640, 480), (480, 640), (4000, 1500), (65000, 1)])
def test_a_second_frame_has_exactly_the_size_of_the_first(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    plan = fitting.plan(*second, TAIL.references, first)
    assert plan.size == first
    left, upper, right, lower = plan.box
    assert 0 <= left < right <= second[0]
    assert 0 <= upper < lower <= second[1]
    if min(second) > 300:
        assert abs(Fraction(*plan.part) / Fraction(*first) - 1) < 0.01


def test_frames_are_made_when_a_video_is_composed_and_shared(add: Add) -> None:
    row = add(photo(200, 150))
    assert not row.renditions.filter(spec=fitting.spec_of(FIRST)).exists()
    sent = fitting.fitted(reference=row, engine=FIRST)
    assert (sent.width, sent.height) == (427, 320)
    assert fitting.fitted(reference=row, engine=PRO).pk == sent.pk
    assert fitting.fitted_all(references=[row], engine=TAIL)[0].pk == sent.pk
    (note,) = fitting.fit_note(row, FIRST)
    assert note.message % note.params == "It is sent enlarged to 427 × 320."


def test_two_frames_are_sent_in_one_shape_and_the_page_says_so(add: Add) -> None:
    one, two = add(photo(800, 600)), add(photo(1000, 1000))
    first, second = fitting.fitted_all(references=[one, two], engine=TAIL)
    assert first.blob == one.blob
    with Image.open(settings.MEDIA_ROOT / second.blob.name) as image:
        assert image.size == (800, 600)
    assert fitting.fit_note(one, TAIL, one) == []
    said = [note.message % note.params for note in fitting.fit_note(two, TAIL, one)]
    assert "1000 × 750: the shape of the first frame" in said[0]
    assert "800 × 600" in said[1]
    turned = fitting.fitted_all(references=[two, one], engine=TAIL)
    assert [(each.width, each.height) for each in turned] == [(1000, 1000)] * 2
    assert fitting.fit_note(two, PRO, one) == []  # whose references have no common shape


def test_what_travels_as_base64_has_few_enough_bytes_as_base64(add: Add) -> None:
    rule = FIRST.references
    assert rule.file_bytes * 4 // 3 <= rule.max_bytes
    row = add(photo(2600, 2600, "PNG"))
    assert row.blob.size > rule.file_bytes
    sent = fitting.fitted(reference=row, engine=FIRST)
    assert sent.blob.size <= rule.file_bytes
    assert sent.blob.content_type == "image/jpeg"
    (note,) = fitting.fit_note(row, FIRST)
    assert "3.5 MB" in note.message % note.params


def test_what_no_quality_makes_small_enough_gets_fewer_pixels(add: Add) -> None:
    row = add(photo(1600, 1200))
    tight = replace(FIRST, references=replace(FIRST.references, max_bytes=150_000))
    sent = fitting.fitted(reference=row, engine=tight)
    assert sent.blob.size <= tight.references.file_bytes
    assert 320 <= sent.height < 1200
    assert abs(sent.width / sent.height - 4 / 3) < 0.01
    never = replace(FIRST, references=replace(FIRST.references, max_bytes=10_000))
    with pytest.raises(references.ReferenceProblem):
        fitting.fitted(reference=row, engine=never)
