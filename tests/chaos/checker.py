"""The verdict: reads the provider's own ledger and the studio's database, and believes nothing else.

Each check yields one sentence for every thing that is wrong. What was done on purpose (`Evidence`) only
explains why an outcome may be unknown; it excuses nothing else.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from tests.chaos.rows import Row, Rows, key, moment

ACTIVE = ("queued", "submitting", "running", "collecting")
FINAL = ("succeeded", "failed", "cancelled", "expired")
# Faults of the provider after which nobody can know whether it has accepted.
SILENT = ("drop_before", "drop_after", "500", "502html", "truncated", "delay", "slow", "text")
# Clocks of two processes, and the moment between writing a time down and committing it.
SLACK_S = 1.0


@dataclass(frozen=True, slots=True)
class Evidence:
    """What was done on purpose: faults by submission, and times at which drivers were struck."""

    suffered: dict[str, str] = field(default_factory=dict)
    blows: list[tuple[float, float]] = field(default_factory=list)


@dataclass
class Books:
    """Both sides' rows, read once, at rest."""

    rows: Rows
    ledger: list[dict[str, Any]]
    evidence: Evidence

    @cached_property
    def jobs(self) -> dict[int, Row]:
        return {row["id"]: row for row in self.rows.ask("SELECT * FROM generations_job")}

    @cached_property
    def submissions(self) -> dict[str, Row]:
        found = self.rows.ask("SELECT * FROM generations_submission ORDER BY id")
        return {key(row["uuid"]): row for row in found}

    @cached_property
    def accepted(self) -> dict[str, list[dict[str, Any]]]:
        """Ledger lines by the request id that came with them."""
        found: dict[str, list[dict[str, Any]]] = defaultdict(list)
        for line in self.ledger:
            found[key(line["client_request_id"])].append(line)
        return found


def everything_ended(books: Books) -> Iterator[str]:
    for row in books.jobs.values():
        if row["state"] not in (*FINAL, "uncertain"):
            yield f"job {row['id']} is still {row['state']} ({row['reason']})"
    active = "SELECT COUNT(*) FROM generations_generation WHERE state = 'active'"
    if count := books.rows.count(active):
        yield f"{count} generations are still active"


def one_to_one(books: Books) -> Iterator[str]:
    """Every acceptance is known here, and nothing is believed accepted that was not."""
    for uuid, lines in books.accepted.items():
        row = books.submissions.get(uuid)
        if row is None:
            yield f"the provider accepted {uuid}, which no submission bears"
        else:
            yield from _agree(row, lines)
    for uuid, row in books.submissions.items():
        if row["outcome"] == "pending":
            yield f"submission {row['id']} is still pending"
        if row["outcome"] == "accepted" and uuid not in books.accepted:
            yield f"submission {row['id']} is called accepted, and never was"


def _agree(row: Row, lines: list[dict[str, Any]]) -> Iterator[str]:
    if len(lines) > 1:
        yield f"submission {row['id']} was accepted {len(lines)} times"
    if row["outcome"] not in ("accepted", "unknown"):
        yield f"submission {row['id']} was accepted, and is called {row['outcome']}"
    # Of a call whose answer is the result nobody learns the task's id.
    told = "" if lines[0]["action"] == "images/generations" else lines[0]["task_id"]
    if row["outcome"] == "accepted" and row["remote_id"] != told:
        yield f"submission {row['id']} bears another task's id"
    if row["body_sha256"] != lines[0]["body_sha256"]:
        yield f"submission {row['id']} was received with another body"


def duplicates(books: Books) -> Iterator[str]:
    """A job may be accepted once for each time that a person ordered it."""
    times: Counter[tuple[int, int]] = Counter()
    for uuid, lines in books.accepted.items():
        if row := books.submissions.get(uuid):
            times[row["job_id"], row["round"]] += len(lines)
    for (job, number), count in times.items():
        if count > 1:
            yield f"duplicate: job {job} was accepted {count} times in round {number}"
    live = Counter(
        row["job_id"]
        for row in books.submissions.values()
        if row["outcome"] != "rejected" and row["superseded_by_person_id"] is None
    )
    for job, count in live.items():
        if count > 1:
            yield f"duplicate: job {job} has {count} submissions that count"


def double_clicks(books: Books) -> Iterator[str]:
    """Each order names itself in its prompt, so two of one name and model are one order run twice."""
    query = "SELECT prompt, COUNT(*) AS n FROM generations_generation GROUP BY prompt, engine"
    for row in books.rows.ask(f"{query} HAVING COUNT(*) > 1"):
        yield f"“{row['prompt']}” was made {row['n']} times"
    query = (
        "SELECT g.id, g.count, COUNT(j.id) AS n FROM generations_generation g "
        "LEFT JOIN generations_job j ON j.generation_id = g.id GROUP BY g.id, g.count"
    )
    for row in books.rows.ask(query):
        if row["count"] != row["n"]:
            yield f"generation {row['id']} asks for {row['count']} and has {row['n']} jobs"
    query = "SELECT together, COUNT(*) AS n FROM generations_generation GROUP BY together"
    for row in books.rows.ask(query):
        if row["together"] is not None and row["n"] != 2:
            yield f"of two models asked with one press, {row['n']} were"


def why_unknown(books: Books, uuid: str) -> str:
    """What explains that a submission's outcome is unknown: a fault, a blow, or nothing ("")."""
    row = books.submissions[uuid]
    if books.evidence.suffered.get(uuid) in SILENT:
        return books.evidence.suffered[uuid]
    begun = moment(row["sent_at"]) - SLACK_S
    job = books.jobs[row["job_id"]]
    known = [moment(each) for each in (row["answered_at"], job["finished_at"]) if each]
    ended = (min(known) if known else float("inf")) + SLACK_S
    struck = any(start <= ended and end >= begun for start, end in books.evidence.blows)
    return "blow" if struck else ""


def unknowns_explained(books: Books) -> Iterator[str]:
    for uuid, row in books.submissions.items():
        if row["outcome"] == "unknown" and not why_unknown(books, uuid):
            yield f"submission {row['id']} of job {row['job_id']} is unknown for no reason"
    for row in books.jobs.values():
        mine = [each for each in books.submissions.values() if each["job_id"] == row["id"]]
        if row["state"] == "uncertain" and (not mine or mine[-1]["outcome"] != "unknown"):
            yield f"job {row['id']} is uncertain, and its last submission is not"


CHECKS = (
    everything_ended,
    one_to_one,
    duplicates,
    double_clicks,
    unknowns_explained,
)


def check(books: Books) -> list[str]:
    """Everything that is wrong, in the order of CHECKS."""
    return [sentence for one in CHECKS for sentence in one(books)]
