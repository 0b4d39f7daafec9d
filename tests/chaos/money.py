"""The part of the verdict about allowances: every balance is its ledger, and what is spent was delivered."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator

from tests.chaos.checker import Books
from tests.chaos.files import outputs_of
from tests.chaos.rows import Row

# What each kind of entry adds to (granted, reserved, spent).
SIGNS = {
    "grant": (1, 0, 0),
    "adjust": (1, 0, 0),
    "reserve": (0, 1, 0),
    "spend": (0, -1, 1),
    "release": (0, -1, 0),
}
PARTS = ("granted", "reserved", "spent")


def entries(books: Books) -> list[Row]:
    return books.rows.ask("SELECT * FROM generations_ledgerentry")


def balances(books: Books) -> Iterator[str]:
    """Every balance is the sum of its entries, and holds what uncertain jobs may yet cost: no more."""
    sums: dict[int, list[int]] = defaultdict(lambda: [0, 0, 0])
    held: Counter[int] = Counter()
    for entry in entries(books):
        for at, sign in enumerate(SIGNS[entry["kind"]]):
            sums[entry["balance_id"]][at] += sign * entry["amount"]
        job = books.jobs.get(entry["job_id"])
        if job and job["state"] == "uncertain" and entry["round"] == job["round"]:
            held[entry["balance_id"]] += entry["amount"] if entry["kind"] == "reserve" else 0
    for row in books.rows.ask("SELECT * FROM generations_balance"):
        if [row[part] for part in PARTS] != sums[row["id"]]:
            yield f"balance {row['id']} is not its ledger: {sums[row['id']]}"
        if row["reserved"] != held[row["id"]]:
            yield f"balance {row['id']} holds {row['reserved']}, and {held[row['id']]} are uncertain"


def at_rest(books: Books) -> Iterator[str]:
    """When nothing is under way and nothing in doubt, nothing is held."""
    for row in books.rows.ask("SELECT * FROM generations_balance WHERE reserved <> 0"):
        yield f"balance {row['id']} still holds {row['reserved']} at rest"


def delivered(job: Row) -> int | None:
    """What a job's last round must have spent; None where only a person's word decides it."""
    if job["state"] == "expired":
        return int(job["max_outputs"])
    if job["state"] == "cancelled":
        return 0
    if job["reason"] == "dismissed":
        return int(job["max_outputs"])
    return outputs_of(job)  # succeeded, or failed after or before anything was delivered


def spendings(books: Books) -> Iterator[str]:
    """In each allowance that a round was held in, it is settled once, to what was delivered."""
    rounds: dict[tuple[int, int, int], Counter[str]] = defaultdict(Counter)
    for entry in entries(books):
        if entry["job_id"]:
            where = (entry["job_id"], entry["round"], entry["balance_id"])
            rounds[where][entry["kind"]] += entry["amount"]
    for (job_id, number, _balance), found in rounds.items():
        yield from _settled(books.jobs[job_id], number, found)
    reserved = {(job_id, number) for job_id, number, _balance in rounds}
    for job in books.jobs.values():
        if (job["id"], job["round"]) not in reserved:
            yield f"job {job['id']} ran without a reservation"


def _settled(job: Row, number: int, found: Counter[str]) -> Iterator[str]:
    last = number == job["round"]
    if last and job["state"] == "uncertain":
        return
    if found["reserve"] != found["spend"] + found["release"]:
        yield f"job {job['id']}, round {number}: not settled"
    elif last and found["spend"] != delivered(job):
        yield f"job {job['id']} ({job['state']}) spent {found['spend']}, not {delivered(job)}"
