"""What others made: vendored files and pinned packages."""

from __future__ import annotations

import hashlib
import json
import re

import pytest

from tests.running import ROOT

PACKAGES = {
    *("django", "django-htmx", "django-q2", "pillow", "requests", "whitenoise", "pytest-django"),
}


def test_vendored_files_are_what_they_were() -> None:
    folder = ROOT / "static" / "vendor"
    listed = {
        file["path"]: file["sha256"]
        for package in json.loads((folder / "VENDORED.json").read_text())["packages"]
        for file in package["files"]
        if package["name"] and package["version"] and package["licence"] and package["npm"]
    }
    changed = [
        name
        for name, digest in listed.items()
        if hashlib.sha256((folder / name).read_bytes()).hexdigest() != digest
    ]
    assert changed == []
    there = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert there - set(listed) == {"VENDORED.json"}


def pinned(lock: str) -> dict[str, str]:
    """Package to the lines that pin it."""
    text = (ROOT / lock).read_text(encoding="utf-8")
    entries = re.findall(
        r"^([a-z0-9][\w.\[\],-]*)==(.*?)(?=^\S|\Z)", text, re.DOTALL | re.MULTILINE
    )
    return {name.partition("[")[0]: rest for name, rest in entries}


@pytest.mark.parametrize("lock", ["requirements.txt", "requirements-dev.txt"])
def test_everything_is_pinned_with_hashes(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    named = re.findall(r"^[a-zA-Z0-9][^\n]*", text, re.MULTILINE)
    assert len(named) == len(pinned(lock)) > 20
    assert [name for name, rest in pinned(lock).items() if "--hash=sha256:" not in rest] == []
    assert "://" not in text  # no index, no file of one machine


def test_the_seven_packages_and_a_reason_for_each() -> None:
    assert set(pinned("requirements.txt")) >= PACKAGES
    for name in ("requirements.in", "requirements-dev.in"):
        wanted = [
            line
            for line in (ROOT / name).read_text(encoding="utf-8").splitlines()
            if line and not line.startswith(("#", "-"))
        ]
        silent = [line for line in wanted if name == "requirements.in" and "#" not in line]
        locked = pinned(name.replace(".in", ".txt"))
        missing = [line for line in wanted if re.split(r"[\s\[;<>=~]", line)[0] not in locked]
        assert (silent, missing) == ([], [])
