"""Ark's account: an API key alone, beside Volcengine's pairs or without them; and what it is sent."""

from __future__ import annotations

import base64
import subprocess
import sys
from pathlib import Path

import pytest
from django.test import Client
from pytest_django import Settings

from generations.models import Generation, Job, ProviderAccount
from generations.providers import catalog
from generations.providers.base import Credentials
from generations.services import accounts, compose
from generations.services.library import fitting, transport
from tests import world
from tests.pages import text, url
from tests.processes import ROOT, environment

SEEDREAM, JIMENG = catalog.get_engine("seedream-4.0"), catalog.get_engine(world.ENGINE)
REAL = "https://ark.example/api/v3"


@pytest.mark.django_db
def test_the_sandbox_has_one(settings: Settings) -> None:
    first = accounts.ensure_accounts()
    ark = accounts.account_for(SEEDREAM)
    assert ark is not None
    assert (first.provider, ark.provider, ark.label) == ("jimeng", "ark", "Sandbox Ark")
    assert ark.base_url == f"{settings.SANDBOX_URL}/api/v3"
    assert accounts.credentials_for(ark) == Credentials("ARK-SANDBOX")
    assert accounts.account_for(JIMENG) == first


@pytest.mark.django_db
@pytest.mark.parametrize(("volc", "ark"), [(True, False), (False, True), (True, True)])
def test_with_a_real_key_nothing_goes_to_the_sandbox(
    settings: Settings, volc: bool, ark: bool
) -> None:
    accounts.ensure_accounts()
    settings.LIVE, settings.ARK_BASE_URL = True, REAL
    settings.VOLC_KEYS = [("AK", "SK", "")] if volc else []
    settings.ARK_KEYS = [("ARK", "", "")] if ark else []
    accounts.ensure_accounts()
    found = {engine.provider: accounts.account_for(engine) for engine in (JIMENG, SEEDREAM)}
    assert {name: row is not None for name, row in found.items()} == {"jimeng": volc, "ark": ark}
    assert not any(row and row.is_sandbox for row in found.values())
    if found["ark"] is not None:
        assert (found["ark"].base_url, found["ark"].label) == (REAL, "Volcengine Ark")
        assert accounts.credentials_for(found["ark"]) == Credentials("ARK")


@pytest.mark.django_db
def test_a_model_without_a_key_is_refused_by_name(team: world.Team, settings: Settings) -> None:
    settings.LIVE, settings.VOLC_KEYS = True, [("AK", "SK", "")]
    accounts.ensure_accounts()
    with pytest.raises(compose.ComposeProblem) as caught:
        ask(team)
    assert [error.field for error in caught.value.errors] == ["engine"]


@pytest.mark.django_db
@pytest.mark.parametrize(("volc", "ark"), [(True, False), (False, True), (True, True)])
def test_only_models_with_a_key_are_offered(
    team: world.Team, settings: Settings, volc: bool, ark: bool
) -> None:
    """With Ark alone, the panel begins with one of its models."""
    settings.LIVE, settings.ARK_BASE_URL = True, REAL
    settings.VOLC_KEYS = [("AK", "SK", "")] if volc else []
    settings.ARK_KEYS = [("ARK", "", "")] if ark else []
    browser = Client()
    browser.force_login(team.editor)
    page = text(browser.get(url(team)))
    shown = {"jimeng": f'value="{JIMENG.slug}"' in page, "ark": f'value="{SEEDREAM.slug}"' in page}
    assert shown == {"jimeng": volc, "ark": ark}
    assert accounts.offered()[0].provider == ("jimeng" if volc else "ark")


def test_its_key_is_read_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "key").write_text("ARK-FROM-A-FILE\n")
    code = "from django.conf import settings as s; print(s.ARK_KEYS, s.LIVE, s.ARK_BASE_URL)"
    named = {"ARK_API_KEY_FILE": str(tmp_path / "key")}
    env = environment(tmp_path / "var", **named)
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, env=env, capture_output=True, text=True
    )
    url = "https://ark.cn-beijing.volces.com/api/v3"
    assert run.stdout.strip() == f"[('ARK-FROM-A-FILE', '', '')] True {url}", run.stderr


# --- References travel in the call itself --------------------------------------------------------


def ask(team: world.Team, *chosen: compose.Chosen, **raw: object) -> Generation:
    return compose.submit(
        project=team.project,
        user=team.owner,
        engine=SEEDREAM.slug,
        prompt="一只柯基",
        settings=raw,
        count=1,
        references=chosen,
    )


@pytest.mark.django_db
def test_a_reference_travels_in_the_body_and_needs_no_address(team: world.Team) -> None:
    """Also to a provider far away, while the site has no public address."""
    ProviderAccount.objects.update(base_url=REAL)
    reference = world.reference(team)
    made = ask(team, compose.Chosen(reference), output="set", max_images="15")
    job = Job.objects.select_related("account", "generation").get(generation=made)
    assert job.max_outputs == 14
    (sent,) = transport.carried(job, SEEDREAM, job.account)
    head, _comma, packed = sent.partition(",")
    assert head == "data:image/jpeg;base64"
    fitted = fitting.fitted(reference=reference, engine=SEEDREAM)
    assert fitted.blob_id == reference.blob_id
    assert base64.b64decode(packed) == world.picture((200, 120, 40))


@pytest.mark.django_db
def test_bytes_that_are_gone_are_no_call(team: world.Team, settings: Settings) -> None:
    made = ask(team, compose.Chosen(world.reference(team)))
    job = Job.objects.select_related("account", "generation").get(generation=made)
    rendition = fitting.fitted(
        reference=made.uses.select_related("reference__blob").get().reference, engine=SEEDREAM
    )
    (settings.MEDIA_ROOT / rendition.blob.name).unlink()
    with pytest.raises(FileNotFoundError):
        transport.carried(job, SEEDREAM, job.account)
