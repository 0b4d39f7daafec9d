"""Each fault of the sandbox alone, at every chance it has, over ten jobs: the named state each job ends
in, the sentence its card says, what is held and what is spent, and that no page fails.
"""

from __future__ import annotations

import contextlib
import html
import sqlite3
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from tests.running import Site, running_site, wait_until

QUICK = {
    "ENGINE_LEASE": "3",
    "ENGINE_RENEW": "1",
    "ENGINE_ENSURE": "0.5",
    "ENGINE_PATIENCE": "0.02",
    "ENGINE_DOWNLOAD": "3",
}
JOBS = 10
ROWS = "from generations.models import *; from django.utils import timezone; "
MINE = "Job.objects.filter(generation__prompt=%r)"
# What refusals under the fault before have left of the account's pace: ten at once are wanted again.
RESTED = """
import time
from generations.models import ProviderAccount
ProviderAccount.objects.update(reduced_to=None, strikes=0, cool_until=None)
time.sleep(1.5)  # its driver reads that when it renews its lease
"""
ASK = """
from generations.models import Project, User
from generations.services import compose
user, project = User.objects.get(username="designer"), Project.objects.get(slug="demo")
for _ in range(2):
    compose.submit(project=project, user=user, engine="jimeng-image-4.0", prompt=%r,
                   settings={"size": "1024x1024"}, count=5)
answer = str(project.public_id)
"""


@dataclass(frozen=True, slots=True)
class End:
    """Where ten jobs come to rest: state, reason, what is spent and held, the card's words."""

    state: str
    reason: str = ""
    spent: int = 0
    held: int = 0
    says: str = ""


MADE = End("succeeded", spent=JOBS)
UNCERTAIN = End("uncertain", held=JOBS, says="was not sent again")
FORGOTTEN = End("expired", "not_found", JOBS, says="no longer knows this task")
ENDS: dict[str, End] = {
    **dict.fromkeys(("drop_before", "drop_after", "500", "502html", "truncated"), UNCERTAIN),
    **dict.fromkeys(("delay", "text", "slow", "poll_delay", "poll_text", "poll_slow"), MADE),
    "poll_not_found": FORGOTTEN,
    "poll_50215": End("expired", "stale_task", JOBS, says="refuses to say what became of this"),
    "poll_expired": End("expired", "expired", JOBS, says="let this task expire"),
    "poll_done_error": End("failed", "moderated_output", says="held back the finished picture"),
    "file_404": End("failed", "result_lost", JOBS, says="gone before it could be fetched"),
    "file_wrong": End("failed", "bad_output", JOBS, says="damaged or no picture"),
    "file_huge": End("failed", "too_large", JOBS, says="too large to keep"),
}
# These are waited out: a rest first, and an end only when the provider has surely forgotten the task.
ASLEEP = End("queued", says="for a pause", held=JOBS)
ASKING = End("running", says="Generating", held=JOBS)
FETCHING = End("collecting", says="Fetching", held=JOBS)
TOO_LATE = End("expired", "deadline", JOBS, says="before the deadline")
LOST = End("failed", "result_lost", JOBS, says="gone before it could be fetched")
WAITS: dict[str, tuple[End, End]] = {
    **dict.fromkeys(("429", "50429", "50430"), (ASLEEP, MADE)),
    **dict.fromkeys(
        ("poll_drop", "poll_500", "poll_502html", "poll_truncated"), (ASKING, TOO_LATE)
    ),
    **dict.fromkeys(("file_500", "file_truncate", "file_slow"), (FETCHING, LOST)),
    "file_redirect": (
        FETCHING,
        End("failed", "refused_url", JOBS, says="address that is not allow"),
    ),
}


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("faults")
    with running_site(folder, worker=False, demo=False, **QUICK) as made:
        made.begin()
        room = "ProviderAccount.objects.update(max_concurrent=20, rate_per_s=50)"
        made.shell(f"{ROWS}Allowance.objects.update(limit=100_000); {room}; answer = None")
        made.start_worker()
        yield made


def read(site: Site, query: str, *values: object) -> list[tuple[Any, ...]]:
    """Read from outside, in a moment."""
    with contextlib.closing(sqlite3.connect(f"file:{site.var}/db.sqlite3?mode=ro", uri=True)) as db:
        return db.execute(query, values).fetchall()


def look(site: Site, prompt: str) -> list[tuple[str, str]]:
    query = (
        "SELECT j.state, j.reason FROM generations_job j JOIN generations_generation g "
        "ON j.generation_id = g.id WHERE g.prompt = ?"
    )
    return [(state, reason) for state, reason in read(site, query, prompt)]


def books(site: Site, prompt: str) -> dict[str, int]:
    """What the ledger holds and has spent for these ten jobs, and how far the books are wrong."""
    code = (
        "from generations.services import quota; from django.db.models import Sum; "
        f"rows = LedgerEntry.objects.filter(job__in={MINE % prompt}); "
        "one = rows.order_by('allowance_id').values_list('allowance_id', flat=True).first(); "
        "sums = dict(rows.filter(allowance_id=one).order_by().values_list('kind')"
        ".annotate(n=Sum('amount'))); "
        "answer = {'spent': sums.get('spend', 0), 'wrong': len(quota.discrepancies()), "
        "'held': sums['reserve'] - sums.get('spend', 0) - sums.get('release', 0)}"
    )
    found: dict[str, int] = site.shell(ROWS + code)
    return found


def rests(site: Site, prompt: str, end: End) -> None:
    """Wait until all ten are there, and see that the books and the page agree."""
    wanted = {end.state}
    wait_until(
        lambda: {state for state, _ in look(site, prompt)} == wanted,
        timeout_s=120,
        every_s=0.5,
        what=f"{prompt}: {end.state}",
    )
    if end.reason:
        assert look(site, prompt) == [(end.state, end.reason)] * JOBS
    assert books(site, prompt) == {"spent": end.spent, "held": end.held, "wrong": 0}


def says(site: Site, project: str, end: End) -> None:
    session = site.session()
    session.headers["Accept-Language"] = "en"
    session.cookies.set("django_language", "en")

    def said() -> bool:
        # A waiting job is tried again now and then; at that moment its card says so.
        page = session.get(f"{site.url}/p/{project}/", timeout=30)
        assert page.status_code == 200
        return html.unescape(page.text).count(end.says) >= JOBS

    wait_until(said, timeout_s=30, every_s=0.5, what=end.says)
    assert session.get(f"{site.url}/p/{project}/gallery/", timeout=30).status_code == 200


def alone_at_every_chance(site: Site, fault: str) -> None:
    """Ten jobs under one fault: where they come to rest, what the page says, what was accepted."""
    prompt = f"ten jobs under {fault}"
    before = len(site.sandbox.ledger())
    site.sandbox.set_faults(faults={fault: 1.0})
    project = site.shell(RESTED + ASK % prompt)
    if fault in WAITS:
        end = waited_out(site, project, prompt, fault)
    else:
        end = ENDS[fault]
        rests(site, prompt, end)
    if end.says:
        says(site, project, end)
    site.sandbox.set_faults(faults={})
    query = (
        "SELECT COUNT(*) FROM generations_asset a JOIN generations_generation g "
        "ON a.generation_id = g.id WHERE g.prompt = ?"
    )
    assert read(site, query, prompt)[0][0] == (JOBS if end is MADE else 0)
    nothing_accepted = fault in ("drop_before", "500", "502html")
    assert len(site.sandbox.ledger()) - before == (0 if nothing_accepted else JOBS)


def waited_out(site: Site, project: str, prompt: str, fault: str) -> End:
    """See it wait with a sentence; then let the fault pass, or the time in which a result is kept."""
    rest, end = WAITS[fault]
    rests(site, prompt, rest)
    says(site, project, rest)
    if end is MADE:
        site.sandbox.set_faults(faults={})
    else:
        site.shell(f"{ROWS}{MINE % prompt}.update(deadline_at=timezone.now()); answer = None")
    rests(site, prompt, end)
    return end
