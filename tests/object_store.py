"""An object store of the tests' own: moto's S3, behind a door that believes no signature unseen.

moto stores, lists and deletes, and looks at no signature; this recomputes each of version 4, in a header or
in the query, from what was received. Source: Amazon S3, "Authenticating Requests (Signature Version 4)".
`python -m tests.object_store PORT BUCKET ACCESS_KEY SECRET_KEY` says `ready` once it serves.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import logging
import secrets
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, quote

from studio.store import reference_store
from tests.processes import Running, environment, free_port, wait_until

REGION = "us-east-1"
MOTO_ACCOUNT = "123456789012"
Environ = dict[str, Any]
App = Callable[[Environ, Callable[..., Any]], Iterable[bytes]]


class Refused(Exception):
    """Its text is S3's code."""


@dataclass(frozen=True)
class Claim:
    """What a request says of its own signature."""

    credential: str
    signed_headers: str
    signature: str
    date: str
    payload: str
    query: str
    expires_s: int


def _pairs(text: str) -> dict[str, str]:
    return dict(parse_qsl(text, keep_blank_values=True))


def _claim(environ: Environ) -> Claim:
    query = str(environ.get("QUERY_STRING", ""))
    given = _pairs(query)
    if "X-Amz-Signature" in given:
        rest = [(n, v) for n, v in sorted(given.items()) if n != "X-Amz-Signature"]
        canonical = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in rest)
        return Claim(
            given["X-Amz-Credential"],
            given["X-Amz-SignedHeaders"],
            given["X-Amz-Signature"],
            given["X-Amz-Date"],
            "UNSIGNED-PAYLOAD",
            canonical,
            int(given["X-Amz-Expires"]),
        )
    scheme, _, text = str(environ.get("HTTP_AUTHORIZATION", "")).partition(" ")
    if scheme != "AWS4-HMAC-SHA256":
        raise Refused("AccessDenied")
    parts = dict(each.strip().split("=", 1) for each in text.split(","))
    ordered = sorted(given.items())
    canonical = "&".join(f"{quote(n, safe='-_.~')}={quote(v, safe='-_.~')}" for n, v in ordered)
    return Claim(
        parts["Credential"],
        parts["SignedHeaders"],
        parts["Signature"],
        environ.get("HTTP_X_AMZ_DATE", ""),
        environ.get("HTTP_X_AMZ_CONTENT_SHA256", ""),
        canonical,
        900,
    )


def _header(environ: Environ, name: str) -> str:
    upper = name.upper().replace("-", "_")
    plain = upper in ("CONTENT_TYPE", "CONTENT_LENGTH")
    return " ".join(str(environ.get(upper if plain else f"HTTP_{upper}", "")).split())


def check(environ: Environ, access_key: str, secret_key: str) -> None:
    """Raise Refused unless the request is rightly signed with this key, and in time."""
    claim = _claim(environ)
    day = claim.date[:8]
    scope = f"{day}/{REGION}/s3/aws4_request"
    if claim.credential != f"{access_key}/{scope}":
        raise Refused("InvalidAccessKeyId")
    signed_at = datetime.strptime(claim.date, "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
    if datetime.now(UTC) > signed_at + timedelta(seconds=claim.expires_s):
        raise Refused("AccessDenied")
    names = claim.signed_headers.split(";")
    headers = "".join(f"{name}:{_header(environ, name)}\n" for name in names)
    path = str(environ["RAW_URI"]).partition("?")[0]
    lines = (environ["REQUEST_METHOD"], path, claim.query, headers, claim.signed_headers)
    request = "\n".join((*lines, claim.payload))
    digest = hashlib.sha256(request.encode()).hexdigest()
    key = f"AWS4{secret_key}".encode()
    for part in (day, REGION, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    text = f"AWS4-HMAC-SHA256\n{claim.date}\n{scope}\n{digest}"
    if not hmac.compare_digest(hmac.digest(key, text.encode(), "sha256").hex(), claim.signature):
        raise Refused("SignatureDoesNotMatch")


def guarded(app: App, access_key: str, secret_key: str) -> App:
    """`app` for those who sign; 403 with S3's code for the others."""

    def door(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        try:
            check(environ, access_key, secret_key)
        except (Refused, KeyError, ValueError) as error:
            code = str(error) if isinstance(error, Refused) else "AccessDenied"
            start("403 Forbidden", [("Content-Type", "application/xml")])
            return [f"<Error><Code>{code}</Code><Message>no</Message></Error>".encode()]
        return app(environ, start)

    return door


@dataclass
class ObjectStore:
    """A running store with one empty bucket. Its keys are made for it."""

    folder: Path
    port: int = field(default_factory=free_port)
    bucket: str = "lent"
    access_key: str = field(default_factory=lambda: secrets.token_hex(10))
    secret_key: str = field(default_factory=lambda: secrets.token_hex(20))
    running: Running | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def variables(self) -> dict[str, str]:
        """The studio's environment for it."""
        return {
            "REFERENCE_STORE_BUCKET": self.bucket,
            "REFERENCE_STORE_ENDPOINT": self.url,
            "REFERENCE_STORE_REGION": REGION,
            "REFERENCE_STORE_ACCESS_KEY": self.access_key,
            "REFERENCE_STORE_SECRET_KEY": self.secret_key,
            "REFERENCE_STORE_ADDRESSING": "path",
        }

    def start(self) -> None:
        log = self.folder / "store.log"
        log.write_text("")
        given = [str(self.port), self.bucket, self.access_key, self.secret_key]
        arguments = ["-m", "tests.object_store", *given]
        self.running = Running.start(arguments, env=environment(self.folder), log=log)
        wait_until(self._ready, what=f"the object store serves; see {log}")

    def _ready(self) -> bool:
        assert self.running is not None and self.running.alive, self.running and self.running.said()
        return "ready" in self.running.said()

    def stop(self) -> None:
        if self.running is not None:
            self.running.end(grace_s=2.0)
            self.running = None

    def requests(self) -> list[str]:
        """Method and path of every request so far, in order."""
        assert self.running is not None
        return [line[3:] for line in self.running.said().splitlines() if line.startswith("-> ")]


def configure(settings: Any, monkeypatch: Any, **variables: str) -> None:
    """As if the process had been started with these."""
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    told = reference_store()
    settings.REFERENCE_STORE = told
    settings.STORAGES = {"default": settings.STORAGES["default"]} | told.storages


@contextlib.contextmanager
def running_store(folder: Path) -> Iterator[ObjectStore]:
    """A store in `folder` until the block ends."""
    folder.mkdir(parents=True, exist_ok=True)
    store = ObjectStore(folder)
    try:
        store.start()
        yield store
    finally:
        store.stop()


def _serve(port: int, bucket: str, access_key: str, secret_key: str) -> None:
    from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
    from moto.s3.models import s3_backends
    from werkzeug.serving import make_server

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    s3_backends[MOTO_ACCOUNT]["aws"].create_bucket(bucket, REGION)
    inner = guarded(DomainDispatcherApplication(create_backend_app), access_key, secret_key)

    def told(environ: Environ, start: Callable[..., Any]) -> Iterable[bytes]:
        path = str(environ["RAW_URI"]).partition("?")[0]
        print(f"-> {environ['REQUEST_METHOD']} {path}", flush=True)
        return inner(environ, start)

    server = make_server("127.0.0.1", port, told, threaded=True)
    print("ready", flush=True)
    server.serve_forever()


if __name__ == "__main__":
    _serve(int(sys.argv[1]), *sys.argv[2:5])
