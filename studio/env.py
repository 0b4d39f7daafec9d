"""The one door to the environment: every setting is read through here.

A value may be given as `NAME` or, for secrets mounted as files, as `NAME_FILE` holding a path.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path


class EnvironmentProblem(RuntimeError):
    """A variable is set to something that cannot be used; the text names it."""


def text(name: str, default: str = "") -> str:
    """Return `NAME`, else the stripped contents of the file that `NAME_FILE` names, else `default`."""
    if value := os.environ.get(name, "").strip():
        return value
    path = os.environ.get(f"{name}_FILE", "").strip()
    if not path:
        return default
    try:
        return Path(path).read_text(encoding="utf-8").strip()
    except OSError as error:
        raise EnvironmentProblem(f"{name}_FILE cannot be read: {error.strerror}") from None


def flag(name: str, default: bool = False) -> bool:
    """Return a yes/no variable; anything but 1, true, yes, on counts as no."""
    value = text(name)
    return value.lower() in {"1", "true", "yes", "on"} if value else default


def number(name: str, default: float) -> float:
    """Return a number, or say which variable holds something else."""
    value = text(name)
    try:
        return float(value) if value else default
    except ValueError:
        raise EnvironmentProblem(f"{name} must be a number, not {value!r}") from None


def names(name: str, default: str) -> list[str]:
    """Return a comma-separated list without empty items."""
    return [item.strip() for item in text(name, default).split(",") if item.strip()]


def key_pairs(prefix: str) -> list[tuple[str, str, str]]:
    """Return the complete pairs of `PREFIX_ACCESS_KEY` and `PREFIX_SECRET_KEY`, each with its
    `PREFIX_SESSION_TOKEN` or "": the plain names first, then those that end in `_2` to `_9`.
    """
    names = ("ACCESS_KEY", "SECRET_KEY", "SESSION_TOKEN")
    endings = ("", *(f"_{n}" for n in range(2, 10)))
    found = [tuple(text(f"{prefix}_{name}{end}") for name in names) for end in endings]
    return [(access, secret, token) for access, secret, token in found if access and secret]


def half_pairs(prefix: str) -> list[str]:
    """Return the names of keys that are missing while their other half is given."""
    missing = []
    for end in ("", *(f"_{n}" for n in range(2, 10))):
        pair = {
            name: text(name) for name in (f"{prefix}_ACCESS_KEY{end}", f"{prefix}_SECRET_KEY{end}")
        }
        if len(set(map(bool, pair.values()))) == 2:
            missing += [name for name, value in pair.items() if not value]
    return missing


def kept_secret(name: str, path: Path) -> str:
    """Return `NAME`, or a random secret that is made once and kept in `path` (mode 0600)."""
    if value := text(name):
        return value
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_text(encoding="ascii").strip()
    with os.fdopen(descriptor, "w", encoding="ascii") as file:
        file.write(secrets.token_urlsafe(50))
    return path.read_text(encoding="ascii").strip()
