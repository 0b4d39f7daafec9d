"""Signing in and out, lock-out, password, language and theme."""

from __future__ import annotations

import pytest
from django.conf import settings
from django.template.loader import get_template
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import Settings

from generations.models import User
from tests import world

pytestmark = pytest.mark.django_db
LOGIN = "/login/"
SECRET = "correct horse 9"


@pytest.fixture
def lin() -> User:
    return User.objects.create_user("lin", password=SECRET)


@pytest.fixture
def team() -> world.Team:
    return world.team("acme")


@pytest.fixture
def browser() -> Client:
    return Client(headers={"accept-language": "en"})


def test_signing_in_and_out(browser: Client, lin: User) -> None:
    assert browser.get(LOGIN).status_code == 200
    answer = browser.post(LOGIN, {"username": "lin", "password": SECRET})
    assert answer["Location"] == reverse("home")
    assert browser.get(LOGIN)["Location"] == reverse("home")
    assert browser.post(reverse("logout"))["Location"] == LOGIN
    assert browser.get(reverse("project-list"))["Location"].startswith(LOGIN)


def test_a_wrong_password_says_so_and_keeps_the_name(browser: Client, lin: User) -> None:
    page = browser.post(LOGIN, {"username": "lin", "password": "wr0ng-and-secret"})
    assert page.status_code == 422
    text = page.content.decode()
    assert 'value="lin"' in text
    assert 'role="alert"' in text
    assert "wr0ng-and-secret" not in text


def test_nothing_typed_asks_for_both(browser: Client) -> None:
    page = browser.post(LOGIN, {})
    assert "Enter your name and your password." in page.content.decode()


@pytest.mark.parametrize(
    ("wanted", "to"),
    [
        ("/projects/", "/projects/"),
        ("https://evil.example/", "/"),
        ("//evil.example", "/"),
        ("javascript:alert(1)", "/"),
    ],
)
def test_next_leads_only_to_places_of_ours(
    browser: Client, lin: User, wanted: str, to: str
) -> None:
    answer = browser.post(LOGIN, {"username": "lin", "password": SECRET, "next": wanted})
    assert answer["Location"] == to
    saved = browser.post(reverse("settings"), {"theme": "dark", "next": wanted})
    assert saved["Location"] == (to if to != "/" else reverse("settings"))


def test_ten_wrong_passwords_lock_the_door(browser: Client, lin: User) -> None:
    for _ in range(settings.AXES_FAILURE_LIMIT):
        page = browser.post(LOGIN, {"username": "lin", "password": "wrong"})
    assert page.status_code == 429
    assert "locked for 15 minutes" in page.content.decode()
    right = browser.post(LOGIN, {"username": "lin", "password": SECRET})
    assert right.status_code == 429
    elsewhere = Client(REMOTE_ADDR="10.1.2.3")
    answer = elsewhere.post(LOGIN, {"username": "lin", "password": SECRET})
    assert answer.status_code == 302


@pytest.mark.parametrize("address", ["", "unix:", "fe80::1%eth0"])
def test_a_peer_without_an_address_signs_in_and_is_locked_out_like_any_other(
    lin: User, address: str
) -> None:
    """Behind a Unix socket. PostgreSQL refuses to keep what is no address."""
    peer = Client(REMOTE_ADDR=address)
    assert peer.post(LOGIN, {"username": "lin", "password": "wrong"}).status_code == 422
    assert peer.post(LOGIN, {"username": "lin", "password": SECRET}).status_code == 302
    stranger = Client(REMOTE_ADDR=address)
    for _ in range(settings.AXES_FAILURE_LIMIT):
        page = stranger.post(LOGIN, {"username": "lin", "password": "wrong"})
    assert page.status_code == 429


def test_changing_the_password_keeps_one_signed_in(browser: Client, lin: User) -> None:
    browser.force_login(lin)
    url = reverse("password")
    short = browser.post(
        url, {"old_password": SECRET, "new_password1": "short", "new_password2": "short"}
    )
    assert short.status_code == 422
    assert 'aria-invalid="true"' in short.content.decode()
    new = "quite another 7 words"
    done = browser.post(url, {"old_password": SECRET, "new_password1": new, "new_password2": new})
    assert done["Location"] == reverse("settings")
    assert browser.get(reverse("settings")).status_code == 200
    lin.refresh_from_db()
    assert lin.check_password(new)


def test_language_and_theme_are_kept_on_the_person_and_in_cookies(
    browser: Client, lin: User
) -> None:
    browser.force_login(lin)
    answer = browser.post(reverse("settings"), {"language": "en", "theme": "dark"})
    assert answer["Location"] == reverse("settings")
    lin.refresh_from_db()
    assert (lin.language, lin.theme) == ("en", "dark")
    cookies = {name: answer.cookies[name] for name in ("django_language", "theme")}
    assert {name: cookie.value for name, cookie in cookies.items()} == {
        "django_language": "en",
        "theme": "dark",
    }
    assert all(cookie["samesite"] == "Lax" and cookie["httponly"] for cookie in cookies.values())
    page = browser.get(reverse("settings")).content.decode()
    assert '<html lang="en" data-theme="dark">' in page


def test_a_visitor_may_choose_a_language_before_signing_in(browser: Client) -> None:
    answer = browser.post(reverse("settings"), {"language": "zh-hans", "next": LOGIN})
    assert answer["Location"] == LOGIN
    assert '<html lang="zh-hans">' in browser.get(LOGIN).content.decode()
    browser.cookies["theme"] = "light"
    assert 'data-theme="light"' in browser.get(LOGIN).content.decode()
    browser.cookies["theme"] = '"><script>'
    assert "data-theme" not in browser.get(LOGIN).content.decode()


def test_what_is_no_language_or_theme_changes_nothing(browser: Client, lin: User) -> None:
    browser.force_login(lin)
    answer = browser.post(reverse("settings"), {"language": "xx", "theme": "neon"})
    lin.refresh_from_db()
    assert (lin.language, lin.theme) == ("", "system")
    assert "theme" not in answer.cookies


def test_signing_in_brings_the_persons_language(browser: Client, lin: User) -> None:
    lin.language = "zh-hans"
    lin.save()
    answer = browser.post(LOGIN, {"username": "lin", "password": SECRET})
    assert answer.cookies["django_language"].value == "zh-hans"


@pytest.mark.parametrize(
    ("live", "says"), [(False, "Sandbox"), (True, "Live service")], ids=["sandbox", "live"]
)
def test_every_page_says_which_service_it_talks_to(
    browser: Client, lin: User, settings: Settings, live: bool, says: str
) -> None:
    settings.LIVE = live
    assert says in browser.get(LOGIN).content.decode()
    browser.force_login(lin)
    for name in ("project-list", "settings", "password"):
        assert says in browser.get(reverse(name)).content.decode()


def test_error_pages_stand_alone(browser: Client, lin: User, team: world.Team) -> None:
    missing = browser.get("/nowhere/")
    assert missing.status_code == 404
    assert "This address leads nowhere" in missing.content.decode()
    browser.force_login(team.viewer)
    refused = browser.post(reverse("compose", args=[team.project.public_id]), {})
    assert refused.status_code == 403
    assert "Ask one of its owners." in refused.content.decode()
    strict = Client(enforce_csrf_checks=True, headers={"accept-language": "en"})
    stale = strict.post(LOGIN, {"username": "lin", "password": SECRET})
    assert stale.status_code == 403
    assert "opened too long ago" in stale.content.decode()


def test_a_failure_of_ours_has_a_page_too() -> None:
    with translation.override("en"):
        page = get_template("500.html").render()
    assert "Something broke" in page
