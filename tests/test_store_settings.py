"""Where references may be fetched from: the settings of an object store, and what happens without one."""

from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest
from django.core.files.storage import storages
from django.test import Client
from pytest_django import Settings

from generations import checks
from generations.models import LedgerEntry, ProviderAccount
from generations.services import store
from generations.services.library import transport
from studio import env
from studio.store import ReferenceStore, reference_store
from tests import world
from tests.object_store import ObjectStore, configure
from tests.pages import text, url
from tests.test_checks import ids

REMOTE = "https://visual.volcengineapi.com"


@pytest.fixture
def bucket(settings: Settings) -> ObjectStore:
    """One that nobody asks anything."""
    return ObjectStore(settings.TEMP_ROOT)


@pytest.mark.django_db
def test_an_address_for_another_house(
    bucket: ObjectStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    """TOS by its S3 endpoint: the bucket stands in the host name, the signature is of version 4."""
    variables = {**bucket.variables}
    del variables["REFERENCE_STORE_ADDRESSING"]
    tos = {"ENDPOINT": "https://tos-s3-cn-beijing.volces.com/", "REGION": "cn-beijing"}
    variables |= {f"REFERENCE_STORE_{name}": value for name, value in tos.items()}
    configure(settings, monkeypatch, **variables, REFERENCE_STORE_PREFIX="/a/b/")
    url = storages["references"].url("ab/c.jpg", expire=transport.LIFETIME_S)  # type: ignore[call-arg]
    assert url.startswith("https://lent.tos-s3-cn-beijing.volces.com/a/b/ab/c.jpg?")
    assert "X-Amz-Algorithm=AWS4-HMAC-SHA256" in url
    assert "%2Fcn-beijing%2Fs3%2Faws4_request" in url
    assert "X-Amz-Expires=3600" in url


@pytest.mark.parametrize(
    ("endpoint", "provider", "public", "found"),
    [
        ("https://tos.example.com", REMOTE, "", "store"),
        ("https://tos.example.com", REMOTE, "https://studio.example.com", "store"),
        ("https://tos.example.com", "http://127.0.0.1:9100", "", "here"),
        ("http://127.0.0.1:9000", "http://127.0.0.1:9100", "", "store"),
        ("http://127.0.0.1:9000", REMOTE, "", "nowhere"),
        ("http://127.0.0.1:9000", REMOTE, "https://studio.example.com", "site"),
        ("", REMOTE, "", "nowhere"),
    ],
)
def test_which_way_a_reference_goes(
    endpoint: str, provider: str, public: str, found: str, settings: Settings
) -> None:
    told = ReferenceStore(endpoint, "lent", "", (), {"bucket_name": "lent"} if endpoint else {})
    settings.REFERENCE_STORE, settings.PUBLIC_BASE_URL = told, public
    settings.STORAGES = {"default": settings.STORAGES["default"]} | told.storages
    account = ProviderAccount(base_url=provider)
    ways = (transport.stored(account), transport.from_here(account), transport.reachable(account))
    expected = {"store": (1, 0, 1), "here": (0, 1, 1), "site": (0, 0, 1), "nowhere": (0, 0, 0)}
    assert ways == expected[found]


# --- The environment ------------------------------------------------------------------------------


def test_half_a_store_is_an_error_and_none_is_none(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, bucket: ObjectStore
) -> None:
    assert ids(checks.the_store_is_whole()) == []
    configure(settings, monkeypatch, **bucket.variables)
    assert ids(checks.the_store_is_whole()) == []
    assert store.exists()
    monkeypatch.delenv("REFERENCE_STORE_SECRET_KEY")
    configure(settings, monkeypatch)
    (found,) = checks.the_store_is_whole()
    assert (found.id, found.msg.split()[0]) == (checks.HALF_A_STORE, "REFERENCE_STORE_SECRET_KEY")
    assert bucket.access_key not in str(found)
    assert not store.exists()


@pytest.mark.parametrize(
    ("name", "value"),
    [("ENDPOINT", "http://store.example.com"), ("ENDPOINT", "store"), ("ADDRESSING", "both")],
)
def test_what_cannot_be_used_is_named(
    name: str, value: str, bucket: ObjectStore, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    variables = bucket.variables | {f"REFERENCE_STORE_{name}": value}
    with pytest.raises(env.EnvironmentProblem, match=f"REFERENCE_STORE_{name} must be"):
        configure(settings, monkeypatch, **variables)


def test_its_secret_shows_nowhere(bucket: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in bucket.variables.items():
        monkeypatch.setenv(name, value)
    told = reference_store()
    assert bucket.secret_key in str(told.storages)
    for shown in (repr(told), repr(replace(told, missing=("x",)))):
        assert bucket.secret_key not in shown and bucket.access_key not in shown


# --- With neither a store nor a public address ------------------------------------------------------


@pytest.mark.django_db
def test_a_model_that_needs_neither_is_one_press_away_and_nothing_typed_is_lost(
    team: world.Team, writer: Client
) -> None:
    ProviderAccount.objects.filter(provider="jimeng").update(base_url=REMOTE)
    token = str(world.reference(team).public_id)
    typed = {
        "prompt": "一只柯基，在草地上",
        "engine": world.ENGINE,
        "size": "2048x2048",
        "count": "3",
        "form_token": uuid4().hex,
        "reference": [token],
        f"role-{token}": "style",
    }
    before = LedgerEntry.objects.count()
    refused = writer.post(url(team, "compose"), typed)
    assert refused.status_code == 422
    assert "PUBLIC_BASE_URL" in text(refused) and "REFERENCE_STORE_BUCKET" in text(refused)
    assert 'name="instead" value="seedream-4.0"' in text(refused)
    panel = writer.post(url(team, "compose-panel"), typed | {"instead": "seedream-4.0"})
    page = text(panel)
    assert panel.status_code == 200
    assert 'value="seedream-4.0" checked' in page
    assert "一只柯基，在草地上" in page and f'value="{token}"' in page
    assert '<option value="style" selected>' in page
    assert 'name="instead"' not in page
    form = panel.context["form"]
    assert (form.typed("size"), form.typed("count")) == ("2048x2048", "3")
    assert LedgerEntry.objects.count() == before
    sent = typed | {"engine": "seedream-4.0", "form_token": uuid4().hex}
    assert writer.post(url(team, "compose"), sent).status_code == 302


@pytest.mark.django_db
def test_where_no_model_of_the_kind_takes_bytes_a_video_is_offered(
    team: world.Team, writer: Client, settings: Settings
) -> None:
    ProviderAccount.objects.filter(provider="jimeng").update(base_url=REMOTE)
    ProviderAccount.objects.filter(provider="ark").update(enabled=False)
    token = str(world.reference(team, data=world.picture((9, 9, 9), (640, 400))).public_id)
    typed = {"prompt": "一只柯基", "engine": world.ENGINE, "count": "4", "reference": [token]}
    assert 'name="instead" value="jimeng-video-3.0-first"' in text(
        writer.post(url(team, "compose"), typed)
    )
    settings.PUBLIC_BASE_URL = "https://studio.example.com"
    assert writer.post(url(team, "compose"), typed).status_code == 302
