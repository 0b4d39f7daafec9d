"""What tests of the API say again and again: tokens, clients that send one, and bodies."""

from __future__ import annotations

import hashlib
from typing import Any

from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse

from generations.models import ApiToken, Project, User
from generations.services import people
from tests import world

API = "/api/v1"


def token(
    user: User, *, project: Project | None = None, may_run: bool = True, days: str = "30"
) -> str:
    """A new token of this person's."""
    where = str(project.public_id) if project else ""
    return people.make_token(user=user, name="script", days=days, project=where, may_run=may_run)


def row(value: str) -> ApiToken:
    """The row of a token."""
    return ApiToken.objects.get(token_sha256=hashlib.sha256(value.encode()).hexdigest())


def bearer(value: str | None, **more: str) -> Client:
    """A program that sends this token, and nothing else that would tell who it is."""
    headers = {"authorization": f"Bearer {value}"} if value else {}
    return Client(enforce_csrf_checks=True, headers=headers | more)


def run_body(**more: object) -> dict[str, Any]:
    """A run of one picture."""
    return {"prompt": "一只柯基", "engine": world.ENGINE} | more


def upload_body() -> dict[str, Any]:
    """A picture, as a form sends it."""
    return {"file": SimpleUploadedFile("a.jpg", world.picture((1, 2, 3)), "image/jpeg")}


def send(client: Client, method: str, url: str, body: dict[str, Any] | None = None) -> Any:
    """A call: its body as JSON, or as a form where it holds a file."""
    if method != "POST" or body is None:
        return client.generic(method, url)
    kind = {} if "file" in body else {"content_type": "application/json"}
    return client.post(url, body, **kind)


def runs_of(team: world.Team) -> str:
    """Where the team's runs are listed and made."""
    return reverse("api-generations", args=[team.project.public_id])


def refused(answer: Any, status: int) -> list[dict[str, Any]]:
    """The problems of an answer that must be a refusal."""
    assert answer.status_code == status, answer.content
    found: list[dict[str, Any]] = answer.json()["problems"]
    return found
