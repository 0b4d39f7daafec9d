"""A recipe out of a file: what comes back, what is said to be left out, and what hostile files do (nothing)."""

from __future__ import annotations

import json
import re
from html import unescape
from io import BytesIO
from typing import Any
from zipfile import ZipFile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from hypothesis import given
from hypothesis import strategies as st

from generations.models import Generation, Use
from generations.services import packets, xmp
from generations.services.gallery import carried
from tests import world
from tests.pages import HTMX, text, url

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> world.Team:
    world.account()
    return world.team("acme")


@pytest.fixture
def browser(team: world.Team) -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(team.editor)
    return client


def offer(client: Client, team: world.Team, data: bytes, **headers: str) -> Any:
    file = SimpleUploadedFile("a.json", data)
    return client.post(url(team, "restore"), {"file": file}, headers=headers)


def exported(client: Client, made: Generation) -> ZipFile:
    answer = client.get(reverse("generation-export", args=[made.public_id]))
    return ZipFile(BytesIO(b"".join(answer.streaming_content)))  # type: ignore[attr-defined]


def manifest(*recipes: object) -> bytes:
    return json.dumps({"schema": 1, "files": [{"recipe": each} for each in recipes]}).encode()


def test_an_exported_picture_brings_its_recipe_back(browser: Client, team: world.Team) -> None:
    made = world.generation(team.project, team.editor, prompt="雨夜 <b>&", scale="0.8")
    used = world.shelved(team.editor, team.project)
    Use.objects.create(generation=made, reference=used, position=0, role="style")
    made.recipe["references"] = [{"sha256": used.blob_id, "role": "style"}]
    made.save()
    archive = exported(browser, made)
    picture = next(name for name in archive.namelist() if name.endswith(".jpg"))
    for data in (archive.read(picture), archive.read("manifest.json")):
        page = text(offer(browser, team, data))
        assert "雨夜 &lt;b&gt;&amp;" in page
        assert 'value="0.8"' in page
        assert f'value="{used.public_id}"' in page
        assert '<option value="style" selected>' in page
        assert "The recipe of a file." in page
    fragment = offer(browser, team, archive.read(picture), **HTMX)
    assert fragment.status_code == 200
    assert text(fragment).lstrip().startswith('<form id="compose"')


def test_what_is_not_here_is_named(browser: Client, team: world.Team) -> None:
    recipe = {
        "engine": world.ENGINE,
        "prompt": "a heron",
        "settings": {"scale": "7", "size": "2048x2048", "<i>": "x"},
        "references": [{"sha256": "0" * 64, "role": "style"}, {"sha256": 5}],
    }
    page = text(offer(browser, team, manifest(recipe)))
    assert "a heron" in page
    assert "does not have it: &lt;i&gt;, scale" in page
    assert "2 references are not on any shelf of yours." in page
    gone = text(offer(browser, team, manifest(recipe | {"engine": "no-such"})))
    assert "does not have it: no-such" in gone


def test_a_foreign_reference_stays_foreign(browser: Client, team: world.Team) -> None:
    other = world.team("rivals")
    theirs = world.shelved(other.editor, other.project)
    recipe = {"prompt": "x", "engine": world.ENGINE, "references": [{"sha256": theirs.blob_id}]}
    page = text(offer(browser, team, manifest(recipe)))
    assert str(theirs.public_id) not in page
    assert "1 reference is not on any shelf of yours." in page


def test_of_several_one_is_chosen(browser: Client, team: world.Team) -> None:
    answer = offer(browser, team, manifest({"prompt": "one"}, {"prompt": "two<script>"}, {"x": 1}))
    page = text(answer)
    assert answer.status_code == 422
    assert page.count("Use this one") == 2
    assert "<script>" not in page.split("Which one?")[1].split("</ul>")[0]
    chosen = json.dumps({"recipe": {"prompt": "two"}})
    assert "two</textarea>" in text(browser.post(url(team, "restore"), {"recipe": chosen}))


BOMB = b'<?xml version="1.0"?><!DOCTYPE x [<!ENTITY a "aaaa">]><x>&a;</x>'


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"[" * 100_000,
        b'{"files": 5}',
        b'{"files": [{"recipe": {"prompt": 5}}]}',
        manifest({"prompt": None}),
        b"\xff\xd8\xff\xe1\xff\xff",
        b"\x89PNG\r\n\x1a\n" + b"\0" * 30,
        b"RIFF\xff\xff\xff\xffWEBPVP8X",
        b"plain text",
        json.dumps({"recipe": {"prompt": "x"}}).encode() + b" " * (5 * 1024 * 1024),
        b'{"a": ' + b"9" * 5000 + b"}",
    ],
)
def test_what_carries_nothing_says_so(browser: Client, team: world.Team, data: bytes) -> None:
    answer = offer(browser, team, data)
    assert answer.status_code == 422
    assert "carries no recipe" in text(answer)


def read(packet: bytes) -> list[str]:
    tag = f"{{{xmp.NAMESPACE}}}{xmp.PROPERTY.partition(':')[2]}"
    return list(packets.texts(packet, tag, xmp.MOST_PACKET))


def test_entities_are_not_expanded() -> None:
    assert list(read(BOMB)) == []
    good = xmp.packet(json.dumps({"recipe": {"prompt": "x"}}))
    assert len(list(read(good))) == 1


def test_a_packet_larger_than_any_of_ours_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Many small tags in a large packet would take a hundred times its size to parse."""
    parsed: list[bytes] = []
    name = "generations.services.packets.ElementTree.fromstring"
    monkeypatch.setattr(name, parsed.append)
    assert list(read(b"<a/>" * 300_000)) == []
    assert parsed == []


def test_settings_under_another_name_or_wrong_together_are_left_out(
    browser: Client, team: world.Team
) -> None:
    settings = {"single": "99999x1", "min_ratio": "9", "max_ratio": "2", "scale": "0.7"}
    recipe = {"engine": world.ENGINE, "prompt": "x", "settings": settings}
    page = text(offer(browser, team, manifest(recipe)))
    assert "single" in page.split("does not have it:")[1].split("<")[0]
    assert 'value="0.7"' in page
    assert "99999x1" not in page


NUMBERS = {"scale": 0.7, "min_ratio": 0.5, "size": "2048x2048"}


@pytest.mark.parametrize("spelled", [0.7, 0.70, 7e-1, "0.7"])
def test_a_number_comes_back_however_it_was_spelled(
    spelled: object, browser: Client, team: world.Team
) -> None:
    settings = NUMBERS | {"scale": spelled}
    recipe = {"engine": world.ENGINE, "prompt": "x", "settings": settings}
    page = text(offer(browser, team, manifest(recipe)))
    assert 'value="0.7"' in page
    assert 'value="0.5"' in page
    assert "does not have it" not in page


@pytest.mark.parametrize(
    "value",
    [
        float("nan"),
        float("inf"),
        1e-300,
        0.123,
        1e300,
        [0.7],
        {"a": 1},
        None,
        "0.7" + " " * 60 + "x",
    ],
)
def test_a_setting_that_cannot_be_kept_is_named_and_never_vanishes(
    value: object, browser: Client, team: world.Team
) -> None:
    recipe = {"engine": world.ENGINE, "prompt": "x", "settings": NUMBERS | {"scale": value}}
    page = text(offer(browser, team, manifest(recipe)))
    assert "does not have it: scale<" in page
    assert 'value="0.5"' in page
    # Nor when it was chosen of several.
    several = text(offer(browser, team, manifest(recipe, {"prompt": "y"})))
    chosen = unescape(re.findall(r'name="recipe" value="([^"]*)"', several)[0])
    page = text(browser.post(url(team, "restore"), {"recipe": chosen}))
    assert "does not have it: scale<" in page


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.floats() | st.text(), st.lists))
def test_any_json_is_a_recipe_or_none(value: object) -> None:
    for told in (
        value,
        {"recipe": value},
        {"files": [{"recipe": {"prompt": "x", "settings": value}}]},
    ):
        for recipe in carried.read(json.dumps(told).encode()):
            assert "\0" not in recipe.prompt
