"""Every stored file goes out authorised for each request, in ranges, and never sniffed."""

from __future__ import annotations

import pytest
from django.test import Client
from django.urls import reverse

from generations.models import Membership, Rendition
from generations.sending import parse_range
from generations.views.files import disposition
from tests import world

pytestmark = pytest.mark.django_db


@pytest.fixture
def client(team: world.Team) -> Client:
    found = Client()
    found.force_login(team.viewer)
    return found


def bytes_of(response: object) -> bytes:
    return b"".join(response.streaming_content)  # type: ignore[attr-defined]


def original(team: world.Team) -> str:
    return reverse("file-original", args=[team.asset.public_id])


def test_the_bytes_are_the_providers_and_nothing_in_them_runs(
    team: world.Team, client: Client
) -> None:
    response = client.get(original(team))
    data = bytes_of(response)
    assert len(data) == team.asset.blob.size
    assert response["Content-Type"] == "image/jpeg"
    assert response["X-Content-Type-Options"] == "nosniff"
    assert response["Content-Security-Policy"] == "sandbox; default-src 'none'"
    assert response["Cache-Control"] == "private, no-cache"
    assert response["ETag"] == f'"{team.asset.blob.sha256}"'
    assert "Set-Cookie" not in response


def test_a_file_of_another_kind_says_its_own(team: world.Team, client: Client) -> None:
    blob = world.blob(b"RIFF\0\0\0\0WEBP", "image/webp")
    Rendition.objects.create(asset=team.asset, spec="64", blob=blob, width=64, height=43)
    rendition = client.get(reverse("file-rendition", args=[team.asset.public_id, 64]))
    assert rendition["Content-Type"] == "image/webp"
    assert rendition["Cache-Control"] == "private, max-age=31536000, immutable"
    smaller = client.get(reverse("file-rendition", args=[team.asset.public_id, 10]))
    assert (smaller["Content-Type"], smaller["Cache-Control"]) == (
        "image/webp",
        "private, no-cache",
    )
    larger = client.get(reverse("file-rendition", args=[team.asset.public_id, 640]))
    assert larger["Content-Type"] == "image/jpeg"  # none so wide: the original


def test_what_the_client_has_is_not_sent_again(team: world.Team, client: Client) -> None:
    etag = f'"{team.asset.blob.sha256}"'
    for known in (etag, f"W/{etag}", f'"other", {etag}', "*"):
        response = client.get(original(team), headers={"If-None-Match": known})
        assert response.status_code == 304
        assert response["ETag"] == etag
    assert client.get(original(team), headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("wanted", "status", "part"),
    [
        ("bytes=0-9", 206, slice(0, 10)),
        ("bytes=10-", 206, slice(10, None)),
        ("bytes=-7", 206, slice(-7, None)),
        ("bytes=0-", 206, slice(0, None)),
        ("bytes=5-999999", 206, slice(5, None)),
        ("bytes=0-1,4-5", 200, slice(None)),  # several ranges are answered whole
        ("bytes=-", 200, slice(None)),
        ("lines=1-2", 200, slice(None)),
        ("bytes=٣-٥", 200, slice(None)),
        ("bytes=999999-", 416, None),
        ("bytes=9-3", 416, None),
        ("bytes=-0", 416, None),
    ],
)
def test_ranges(
    team: world.Team, client: Client, wanted: str, status: int, part: slice | None
) -> None:
    whole = bytes_of(client.get(original(team)))
    response = client.get(original(team), headers={"Range": wanted.encode().decode("latin-1")})
    assert response.status_code == status
    if part is None:
        assert response["Content-Range"] == f"bytes */{len(whole)}"
        return
    assert bytes_of(response) == whole[part]
    assert response["Content-Length"] == str(len(whole[part]))
    assert ("Content-Range" in response) == (status == 206)


def test_a_range_of_a_file_that_changed_is_answered_whole(team: world.Team, client: Client) -> None:
    headers = {"Range": "bytes=0-9", "If-Range": '"an older one"'}
    assert client.get(original(team), headers=headers).status_code == 200
    headers["If-Range"] = f'"{team.asset.blob.sha256}"'
    assert client.get(original(team), headers=headers).status_code == 206


def test_head_tells_without_sending(team: world.Team, client: Client) -> None:
    response = client.head(original(team))
    assert (response.status_code, response.content) == (200, b"")
    assert response["Content-Length"] == str(team.asset.blob.size)


def test_a_range_belongs_to_get(team: world.Team, client: Client) -> None:
    response = client.head(original(team), headers={"Range": "bytes=0-9"})
    assert response.status_code == 200
    assert response["Content-Length"] == str(team.asset.blob.size)
    assert "Content-Range" not in response


@pytest.mark.parametrize("width", [0, 320, 2**63, 10**40])
def test_any_width_finds_something(width: int, team: world.Team, client: Client) -> None:
    response = client.get(reverse("file-rendition", args=[team.asset.public_id, width]))
    assert len(bytes_of(response)) == team.asset.blob.size  # no rendition yet: the original


def test_revoked_on_the_next_request(team: world.Team, client: Client) -> None:
    assert client.get(original(team)).status_code == 200
    Membership.objects.filter(project=team.project, user=team.viewer).delete()
    for name, *more in (("file-original",), ("download",), ("file-rendition", 320)):
        url = reverse(name, args=[team.asset.public_id, *more])
        assert client.get(url).status_code == 404


def test_missing_bytes_are_not_found(
    team: world.Team, client: Client, settings: object, caplog: pytest.LogCaptureFixture
) -> None:
    (settings.MEDIA_ROOT / team.asset.blob.name).unlink()  # type: ignore[attr-defined]
    assert client.get(original(team)).status_code == 404
    assert "bytes are missing" in caplog.text


def test_names_survive_old_clients() -> None:
    assert disposition("diptych-雨-1.jpg") == (
        "attachment; filename=\"diptych-1.jpg\"; filename*=UTF-8''diptych-%E9%9B%A8-1.jpg"
    )
    assert disposition("雨-雪.png") == (
        "attachment; filename=\"diptych.png\"; filename*=UTF-8''%E9%9B%A8-%E9%9B%AA.png"
    )


def test_an_enormous_range_is_none() -> None:
    assert parse_range("bytes=" + "9" * 400 + "-", 10) is not None
    assert parse_range("bytes=0-" + "9" * 18, 10) is not None
