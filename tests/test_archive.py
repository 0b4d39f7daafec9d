"""An archived project: everything can be looked at, nothing made or changed, and what waits still runs."""

from __future__ import annotations

import pytest
from django.urls import reverse

from generations.api import scope
from generations.models import JobState, Project, User
from generations.services import compose, jobs, projects
from generations.views import access
from tests import test_access, world
from tests.pages import text, url
from tests.people import client_of

pytestmark = pytest.mark.django_db
WRITES = [name for name, row in test_access.TABLE.items() if row.write == "writer"]
READS = [name for name, row in test_access.TABLE.items() if row.read == "member"]
# What owners may still do: decide who belongs to it, and take it up again.
STILL = {
    "member-change",
    "invitation-revoke",
    "project-transfer",
    "project-archive",
    "project-restore",
}


@pytest.fixture
def people(team: world.Team) -> dict[str, User | None]:
    return {"owner": team.owner, "editor": team.editor, "viewer": team.viewer}


def post(name: str, user: User | None, team: world.Team) -> int:
    row = test_access.TABLE[name]
    client = test_access.client_for(row, user)
    found: int = test_access.ask(client, "POST", row, team).status_code
    return found


@pytest.mark.parametrize("name", WRITES)
def test_nobody_makes_or_changes_anything(
    name: str, team: world.Team, people: dict[str, User | None]
) -> None:
    """Every route for writers there is, in the access table's own words."""
    projects.archive(project=team.project)
    for role, user in people.items():
        assert post(name, user, team) == 403, role
    assert team.project.generations.count() == 1


@pytest.mark.parametrize("name", ["compose", "api-generations"])
def test_without_the_guard_it_would_be_noticed(
    name: str,
    team: world.Team,
    people: dict[str, User | None],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(access, "_require_open", lambda project: None)
    monkeypatch.setattr(scope, "barred", lambda project, role: None)
    monkeypatch.setattr(compose, "_still_open", lambda project, engine: None)
    with pytest.raises(AssertionError):
        test_nobody_makes_or_changes_anything(name, team, people)


@pytest.mark.parametrize("name", READS)
def test_everything_can_still_be_looked_at(name: str, team: world.Team) -> None:
    projects.archive(project=team.project)
    row = test_access.TABLE[name]
    client = test_access.client_for(row, team.viewer)
    assert client.get(row.url(team)).status_code in test_access.OK


@pytest.mark.parametrize(
    "name", [name for name, row in test_access.TABLE.items() if row.write == "owner"]
)
def test_of_what_owners_do_only_people_and_restoring_are_left(name: str, team: world.Team) -> None:
    world.person("newcomer")
    projects.archive(project=team.project)
    assert (post(name, team.owner, team) != 403) == (name in STILL)


def test_a_program_is_refused_too_and_nothing_is_held(team: world.Team) -> None:
    stale = Project.objects.get(pk=team.project.pk)
    projects.archive(project=team.project)
    with pytest.raises(compose.ComposeProblem) as refused:
        compose.submit(
            project=stale,
            user=team.owner,
            engine=world.ENGINE,
            prompt="x",
            settings={},
            count=1,
        )
    assert refused.value.errors[0].message.startswith("This project is archived.")
    assert team.project.generations.count() == 1


def test_what_waits_still_runs(team: world.Team) -> None:
    projects.archive(project=team.project)
    job = team.jobs[JobState.QUEUED]
    change = jobs.Change(job, (JobState.QUEUED,), JobState.SUBMITTING, {})
    assert jobs.apply([change]) == [True]


def test_the_pages_say_so_and_offer_nothing_to_press(team: world.Team) -> None:
    owner = client_of(team.owner)
    answer = owner.post(url(team, "project-archive"))
    assert answer["Location"] == url(team, "project-settings")
    for page in (url(team), url(team, "gallery"), reverse("asset", args=[team.asset.public_id])):
        shown = text(owner.get(page))
        assert "This project is archived." in shown
        assert 'id="compose"' not in shown
    settings = text(owner.get(url(team, "project-settings")))
    assert url(team, "project-restore") in settings
    assert 'id="username"' not in settings
    assert url(team, "project-restore") not in text(
        client_of(team.viewer).get(url(team, "project-settings"))
    )
    refused = owner.post(url(team, "compose"), {"prompt": "x"})
    assert "This project is archived. An owner can restore it." in text(refused)


def test_it_folds_away_in_the_list_and_is_nobodys_way_in(team: world.Team) -> None:
    owner = client_of(team.owner)
    owner.get(url(team))
    projects.archive(project=team.project)
    assert owner.get(reverse("home"))["Location"] == reverse("project-list")
    shown = text(owner.get(reverse("project-list")))
    assert "1 archived project" in shown
    assert shown.index("<details") < shown.index(team.project.name, shown.index("<main"))
    other = projects.create(name="Live", owner=team.owner)
    assert owner.get(reverse("home"))["Location"] == reverse("studio", args=[other.public_id])


def test_restored_it_is_as_it_was(team: world.Team) -> None:
    projects.archive(project=team.project)
    owner = client_of(team.owner)
    assert owner.post(url(team, "project-restore")).status_code == 302
    assert post("compose", team.editor, team) == 302
    assert "This project is archived." not in text(owner.get(url(team)))
