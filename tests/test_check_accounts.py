"""The check of the accounts: the command, the button in the admin, and that neither tells a key."""

from __future__ import annotations

import io
import json
import logging
import socket

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import Settings

from generations.models import ProviderAccount
from generations.services import accounts, health
from tests import driving, world
from tests.pages import text
from tests.providers.wire import Wire, hang_up, http_bytes, serving
from tests.running import Sandbox

CHECK = "admin:generations_provideraccount_check"
LIST = "admin:generations_provideraccount_changelist"


def command() -> tuple[str, str]:
    out, problem = io.StringIO(), ""
    try:
        call_command("check_accounts", stdout=out)
    except CommandError as error:
        problem = str(error)
    return out.getvalue(), problem


@pytest.mark.django_db
def test_the_command_fails_where_any_account_is_bad(sandbox: Sandbox, settings: Settings) -> None:
    assert command()[1], "no account at all is nothing to be content with"
    driving.at(sandbox, settings)
    with translation.override("en"):
        said, problem = command()
        assert (said.count("ok "), problem) == (2, "")
        settings.SANDBOX_ARK_KEYS = [("ARK-OTHER", "", "")]
        accounts.ensure_accounts()
        ProviderAccount.objects.filter(provider="ark").order_by("pk")[0].delete()
        said, problem = command()
        assert "!! Sandbox Ark (ark): The service does not know this key" in said
        assert problem == "1 of 2 accounts cannot be used."
        ProviderAccount.objects.filter(provider="ark").update(enabled=False)
        assert command()[1] == "", "what is not in use is not asked"


@pytest.fixture
def desk() -> Client:
    client = Client(headers={"Accept-Language": "en"})
    client.force_login(world.person("boss", is_staff=True, is_superuser=True))
    return client


@pytest.mark.django_db
def test_the_button_says_how_each_account_is(
    sandbox: Sandbox, settings: Settings, desk: Client
) -> None:
    driving.at(sandbox, settings)
    page = desk.get(reverse(LIST))
    assert f'action="{reverse(CHECK)}"' in text(page)
    assert "Check the accounts" in text(page)
    settings.SANDBOX_KEYS = [("AKSANDBOX", "another", "")]
    answer = desk.post(reverse(CHECK), follow=True)
    said = {str(each): each.level_tag for each in answer.context["messages"]}
    assert sorted(said.values()) == ["error", "success"]
    assert any(each.startswith("Sandbox: ") and "secret key is wrong" in each for each in said)
    assert "unsafe" not in answer["Content-Security-Policy"]


@pytest.mark.django_db
def test_who_may_press_it(desk: Client, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    def check() -> list[health.Finding]:
        asked.append(1)
        return []

    monkeypatch.setattr(health, "check_accounts", check)
    assert desk.get(reverse(CHECK)).status_code == 405
    strict = Client(enforce_csrf_checks=True)
    strict.force_login(world.person("other", is_staff=True, is_superuser=True))
    assert strict.post(reverse(CHECK)).status_code == 403
    looker = world.person("looker", is_staff=True)
    looker.user_permissions.add(Permission.objects.get(codename="view_provideraccount"))
    reader = Client()
    reader.force_login(looker)
    assert reverse(CHECK) not in text(reader.get(reverse(LIST)))
    assert reader.post(reverse(CHECK)).status_code == 403
    assert Client().post(reverse(CHECK)).status_code == 302
    assert asked == []
    assert desk.post(reverse(CHECK)).status_code == 302
    assert asked == [1]


SECRETS = ("AKCANARYACCESS", "SKCANARYSECRET", "STSCANARYTOKEN")


def echo(server: Wire) -> None:
    """Have the server answer with all that it was sent, in every field that could be shown."""

    def react(conn: socket.socket) -> None:
        heard = f"{json.dumps(server.requests[-1].headers)} {' '.join(SECRETS)}"
        error = {"Code": heard, "Message": heard, "code": heard, "message": heard}
        document = {"ResponseMetadata": {"Error": error, "RequestId": heard}, "error": error}
        conn.sendall(http_bytes(401, json.dumps(document).encode()))

    server.react = react


@pytest.mark.django_db
def test_no_key_is_ever_told(
    settings: Settings, desk: Client, caplog: pytest.LogCaptureFixture
) -> None:
    settings.SANDBOX_KEYS, settings.SANDBOX_ARK_KEYS = [SECRETS], [(SECRETS[0], "", "")]
    caplog.set_level(logging.DEBUG)
    with serving(hang_up) as server:
        echo(server)
        settings.SANDBOX_URL = settings.SANDBOX_ARK_URL = server.url
        accounts.ensure_accounts()
        shown = "".join(command()) + text(desk.post(reverse(CHECK), follow=True))
        heard = " ".join(each.headers["authorization"] for each in server.requests)
        assert len(server.requests) == 4
    assert heard.count(SECRETS[0]) == 4, "the echo had them"
    assert "CANARY" not in shown + caplog.text
    assert heard.rpartition("=")[2] not in shown + caplog.text
