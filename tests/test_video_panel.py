"""The compose panel for videos: kinds, choices, frames and what is missing, drafts and finals, animating."""

from __future__ import annotations

import re
from typing import Any

import pytest
from django.test import Client
from hypothesis import given
from hypothesis import strategies as st

from generations.models import Generation
from generations.providers import catalog
from generations.providers.frames import centre_crop
from tests import videos, world
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db
PRO, TAIL = "jimeng-video-3.0-pro", "jimeng-video-3.0-first-last"
SHAPES = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")


def panel(client: Client, team: world.Team, engine: str, *tokens: str, **more: str) -> str:
    body: dict[str, Any] = {"prompt": "海浪", "engine": engine, "count": "1", "reference": tokens}
    answer = client.post(url(team, "compose-panel"), body | more, headers=HTMX)
    assert answer.status_code == 200
    return text(answer)


def token(team: world.Team, size: tuple[int, int] = (400, 300)) -> str:
    data = world.picture((size[0] % 250, size[1] % 250, 60), size)
    return str(world.reference(team, data=data).public_id)


def chosen(page: str) -> str:
    found = re.search(r'name="engine" value="([^"]+)" checked', page)
    assert found
    return found[1]


# --- Kinds and the picker -------------------------------------------------------------------------


def test_the_list_holds_the_models_of_one_kind(writer: Client, team: world.Team) -> None:
    for engine in (world.ENGINE, videos.TEXT):
        page = panel(writer, team, engine)
        kind = catalog.ENGINES[engine].kind
        offered = re.findall(r'name="engine" value="([^"]+)"', page)
        assert offered == [each.slug for each in catalog.ENGINES.values() if each.kind == kind]
        assert f'name="kind" value="{kind}" formaction' in page
        assert re.search(rf'value="{kind}" [^>]*aria-pressed="true"', page)
        assert chosen(page) == engine


@pytest.mark.parametrize(
    ("pictures", "wanted"), [(0, videos.TEXT), (1, videos.FIRST), (2, TAIL), (3, videos.TEXT)]
)
def test_the_other_kind_begins_with_a_model_for_the_chosen_pictures(
    writer: Client, team: world.Team, pictures: int, wanted: str
) -> None:
    tokens = [token(team, (400, 300 + n)) for n in range(pictures)]
    page = panel(writer, team, world.ENGINE, *tokens, kind="video", count="4", size="2304x1728")
    assert chosen(page) == wanted
    assert ">海浪</textarea>" in page.replace("\n", "")
    assert 'inputmode="numeric" value="1"' in page  # four was what nobody had changed
    assert 'inputmode="numeric" value="3"' in panel(
        writer, team, world.ENGINE, kind="video", count="3"
    )


@pytest.mark.parametrize("kind", ["", "video", "sound", "\0"])
def test_a_kind_that_is_none_or_the_same_changes_nothing(
    writer: Client, team: world.Team, kind: str
) -> None:
    assert chosen(panel(writer, team, PRO, kind=kind)) == PRO


def test_a_list_of_prompts_offers_no_model_that_needs_a_picture(
    writer: Client, team: world.Team
) -> None:
    page = text(writer.get(url(team, "batch-new")))
    offered = re.findall(r'name="engine" value="([^"]+)"', page)
    assert videos.TEXT in offered and world.ENGINE in offered
    assert videos.FIRST not in offered
    assert PRO in offered


# --- Choices --------------------------------------------------------------------------------------


def test_choices_are_drawn_by_what_they_are(writer: Client, team: world.Team) -> None:
    page = panel(writer, team, videos.TEXT, aspect_ratio="9:16", frames="241")
    for shape in SHAPES:
        assert re.search(rf'name="aspect_ratio" value="{shape}"[^>]*>\s*<svg class="glyph"', page)
    assert 'name="aspect_ratio" value="9:16" checked' in page
    assert re.search(r'name="frames" value="241" checked>10 s', page)
    camera = panel(writer, team, "jimeng-video-3.0-camera", template_id="robo_arm")
    assert '<option value="robo_arm" selected>Robot arm</option>' in camera
    assert re.search(r'<label><input type="radio" name="camera_strength" value="weak"', camera)


def test_with_a_first_frame_the_shape_is_the_picture_s(writer: Client, team: world.Team) -> None:
    alone = panel(writer, team, PRO, aspect_ratio="9:16")
    assert 'value="9:16" checked>' in alone.replace("\n", "")
    assert 'name="aspect_ratio" value="1:1" disabled' not in alone
    begun = panel(writer, team, PRO, token(team))
    assert 'name="aspect_ratio" value="auto" checked' in begun
    assert 'name="aspect_ratio" value="1:1" disabled' in begun


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"frames": "122"}, "is not one of these"),
        ({"aspect_ratio": "5:4"}, "is not one of these"),
        ({"seed": "-2"}, "Choose a number from 0"),
        ({"prompt": ""}, "Write what the video should show."),
        ({"count": "0"}, "Choose a number of videos"),
    ],
)
def test_what_is_wrong_is_said_at_its_place(
    writer: Client, team: world.Team, changed: dict[str, str], said: str
) -> None:
    body = {"prompt": "海浪", "engine": videos.TEXT, "count": "1"} | changed
    answer = writer.post(url(team, "compose"), body, headers=HTMX)
    assert answer.status_code == 422
    assert said in text(answer)


# --- Frames ---------------------------------------------------------------------------------------


def test_what_is_missing_is_said_before_pressing(writer: Client, team: world.Team) -> None:
    one, two = token(team, (401, 300)), token(team, (402, 300))
    none, half, whole = (panel(writer, team, TAIL, *given) for given in ((), (one,), (one, two)))
    missing = re.compile(r'id="missing"[^>]*data-need="2"( hidden)?>This model needs two')
    for page, hidden in ((none, None), (half, None), (whole, " hidden")):
        found = missing.search(page)
        assert found
        assert found[1] == hidden
    slots = [re.findall(r'data-need="(\d)"( hidden)?><svg', page) for page in (none, half, whole)]
    assert slots[0] == [("1", ""), ("2", "")]
    assert slots[1] == [("1", " hidden"), ("2", "")]
    assert slots[2] == [("1", " hidden"), ("2", " hidden")]
    assert "First and last frame" in none


def test_a_frame_has_no_role_of_a_reference_and_gets_it_back(
    writer: Client, team: world.Team
) -> None:
    each = token(team)
    role = {f"role-{each}": "style"}
    page = panel(writer, team, videos.FIRST, each, **role)
    assert "<b>First frame</b>" in page
    assert f'<select name="role-{each}"' not in page
    assert f'type="hidden" name="role-{each}" value="style"' in page
    body = {"prompt": "海浪", "engine": videos.FIRST, "count": "1", "reference": each}
    big = str(world.reference(team, data=world.picture((9, 9, 9), (640, 480))).public_id)
    body |= {"reference": big, f"role-{big}": "style"}
    assert writer.post(url(team, "compose"), body, headers=HTMX).status_code == 200
    made = Generation.objects.latest("pk")
    assert (made.engine, made.kind, made.uses.get().role) == (videos.FIRST, "video", "")


def test_the_cut_is_drawn_where_there_is_one(writer: Client, team: world.Team) -> None:
    wide, exact = token(team, (600, 300)), token(team, (640, 360))
    cut = panel(writer, team, videos.FIRST, wide)
    assert 'class="cut" viewBox="0 0 600 300"' in cut
    assert '<rect x="33" y="0" width="533" height="300"' in cut
    assert "Only the middle is used, 16:9" in cut
    assert 'class="cut"' not in panel(writer, team, videos.FIRST, exact)
    assert 'class="cut"' not in panel(writer, team, world.ENGINE, wide)


@given(st.integers(1, 9000), st.integers(1, 9000))
def test_the_cut_lies_in_the_middle_and_is_as_large_as_it_can_be(width: int, height: int) -> None:
    crop = centre_crop(width, height, SHAPES)
    across, down = map(int, crop.shape.split(":"))
    assert crop.width == width or crop.height == height
    assert 0 <= crop.left <= width - crop.width <= 2 * crop.left + 1
    assert 0 <= crop.top <= height - crop.height <= 2 * crop.top + 1
    if min(width, height) > 30:
        off = abs(crop.width * down - crop.height * across)
        assert off <= max(across, down)
    nearest = min(abs(width / height - int(a) / int(b)) for a, b in (s.split(":") for s in SHAPES))
    assert abs(width / height - across / down) == pytest.approx(nearest)


# --- Animate, final -------------------------------------------------------------------------------


def test_animate_opens_the_panel_with_the_picture(writer: Client, team: world.Team) -> None:
    link = f"?animate={team.asset.public_id}"
    assert link in text(writer.get(f"/a/{team.asset.public_id}/"))
    page = text(writer.get(url(team) + link))
    assert chosen(page) == videos.FIRST
    assert f'name="reference" value="a.{team.asset.public_id}" checked' in page
    assert "一只柯基在草地上</textarea>" in page
    assert 'inputmode="numeric" value="1"' in page


@pytest.mark.parametrize("bad", ["x", "", "00000000-0000-0000-0000-000000000000"])
def test_nothing_else_is_animated(writer: Client, team: world.Team, bad: str) -> None:
    assert writer.get(url(team), {"animate": bad}).status_code == 404
    video = videos.run(team.project, team.editor, 9).assets.get()
    assert writer.get(url(team), {"animate": str(video.public_id)}).status_code == 404


def test_without_an_engine_for_it_nothing_is_animated(
    writer: Client, team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    pictures = {slug: each for slug, each in catalog.ENGINES.items() if each.kind == "image"}
    monkeypatch.setattr(catalog, "ENGINES", pictures)
    assert "animate=" not in text(writer.get(f"/a/{team.asset.public_id}/"))
    page = text(writer.get(url(team)))
    assert "Animate this" not in page
    assert 'name="kind"' not in page  # one kind needs no switch


def test_a_final_has_the_recipe_and_the_seed_of_its_video(writer: Client, team: world.Team) -> None:
    run = videos.run(team.project, team.editor, 9, 9, seed="77", aspect_ratio="9:16", frames="241")
    second = run.assets.get(job__position=1)
    page = text(writer.get(f"/a/{second.public_id}/"))
    links = re.findall(r'href="([^"]*final=[^"]*)"', page)
    assert [each.rpartition("final=")[2] for each in links] == ["jimeng-video-3.0-1080p", PRO]
    for link in links:
        opened = text(writer.get(link.replace("&amp;", "&")))
        assert chosen(opened) == link.rpartition("final=")[2]
        assert 'name="seed" value="78"' in opened
        assert 'name="aspect_ratio" value="9:16" checked' in opened
        assert 'name="frames" value="241" checked' in opened
        assert 'inputmode="numeric" value="1"' in opened
        assert f'name="rerun_of" value="{run.public_id}"' in opened
        assert "海浪拍打礁石，镜头缓缓推近</textarea>" in opened


@pytest.mark.parametrize("final", ["", PRO + "x", world.ENGINE, TAIL, "\0"])
@pytest.mark.parametrize("n", ["", "-1", "99", "9" * 40, "x"])
def test_a_final_nobody_declared_is_the_run_again(
    writer: Client, team: world.Team, final: str, n: str
) -> None:
    run = videos.run(team.project, team.editor, 9, seed="77")
    query = {"recipe": str(run.public_id), "final": final, "n": n}
    answer = writer.get(url(team), query)
    assert answer.status_code == 200
    assert chosen(text(answer)) == videos.TEXT


def test_every_final_is_an_engine_of_the_same_kind_that_takes_its_pictures() -> None:
    declared = [(each, final) for each in catalog.ENGINES.values() for final in each.finals]
    assert len(declared) >= 5
    for draft, slug in declared:
        final = catalog.ENGINES[slug]
        assert (final.kind, final.slug != draft.slug) == (draft.kind, True)
        assert (
            final.references.minimum
            <= draft.references.maximum
            <= max(final.references.maximum, draft.references.minimum)
        )
        assert final.finals == ()
