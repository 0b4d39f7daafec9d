"""A forgotten password: a link by mail that works once, and an answer that tells nothing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from django.conf import settings as conf
from django.core import mail
from django.core.cache import cache
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from generations.models import SignIn, User
from generations.services.people import letters
from studio.env import EnvironmentProblem
from studio.mail import CONSOLE, SMTP, MailServer, server
from tests.pages import text
from tests.people import client_of

pytestmark = pytest.mark.django_db
ASK = "/password/forgotten/"
SECRET, NEW = "correct horse 9", "quite another 7 words"


@pytest.fixture
def lin() -> User:
    return User.objects.create_user("lin", email="lin@example.com", password=SECRET)


@pytest.fixture(autouse=True)
def fresh() -> Iterator[None]:
    cache.clear()
    yield
    letters.all_sent()


def ask(email: str, client: Client | None = None, **more: Any) -> Any:
    answer = (client or client_of()).post(ASK, {"email": email}, **more)
    letters.all_sent()
    return answer


def link() -> str:
    (found,) = re.findall(r"https?://\S+", str(mail.outbox[-1].body))
    return found


def path() -> str:
    return re.sub(r"^https?://[^/]+", "", link())


def set_password(client: Client, new: str = NEW) -> Any:
    form = client.get(path())["Location"]
    return client.post(form, {"new_password1": new, "new_password2": new})


def test_the_whole_way(lin: User) -> None:
    old = client_of()
    old.post(reverse("login"), {"username": "lin", "password": SECRET})
    answer = ask("LIN@example.com")
    assert answer["Location"] == reverse("password-sent")
    (letter,) = mail.outbox
    assert letter.to == ["lin@example.com"]
    assert "lin" in letter.body and link().startswith("http://testserver/password/new/")
    visitor = client_of()
    form = visitor.get(path())
    assert form.status_code == 302
    assert "set-password" in form["Location"]  # the key itself does not stay in the address
    shown = visitor.get(form["Location"])
    assert "For lin." in text(shown)
    assert "no-store" in shown["Cache-Control"]
    done = visitor.post(form["Location"], {"new_password1": NEW, "new_password2": NEW})
    assert done["Location"] == reverse("login")
    assert "Sign in with it." in text(visitor.get(reverse("login")))
    lin.refresh_from_db()
    assert lin.check_password(NEW)
    assert old.get(reverse("settings")).status_code == 302
    assert not SignIn.objects.exists()
    again = client_of().get(path())
    assert again.status_code == 404
    assert "This link does not work" in text(again)


@pytest.mark.parametrize("who", ["nobody", "inactive", "without a password"])
def test_the_same_answer_whether_or_not_there_is_somebody(lin: User, who: str) -> None:
    known = ask("lin@example.com")
    if who == "inactive":
        User.objects.create_user("x", email="x@example.com", password=SECRET, is_active=False)
    elif who != "nobody":
        User.objects.create_user("x", email="x@example.com")
    unknown = ask("x@example.com")
    assert (known.status_code, known["Location"]) == (unknown.status_code, unknown["Location"])
    assert [letter.to for letter in mail.outbox] == [["lin@example.com"]]


def test_nobody_waits_for_the_mail_server(lin: User, monkeypatch: pytest.MonkeyPatch) -> None:
    """Time tells nothing either: whatever the letter takes, the page is there first."""
    order: list[str] = []
    later = letters.later
    held: list[Any] = []
    monkeypatch.setattr("generations.services.people.later", held.append)
    answer = client_of().post(ASK, {"email": "lin@example.com"})
    order.append("answered")
    assert answer.status_code == 302 and not mail.outbox
    later(held.pop())
    letters.all_sent()
    assert len(mail.outbox) == 1


def test_a_broken_mail_server_breaks_no_page(lin: User, settings: Settings) -> None:
    settings.EMAIL_BACKEND = "tests.test_reset.Broken"
    assert ask("lin@example.com").status_code == 302
    letters.later(lambda: 1 / 0)  # type: ignore[arg-type, return-value]
    letters.all_sent()


class Broken:
    """A mail server that is away."""

    def __init__(self, **_rest: object) -> None: ...

    def send_messages(self, messages: object) -> int:
        raise ConnectionRefusedError


def test_many_wishes_are_one_letter(lin: User) -> None:
    for spelling in ("lin@example.com", "LIN@example.com", "lin@example.com"):
        assert ask(spelling).status_code == 302
    assert len(mail.outbox) == 1
    cache.clear()
    ask("lin@example.com")
    assert len(mail.outbox) == 2


def test_too_many_waiting_letters_are_dropped(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(letters, "WAITING_MOST", -1)
    letters.later(lambda: pytest.fail("sent"))
    letters.all_sent()


def test_the_link_begins_with_the_configured_address(lin: User, settings: Settings) -> None:
    settings.PUBLIC_BASE_URL = "https://studio.example.com"
    ask("lin@example.com", headers={"host": "127.0.0.1", "x-forwarded-host": "evil.example"})
    assert link().startswith("https://studio.example.com/password/new/")


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1@evil.example", "evil.example:80"])
def test_a_forged_host_gets_no_letter(lin: User, host: str) -> None:
    assert ask("lin@example.com", headers={"host": host}).status_code == 400
    assert not mail.outbox


def test_the_letter_speaks_the_persons_language(lin: User) -> None:
    User.objects.update(language="en")
    ask("lin@example.com", Client(headers={"accept-language": "zh-hans"}))
    assert mail.outbox[0].subject == "A new password for Diptych"


@pytest.mark.parametrize("bad", ["", "nobody", "\0@example.com", "x" * 10_000, "a@b\r\nBcc: c@d.e"])
def test_what_is_no_address_is_a_sentence(bad: str) -> None:
    answer = ask(bad)
    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)
    assert not mail.outbox


def test_a_bad_new_password_is_a_sentence_and_may_be_tried_again(lin: User) -> None:
    ask("lin@example.com")
    visitor = client_of()
    refused = set_password(visitor, "short")
    assert refused.status_code == 422
    assert "too short" in text(refused)
    assert set_password(visitor).status_code == 302


@pytest.mark.parametrize("uid", ["", "x", "MQ", "////", "é"])
def test_forged_links_are_the_same_dead_page(lin: User, uid: str) -> None:
    for token in ("set-password", "abc-123", "x" * 500):
        answer = client_of().get(f"/password/new/{uid or 'none'}/{token}/")
        assert answer.status_code == 404


def test_whoever_locked_themselves_out_is_let_in_with_the_new_password(lin: User) -> None:
    visitor = client_of()
    for _ in range(conf.AXES_FAILURE_LIMIT):
        visitor.post(reverse("login"), {"username": "lin", "password": "wrong"})
    right = {"username": "lin", "password": NEW}
    ask("lin@example.com")
    set_password(visitor)
    assert visitor.post(reverse("login"), right).status_code == 302


def test_the_sign_in_page_leads_there() -> None:
    assert f'href="{ASK}"' in text(client_of().get(reverse("login")))
    assert reverse("password-forgotten") == ASK


# --- EMAIL_URL ----------------------------------------------------------------------------------


def test_where_mail_goes() -> None:
    assert server("") == MailServer(backend=CONSOLE)
    tls = server("smtp+tls://me%40example.com:p%3Aw@mail.example.com")
    assert tls == MailServer(SMTP, "mail.example.com", 587, "me@example.com", "p:w", True, False)
    assert server("smtps://mail.example.com") == MailServer(SMTP, "mail.example.com", 465, tls=True)
    assert server("smtp://127.0.0.1:2525").port == 2525


@pytest.mark.parametrize("url", ["mail.example.com", "http://h", "smtp://", "smtp://:pw@h:port"])
def test_a_wrong_mail_address_is_said_without_its_password(url: str) -> None:
    with pytest.raises(EnvironmentProblem, match="EMAIL_URL") as said:
        server(url)
    assert "pw" not in str(said.value)
