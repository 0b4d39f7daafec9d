"""Exports: one picture as itself, a ZIP that any tool opens, names any system takes, and pictures that keep their pixels."""

from __future__ import annotations

import asyncio
import hashlib
import json
import shutil
import subprocess
from io import BytesIO
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.sax.saxutils import escape
from zipfile import ZipFile

import pytest
from django.conf import settings
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generations.models import Asset, Generation
from generations.services import xmp
from generations.services.gallery import carried, export
from tests import pages, world

pytestmark = pytest.mark.django_db
LABEL = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    'syntax-ns#"><rdf:Description rdf:about="" xmlns:TC260="http://www.tc260.org.cn/ns/AIGC/1.0/">'
    "<TC260:AIGC>{}</TC260:AIGC></rdf:Description></rdf:RDF></x:xmpmeta>"
)


@pytest.fixture
def client(team: world.Team) -> Client:
    found = Client(headers={"accept-language": "en"})
    found.force_login(team.viewer)
    return found


def opened(response: Any) -> ZipFile:
    data = b"".join(response.streaming_content)
    assert response["Content-Length"] == str(len(data))
    return ZipFile(BytesIO(data))


def drawn(kind: str, mode: str = "RGB", **more: Any) -> bytes:
    out = BytesIO()
    image = Image.linear_gradient("L").resize((97, 61)).convert(mode)
    image.save(out, kind, **more)
    return out.getvalue()


def embedded(data: bytes, text: str) -> bytes:
    parts = xmp.plan(BytesIO(data), len(data), text)
    made = b"".join(p if isinstance(p, bytes) else data[p.start : p.end] for p in parts)
    assert len(made) == xmp.size_of(parts)
    return made


def labelled() -> PngInfo:
    info = PngInfo()
    info.add_itxt("XML:com.adobe.xmp", LABEL)
    return info


@pytest.mark.parametrize(
    "data",
    [
        lambda: drawn("PNG"),
        lambda: drawn("PNG", "RGBA"),
        lambda: drawn("PNG", pnginfo=labelled()),
        lambda: drawn("JPEG"),
        lambda: drawn("JPEG", xmp=LABEL.encode()),
        lambda: drawn("WEBP"),
        lambda: drawn("WEBP", lossless=True),
        lambda: drawn("WEBP", "RGBA", lossless=True),
        lambda: drawn("WEBP", xmp=LABEL.encode()),
    ],
)
def test_pixels_and_the_label_stay_and_the_recipe_comes_back(data: Any) -> None:
    before = data()
    text = json.dumps({"prompt": "<b>雨夜</b> & \x01 ]]>"})
    after = embedded(before, text)
    with Image.open(BytesIO(before)) as old, Image.open(BytesIO(after)) as new:
        assert (old.size, old.mode, old.tobytes()) == (new.size, new.mode, new.tobytes())
    (found,) = xmp.packets(after)
    assert escape(text).encode() in found
    assert (b"TC260:AIGC" in found) == (b"TC260:AIGC" in before)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_a_cut_or_odd_file_is_never_changed(kind: str) -> None:
    whole = drawn(kind)
    for length in (0, 1, 3, 9, 12, 20, 31):
        with pytest.raises(xmp.CannotInsert):
            xmp.plan(BytesIO(whole[:length]), length, "{}")
    with pytest.raises(xmp.CannotInsert):
        embedded(embedded(whole, "{}"), "{}")  # one recipe, never two


def test_a_run_with_everything_that_is_known(
    team: world.Team, client: Client, tmp_path: Path
) -> None:
    url = reverse("generation-export", args=[team.generation.public_id])
    archive = opened(client.get(url))
    name, manifest = archive.namelist()
    assert (name, manifest) == ("acme-一只柯基在草地上-001.jpg", "manifest.json")
    said = json.loads(archive.read(manifest))
    (entry,) = said["files"]
    data = archive.read(name)
    assert entry["exported_sha256"] == hashlib.sha256(data).hexdigest()
    assert entry["sha256"] == team.asset.blob_id != entry["exported_sha256"]
    assert entry["recipe"] == team.generation.recipe
    assert (entry["xmp"], entry["person"]) == (True, team.editor.shown_name)
    assert len(list(xmp.packets(data))) == 1
    if shutil.which("unzip"):
        file = tmp_path / "all.zip"
        file.write_bytes(b"".join(client.get(url).streaming_content))  # type: ignore[attr-defined]
        subprocess.run(["unzip", "-t", file], check=True, stdout=subprocess.DEVNULL)


def one(team: world.Team) -> str:
    return reverse("download", args=[team.asset.public_id])


def page_of(asset: Asset) -> str:
    return reverse("asset", args=[asset.public_id])


def selected(*assets: Asset) -> str:
    return f"{reverse('export')}?{'&'.join(f'asset={each.public_id}' for each in assets)}"


def test_one_alone_is_the_file_itself(team: world.Team, client: Client) -> None:
    for url in (one(team), selected(team.asset), selected(team.asset, team.asset)):
        response = client.get(url)
        data = b"".join(response.streaming_content)  # type: ignore[attr-defined]
        assert (response["Content-Type"], response["Content-Length"]) == (
            "image/jpeg",
            str(len(data)),
        )
        assert response["Content-Disposition"] == (
            'attachment; filename="acme-001.jpg"; '
            f"filename*=UTF-8''{quote('acme-一只柯基在草地上-001.jpg')}"
        )
        (recipe,) = carried.read(data)
        assert recipe.prompt == team.generation.prompt
        with (
            Image.open(BytesIO(data)) as sent,
            Image.open(settings.MEDIA_ROOT / team.asset.blob.name) as stored,
        ):
            assert sent.tobytes() == stored.tobytes()


def test_two_of_a_run_have_two_names_and_the_address_may_say_how(
    team: world.Team, client: Client
) -> None:
    made = world.generation(team.project, team.editor, states=(world.JobState.SUCCEEDED,) * 2)
    last = made.assets.order_by("job__position").last()
    assert last
    assert "-002.jpg" in client.get(selected(last))["Content-Disposition"]
    named = client.get(f"{selected(last)}&names=../{{person}}%0d%0a{{n}}")["Content-Disposition"]
    assert named.startswith(f'attachment; filename="{team.editor.shown_name}-002.jpg"')


def test_two_are_an_archive(team: world.Team, client: Client) -> None:
    other = world.generation(team.project, team.editor, prompt="other").assets.get()
    response = client.get(selected(other, team.asset))
    assert response["Content-Type"] == "application/zip"
    assert len(opened(response).namelist()) == 3


def test_all_of_a_run_are_offered_where_there_are_more_than_one(
    team: world.Team, client: Client
) -> None:
    made = world.generation(team.project, team.editor, states=(world.JobState.SUCCEEDED,) * 2)
    first, second = made.assets.order_by("job__position")
    feed = pages.url(team)

    def offered(run: Generation, *on: str) -> list[bool]:
        link = f'href="{reverse("generation-export", args=[run.public_id])}"'
        return [link in pages.text(client.get(page)) for page in on]

    assert offered(made, feed, page_of(first)) == [True, True]
    assert offered(team.generation, feed, page_of(team.asset)) == [False, False]
    Asset.objects.filter(pk=first.pk).update(trashed_at=timezone.now())
    shown = (feed, page_of(first), page_of(second))
    assert offered(made, *shown) == [False] * 3


def test_one_alone_goes_out_in_ranges_until_it_is_another(team: world.Team, client: Client) -> None:
    response = client.get(one(team))
    whole = b"".join(response.streaming_content)  # type: ignore[attr-defined]
    etag = response["ETag"]
    begins = whole.index(b"http://ns.adobe.com/xap")
    for first, last in ((0, 0), (begins - 9, begins + 5), (begins, len(whole) - 1), (5, 10**9)):
        headers = {"Range": f"bytes={first}-{last}", "If-Range": etag}
        part = client.get(one(team), headers=headers)
        sent = b"".join(part.streaming_content)  # type: ignore[attr-defined]
        assert (part.status_code, sent) == (206, whole[first : last + 1])
    assert client.head(one(team))["Content-Length"] == str(len(whole))
    assert client.get(one(team), headers={"If-None-Match": etag}).status_code == 304
    Asset.objects.filter(pk=team.asset.pk).update(rating=4)  # the picture says so too
    assert client.get(one(team), headers={"If-None-Match": etag}).status_code == 200


def test_one_alone_that_cannot_be_read_or_is_gone(team: world.Team, client: Client) -> None:
    odd = world.blob(b"\xff\xd8\xffno picture at all")
    Asset.objects.filter(pk=team.asset.pk).update(blob=odd)
    response = client.get(one(team))
    assert b"".join(response.streaming_content) == b"\xff\xd8\xffno picture at all"  # type: ignore[attr-defined]
    (settings.MEDIA_ROOT / odd.name).unlink()
    assert client.get(one(team)).status_code == 404
    assert client.get(selected(team.asset)).status_code == 404


def test_ten_hostile_names_that_collide(team: world.Team, client: Client) -> None:
    prompt = 'CON/../<b>"\r\n\u202e雨|?*'
    assets = [world.generation(team.project, team.editor, prompt=prompt).assets.get()] + [
        world.generation(team.project, team.editor, prompt=prompt).assets.get() for _n in range(9)
    ]
    ids = [str(asset.public_id) for asset in assets]
    archive = opened(client.get(reverse("export"), {"asset": ids, "names": "../{prompt}{what}"}))
    names = archive.namelist()[:-1]
    assert len({name.casefold() for name in names}) == 10
    assert not set('/\\<>:"|?*\r\n\u202e') & set("".join(names))
    assert all("雨" in name and name.endswith(".jpg") for name in names)


@pytest.mark.parametrize("text", ["con", "NUL.txt", "LPT1", "..", "", "a" * 500, "雨" * 500])
def test_a_name_every_system_takes(text: str) -> None:
    found = export.safe(text)
    assert found.strip(". ") == found != ""
    assert found.casefold() not in ("con", "nul.txt", "lpt1")
    assert len(found.encode()) <= export.NAME_BYTES


def test_what_cannot_be_read_goes_out_as_it_is_and_what_is_gone_is_said(
    team: world.Team, client: Client
) -> None:
    odd = world.blob(b"\xff\xd8\xffno picture at all")
    Asset.objects.filter(pk=team.asset.pk).update(blob=odd)
    gone = world.generation(team.project, team.editor, prompt="gone").assets.get()
    Asset.objects.filter(pk=gone.pk).update(blob=world.blob(b"gone"))
    gone.refresh_from_db()
    (settings.MEDIA_ROOT / gone.blob.name).unlink()
    ids = [str(team.asset.public_id), str(gone.public_id)]
    archive = opened(client.get(reverse("export"), {"asset": ids}))
    said = json.loads(archive.read("manifest.json"))
    assert said["missing"] == [str(gone.public_id)]
    (entry,) = said["files"]
    assert archive.read(entry["name"]) == b"\xff\xd8\xffno picture at all"
    assert entry["xmp"] is False
    assert entry["exported_sha256"] == odd.sha256


@pytest.mark.parametrize("ids", [[], ["x"] * 1 + [str(n) for n in range(501)]])
def test_none_or_too_many_is_a_sentence(ids: list[str], client: Client) -> None:
    response = client.get(reverse("export"), {"asset": ids})
    assert response.status_code == 422
    assert b'role="alert"' in response.content


def test_a_run_without_pictures_says_so(team: world.Team, client: Client) -> None:
    made = world.generation(team.project, team.editor, states=(world.JobState.FAILED,))
    response = client.get(reverse("generation-export", args=[made.public_id]))
    assert response.status_code == 422


def test_what_is_no_id_is_not_found(client: Client) -> None:
    assert client.get(reverse("export"), {"asset": "../x\0"}).status_code == 404


def test_head_tells_the_size(team: world.Team, client: Client) -> None:
    url = reverse("generation-export", args=[team.generation.public_id])
    response = client.head(url)
    assert response.content == b""
    assert int(response["Content-Length"]) > team.asset.blob.size


@pytest.mark.django_db(transaction=True)
def test_under_asgi_it_streams_the_same(team: world.Team) -> None:
    client = AsyncClient()
    client.force_login(team.viewer)
    url = reverse("generation-export", args=[team.generation.public_id])

    async def whole(url: str) -> bytes:
        response = await client.get(url)
        body: Any = getattr(response, "streaming_content")  # noqa: B009 - the stubs forget it
        return b"".join([chunk async for chunk in body])

    assert ZipFile(BytesIO(asyncio.run(whole(url)))).testzip() is None
    assert len(carried.read(asyncio.run(whole(one(team))))) == 1
