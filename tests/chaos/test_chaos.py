"""Twelve kills while four people work: nothing lost, nothing paid twice. And what the check is worth."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.chaos import checker, files, money
from tests.chaos.checker import Books, Evidence
from tests.chaos.rows import Rows
from tests.chaos.run import run
from tests.chaos.world import Settings

pytestmark = [pytest.mark.site, pytest.mark.timeout(600)]


def test_twelve_kills_lose_nothing_and_pay_nothing_twice(built: None, tmp_path: Path) -> None:
    report = run(Settings(kills=12, jobs=120, every_s=2.5), tmp_path / "chaos")
    print(report.text())
    assert report.wrong == []
    assert sum(report.strikes.values()) == 12
    assert report.states["succeeded"] > 30


@pytest.mark.prove
@pytest.mark.parametrize("database", ["sqlite", "postgres"])
def test_sixty_kills(
    built: None, tmp_path: Path, database: str, request: pytest.FixtureRequest
) -> None:
    where = request.getfixturevalue("postgres_url") if database == "postgres" else ""
    report = run(Settings(kills=60, jobs=600, database=where), tmp_path / "chaos")
    print(report.text())
    assert report.wrong == []


@pytest.mark.prove
def test_ten_kills_under_production_values(built: None, tmp_path: Path) -> None:
    settings = Settings(kills=10, jobs=100, every_s=15, production=True, rest_s=900)
    report = run(settings, tmp_path / "chaos")
    print(report.text())
    assert report.wrong == []


# What is done to the rows, and the words in which the check complains.
SABOTAGE: dict[str, str] = {
    "UPDATE generations_balance SET spent = spent + 1": "is not its ledger",
    "UPDATE generations_balance SET reserved = reserved + 1": "are uncertain",
    "UPDATE generations_ledgerentry SET kind = 'release' WHERE kind = 'spend'": "spent 0, not 1",
    "DELETE FROM generations_ledgerentry WHERE job_id = 1": "without a reservation",
    "UPDATE generations_job SET state = 'running' WHERE id = 1": "job 1 is still running",
    "UPDATE generations_job SET state = 'uncertain' WHERE id = 1": "job 1 is uncertain, and",
    "UPDATE generations_submission SET outcome = 'pending'": "is still pending",
    "UPDATE generations_submission SET outcome = 'unknown'": "is unknown for no reason",
    "UPDATE generations_submission SET remote_id = '7' || remote_id": "bears another task's id",
    "UPDATE generations_submission SET body_sha256 = ''": "with another body",
    "UPDATE generations_submission SET uuid = 'f' || substr(uuid, 2)": "which no submission bears",
    "UPDATE generations_generation SET prompt = 'one'": "was made",
    "UPDATE generations_generation SET count = 9": "asks for 9",
    "DELETE FROM generations_rendition WHERE id = 1": "renditions",
    "UPDATE generations_blob SET size = 1": "has another size",
    "UPDATE generations_blob SET uses = 0": "counts 0 uses",
}


def judged(folder: Path) -> list[str]:
    lines = (folder / "sandbox" / "ledger.jsonl").read_text(encoding="utf-8").splitlines()
    rows = Rows(f"sqlite:///{folder / 'var' / 'db.sqlite3'}")
    books = Books(rows, [json.loads(line) for line in lines], Evidence())
    found = [*checker.check(books), *files.pictures(books), *money.balances(books)]
    return [*found, *money.spendings(books), *files.bytes_and_rows(books, folder / "var/media")]


def sabotage(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "var" / "db.sqlite3", isolation_level=None)) as db:
        db.execute("PRAGMA foreign_keys = OFF")
        db.execute("PRAGMA ignore_check_constraints = ON")
        query = "SELECT name FROM sqlite_master WHERE type = 'index' AND sql > ''"
        for (name,) in db.execute(query).fetchall():
            db.execute(f'DROP INDEX "{name}"')
        db.execute(statement)


def restored(folder: Path, spoil: Callable[[], object]) -> list[str]:
    """What the check says with one thing spoilt, and everything put back afterwards."""
    database = folder / "var" / "db.sqlite3"
    before = database.read_bytes()
    spoil()
    try:
        return judged(folder)
    finally:
        database.write_bytes(before)


def test_the_check_finds_what_the_guard_prevents_and_everything_else(
    built: None, tmp_path: Path
) -> None:
    """The twin: with the guard removed, jobs are accepted twice, and the check says so."""
    # People ask for as long as the kills last: the first one, at a named point, finds them at it.
    settings = Settings(kills=3, jobs=24, every_s=4, fault_rate=0, unsafe_requeue=True)
    folder = tmp_path / "chaos"
    report = run(settings, folder)
    assert report.duplicates >= 1, report.text()
    with closing(sqlite3.connect(folder / "var" / "db.sqlite3")) as db:
        db.execute("PRAGMA journal_mode = DELETE")  # one file, to be put back as it was
    before = judged(folder)
    for statement, words in SABOTAGE.items():
        said = restored(folder, lambda one=statement: sabotage(folder, one))
        assert [line for line in {*said} - {*before} if words in line], statement
    blob = next((folder / "var" / "media").glob("??/*"))
    blob.write_bytes(b"something else")
    assert any("other bytes" in line for line in judged(folder))
    blob.unlink()
    assert any("has no bytes" in line for line in judged(folder))
    blob.with_name("0" * 64).write_bytes(b"")
    assert any("have no row" in line for line in judged(folder))
