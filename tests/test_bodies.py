"""How much a request may carry is decided before any of it is on disk."""

from __future__ import annotations

import asyncio
import http.client
import tempfile
from collections.abc import Callable, Iterator

import pytest
from django.conf import settings
from django.core.asgi import get_asgi_application

from studio import asgi
from tests.running import Site

MB = 1_000_000


def pieces(count: int, size: int = MB) -> Iterator[bytes]:
    yield from (b"x" * size for _each in range(count))


def sent(site: Site, body: object, **headers: str) -> tuple[int, str]:
    """Status and text of a POST to sign in; a body that is an iterator goes out in chunks.

    0 where the connection was closed while more was on its way.
    """
    wire = http.client.HTTPConnection("127.0.0.1", site.port, timeout=30)
    try:
        wire.request("POST", "/login/", body, headers)  # type: ignore[arg-type]
        answer = wire.getresponse()
        return answer.status, answer.read().decode()
    except OSError:
        return 0, ""
    finally:
        wire.close()


def test_a_stranger_may_send_little_said_or_unsaid(site: Site) -> None:
    big = str(asgi.STRANGERS_BODY + 1)
    assert sent(site, b"", **{"Content-Length": big})[0] == 413
    assert sent(site, pieces(3))[0] in (0, 413)
    status, text = sent(site, b"username=a&password=b")
    assert status == 403  # read, and refused for want of a token
    assert "more than the studio takes" not in text


def test_whoever_may_be_signed_in_may_send_pictures(site: Site) -> None:
    assert sent(site, pieces(3), Cookie="sessionid=nonsense")[0] == 403
    big = str(asgi.LARGEST_BODY + 1)
    for name, value in {"Cookie": "a=b", "Authorization": "Bearer x"}.items():
        assert sent(site, b"", **{"Content-Length": big, name: value})[0] == 413


@pytest.mark.django_db
@pytest.mark.parametrize("cap", [True, False])
def test_nothing_of_it_reaches_the_disk(cap: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the cap, all of it does: Django spools what is larger than a few megabytes."""
    spooled: list[int] = []
    real = tempfile.SpooledTemporaryFile

    class Noted(real):  # type: ignore[misc, valid-type]
        def write(self, data: bytes) -> int:
            spooled.append(len(data))
            return int(super().write(data))

    monkeypatch.setattr(tempfile, "SpooledTemporaryFile", Noted)
    app: Callable[..., object] = asgi.application if cap else get_asgi_application()
    scope = {"type": "http", "method": "POST", "path": "/login/", "headers": []}
    megabyte = {"type": "http.request", "body": b"x" * MB, "more_body": True}
    left = iter([*[megabyte] * 8, {"type": "http.request", "body": b"", "more_body": False}])
    answers: list[dict[str, object]] = []

    async def receive() -> dict[str, object]:
        more = next(left, None)
        if more is None:
            await asyncio.Event().wait()  # a client that waits for its answer
        return more or {}

    async def send(message: dict[str, object]) -> None:
        answers.append(message)

    asyncio.run(app(scope, receive, send))  # type: ignore[arg-type]
    assert settings.DATA_UPLOAD_MAX_MEMORY_SIZE < 8 * MB
    assert (sum(spooled) <= asgi.STRANGERS_BODY) == cap
    assert (answers[0]["status"] == 413) == cap
