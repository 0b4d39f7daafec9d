"""The door to the environment, and the two entries a server may use."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from wsgiref.util import setup_testing_defaults

import pytest

from studio import env


@pytest.fixture
def variable(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("EXAMPLE", "EXAMPLE_FILE"):
        monkeypatch.delenv(name, raising=False)
    yield "EXAMPLE"


def test_text(variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert env.text(variable, "default") == "default"
    mounted = tmp_path / "mounted"
    mounted.write_text(" from a file\n")
    monkeypatch.setenv("EXAMPLE_FILE", str(mounted))
    assert env.text(variable, "default") == "from a file"
    monkeypatch.setenv(variable, " said outright ")
    assert env.text(variable) == "said outright"


def test_an_unreadable_file_is_named_and_its_path_is_not_guessed_at(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("EXAMPLE_FILE", str(tmp_path / "absent"))
    with pytest.raises(env.EnvironmentProblem, match="EXAMPLE_FILE cannot be read"):
        env.text(variable)


@pytest.mark.parametrize(
    ("said", "meant"), [("1", True), ("Yes", True), ("on", True), ("0", False), ("nein", False)]
)
def test_flag(variable: str, monkeypatch: pytest.MonkeyPatch, said: str, meant: bool) -> None:
    monkeypatch.setenv(variable, said)
    assert env.flag(variable, default=not meant) is meant


def test_flag_default(variable: str) -> None:
    assert env.flag(variable, default=True) is True


def test_number(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.number(variable, 7) == 7
    monkeypatch.setenv(variable, "2.5")
    assert env.number(variable, 7) == 2.5
    monkeypatch.setenv(variable, "many")
    with pytest.raises(env.EnvironmentProblem, match="EXAMPLE must be a number, not 'many'"):
        env.number(variable, 7)


def test_names(variable: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert env.names(variable, "a, b,,") == ["a", "b"]
    monkeypatch.setenv(variable, "c")
    assert env.names(variable, "a") == ["c"]


def test_a_secret_is_made_once_and_kept_private(variable: str, tmp_path: Path) -> None:
    kept = tmp_path / "var" / "secret"
    made = env.kept_secret(variable, kept)
    assert len(made) > 50
    assert env.kept_secret(variable, kept) == made
    assert kept.stat().st_mode & 0o777 == 0o600
    assert env.kept_secret(variable, tmp_path / "other") != made


def test_a_given_secret_is_not_written_down(
    variable: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv(variable, "given")
    assert env.kept_secret(variable, tmp_path / "secret") == "given"
    assert not (tmp_path / "secret").exists()


@pytest.mark.django_db
def test_a_wsgi_server_serves_the_same_pages() -> None:
    from studio.wsgi import application

    request: dict[str, object] = {"PATH_INFO": "/login/", "HTTP_HOST": "127.0.0.1"}
    setup_testing_defaults(request)
    answered: list[str] = []
    body = b"".join(application(request, lambda status, headers: answered.append(status)))
    assert answered == ["200 OK"]
    assert b"<form" in body
