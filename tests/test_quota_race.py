"""An allowance of 3 and 10 parallel composes: 3 accepted, 7 refused; without the guard, overspent."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

PEOPLE = 10
ROOT = Path(__file__).resolve().parent.parent


def press(database_url: str, var: Path, *flags: str) -> dict[str, int]:
    done = subprocess.run(
        [sys.executable, "-m", "tests.quota_race", str(PEOPLE), *flags],
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


def test_three_of_ten_are_accepted(database_url: str, tmp_path: Path) -> None:
    assert press(database_url, tmp_path) == {
        "accepted": 3,
        "refused": 7,
        "limit": 3,
        "generations": 3,
        "reserved": 3,
    }


def test_without_the_guard_the_allowance_is_overspent(database_url: str, tmp_path: Path) -> None:
    found = press(database_url, tmp_path, "--unsafe")
    assert found["generations"] > found["limit"]
