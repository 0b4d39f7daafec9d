"""Who made what of a project this month: its owners see it, and nobody else."""

from __future__ import annotations

from datetime import timedelta

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from generations.models import Allowance, Asset, Generation, Membership, Project, Role
from generations.services import projects, quota
from tests import world
from tests.pages import text

pytestmark = pytest.mark.django_db
DONE, FAILED = world.JobState.SUCCEEDED, world.JobState.FAILED


def told(team: world.Team) -> list[tuple[str, int, int, int]]:
    ((_project, rows),) = projects.shares(user=team.owner)
    return [(each.user.username, each.runs, each.pictures, each.percent) for each in rows]


def test_runs_pictures_and_share_of_this_month(team: world.Team) -> None:
    world.generation(team.project, team.owner, states=(DONE, DONE, FAILED))
    world.generation(team.project, team.viewer, states=(FAILED,))
    assert told(team) == [
        ("acme-owner", 1, 2, 67),
        ("acme-editor", 1, 1, 33),
        ("acme-viewer", 1, 0, 0),
    ]
    Asset.objects.filter(pk=team.asset.pk).update(trashed_at=timezone.now())
    assert told(team)[1] == ("acme-editor", 1, 1, 33)  # thrown away, but made
    before = quota.began_at(Allowance.Period.MONTH, timezone.now()) - timedelta(seconds=1)
    Generation.objects.update(created_at=before)
    Asset.objects.update(created_at=before)
    assert told(team) == []


def test_owners_see_it_and_nobody_else(
    team: world.Team, owner: Client, writer: Client, reader: Client
) -> None:
    other = world.team("rivals")
    world.generation(other.project, team.editor)
    page = text(owner.get(reverse("usage")))
    assert "acme: who made what this month" in page
    assert '<th scope="row">acme-editor</th><td class="num">1</td><td class="num">1</td>' in page
    assert "rivals" not in page
    for client in (writer, reader):
        assert "who made what" not in text(client.get(reverse("usage")))
    Generation.objects.all().delete()
    assert "Nothing was made here this month." in text(owner.get(reverse("usage")))


def test_as_many_queries_for_many_as_for_few(team: world.Team, owner: Client) -> None:
    def count() -> int:
        with CaptureQueriesContext(connection) as asked:
            assert owner.get(reverse("usage")).status_code == 200
        return len(asked)

    count()
    few = count()
    for n in range(4):
        more = Project.objects.create(name=f"P{n}", slug=f"p{n}")
        Membership.objects.create(project=more, user=team.owner, role=Role.OWNER)
        world.generation(more, world.person(f"someone {n}"))
    assert count() == few
