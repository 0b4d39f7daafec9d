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
