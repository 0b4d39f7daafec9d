"""What the tests of the wire share."""

from __future__ import annotations

import json
import shutil
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from generations.providers import catalog, http
from generations.providers.base import Credentials
from generations.providers.engine import Engine
from tests.providers.jimeng_answers import Answering


@pytest.fixture(autouse=True)
def fresh_connections() -> None:
    """No test inherits a kept-alive connection from the one before it."""
    http._thread.adapter = None


@pytest.fixture
def credentials() -> Credentials:
    return Credentials("AKEXAMPLE", "SKEXAMPLE")


@pytest.fixture
def engine() -> Engine:
    return catalog.get_engine("jimeng-image-4.0")


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Key and self-signed certificate of files.example, made anew for every run."""
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("needs the openssl command")
    path = tmp_path_factory.mktemp("tls") / "files.example.pem"
    subject = ["-subj", "/CN=files.example", "-addext", "subjectAltName=DNS:files.example"]
    command = [openssl, "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", *subject]
    done = subprocess.run(
        [*command, "-keyout", "-", "-out", "-"], check=True, capture_output=True, timeout=60
    )
    path.write_bytes(done.stdout)
    return path


@pytest.fixture
def server_tls(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Trust that certificate and no other."""
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(http, "_tls", lambda: context)


@pytest.fixture
def answering(monkeypatch: pytest.MonkeyPatch) -> Answering:
    """Let the door answer with this status and document (or bytes); returns the list of calls."""

    def set_answer(document: object, status: int = 200, **headers: str) -> list[dict[str, Any]]:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        calls: list[dict[str, Any]] = []

        def request(method: str, url: str, **given: Any) -> http.Answer:
            calls.append({"method": method, "url": url, **given})
            return http.Answer(status, headers, body)

        monkeypatch.setattr(http, "request", request)
        return calls

    return set_answer
