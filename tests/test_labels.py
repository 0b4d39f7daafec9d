"""AIGC labels of a project: set by its owners, frozen with each run, and told of each file."""

from __future__ import annotations

import json
from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from django.db import IntegrityError, transaction
from django.test import Client
from django.urls import reverse
from django.utils import translation

from generations.models import Asset, Generation, Job, JobState, LabelPolicy, Project
from generations.providers import catalog
from generations.providers.labels import labels_of
from generations.services import compose, engines, gallery, jobs, labels
from generations.services.gallery import export
from tests import driving, pages, tokens, world
from tests.people import client_of
from tests.processes import Sandbox

pytestmark = pytest.mark.django_db
WHOLE = {
    "corner": "tr",
    "language": "en",
    "opacity": "0.60",
    "text": "Acme",
    "implicit": "on",
    "producer": "Acme 影像",
    "producer_id": "91310000",
    "propagator": "Acme studio",
    "propagator_id": "P-7",
}
MARK = {"Label": "1", "ContentProducer": "Acme 影像", "ProduceID": "91310000"}


def policy(project: Project, **fields: Any) -> LabelPolicy:
    """The project's policy, with these fields and the usual others."""
    return LabelPolicy.objects.update_or_create(project=project, defaults=fields)[0]


def hidden(project: Project, **more: Any) -> LabelPolicy:
    return policy(project, implicit=True, producer_id="91310000", **more)


def save(client: Client, team: world.Team, **fields: str) -> Any:
    return client.post(pages.url(team, "label-policy"), fields)


# --- The policy ---------------------------------------------------------------------------------


def test_an_owner_sets_it_and_everybody_of_the_project_may_not(team: world.Team) -> None:
    assert labels.policy_of(team.project) is None
    answer = save(client_of(team.owner), team, **WHOLE)
    assert answer.status_code == 302
    row = LabelPolicy.objects.get(project=team.project)
    assert (row.corner, row.opacity, row.implicit) == ("tr", Decimal("0.60"), True)
    page = pages.text(client_of(team.owner).get(pages.url(team, "project-settings")))
    assert all(f'value="{WHOLE[name]}"' in page for name in ("opacity", "text", "propagator_id"))
    assert save(client_of(team.editor), team, **WHOLE | {"text": "other"}).status_code == 403
    team.editor.is_staff = True
    team.editor.save()
    assert save(client_of(team.editor), team, **WHOLE | {"text": "other"}).status_code == 302
    assert 'id="labels"' not in pages.text(
        client_of(team.viewer).get(pages.url(team, "project-settings"))
    )


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"producer_id": " "}, "needs the producer&#x27;s id"),
        ({"corner": "xx"}, "Choose one of the list."),
        ({"language": ""}, "This field is required."),
        *(
            ({"opacity": each}, "Choose an opacity")
            for each in ("", "2", "-1", "nan", "0.123", "x")
        ),
        *(({name: "雨" * 257}, "At most 256") for name in ("text", "producer", "propagator_id")),
    ],
)
def test_what_is_wrong_is_said_and_nothing_typed_is_lost(
    wrong: dict[str, str], sentence: str, team: world.Team
) -> None:
    answer = save(client_of(team.owner), team, **WHOLE | wrong)
    page = pages.text(answer)
    assert (answer.status_code, sentence in page) == (422, True), page
    assert 'value="Acme studio"' in page
    assert not LabelPolicy.objects.filter(corner="tr").exists()


def test_the_database_keeps_a_hidden_mark_with_its_producer(team: world.Team) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        policy(team.project, implicit=True)


def test_the_administrators_edit_it_beside_the_project(team: world.Team) -> None:
    admin = client_of(world.person("root", is_staff=True, is_superuser=True))
    url = reverse("admin:generations_project_change", args=[team.project.pk])
    form: dict[str, object] = {"name": "acme", "slug": "acme", "memberships-TOTAL_FORMS": "0"}
    form["engines"] = [*engines.on_offer()]
    form |= {"memberships-INITIAL_FORMS": "0", "label_policy-TOTAL_FORMS": "1"}
    form |= {"label_policy-INITIAL_FORMS": "0"}
    given = {f"label_policy-0-{name}": value for name, value in WHOLE.items()}
    refused = admin.post(url, form | given | {"label_policy-0-producer_id": ""})
    assert "needs the producer" in pages.text(refused)
    done = admin.post(url, form | given)
    assert done.status_code == 302, pages.text(done)
    assert labels.policy_of(team.project)


# --- Frozen with the run ------------------------------------------------------------------------


def run(team: world.Team, engine: str = world.ENGINE, **settings: object) -> Generation:
    return compose.submit(
        project=team.project,
        user=team.editor,
        engine=engine,
        prompt="一",
        settings=settings,
        count=1,
    )


def test_a_run_keeps_what_its_model_can_carry(team: world.Team) -> None:
    before = run(team)
    save(client_of(team.owner), team, **WHOLE)
    picture, ark, video = run(team), run(team, "seedream-4.0"), run(team, "jimeng-video-3.0")
    assert before.labels == {}
    assert [*picture.labels] == ["visible", "implicit"]
    assert ([*ark.labels], [*video.labels]) == (["visible"], ["implicit"])
    assert picture.labels["visible"]["opacity"] == "0.6"
    assert labels_of(picture.labels).implicit == labels_of(video.labels).implicit
    # The same recipe stays the same: what it is to be labelled with is no part of it.
    assert picture.recipe_sha256 == before.recipe_sha256
    LabelPolicy.objects.all().delete()
    picture.refresh_from_db()
    assert [*picture.labels] == ["visible", "implicit"]


def test_a_video_without_a_propagator_is_refused_before_it_costs_anything(team: world.Team) -> None:
    hidden(team.project)
    with pytest.raises(compose.ComposeProblem) as refused:
        run(team, "jimeng-video-3.0")
    assert "propagator" in refused.value.errors[0].message
    assert not Generation.objects.filter(kind="video").exists()
    assert run(team).labels["implicit"]["propagator"] == ""


def test_a_change_does_not_alter_a_run_that_is_being_made(
    team: world.Team, settings: Any, sandbox: Sandbox
) -> None:
    """Through the driver and the real sandbox; the file says whose label it carries."""
    account = driving.at(sandbox, settings)
    driving.quick(team)
    save(client_of(team.owner), team, **WHOLE)
    (job,) = driving.ask(team, team.editor)

    def script() -> Iterator[None]:
        while Job.objects.get(pk=job.pk).state != JobState.RUNNING:
            yield
        hidden(team.project, producer="Somebody else", corner="")
        while Job.objects.get(pk=job.pk).state != JobState.COLLECTING:
            yield

    driving.follow(account, script())
    jobs.finish(job_id=job.pk, alive=lambda: None)
    asset = Asset.objects.get(job=job)
    found: Any = asset.aigc
    assert found == {**found, **MARK, "PropagateID": "P-7"}
    assert labels.badge(asset) == labels.Badge.BOTH
    # The stored bytes are the provider's, the label in them.
    assert labels.read(settings.MEDIA_ROOT / asset.blob.name) == asset.aigc


# --- Told of each file --------------------------------------------------------------------------


def marked(team: world.Team, aigc: object, **asked: object) -> Asset:
    """The team's picture, as if its run had asked for these, and its file had this label."""
    Generation.objects.filter(pk=team.generation.pk).update(labels=asked)
    Asset.objects.filter(pk=team.asset.pk).update(aigc=aigc)
    return Asset.objects.get(pk=team.asset.pk)


@pytest.mark.parametrize(
    ("aigc", "asked", "badge"),
    [
        (MARK, ["visible", "implicit"], "both"),
        (MARK, ["visible"], "both"),
        (MARK, [], "implicit"),
        ({}, ["visible", "implicit"], "visible"),
        (None, ["visible"], "visible"),
        ({}, [], "none"),
        ({}, ["implicit"], "none"),
        (None, [], "unknown"),
        (None, ["implicit"], "unknown"),
    ],
)
def test_a_badge_everywhere_a_file_is_shown(
    aigc: object, asked: list[str], badge: str, team: world.Team
) -> None:
    asset = marked(team, aigc, **{name: {} for name in asked})
    reader = client_of(team.viewer)
    detail = reverse("asset", args=[asset.public_id])
    for url in (detail, pages.url(team), pages.url(team, "gallery")):
        assert f'class="aigc {badge}"' in pages.text(reader.get(url)), url
    api = tokens.bearer(tokens.token(team.viewer))
    told = api.get(reverse("api-asset", args=[asset.public_id])).json()["labels"]
    assert told == {
        "badge": badge,
        "visible_asked": "visible" in asked,
        "implicit_asked": "implicit" in asked,
        "implicit": aigc,
    }
    assert export.describe(asset)["labels"] == told


def test_a_setting_of_the_run_counts_as_asked_for(team: world.Team) -> None:
    made = run(team, "seedream-4.0", mark="marked")
    assert made.labels == {}
    job = made.jobs.get()
    assert labels.badge(world.asset(job)) == labels.Badge.VISIBLE


def test_a_policy_that_overrules_the_setting_is_said_beside_it(team: world.Team) -> None:
    policy(team.project, corner="br")
    asset = world.asset(run(team, "seedream-4.0").jobs.get())
    with translation.override("en"):
        (fact,) = (each for each in gallery.asked_and_actual(asset) if each.key == "watermark")
    assert (fact.value, fact.actual) == ("Without watermark", "With watermark")


def test_the_facts_say_what_is_known_and_what_is_not(team: world.Team) -> None:
    detail = reverse("asset", args=[team.asset.public_id])
    for aigc, asked, words in (
        (MARK, {"visible": {}}, ["Asked for, cannot be read back", "In the file: Acme 影像"]),
        ({}, {"implicit": {}}, ["Not asked for", "came as not in the file"]),
        (None, {}, ["Nobody has looked yet"]),
    ):
        marked(team, aigc, **asked)
        page = pages.text(client_of(team.viewer).get(detail))
        assert [each for each in words if each not in page] == []


def test_a_hostile_label_is_only_text(team: world.Team) -> None:
    marked(team, {"Label": "1", "ContentProducer": "<script>alert(1)</script>"})
    page = pages.text(client_of(team.viewer).get(reverse("asset", args=[team.asset.public_id])))
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert" in page


def test_every_model_on_offer_says_what_it_carries() -> None:
    carried = {slug: engine.labels for slug, engine in catalog.ENGINES.items()}
    assert {slug for slug, found in carried.items() if not found} == set()
    assert {engine.labels for engine in catalog.ENGINES.values() if engine.kind == "video"} == {
        ("implicit",)
    }
    assert json.dumps(carried)
