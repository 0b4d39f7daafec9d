"""The access table: every (route, method, role), with a valid token and body, and a foreign-id twin.

A stranger gets 404, a viewer who tries to write 403, anonymous 302 (a fragment 401 with HX-Redirect);
unlisted methods 405; staff without membership are strangers. A route missing here fails the suite.

The API's routes are asked with a token instead of a session: anonymous gets 401, the rest is the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.core.cache import cache
from django.middleware.csrf import _get_new_csrf_string
from django.test import Client
from django.urls import get_resolver, reverse
from django.urls.resolvers import URLPattern, URLResolver
from django.utils import timezone

from generations.models import (
    ApiToken,
    Batch,
    Generation,
    JobState,
    Membership,
    Reference,
    Use,
    User,
)
from generations.models.files import AssetQuerySet
from generations.services import people as people_
from generations.services.library import transport
from tests import people as doors
from tests import tokens, world

pytestmark = pytest.mark.django_db
SAFE, METHODS = ("GET", "HEAD"), ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE")
OK = frozenset({200, 204, 302, 303, 422})
API_OK = frozenset({200, 201})
ROLES = ("owner", "editor", "viewer", "stranger", "staff", "anonymous")


@dataclass(frozen=True, slots=True)
class Row:
    """One route: who may read it (GET, HEAD), who may write it (POST), and with what body."""

    url: Callable[[world.Team], str]
    read: str = ""
    write: str = ""
    body: Callable[[world.Team], dict[str, Any]] = lambda team: {}
    api: bool = False


def _api(
    url: Callable[[world.Team], str],
    read: str = "",
    write: str = "",
    body: Callable[[world.Team], dict[str, Any]] = lambda team: {},
) -> Row:
    return Row(url, read, write, body, api=True)


def _project(name: str) -> Callable[[world.Team], str]:
    return lambda team: reverse(name, args=[team.project.public_id])


def _generation(name: str) -> Callable[[world.Team], str]:
    return lambda team: reverse(name, args=[team.project.public_id, team.generation.public_id])


def _asset(name: str, *more: object) -> Callable[[world.Team], str]:
    return lambda team: reverse(name, args=[team.asset.public_id, *more])


def _job(name: str, state: JobState) -> Callable[[world.Team], str]:
    return lambda team: reverse(name, args=[team.jobs[state].public_id])


def _reference(team: world.Team) -> Reference:
    found = Reference.objects.filter(project=team.project).first()
    return found or world.shelved(team.editor, team.project)


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


def _signed_reference(team: world.Team) -> str:
    """The signed address of a reference: whoever holds it is a provider."""
    rendition = world.rendition(world.reference(team))
    job = team.jobs[JobState.QUEUED]
    Use.objects.get_or_create(
        generation=team.generation, position=0, defaults={"reference": rendition.reference}
    )
    token = transport.token_for(job=job, rendition=rendition)
    return reverse("reference-for-provider", args=[token])


def _prompt(name: str) -> Callable[[world.Team], str]:
    return lambda team: reverse(name, args=[team.project.public_id, world.prompt(team).public_id])


def _compare(team: world.Team) -> str:
    return f"{reverse('compare')}?a={team.asset.public_id}&b={team.asset.public_id}"


def _together(team: world.Team) -> str:
    tie = team.generation.together or uuid4()
    Generation.objects.filter(pk=team.generation.pk).update(together=tie)
    return reverse("compare-together", args=[tie])


def _batch(team: world.Team) -> str:
    batch = Batch.objects.filter(project=team.project).first()
    batch = batch or Batch.objects.create(project=team.project, user=team.editor, name="Ten cats")
    return reverse("batch", args=[team.project.public_id, batch.public_id])


def _batch_body(team: world.Team) -> dict[str, Any]:
    return _compose_body(team) | {"how": "list", "lines": "one cat\ntwo cats", "step": "preview"}


def _token(team: world.Team) -> str:
    made = team.owner.api_tokens.first() or tokens.row(tokens.token(team.owner))
    return reverse("token-revoke", args=[made.public_id])


def _export(team: world.Team) -> str:
    return f"{reverse('export')}?asset={team.asset.public_id}"


def _strip(team: world.Team) -> str:
    world.rendered(team.asset, "strip")
    return reverse("file-strip", args=[team.asset.public_id])


TABLE: dict[str, Row] = {
    "home": Row(lambda team: reverse("home"), read="person"),
    "healthz": Row(lambda team: reverse("healthz"), read="anyone"),
    "readyz": Row(lambda team: reverse("readyz"), read="anyone"),
    "status": Row(lambda team: reverse("status"), read="staff"),
    "login": Row(lambda team: reverse("login"), read="anyone", write="anyone"),
    "logout": Row(lambda team: reverse("logout"), write="anyone"),
    "password": Row(lambda team: reverse("password"), read="person", write="person"),
    "password-forgotten": Row(
        lambda team: reverse("password-forgotten"), read="anyone", write="anyone"
    ),
    "password-sent": Row(lambda team: reverse("password-sent"), read="anyone"),
    "password-new": Row(doors.new_password, read="anyone", write="anyone"),
    "settings": Row(lambda team: reverse("settings"), read="person", write="anyone"),
    "settings-email": Row(lambda team: reverse("settings-email"), write="person"),
    "sign-out-one": Row(lambda team: reverse("sign-out-one"), write="person"),
    "sign-out-elsewhere": Row(lambda team: reverse("sign-out-elsewhere"), write="person"),
    "token-make": Row(
        lambda team: reverse("token-make"),
        write="person",
        body=lambda team: {"name": "script", "days": "30", "may": "run"},
    ),
    "token-revoke": Row(_token, write="owner-alone"),
    "api-docs": Row(lambda team: reverse("api-docs"), read="person"),
    "api-openapi": _api(lambda team: reverse("api-openapi"), read="person"),
    "api-engines": _api(lambda team: reverse("api-engines"), read="person"),
    "api-projects": _api(lambda team: reverse("api-projects"), read="person"),
    "api-generations": _api(
        _project("api-generations"), "member", "writer", lambda team: tokens.run_body()
    ),
    "api-generation": _api(
        lambda team: reverse("api-generation", args=[team.generation.public_id]), "member"
    ),
    "api-cancel": _api(
        lambda team: reverse("api-cancel", args=[team.generation.public_id]), write="writer"
    ),
    "api-reference": _api(
        _project("api-reference"), write="writer", body=lambda team: tokens.upload_body()
    ),
    "api-asset": _api(_asset("api-asset"), read="member"),
    "api-file": _api(_asset("api-file"), read="member"),
    "usage": Row(lambda team: reverse("usage"), read="person"),
    "project-list": Row(lambda team: reverse("project-list"), read="person"),
    "project-new": Row(
        lambda team: reverse("project-new"), "person", "person", lambda team: {"name": "New"}
    ),
    "studio": Row(_project("studio"), read="member"),
    "compose": Row(_project("compose"), write="writer", body=_compose_body),
    "compose-panel": Row(_project("compose-panel"), write="writer", body=_compose_body),
    "feed": Row(_project("feed"), read="member"),
    "generation": Row(_generation("generation"), read="member"),
    "events": Row(_project("events"), read="member"),
    "gallery": Row(_project("gallery"), read="member"),
    "trash": Row(_project("trash"), read="member"),
    "everything": Row(lambda team: reverse("everything"), read="person"),
    "mark": Row(
        lambda team: reverse("mark"),
        write="writer",
        body=lambda team: {"asset": str(team.asset.public_id), "rating": "4"},
    ),
    "batch-list": Row(_project("batch-list"), read="member"),
    "batch-new": Row(_project("batch-new"), "writer", "writer", _batch_body),
    "batch": Row(_batch, "member", "writer", lambda team: {"order": "pause"}),
    "queue": Row(_project("queue"), "member", "writer", lambda team: {"order": "cancel-all"}),
    "news": Row(lambda team: reverse("news"), read="person", write="person"),
    "news-count": Row(lambda team: reverse("news-count"), read="person"),
    "project-settings": Row(
        _project("project-settings"), "member", "owner", lambda team: {"name": "Renamed"}
    ),
    "label-policy": Row(
        _project("label-policy"),
        write="owner",
        body=lambda team: {"corner": "br", "language": "zh", "opacity": "1"},
    ),
    "unlabelled": Row(_project("unlabelled"), read="owner"),
    "unlabelled-csv": Row(_project("unlabelled-csv"), read="owner"),
    "member-add": Row(
        _project("member-add"),
        write="owner",
        body=lambda team: {"username": "newcomer", "role": "viewer"},
    ),
    "member-change": Row(_membership, write="owner", body=lambda team: {"role": "editor"}),
    "invite": Row(
        _project("invite"), write="owner", body=lambda team: {"role": "viewer", "days": "1"}
    ),
    "invitation-revoke": Row(doors.revoke, write="owner"),
    "join": Row(doors.join, read="anyone", write="anyone"),
    "project-transfer": Row(_project("project-transfer"), write="owner", body=doors.viewer),
    "project-leave": Row(_project("project-leave"), write="member"),
    "project-archive": Row(_project("project-archive"), write="owner"),
    "project-restore": Row(_project("project-restore"), write="owner"),
    "asset": Row(_asset("asset"), read="member"),
    "download": Row(_asset("download"), "member", "member"),
    "file-original": Row(_asset("file-original"), read="member"),
    "file-rendition": Row(_asset("file-rendition", 320), read="member"),
    "file-strip": Row(_strip, read="member"),
    "prompts": Row(_project("prompts"), read="member"),
    "prompt-new": Row(
        _project("prompt-new"), "writer", "writer", lambda team: {"title": "Cat", "text": "a cat"}
    ),
    "prompt-starters": Row(_project("prompt-starters"), write="writer"),
    "prompt-export": Row(_project("prompt-export"), read="member"),
    "prompt-import": Row(_project("prompt-import"), "writer", "writer"),
    "prompt-menu": Row(_project("prompt-menu"), read="member"),
    "prompt-history": Row(_project("prompt-history"), read="member"),
    "prompt": Row(
        _prompt("prompt"), "member", "writer", lambda team: {"title": "Cat", "text": "two cats"}
    ),
    "prompt-insert": Row(_prompt("prompt-insert"), read="member"),
    "preset-new": Row(
        _project("preset-new"),
        write="writer",
        body=lambda team: _compose_body(team) | {"preset_name": "Wide"},
    ),
    "preset-delete": Row(
        lambda team: reverse(
            "preset-delete", args=[team.project.public_id, world.preset(team).public_id]
        ),
        write="writer",
    ),
    "restore": Row(_project("restore"), read="member", write="writer"),
    "reference-upload": Row(_project("reference-upload"), write="writer"),
    "reference-tiles": Row(_project("reference-tiles"), read="member"),
    "references": Row(_project("references"), read="member"),
    "reference-change": Row(
        lambda team: reverse(
            "reference-change", args=[team.project.public_id, _reference(team).public_id]
        ),
        write="writer",
        body=lambda team: {"note": "for the mood"},
    ),
    "file-reference": Row(
        lambda team: reverse("file-reference", args=[_reference(team).public_id, 320]), "member"
    ),
    "file-reference-original": Row(
        lambda team: reverse("file-reference-original", args=[_reference(team).public_id]),
        "member",
    ),
    "reference-for-provider": Row(_signed_reference, read="anyone"),
    "compare": Row(_compare, read="member"),
    "compare-together": Row(_together, read="member"),
    "asset-best": Row(
        _asset("asset-best"),
        write="writer",
        body=lambda team: {"back": f"a={team.asset.public_id}"},
    ),
    "export": Row(_export, "member", "member"),
    "generation-export": Row(
        lambda team: reverse("generation-export", args=[team.generation.public_id]),
        "member",
        "member",
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
PAGES_TO_WRITE = [name for name, row in TABLE.items() if row.write == "writer" and not row.api]
PAGES_TO_READ = [name for name, row in TABLE.items() if row.read == "member" and not row.api]
CALLS = [(name, "POST" if row.write else "GET") for name, row in TABLE.items() if row.api]
CALLS += [("api-generations", "GET")]
MAY = {
    "anyone": set(ROLES),
    "person": set(ROLES) - {"anonymous"},
    "member": {"owner", "editor", "viewer"},
    "writer": {"owner", "editor"},
    "owner": {"owner"},
    "staff": {"staff"},
    "owner-alone": {"owner"},
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


def client_for(row: Row, user: User | None) -> Client:
    """A browser of the person's; for the API a program with a token of theirs."""
    if row.api:
        return tokens.bearer(tokens.token(user) if user else None)
    return client_of(user)


def ask(client: Client, method: str, row: Row, team: world.Team, **headers: str) -> Any:
    if row.api:
        return tokens.send(client, method, row.url(team), row.body(team))
    body = row.body(team) if method == "POST" else None
    send = getattr(client, method.lower())
    args: dict[str, Any] = {"headers": headers} if headers else {}
    return send(row.url(team), body, **args) if body is not None else send(row.url(team), **args)


def expected(role: str, allowed: str, *, api: bool = False) -> frozenset[int]:
    if api:
        return _of_api(role, allowed)
    if not allowed:
        # Whoever may not even know the route is there may be told so first.
        return frozenset({405} | ({302} if role == "anonymous" else set()))
    if role in MAY[allowed]:
        return OK
    if role == "anonymous":
        return frozenset({302})
    known = role in ("editor", "viewer") and allowed not in ("staff", "owner-alone")
    return frozenset({403 if known else 404})


def _of_api(role: str, allowed: str) -> frozenset[int]:
    if not allowed:
        return frozenset({405})
    if role in MAY[allowed]:
        return API_OK
    return frozenset({{"anonymous": 401, "viewer": 403}.get(role, 404)})


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
        response = ask(client_for(row, people[role]), method, row, team)
        wanted = expected(role, allowed, api=row.api)
        assert response.status_code in wanted, (name, method, role, response.status_code)
        if role == "anonymous" and response.status_code == 302 and allowed not in ("anyone", ""):
            assert response["Location"].startswith(reverse("login"))


@pytest.mark.parametrize("name", PAGES_TO_WRITE)
def test_no_write_without_a_token(name: str, team: world.Team) -> None:
    client = client_of(team.owner)
    del client.cookies["csrftoken"]
    assert ask(client, "POST", TABLE[name], team).status_code == 403


@pytest.mark.parametrize("name", PAGES_TO_READ)
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
    best = reverse("asset-best", args=[team.asset.public_id])
    assert client.post(best, {"back": f"a={other.asset.public_id}"}).status_code == 404
    both = {"asset": list(pair.values())}
    assert client.get(reverse("export"), both).status_code == 404
    mixed = reverse("generation", args=[team.project.public_id, other.generation.public_id])
    assert client.get(mixed).status_code == 404
    batch = Batch.objects.create(project=other.project, user=other.owner, name="Ten dogs")
    mixed = reverse("batch", args=[team.project.public_id, batch.public_id])
    assert client.get(mixed).status_code == 404
    assert client.post(mixed, {"order": "cancel"}).status_code == 404
    queue = reverse("queue", args=[team.project.public_id])
    for order in ("cancel", "front"):
        order_body = {"order": order, "job": str(other.jobs[JobState.QUEUED].public_id)}
        assert client.post(queue, order_body).status_code == 404
        assert client.post(queue, {"order": order, "job": "x"}).status_code == 404
    _saved_things_of_another_team_are_not_found(client, team, other)
    member = Membership.objects.get(project=other.project, user=other.viewer)
    change = reverse("member-change", args=[team.project.public_id, member.pk])
    assert client.post(change, {"role": "owner"}).status_code == 404
    mixed = reverse(
        "invitation-revoke", args=[team.project.public_id, doors.invitation(other).public_id]
    )
    assert client.post(mixed).status_code == 404
    transfer = reverse("project-transfer", args=[team.project.public_id])
    assert client.post(transfer, {"member": member.pk}).status_code == 404


def _saved_things_of_another_team_are_not_found(
    client: Client, team: world.Team, other: world.Team
) -> None:
    studio, new = (
        reverse(name, args=[team.project.public_id]) for name in ("studio", "prompt-new")
    )
    for prompt in (world.prompt(other), world.prompt(other, own=True)):
        for name in ("prompt", "prompt-insert"):
            mixed = reverse(name, args=[team.project.public_id, prompt.public_id])
            assert client.get(mixed).status_code == 404
        assert client.post(mixed[:-7], {"hide": "1"}).status_code == 404
        assert client.get(studio, {"prompt": str(prompt.public_id)}).status_code == 404
        body = _compose_body(team) | {"prompt_version": f"{prompt.public_id}.1"}
        compose = reverse("compose", args=[team.project.public_id])
        assert client.post(compose, body).status_code == 404
    assert client.get(studio, {"animate": str(other.asset.public_id)}).status_code == 404
    preset = world.preset(other)
    assert client.get(studio, {"preset": str(preset.public_id)}).status_code == 404
    mixed = reverse("preset-delete", args=[team.project.public_id, preset.public_id])
    assert client.post(mixed).status_code == 404
    foreign = {"from": str(other.generation.public_id)}
    assert client.get(new, foreign).status_code == 404
    assert client.post(new, foreign | {"title": "a", "text": "b"}).status_code == 404


def test_the_table_turns_red_when_a_view_forgets_visible_to(
    team: world.Team, people: dict[str, User | None], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control: with the guard taken out of one view, a stranger gets in."""
    monkeypatch.setattr(AssetQuerySet, "visible_to", lambda self, user: self.all())
    with pytest.raises(AssertionError, match="stranger"):
        test_table("asset", "stranger", team, people)


# --- The API ------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "method"), [c for c in CALLS if c[0] != "api-openapi"])
def test_the_api_honours_no_cookie(name: str, method: str, team: world.Team) -> None:
    """A signed-in browser with a valid CSRF token is nobody there; it may only read the schema."""
    row = TABLE[name]
    answer = ask(client_of(team.owner), method, row, team)
    assert (answer.status_code, answer["WWW-Authenticate"][:6]) == (401, "Bearer")
    assert not answer.cookies
    assert team.project.generations.count() == 1


def _spoilt(team: world.Team) -> dict[str, str]:
    """Tokens of the owner's that once worked, and some that never did."""
    found = {name: tokens.token(team.owner) for name in ("revoked", "expired", "cut")}
    people_.revoke_token(token=tokens.row(found["revoked"]))
    past = timezone.now() - timedelta(seconds=1)
    ApiToken.objects.filter(pk=tokens.row(found["expired"]).pk).update(expires_at=past)
    gone = world.person("gone", is_active=False)
    found["of nobody who may sign in"] = tokens.token(gone)
    found["cut"] = found["cut"][:-1]
    return found | {"made up": "dpt_" + "A" * 43, "empty": "", "hostile": "dpt_é\x00 '--"}


@pytest.mark.parametrize(("name", "method"), CALLS)
def test_a_token_that_does_not_work_is_nobodys(name: str, method: str, team: world.Team) -> None:
    for why, value in _spoilt(team).items():
        cache.clear()  # what the limit on guessing does is another test's
        answer = ask(tokens.bearer(value or " "), method, TABLE[name], team)
        assert answer.status_code == 401, why
        assert answer["WWW-Authenticate"].startswith("Bearer")
        assert answer.json()["problems"][0]["key"].startswith("Send a token that works")


@pytest.mark.parametrize(("name", "method"), CALLS)
def test_a_token_that_only_reads_writes_nothing(name: str, method: str, team: world.Team) -> None:
    client = tokens.bearer(tokens.token(team.owner, may_run=False))
    answer = ask(client, method, TABLE[name], team)
    assert answer.status_code == (403 if method == "POST" else 200)
    assert team.project.generations.count() == 1
    assert Reference.objects.count() == 0


@pytest.mark.parametrize(("name", "method"), CALLS)
def test_a_token_of_one_project_does_not_know_another(
    name: str, method: str, team: world.Team
) -> None:
    """Its person belongs to both."""
    other = world.team("rivals").project
    Membership.objects.create(project=other, user=team.owner, role="owner")
    row = TABLE[name]
    for project, strange in ((team.project, False), (other, True)):
        client = tokens.bearer(tokens.token(team.owner, project=project))
        answer = ask(client, method, row, team)
        asks_for_ours = "person" not in (row.read, row.write)
        assert answer.status_code in ({404} if strange and asks_for_ours else API_OK)
    client = tokens.bearer(tokens.token(team.owner, project=other))
    shown = client.get(reverse("api-projects")).json()["projects"]
    assert [each["id"] for each in shown] == [str(other.public_id)]


def test_references_out_of_reach_are_not_found_in_a_body(team: world.Team) -> None:
    """Another team's; with a token for one project also the person's own, and another project's."""
    other = world.team("rivals")
    url = reverse("api-generations", args=[team.project.public_id])
    mine = world.shelved(team.owner, None)
    there = world.shelved(other.owner, other.project, world.picture((9, 9, 9)))
    Membership.objects.create(project=other.project, user=team.viewer, role="owner")
    ours = world.shelved(team.owner, team.project)
    wide, narrow = tokens.token(team.owner), tokens.token(team.owner, project=team.project)
    for value, found, made in (
        (wide, there, False),
        (narrow, mine, False),
        (wide, mine, True),
        (narrow, ours, True),
    ):
        body = tokens.run_body(references=[str(found.public_id)])
        answer = tokens.send(tokens.bearer(value), "POST", url, body)
        assert answer.status_code == (201 if made else 422), answer.content
        if not made:
            assert answer.json()["problems"][0]["field"] == "references"
