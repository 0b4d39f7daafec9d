"""A form that is refused leads to its first bad field, which is marked and says why, in every form."""

from __future__ import annotations

import json
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from tests import world
from tests.pages import text, url

pytestmark = pytest.mark.django_db
PANEL = {
    "prompt": "x",
    "engine": world.ENGINE,
    "size": "2048x2048",
    "count": "1",
    "form_token": "t",
}
LIST = PANEL | {"how": "list", "lines": "a cat", "step": "preview"}
# Where, with what, and the id or name of the field that is looked at first.
REFUSED: list[tuple[str, Mapping[str, object], str]] = [
    ("compose", {"prompt": " "}, "prompt"),
    ("compose", {"prompt": " ", "count": "99"}, "prompt"),
    ("compose", {"count": "99"}, "count"),
    ("compose", {"engine": "gone-9"}, "engine"),
    ("compose", {"reference": ["nonsense"]}, "references-error"),
    ("compose", {"size": "custom", "width": "1", "height": "1"}, "size-width"),
    ("compose", {"scale": "7"}, "set-scale"),
    ("compose", {"output": "nonsense"}, "output"),
    ("batch-new", {"lines": ""}, "lines"),
    ("batch-new", {"name": "n" * 500}, "name"),
    ("batch-new", {"count": "99"}, "count"),
    ("batch-new", {"how": "table", "template": "{", "lines": "a\n1"}, "template"),
    ("prompt-new", {"title": "", "text": "{"}, "title"),
    ("prompt-new", {"title": "T", "text": "{"}, "text"),
    ("prompt-new", {"title": "T", "text": "t", "tags": "x" * 40}, "tags"),
    ("prompt-import", {}, "file"),
    ("prompt-import", {"file": json.dumps([{"title": ""}])}, "file"),
    ("restore", {}, "file"),
    ("preset-new", {"preset_name": ""}, "preset-name"),
    ("project-settings", {"name": ""}, "name"),
    ("project-transfer", {}, "new-owner"),
    ("project-transfer", {"member": "themselves"}, "new-owner"),
    ("settings-email", {"email": "no", "password": "x"}, "id_email"),
    ("token-make", {"name": "", "days": "90"}, "name"),
    ("token-make", {"name": "n", "days": "2"}, "days"),
    ("token-make", {"name": "n", "days": "90", "project": "x"}, "project"),
    ("password", {"old_password": "no"}, "id_old_password"),
]


class Tags(HTMLParser):
    """Every element that has attributes, in order."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[dict[str, str | None]] = []
        self.feed(page)

    def handle_starttag(self, _tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append(dict(attrs))


def address(team: world.Team, name: str) -> str:
    if name in ("settings-email", "password", "token-make"):
        return reverse(name)
    return url(team, name)


@pytest.mark.parametrize(("name", "typed", "field"), REFUSED)
def test_the_first_bad_field_is_marked_says_why_and_has_the_focus(
    team: world.Team, name: str, typed: Mapping[str, Any], field: str
) -> None:
    browser = Client(headers={"accept-language": "en"})
    browser.force_login(team.owner)
    begun = {"compose": PANEL, "batch-new": LIST, "preset-new": PANEL}.get(name, {})
    body = {**begun, **typed}
    if "file" in body:
        body["file"] = SimpleUploadedFile("a.json", body["file"].encode())
    if "member" in body:
        body["member"] = team.owner.memberships.get(project=team.project).pk
    page = text(browser.post(address(team, name), body))
    tags = Tags(page).found
    ids = {each.get("id") for each in tags}
    first = next(each for each in tags if "autofocus" in each)
    assert field in (first.get("id"), first.get("name"))
    marked = [each for each in tags if each.get("aria-invalid") == "true"]
    assert marked
    for each in marked:
        told = str(each.get("aria-describedby")).split()
        assert set(told) <= ids, each
        assert any("error" in one or "problem" in one or "blame" in one for one in told), each


def test_a_forms_token_may_hold_anything(team: world.Team) -> None:
    """Whoever writes the form by hand: on PostgreSQL a NUL was a 500."""
    browser = Client()
    browser.force_login(team.owner)
    world.account()
    body = PANEL | {"form_token": "a\0b" + "é" * 100}
    for _each in range(2):
        assert browser.post(url(team, "compose"), body).status_code == 302
    assert team.project.generations.count() == 2
