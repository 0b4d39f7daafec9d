"""The access table: every (route, method, role), with a valid token and body, and a foreign-id twin.

A stranger gets 404, a viewer who tries to write 403, anonymous 302 (a fragment 401 with HX-Redirect);
unlisted methods 405; staff without membership are strangers. A route missing here fails the suite.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

import pytest
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver

from generations.models import JobState, Membership, User
from generations.models.files import AssetQuerySet
from tests import world

pytestmark = pytest.mark.django_db
SAFE, METHODS = ("GET", "HEAD"), ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
OK = frozenset({200, 204, 302, 303, 422})
ROLES = ("owner", "editor", "viewer", "stranger", "staff", "anonymous")


@dataclass(frozen=True, slots=True)
class Row:
    """One route: who may read it (GET, HEAD), who may write it (POST), and with what body."""

    url: Callable[[world.Team], str]
    read: str = ""
    write: str = ""
    body: Callable[[world.Team], dict[str, Any]] = lambda team: {}


def _project(name: str) -> Callable[[world.Team], str]:
    return lambda team: reverse(name, args=[team.project.public_id])


def _generation(name: str) -> Callable[[world.Team], str]:
    return lambda team: reverse(name, args=[team.project.public_id, team.generation.public_id])


def _asset(name: str, *more: object) -> Callable[[world.Team], str]:
    return lambda team: reverse(name, args=[team.asset.public_id, *more])


def _job(name: str, state: JobState) -> Callable[[world.Team], str]:
    return lambda team: reverse(name, args=[team.jobs[state].public_id])


def _membership(team: world.Team) -> str:
    member = Membership.objects.get(project=team.project, user=team.viewer)
    return reverse("member-change", args=[team.project.public_id, member.pk])


def _compose_body(team: world.Team) -> dict[str, Any]:
    return {
        "prompt": "一只柯基",
        "engine": world.ENGINE,
        "size": "2048x2048",
        "scale": "0.5",
        "output": "single",
        "count": "1",
        "form_token": uuid4().hex,
    }


def _compare(team: world.Team) -> str:
    return f"{reverse('compare')}?a={team.asset.public_id}&b={team.asset.public_id}"


def _export(team: world.Team) -> str:
    return f"{reverse('export')}?asset={team.asset.public_id}"


TABLE: dict[str, Row] = {
    "home": Row(lambda team: reverse("home"), read="person"),
    "login": Row(lambda team: reverse("login"), read="anyone", write="anyone"),
    "logout": Row(lambda team: reverse("logout"), write="anyone"),
    "password": Row(lambda team: reverse("password"), read="person", write="person"),
    "settings": Row(lambda team: reverse("settings"), read="person", write="anyone"),
    "project-list": Row(lambda team: reverse("project-list"), read="person"),
    "project-new": Row(
        lambda team: reverse("project-new"), "person", "person", lambda team: {"name": "New"}
    ),
    "studio": Row(_project("studio"), read="member"),
    "compose": Row(_project("compose"), write="writer", body=_compose_body),
    "feed": Row(_project("feed"), read="member"),
    "generation": Row(_generation("generation"), read="member"),
    "events": Row(_project("events"), read="member"),
    "gallery": Row(_project("gallery"), read="member"),
    "project-settings": Row(
        _project("project-settings"), "member", "owner", lambda team: {"name": "Renamed"}
    ),
    "member-add": Row(
        _project("member-add"),
        write="owner",
        body=lambda team: {"username": "newcomer", "role": "viewer"},
    ),
    "member-change": Row(_membership, write="owner", body=lambda team: {"role": "editor"}),
    "asset": Row(_asset("asset"), read="member"),
    "download": Row(_asset("download"), read="member"),
    "file-original": Row(_asset("file-original"), read="member"),
    "file-rendition": Row(_asset("file-rendition", 320), read="member"),
    "compare": Row(_compare, read="member"),
    "export": Row(_export, read="member"),
    "generation-export": Row(
        lambda team: reverse("generation-export", args=[team.generation.public_id]),
        read="member",
    ),
    "generation-cancel": Row(
        lambda team: reverse("generation-cancel", args=[team.generation.public_id]),
        write="writer",
    ),
    "job-cancel": Row(_job("job-cancel", JobState.QUEUED), write="writer"),
    "job-retry": Row(_job("job-retry", JobState.FAILED), write="writer"),
    "job-send-again": Row(_job("job-send-again", JobState.UNCERTAIN), write="writer"),
    "job-dismiss": Row(_job("job-dismiss", JobState.UNCERTAIN), write="writer"),
    "job-adopt": Row(
        _job("job-adopt", JobState.UNCERTAIN),
        write="writer",
        body=lambda team: {"remote_id": "7392616336519610409"},
    ),
}
MAY = {
    "anyone": set(ROLES),
    "person": set(ROLES) - {"anonymous"},
    "member": {"owner", "editor", "viewer"},
    "writer": {"owner", "editor"},
    "owner": {"owner"},
}


@pytest.fixture
def team() -> world.Team:
    world.person("newcomer")
    return world.team("acme")


@pytest.fixture
def people(team: world.Team) -> dict[str, User | None]:
    other = world.team("rivals")
    return {
        "owner": team.owner,
        "editor": team.editor,
        "viewer": team.viewer,
        "stranger": other.owner,
        "staff": world.person("staff", is_staff=True, is_superuser=True),
        "anonymous": None,
    }


def client_of(user: User | None) -> Client:
    """A browser that sends a valid CSRF token with everything."""
    token = _get_new_csrf_string()
    client = Client(enforce_csrf_checks=True, headers={"X-CSRFToken": token})
    client.cookies["csrftoken"] = token
    if user is not None:
        client.force_login(user)
    return client


def ask(client: Client, method: str, row: Row, team: world.Team, **headers: str) -> Any:
    body = row.body(team) if method == "POST" else None
    send = getattr(client, method.lower())
    args: dict[str, Any] = {"headers": headers} if headers else {}
    return send(row.url(team), body, **args) if body is not None else send(row.url(team), **args)


def expected(role: str, allowed: str) -> frozenset[int]:
    if not allowed:
        # Whoever may not even know the route is there may be told so first.
        return frozenset({405} | ({302} if role == "anonymous" else set()))
    if role in MAY[allowed]:
        return OK
    if role == "anonymous":
        return frozenset({302})
    return frozenset({403 if role in ("editor", "viewer") else 404})


def routes(resolver: URLResolver | None = None) -> Iterator[str]:
    for each in (resolver or get_resolver()).url_patterns:
        if isinstance(each, URLResolver):
            if each.app_name != "admin":
                yield from routes(each)
        elif isinstance(each, URLPattern):
            yield str(each.name)


def test_every_route_is_in_the_table() -> None:
    assert set(routes()) == set(TABLE)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", TABLE)
def test_table(name: str, role: str, team: world.Team, people: dict[str, User | None]) -> None:
    row = TABLE[name]
    for method in METHODS:
        allowed = row.read if method in SAFE else row.write if method == "POST" else ""
        response = ask(client_of(people[role]), method, row, team)
        wanted = expected(role, allowed)
        assert response.status_code in wanted, (name, method, role, response.status_code)
        if role == "anonymous" and response.status_code == 302 and allowed not in ("anyone", ""):
            assert response["Location"].startswith(reverse("login"))


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.write == "writer"])
def test_no_write_without_a_token(name: str, team: world.Team) -> None:
    client = client_of(team.owner)
    del client.cookies["csrftoken"]
    assert ask(client, "POST", TABLE[name], team).status_code == 403


@pytest.mark.parametrize("name", [name for name, row in TABLE.items() if row.read == "member"])
def test_a_fragment_without_a_session_sends_the_page_to_sign_in(
    name: str, team: world.Team
) -> None:
    response = ask(client_of(None), "GET", TABLE[name], team, **{"HX-Request": "true"})
    assert response.status_code == 401
    assert response["HX-Redirect"].startswith(reverse("login"))


def test_ids_of_another_team_in_a_body_or_query_are_not_found(team: world.Team) -> None:
    other = world.team("rivals")
    client = client_of(team.owner)
    foreign = str(other.generation.public_id)
    body = _compose_body(team) | {"rerun_of": foreign}
    compose = reverse("compose", args=[team.project.public_id])
    assert client.post(compose, body).status_code in (404, 422)
    assert team.project.generations.count() == 1
    studio = reverse("studio", args=[team.project.public_id])
    assert client.get(studio, {"recipe": foreign}).status_code == 404
    pair = {"a": str(team.asset.public_id), "b": str(other.asset.public_id)}
    assert client.get(reverse("compare"), pair).status_code == 404
    both = {"asset": list(pair.values())}
    assert client.get(reverse("export"), both).status_code == 404
    mixed = reverse("generation", args=[team.project.public_id, other.generation.public_id])
    assert client.get(mixed).status_code == 404
    member = Membership.objects.get(project=other.project, user=other.viewer)
    change = reverse("member-change", args=[team.project.public_id, member.pk])
    assert client.post(change, {"role": "owner"}).status_code == 404


def test_the_table_turns_red_when_a_view_forgets_visible_to(
    team: world.Team, people: dict[str, User | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: with the guard taken out of one view, a stranger gets in."""
    monkeypatch.setattr(AssetQuerySet, "visible_to", lambda self, user: self.all())
    with pytest.raises(AssertionError, match="stranger"):
        test_table("asset", "stranger", team, people)
