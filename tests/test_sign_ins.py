"""The browsers one is signed in with: listed in plain words, ended from another, gone when they are dead."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.sessions.models import Session
from django.core.cache import cache
from django.db import connections
from django.test import AsyncClient, Client
from django.urls import reverse
from django.utils import timezone

from generations.models import SignIn, User
from generations.services import people
from generations.services.people.browsers import browser_of
from tests import world
from tests.pages import text
from tests.people import client_of, join

pytestmark = pytest.mark.django_db
SECRET = "correct horse 9"
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"
EDGE = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/140.0.0.0 Safari/537.36 Edg/140.0.0.0"
)
IPHONE = (
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 "
    "(KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1"
)


@pytest.fixture
def lin() -> User:
    return User.objects.create_user("lin", password=SECRET)


def sign_in(agent: str = FIREFOX, address: str = "203.0.113.7") -> Client:
    client = Client(headers={"accept-language": "en", "user-agent": agent}, REMOTE_ADDR=address)
    answer = client.post(reverse("login"), {"username": "lin", "password": SECRET})
    assert answer.status_code == 302
    return client


def signed_in(client: Client) -> bool:
    return bool(client.get(reverse("settings")).status_code == 200)


@pytest.mark.parametrize(
    ("agent", "browser", "system"),
    [
        (FIREFOX, "Firefox", "Linux"),
        (EDGE, "Edge", "Windows"),
        (IPHONE, "Safari", "iPhone"),
        (IPHONE + " MicroMessenger/8.0", "WeChat", "iPhone"),
        ("curl/8.0", "", ""),
        ("", "", ""),
    ],
)
def test_a_browser_in_plain_words(agent: str, browser: str, system: str) -> None:
    assert browser_of(agent) == (browser, system)


def test_each_sign_in_is_listed_and_this_one_is_marked(lin: User) -> None:
    here = sign_in()
    sign_in(EDGE, "198.51.100.9")
    shown = text(here.get(reverse("settings")))
    assert "Firefox on Linux" in shown and "Edge on Windows" in shown
    assert shown.index("Firefox on Linux") < shown.index("this browser")
    assert shown.index("this browser") < shown.index("Edge on Windows")
    assert "198.51.100.9" in shown
    assert shown.count("this browser") == 1


def test_nobody_else_sees_the_address(lin: User) -> None:
    sign_in()
    boss = world.person("boss", is_staff=True, is_superuser=True)
    desk = client_of(boss)
    page = desk.get(reverse("admin:generations_user_change", args=[lin.pk]))
    assert "203.0.113.7" not in text(page)
    assert "203.0.113.7" not in text(desk.get(reverse("settings")))


def test_one_browser_ends_another(lin: User) -> None:
    here, there, third = sign_in(), sign_in(EDGE), sign_in(IPHONE)
    row = SignIn.objects.get(session_key=there.session.session_key)
    answer = here.post(reverse("sign-out-one"), {"sign_in": row.pk})
    assert answer["Location"] == reverse("settings")
    assert not signed_in(there)
    assert signed_in(here) and signed_in(third)
    assert SignIn.objects.count() == 2


def test_everywhere_else(lin: User) -> None:
    here, others = sign_in(), [sign_in(), sign_in()]
    answer = here.post(reverse("sign-out-elsewhere"), follow=True)
    assert "Signed out in 2 other browsers." in text(answer)
    assert signed_in(here)
    assert not any(signed_in(each) for each in others)
    assert Session.objects.count() == 1


@pytest.mark.parametrize("wanted", ["", "abc", "0", "9" * 30])
def test_what_is_no_sign_in_ends_nothing(lin: User, wanted: str) -> None:
    here = sign_in()
    assert here.post(reverse("sign-out-one"), {"sign_in": wanted}).status_code == 302
    assert signed_in(here)


def test_another_persons_sign_in_stands(lin: User) -> None:
    """The foreign-id twin: nothing ends, and the answer tells nothing."""
    here = sign_in()
    mallory = client_of(world.person("mallory"))
    row = SignIn.objects.get(user=lin)
    foreign = mallory.post(reverse("sign-out-one"), {"sign_in": row.pk})
    nothing = mallory.post(reverse("sign-out-one"), {"sign_in": row.pk + 100})
    assert (foreign.status_code, foreign["Location"]) == (
        nothing.status_code,
        nothing["Location"],
    )
    assert signed_in(here)


def test_a_new_password_signs_out_elsewhere_and_keeps_this_one_listed(lin: User) -> None:
    here, there = sign_in(), sign_in(EDGE)
    new = "quite another 7 words"
    body = {"old_password": SECRET, "new_password1": new, "new_password2": new}
    assert here.post(reverse("password"), body).status_code == 302
    assert not signed_in(there)
    (row,) = SignIn.objects.all()
    assert row.session_key == here.session.session_key
    assert "this browser" in text(here.get(reverse("settings")))


def test_signing_out_takes_the_row_away(lin: User) -> None:
    here = sign_in()
    here.post(reverse("logout"))
    assert not SignIn.objects.exists()


def test_rows_of_dead_sessions_vanish(lin: User) -> None:
    here = sign_in()
    sign_in(EDGE)
    Session.objects.exclude(session_key=here.session.session_key).update(
        expire_date=timezone.now() - timedelta(days=1)
    )
    assert "Edge" not in text(here.get(reverse("settings")))
    sign_in(IPHONE)
    assert set(SignIn.objects.values_list("browser", flat=True)) == {FIREFOX, IPHONE}


def test_joining_and_the_admins_own_page_are_listed_too(team: world.Team) -> None:
    visitor = client_of(None, **{"user-agent": EDGE})
    visitor.post(join(team), {"username": "lin", "password": SECRET})
    assert "Edge on Windows" in text(visitor.get(reverse("settings")))
    User.objects.create_superuser("boss", password=SECRET)
    desk = client_of(None, **{"user-agent": FIREFOX})
    desk.post(reverse("admin:login"), {"username": "boss", "password": SECRET})
    assert "Firefox on Linux" in text(desk.get(reverse("settings")))


def test_strange_agents_and_addresses_do_no_harm(lin: User) -> None:
    strange = "<script>\x1b[31m" + "é" * 5000
    here = sign_in()
    key = here.session.session_key or ""
    people.begin(user=lin, session_key=key, agent=strange, address="unix:not-an-address")
    row = SignIn.objects.get()
    assert (len(row.browser), row.address) == (200, None)
    assert row.browser.isprintable()
    shown = text(here.get(reverse("settings")))
    assert "Unknown browser" in shown
    assert "<script>\x1b" not in shown


# --- Last seen ----------------------------------------------------------------------------------


def test_last_seen_is_written_at_most_every_ten_minutes(
    lin: User, django_assert_num_queries: object
) -> None:
    here = sign_in()
    key = here.session.session_key
    assert key is not None
    old = timezone.now() - timedelta(minutes=11)
    SignIn.objects.update(seen_at=old)
    here.get(reverse("settings"))
    assert SignIn.objects.get().seen_at == old  # this process has looked less than ten minutes ago
    cache.clear()
    here.get(reverse("settings"))
    now = SignIn.objects.get().seen_at
    assert now > old
    cache.clear()  # another process looks: the row itself says it is fresh
    here.get(reverse("settings"))
    assert SignIn.objects.get().seen_at == now
    with django_assert_num_queries(0):  # type: ignore[operator]
        assert not people.due(key)


@pytest.mark.parametrize("cookie", ["x" * 4000, "a b c d e f g", "é" * 40, ""])
def test_a_made_up_session_is_nobodys(cookie: str) -> None:
    client = client_of()
    client.cookies["sessionid"] = cookie
    assert client.get(reverse("settings")).status_code == 302


@pytest.mark.django_db(transaction=True)
def test_last_seen_works_in_the_asynchronous_chain() -> None:
    """The chain under which the live stream runs."""
    User.objects.create_user("lin", password=SECRET)
    here = sign_in()
    SignIn.objects.update(seen_at=timezone.now() - timedelta(hours=1))
    cache.clear()
    client = AsyncClient()
    client.cookies = here.cookies

    async def look() -> Any:
        found = await client.get(reverse("settings"))
        await sync_to_async(connections.close_all)()
        return found

    answer = asyncio.run(look())
    assert answer.status_code == 200
    assert timezone.now() - SignIn.objects.get().seen_at < timedelta(minutes=1)


# --- The e-mail address -------------------------------------------------------------------------


def test_the_address_is_saved_with_the_password(lin: User) -> None:
    here = sign_in()
    wrong = here.post(reverse("settings-email"), {"email": "a@b.example", "password": "x"})
    assert wrong.status_code == 422
    assert "That is not your password." in text(wrong)
    assert 'value="a@b.example"' in text(wrong)
    body = {"email": "a@b.example", "password": SECRET}
    assert here.post(reverse("settings-email"), body).status_code == 302
    lin.refresh_from_db()
    assert lin.email == "a@b.example"
    for bad in ("nobody", "a@b.example\r\nBcc: x@y.example", "x" * 10_000 + "@b.example", "\0"):
        refused = here.post(reverse("settings-email"), {"email": bad, "password": SECRET})
        assert refused.status_code == 422
    lin.refresh_from_db()
    assert lin.email == "a@b.example"
