"""Projects: the way in, the list, names, members and the owner that is always left."""

from __future__ import annotations

import pytest
from django.contrib.messages import get_messages
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse

from generations.models import Membership, Project, Role
from generations.services import projects
from generations.services.projects import ProjectProblem
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def team() -> world.Team:
    return world.team("acme")


@pytest.fixture
def owner(team: world.Team) -> Client:
    client = Client(headers={"accept-language": "en"})
    client.force_login(team.owner)
    return client


def settings_url(team: world.Team) -> str:
    return reverse("project-settings", args=[team.project.public_id])


def member(team: world.Team, role: str) -> Membership:
    return Membership.objects.get(project=team.project, role=role)


def change_url(team: world.Team, role: str) -> str:
    return reverse("member-change", args=[team.project.public_id, member(team, role).pk])


# --- The way in -----------------------------------------------------------------------------------


def test_home_opens_the_only_project(owner: Client, team: world.Team) -> None:
    answer = owner.get(reverse("home"))
    assert answer["Location"] == reverse("studio", args=[team.project.public_id])


def test_home_opens_the_project_used_last(owner: Client, team: world.Team) -> None:
    second = projects.create(name="Second", owner=team.owner)
    projects.create(name="Third", owner=team.owner)
    assert owner.get(reverse("home"))["Location"] == reverse("project-list")
    studio = reverse("studio", args=[second.public_id])
    owner.get(studio)
    assert owner.get(reverse("home"))["Location"] == studio
    Membership.objects.filter(project=second).delete()
    assert owner.get(reverse("home"))["Location"] != studio


def test_home_of_somebody_without_projects_is_the_list() -> None:
    client = Client(headers={"accept-language": "en"})
    client.force_login(world.person("alone"))
    answer = client.get(reverse("home"), follow=True)
    assert answer.redirect_chain[-1][0] == reverse("project-list")
    assert "You are in no project yet" in answer.content.decode()


# --- The list -------------------------------------------------------------------------------------


def test_list_shows_the_newest_pictures_members_and_only_ones_own(
    owner: Client, team: world.Team
) -> None:
    world.team("rivals")
    made = [world.generation(team.project, team.editor).assets.get() for _ in range(4)]
    page = owner.get(reverse("project-list"))
    (cover,) = page.context["covers"]
    assert [asset.pk for asset in cover.pictures] == [asset.pk for asset in reversed(made)]
    assert (cover.members, cover.role) == (3, Role.OWNER)
    assert "rivals" not in page.content.decode()


def test_the_most_recently_used_project_stands_first(team: world.Team) -> None:
    projects.create(name="Newer, unused", owner=team.owner)
    world.generation(team.project, team.owner)
    names = [cover.project.name for cover in projects.covers(user=team.owner)]
    assert names == ["acme", "Newer, unused"]


def test_list_costs_the_same_for_one_project_and_for_ten(owner: Client, team: world.Team) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as caught:
            assert owner.get(reverse("project-list")).status_code == 200
        return len(caught)

    owner.get(reverse("project-list"))
    before = count()
    for number in range(9):
        made = projects.create(name=f"P{number}", owner=team.owner)
        world.generation(made, team.owner)
    assert count() == before


# --- Names ----------------------------------------------------------------------------------------


def test_creating_makes_one_an_owner_and_opens_the_studio(owner: Client, team: world.Team) -> None:
    answer = owner.post(reverse("project-new"), {"name": "  雨夜   系列 "})
    made = Project.objects.get(name="雨夜 系列")
    assert answer["Location"] == reverse("studio", args=[made.public_id])
    assert made.slug == "雨夜-系列"
    assert made.role_of(team.owner) == Role.OWNER


def test_two_projects_may_share_a_name_but_not_a_short_name(team: world.Team) -> None:
    first, second = (projects.create(name="!!!", owner=team.owner) for _ in range(2))
    assert first.slug == "project"
    assert second.slug.startswith("project-")
    assert second.slug != first.slug


@pytest.mark.parametrize(("name", "said"), [("", "Give the"), (" \0 ", "Give"), ("x" * 101, "100")])
def test_a_bad_name_is_said_and_what_was_typed_stays(owner: Client, name: str, said: str) -> None:
    before = Project.objects.count()
    page = owner.post(reverse("project-new"), {"name": name})
    assert page.status_code == 422
    assert said in page.context["problem"]
    assert page.context["name"] == name
    assert Project.objects.count() == before


def test_renaming_keeps_the_address(owner: Client, team: world.Team) -> None:
    assert owner.post(settings_url(team), {"name": "Renamed"}).status_code == 302
    team.project.refresh_from_db()
    assert (team.project.name, team.project.slug) == ("Renamed", "acme")
    page = owner.post(settings_url(team), {"name": ""})
    assert page.status_code == 422
    assert "Give the project a name." in page.content.decode()
    team.project.refresh_from_db()
    assert team.project.name == "Renamed"


def test_only_owners_see_the_forms(team: world.Team) -> None:
    client = Client()
    client.force_login(team.viewer)
    page = client.get(settings_url(team)).content.decode()
    assert 'name="username"' not in page
    assert 'name="role"' not in page


# --- Members --------------------------------------------------------------------------------------


def test_adding_a_member(owner: Client, team: world.Team) -> None:
    newcomer = world.person("newcomer")
    url = reverse("member-add", args=[team.project.public_id])
    answer = owner.post(url, {"username": " newcomer ", "role": "viewer"})
    assert answer.status_code == 302
    assert [str(m) for m in get_messages(answer.wsgi_request)] == ["newcomer has joined."]
    assert team.project.role_of(newcomer) == Role.VIEWER


@pytest.mark.parametrize(
    ("username", "role", "said"),
    [
        ("nobody", "viewer", "There is nobody called “nobody” here."),
        ("gone", "viewer", "There is nobody called “gone” here."),
        ("acme-editor", "viewer", "acme-editor is in this project already."),
        ("newcomer", "emperor", "Choose owner, editor or viewer."),
    ],
)
def test_who_cannot_be_added(
    owner: Client, team: world.Team, username: str, role: str, said: str
) -> None:
    world.person("newcomer")
    world.person("gone", is_active=False)
    url = reverse("member-add", args=[team.project.public_id])
    page = owner.post(url, {"username": username, "role": role})
    assert page.status_code == 422
    assert page.context["add_problem"] == said
    assert page.context["typed_username"] == username
    assert team.project.memberships.count() == 3


def test_changing_and_removing_a_member(owner: Client, team: world.Team) -> None:
    owner.post(change_url(team, Role.VIEWER), {"role": "editor"})
    assert team.project.role_of(team.viewer) == Role.EDITOR
    row = Membership.objects.get(project=team.project, user=team.viewer)
    url = reverse("member-change", args=[team.project.public_id, row.pk])
    owner.post(url, {"remove": "1"})
    assert team.project.role_of(team.viewer) is None


@pytest.mark.parametrize("body", [{"role": "viewer"}, {"remove": "1"}])
def test_the_last_owner_stays(owner: Client, team: world.Team, body: dict[str, str]) -> None:
    page = owner.post(change_url(team, Role.OWNER), body)
    assert page.status_code == 422
    assert "A project needs an owner." in page.content.decode()
    assert team.project.role_of(team.owner) == Role.OWNER


def test_an_owner_may_leave_when_another_stays(owner: Client, team: world.Team) -> None:
    Membership.objects.filter(project=team.project, user=team.editor).update(role=Role.OWNER)
    own = Membership.objects.get(project=team.project, user=team.owner)
    url = reverse("member-change", args=[team.project.public_id, own.pk])
    assert owner.post(url, {"remove": "1"})["Location"] == reverse("project-list")
    assert owner.get(settings_url(team)).status_code == 404


def test_an_unknown_role_changes_nothing(team: world.Team) -> None:
    row = member(team, Role.VIEWER)
    with pytest.raises(ProjectProblem, match="owner, editor or viewer"):
        projects.change_member(project=team.project, member=row, role="")
    row.refresh_from_db()
    assert row.role == Role.VIEWER
