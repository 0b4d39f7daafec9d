"""What tests of people say again and again: clients, links, and their addresses for the access table."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

from django.contrib.auth.tokens import default_token_generator
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.http import urlsafe_base64_encode

from generations.models import Invitation, Membership, User
from tests import world

TOKEN = "token"


def client_of(user: User | None = None, **headers: str) -> Client:
    """A browser that reads English, signed in as `user`."""
    client = Client(headers={"accept-language": "en", **headers})
    if user:
        client.force_login(user)
    return client


def invitation(team: world.Team) -> Invitation:
    """A link for many; the same one when asked for again."""
    return Invitation.objects.get_or_create(
        token_sha256=hashlib.sha256(f"{TOKEN}-{team.project.slug}".encode()).hexdigest(),
        defaults={
            "project": team.project,
            "created_by": team.owner,
            "expires_at": timezone.now() + timedelta(days=1),
        },
    )[0]


def join(team: world.Team) -> str:
    invitation(team)
    return reverse("join", args=[f"{TOKEN}-{team.project.slug}"])


def revoke(team: world.Team) -> str:
    link = invitation(team)
    return reverse("invitation-revoke", args=[team.project.public_id, link.public_id])


def viewer(team: world.Team) -> dict[str, Any]:
    return {"member": Membership.objects.get(project=team.project, user=team.viewer).pk}


def new_password(team: world.Team) -> str:
    uid = urlsafe_base64_encode(str(team.viewer.pk).encode())
    token = default_token_generator.make_token(User.objects.get(pk=team.viewer.pk))
    return reverse("password-new", args=[uid, token])
