"""A link for one person and ten at once: one joins, nine are too late; without the guard, more do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.running import ROOT

PEOPLE = 10


def press(database_url: str, var: Path, *flags: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.invitation_race", str(PEOPLE), *flags],
        cwd=ROOT,
        env={**os.environ, "DATABASE_URL": database_url, "VAR_DIR": str(var)},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found: dict[str, int] = json.loads(done.stdout.splitlines()[-1])
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgresql", marks=pytest.mark.postgres)])
def database_url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return f"sqlite:///{tmp_path / 'race.sqlite3'}"
    url: str = request.getfixturevalue("postgres_url")
    return url


def test_one_of_ten_joins_and_nobody_else_is_made(database_url: str, tmp_path: Path) -> None:
    assert press(database_url, tmp_path) == {
        "joined": 1,
        "too late": 9,
        "members": 1,
        "people": 1,
        "uses": 1,
    }


def test_without_the_guard_one_link_lets_several_in(database_url: str, tmp_path: Path) -> None:
    assert press(database_url, tmp_path, "--unsafe")["members"] > 1
