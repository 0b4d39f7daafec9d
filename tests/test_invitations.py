"""Links that let people in: made once, shown once, and dead in one and the same way."""

from __future__ import annotations

import hashlib
import re
from datetime import timedelta

import pytest
from axes.models import AccessAttempt
from django.urls import reverse
from django.utils import timezone
from pytest_django import Settings

from generations.models import Invitation, Membership, Project, Role, User
from generations.services import projects
from tests import world
from tests.pages import text, url
from tests.people import client_of

pytestmark = pytest.mark.django_db
PASSWORD = "quite another 7 words"
NEW = {"first_name": "林", "username": "林小雨", "password": PASSWORD, "email": "lin@example.com"}


def link(team: world.Team, role: str = Role.EDITOR, *, once: bool = True) -> str:
    token = projects.invite(project=team.project, by=team.owner, role=role, days="7", once=once)
    return reverse("join", args=[token])


def test_a_link_is_shown_once_and_only_its_hash_is_kept(team: world.Team) -> None:
    owner = client_of(team.owner)
    answer = owner.post(url(team, "invite"), {"role": "viewer", "days": "1", "uses": "one"})
    assert answer.status_code == 200
    assert "no-store" in answer["Cache-Control"]
    (address,) = re.findall(r'value="(http://testserver/join/[^"]+/)"', text(answer))
    token = address.split("/")[-2]
    assert len(token) == 43
    kept = Invitation.objects.get()
    assert kept.token_sha256 == hashlib.sha256(token.encode()).hexdigest()
    assert (kept.role, kept.max_uses, kept.created_by) == (Role.VIEWER, 1, team.owner)
    assert timedelta(hours=23) < kept.expires_at - timezone.now() <= timedelta(days=1)
    page = text(owner.get(url(team, "project-settings")))
    assert token not in page
    assert str(kept.public_id) in page


def test_the_configured_address_beats_the_one_asked_for(
    team: world.Team, settings: Settings
) -> None:
    settings.PUBLIC_BASE_URL = "https://studio.example.com"
    answer = client_of(team.owner).post(
        url(team, "invite"), {"role": "viewer", "days": "1"}, headers={"host": "127.0.0.1"}
    )
    assert 'value="https://studio.example.com/join/' in text(answer)
    settings.PUBLIC_BASE_URL = ""
    forged = client_of(team.owner).post(
        url(team, "invite"), {"role": "viewer", "days": "1"}, headers={"host": "evil.example"}
    )
    assert forged.status_code == 400


@pytest.mark.parametrize(
    "body", [{"role": "god", "days": "7"}, {"role": "viewer", "days": "9999"}, {"role": "viewer"}]
)
def test_a_strange_wish_is_a_sentence(team: world.Team, body: dict[str, str]) -> None:
    answer = client_of(team.owner).post(url(team, "invite"), body)
    assert answer.status_code == 422
    assert 'role="alert"' in text(answer)
    assert not Invitation.objects.exists()


def test_a_new_person_joins_on_one_page(team: world.Team) -> None:
    page, visitor = link(team), client_of()
    shown = visitor.get(page)
    assert shown.status_code == 200
    assert f"Join {team.project.name}" in text(shown)
    assert shown["Referrer-Policy"] == "strict-origin"
    assert shown["X-Robots-Tag"] == "noindex"
    before = visitor.session.session_key
    answer = visitor.post(page, {**NEW, "language": "en"})
    assert answer["Location"] == url(team)
    assert visitor.session.session_key != before
    assert answer.cookies["django_language"].value == "en"
    made = User.objects.get(username="林小雨")
    assert made.check_password(PASSWORD)
    assert (made.first_name, made.email, made.language) == ("林", "lin@example.com", "en")
    assert not made.is_staff
    assert team.project.role_of(made) == Role.EDITOR
    landed = text(visitor.get(answer["Location"]))
    assert f"You have joined {team.project.name}." in landed
    assert Invitation.objects.get().uses == 1
    assert not AccessAttempt.objects.exists()


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"password": "short"}, "too short"),
        ({"password": "12345678"}, "entirely numeric"),
        ({"password": ""}, "required"),
        ({"username": ""}, "required"),
        ({"username": "a b"}, "valid username"),
        ({"username": "ACME-Owner"}, "has this name already"),
        ({"username": "nul\0"}, "Null characters"),
        ({"username": "x" * 10_000}, "at most 150"),
        ({"email": "nobody"}, "valid email"),
        ({"language": "xx"}, ""),
    ],
)
def test_bad_input_is_a_sentence_and_nothing_else_is_lost(
    team: world.Team, wrong: dict[str, str], says: str
) -> None:
    page, visitor = link(team), client_of()
    answer = visitor.post(page, NEW | wrong)
    assert answer.status_code == 422
    shown = text(answer)
    assert says in shown
    assert 'value="林"' in shown
    assert PASSWORD not in shown
    assert Invitation.objects.get().uses == 0
    assert visitor.post(page, NEW).status_code == 302


def test_hostile_names_are_only_text(team: world.Team) -> None:
    visitor = client_of()
    answer = visitor.post(
        link(team), NEW | {"first_name": "<script>alert(1)</script>", "email": "x"}
    )
    assert "<script>alert(1)" not in text(answer)


def test_a_name_taken_in_the_same_moment_is_a_sentence(
    team: world.Team, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "generations.people_forms.JoinForm.clean_username", lambda self: "acme-owner"
    )
    monkeypatch.setattr(User, "validate_unique", lambda self, exclude=None: None)
    answer = client_of().post(link(team), NEW)
    assert answer.status_code == 422
    assert "has this name already" in text(answer)
    assert Invitation.objects.get().uses == 0


def test_somebody_signed_in_confirms(team: world.Team) -> None:
    lin, page = world.person("lin"), link(team, Role.VIEWER)
    client = client_of(lin)
    assert "Join as lin" in text(client.get(page))
    assert team.project.role_of(lin) is None
    assert client.post(page)["Location"] == url(team)
    assert team.project.role_of(lin) == Role.VIEWER


def test_a_member_goes_to_the_project_and_uses_nothing_up(team: world.Team) -> None:
    page = link(team, Role.OWNER)
    for send in (client_of(team.viewer).get, client_of(team.viewer).post):
        assert send(page)["Location"] == url(team)
    assert team.project.role_of(team.viewer) == Role.VIEWER
    assert Invitation.objects.get().uses == 0
    assert projects.accept(token=page.split("/")[-2], user=team.viewer) == team.project


def test_many_people_may_use_a_link_for_many(team: world.Team) -> None:
    page = link(team, once=False)
    for n in range(3):
        assert client_of().post(page, NEW | {"username": f"lin{n}"}).status_code == 302
    assert Invitation.objects.get().uses == 3
    assert team.project.memberships.count() == 6


def dead_links(team: world.Team) -> list[str]:
    """Expired, used up, revoked, of an archived project, and what never was a link."""
    dead: dict[str, dict[str, object]] = {
        "expired": {"expires_at": timezone.now()},
        "used": {"uses": 1},
        "revoked": {"revoked_at": timezone.now()},
    }
    pages = []
    for changes in dead.values():
        pages.append(link(team))
        newest = Invitation.objects.latest("pk")
        Invitation.objects.filter(pk=newest.pk).update(**changes)
    pages.append(link(team))
    projects.archive(project=team.project)
    return pages + [reverse("join", args=[name]) for name in ("x", "é\0☃", "a" * 500)]


def test_every_dead_link_is_the_same_page(team: world.Team) -> None:
    stranger = world.person("stranger")
    pages = dead_links(team)
    for client in (client_of(), client_of(stranger)):
        seen = set()
        for page in pages:
            for answer in (client.get(page), client.post(page, NEW)):
                assert answer.status_code == 404
                assert answer["Referrer-Policy"] == "strict-origin"
                seen.add(re.sub(r'(X-CSRFToken|csrfmiddlewaretoken)": "\w+"', "", text(answer)))
        assert len(seen) == 1
        assert "This link lets nobody in" in seen.pop()
    assert Membership.objects.count() == 3


def test_a_revoked_link_is_off_the_list_and_dead(team: world.Team) -> None:
    page, row = link(team), Invitation.objects.get()
    owner = client_of(team.owner)
    answer = owner.post(url(team, "invitation-revoke", row.public_id))
    assert answer["Location"] == url(team, "project-settings")
    assert client_of().get(page).status_code == 404
    assert str(row.public_id) not in text(owner.get(url(team, "project-settings")))


@pytest.mark.parametrize("how", ["removed", "made editor", "handed over", "left"])
def test_the_links_of_who_is_no_owner_any_more_are_dead(team: world.Team, how: str) -> None:
    second = world.person("second")
    member = Membership.objects.create(project=team.project, user=second, role=Role.OWNER)
    token = projects.invite(project=team.project, by=second, role="owner", days="30", once=False)
    if how == "removed":
        projects.remove_member(project=team.project, member=member)
    elif how == "made editor":
        projects.change_member(project=team.project, member=member, role=Role.EDITOR)
    elif how == "left":
        projects.leave(project=team.project, user=second)
    else:
        to = Membership.objects.get(project=team.project, user=team.viewer)
        projects.transfer(project=team.project, owner=second, to=to)
    assert client_of().get(reverse("join", args=[token])).status_code == 404


def test_a_link_of_another_project_is_not_found(team: world.Team) -> None:
    other = world.team("rivals")
    link(other)
    row = Invitation.objects.get()
    answer = client_of(team.owner).post(url(team, "invitation-revoke", row.public_id))
    assert answer.status_code == 404
    row.refresh_from_db()
    assert row.revoked_at is None


# --- Handing over and leaving -------------------------------------------------------------------


def member(team: world.Team, user: User) -> Membership:
    return Membership.objects.get(project=team.project, user=user)


def test_handing_over_makes_one_owner_and_one_editor(team: world.Team) -> None:
    body = {"member": str(member(team, team.editor).pk)}
    assert client_of(team.owner).post(url(team, "project-transfer"), body).status_code == 302
    assert team.project.role_of(team.editor) == Role.OWNER
    assert team.project.role_of(team.owner) == Role.EDITOR


def test_handing_over_to_oneself_changes_nothing(team: world.Team) -> None:
    body = {"member": str(member(team, team.owner).pk)}
    answer = client_of(team.owner).post(url(team, "project-transfer"), body)
    assert answer.status_code == 422
    assert "Choose another member" in text(answer)
    assert team.project.role_of(team.owner) == Role.OWNER


def test_nobody_hands_over_to_whom_cannot_sign_in(team: world.Team) -> None:
    User.objects.filter(pk=team.editor.pk).update(is_active=False)
    body = {"member": str(member(team, team.editor).pk)}
    assert client_of(team.owner).post(url(team, "project-transfer"), body).status_code == 422
    assert team.project.role_of(team.owner) == Role.OWNER


def test_handing_over_to_somebody_of_another_project_is_not_found(team: world.Team) -> None:
    other = world.team("rivals")
    for wrong in (str(member(other, other.viewer).pk), "abc", "9" * 30):
        answer = client_of(team.owner).post(url(team, "project-transfer"), {"member": wrong})
        assert answer.status_code == 404
    assert team.project.role_of(team.owner) == Role.OWNER


def test_leaving_takes_one_out_but_never_the_last_owner(team: world.Team) -> None:
    assert client_of(team.viewer).post(url(team, "project-leave"))["Location"] == "/projects/"
    assert team.project.role_of(team.viewer) is None
    answer = client_of(team.owner).post(url(team, "project-leave"))
    assert answer.status_code == 422
    assert "A project needs an owner." in text(answer)
    assert Project.objects.get(pk=team.project.pk).role_of(team.owner) == Role.OWNER
