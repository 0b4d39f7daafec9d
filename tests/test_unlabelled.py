"""What lacks a label its project asks for leaves with a reason, and the register knows."""

from __future__ import annotations

import csv
import io
import json
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from generations.models import Asset, UnlabelledDownload
from generations.models.labels import REASON_MAX
from generations.services import labels
from generations.services.projects import unlabelled
from sandbox.labels import tagged
from tests import pages, tokens, world
from tests.people import client_of
from tests.test_labels import hidden, marked, policy

pytestmark = pytest.mark.django_db
META = dict.fromkeys(("content_producer", "producer_id", "content_propagator", "propagate_id"), "x")


def ways(team: world.Team) -> list[str]:
    """Every page that hands out the team's picture: alone, chosen, among others, with its run."""
    other = world.generation(team.project, team.editor, prompt="other").assets.get()
    ids = "&".join(f"asset={each.public_id}" for each in (team.asset, other))
    return [
        reverse("download", args=[team.asset.public_id]),
        f"{reverse('export')}?asset={team.asset.public_id}",
        f"{reverse('export')}?{ids}",
        reverse("generation-export", args=[team.generation.public_id]),
    ]


def taken(answer: Any) -> bytes:
    assert answer.status_code == 200, answer.content
    return b"".join(answer.streaming_content)


def reasons() -> list[str]:
    return list(UnlabelledDownload.objects.order_by("id").values_list("reason", flat=True))


def test_a_reason_is_asked_for_before_a_byte_goes_out(team: world.Team) -> None:
    hidden(team.project)
    client = client_of(team.viewer)
    for n, url in enumerate(ways(team)):
        for method in (client.get, client.head):
            answer = method(url)
            assert (answer.status_code, answer.streaming) == (403, False)
        assert 'name="reason"' in pages.text(client.get(url))
        assert "hidden mark" in pages.text(client.get(url))
        assert client.post(url, {"reason": " \n\u200b"}).status_code == 422
        long = client.post(url, {"reason": "a" * (REASON_MAX + 1)})
        assert (long.status_code, "a" * REASON_MAX in pages.text(long)) == (422, True)
        assert len(reasons()) == [0, 1, 2, 4][n]
        assert taken(client.post(url, {"reason": f"for print\x00 no {n}"}))
        assert reasons()[-1] == f"for print no {n}"
    row = UnlabelledDownload.objects.order_by("id")[0]
    assert (row.user, row.project, row.asset) == (team.viewer, team.project, team.asset)
    assert (row.asset_public_id, row.sha256) == (team.asset.public_id, team.asset.blob_id)
    assert (row.missing, row.way) == ("implicit", "page")
    assert set(UnlabelledDownload.objects.values_list("way", flat=True)) == {"page", "archive"}


def test_without_a_policy_or_with_the_label_it_goes_at_once(team: world.Team) -> None:
    client, (alone, *_others) = client_of(team.viewer), ways(team)
    assert taken(client.get(alone))
    policy(team.project, corner="", implicit=False)
    assert taken(client.get(alone))
    hidden(team.project, corner="br")
    marked(team, {"Label": "1"}, visible={})
    assert taken(client.get(alone))
    marked(team, {"Label": "1"})
    page = client.get(alone)
    assert (page.status_code, "visible mark" in pages.text(page)) == (403, True)
    assert reasons() == []


def test_a_file_that_nobody_has_looked_into_is_looked_into_first(team: world.Team) -> None:
    hidden(team.project)
    labelled = world.blob(tagged(world.picture((9, 9, 9)), META))
    Asset.objects.filter(pk=team.asset.pk).update(blob=labelled)
    assert taken(client_of(team.viewer).get(reverse("download", args=[team.asset.public_id])))
    team.asset.refresh_from_db()
    found: Any = team.asset.aigc
    assert found["ProduceID"] == "x"


def test_an_export_keeps_the_label_beside_our_recipe(team: world.Team, tmp_path: Any) -> None:
    hidden(team.project)
    labelled = world.blob(tagged(world.picture((8, 8, 8)), META))
    Asset.objects.filter(pk=team.asset.pk).update(blob=labelled)
    data = taken(client_of(team.viewer).get(reverse("download", args=[team.asset.public_id])))
    path = tmp_path / "file"
    path.write_bytes(data)
    assert labels.read(path)["ProduceID"] == "x"
    assert b"diptych:recipe" in data
    # What is stored is what the provider sent, to the byte.
    stored = (settings.MEDIA_ROOT / labelled.name).read_bytes()
    assert stored == tagged(world.picture((8, 8, 8)), META)
    assert json.dumps(META)  # the label's own words are plain


def test_only_what_lacks_it_is_written_down_and_each_project_has_its_own_policy(
    team: world.Team,
) -> None:
    other = world.team("rivals")
    other.project.memberships.create(user=team.viewer, role="viewer")
    hidden(team.project)
    marked(team, {})
    ids = f"asset={team.asset.public_id}&asset={other.asset.public_id}"
    url = f"{reverse('export')}?{ids}"
    client = client_of(team.viewer)
    assert "1 of these 2 files" in pages.text(client.get(url))
    assert taken(client.post(url, {"reason": "both"}))
    assert [row.asset for row in UnlabelledDownload.objects.all()] == [team.asset]


def test_the_api_wants_one_too(team: world.Team) -> None:
    url = reverse("api-file", args=[team.asset.public_id])
    program = tokens.bearer(tokens.token(team.viewer, may_run=False), **{"accept-language": "en"})
    assert taken(program.get(url)) == taken(program.get(url, {"reason": "unneeded"}))
    assert reasons() == []
    hidden(team.project)
    (problem,) = tokens.refused(program.get(url), 403)
    assert (problem["field"], problem["key"]) == ("reason", unlabelled.NO_REASON)
    assert tokens.refused(program.get(url, {"reason": "\u200b"}), 403)
    assert program.get(url, {"reason": "a" * 501}).status_code == 422
    whole = taken(program.get(url, {"reason": "for the archive"}))
    part = program.get(url, {"reason": "for the archive"}, headers={"Range": "bytes=5-9"})
    assert b"".join(part.streaming_content) == whole[5:10]  # type: ignore[attr-defined]
    assert program.head(url, {"reason": "only asking"}).status_code == 200
    assert [(r.reason, r.way) for r in UnlabelledDownload.objects.all()] == [
        ("for the archive", "api")
    ]
    other = tokens.bearer(tokens.token(world.team("rivals").owner))
    assert other.get(url, {"reason": "mine"}).status_code == 404
    assert len(reasons()) == 1


# --- The register -------------------------------------------------------------------------------


def written(team: world.Team, *said: str) -> None:
    found = [unlabelled.Lacking(team.asset, ("visible", "implicit"))]
    for reason in said:
        unlabelled.register(user=team.viewer, found=found, reason=reason, way="page")


def of(team: world.Team, name: str, client: Client | None = None, **query: str) -> Any:
    return (client or client_of(team.owner)).get(pages.url(team, name), query)


def test_owners_read_the_register_and_nobody_else(team: world.Team) -> None:
    assert "Nothing was downloaded" in pages.text(of(team, "unlabelled"))
    written(team, "for <b>print</b>")
    page = pages.text(of(team, "unlabelled"))
    assert "for &lt;b&gt;print&lt;/b&gt;" in page
    assert "visible mark, hidden mark" in page
    assert team.viewer.shown_name in page
    other = world.team("rivals")
    assert "print" not in pages.text(of(other, "unlabelled"))
    for name in ("unlabelled", "unlabelled-csv"):
        assert of(team, name, client_of(team.viewer)).status_code == 403
        assert of(team, name, client_of(other.owner)).status_code == 404
    staff = client_of(world.person("root", is_staff=True, is_superuser=True))
    listed = staff.get(reverse("admin:generations_unlabelleddownload_changelist"))
    assert "for &lt;b&gt;print" in pages.text(listed)
    row = UnlabelledDownload.objects.get()
    change = reverse("admin:generations_unlabelleddownload_change", args=[row.pk])
    assert staff.post(change, {"reason": "other"}).status_code == 403


@pytest.mark.parametrize("hostile", ["=1+1", "+1", "-1", "@x", "＝1", "'=1", 'a,"b"\nc'])
def test_the_sheet_runs_nothing(hostile: str, team: world.Team) -> None:
    written(team, hostile)
    answer = of(team, "unlabelled-csv")
    assert answer["Content-Disposition"].startswith("attachment; filename=")
    text = answer.getvalue().decode("utf-8-sig")
    head, row = csv.reader(io.StringIO(text))
    assert head == list(unlabelled.COLUMNS)
    assert (row[2], row[3]) == (str(team.asset.public_id), team.asset.blob_id)
    assert not row[-1].startswith(("=", "+", "-", "@", "＝"))
    assert row[-1].removeprefix("'") == " ".join(hostile.split())


def test_the_same_again_is_one_and_what_is_gone_stays_named(team: world.Team) -> None:
    written(team, "resumed", "resumed", "another")
    assert reasons() == ["resumed", "another"]
    UnlabelledDownload.objects.update(created_at=timezone.now() - unlabelled.SAME)
    written(team, "resumed")
    assert len(reasons()) == 3
    public_id = team.asset.public_id
    team.asset.delete()
    page = pages.text(of(team, "unlabelled"))
    assert f"{str(public_id)[:8]}" in page
    assert reverse("asset", args=[public_id]) not in page


def test_a_long_register_goes_on(team: world.Team) -> None:
    written(team, *(f"no {n}" for n in range(unlabelled.PAGE + 3)))
    _rows, more = unlabelled.page(project=team.project)
    assert more
    assert "no 2" in pages.text(of(team, "unlabelled", after=str(more)))
    assert f"no {unlabelled.PAGE}" not in pages.text(of(team, "unlabelled", after=str(more)))
    assert of(team, "unlabelled", after="x").status_code == 200


def test_without_the_question_it_would_be_noticed(
    team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The negative control."""
    monkeypatch.setattr(unlabelled, "lacking", lambda assets: [])
    with pytest.raises(AssertionError):
        test_a_reason_is_asked_for_before_a_byte_goes_out(team)
