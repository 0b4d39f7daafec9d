"""What one run costs the database: commits and write statements, from compose to settled."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.db import connection

WRITES = ("INSERT", "UPDATE", "DELETE")
SETTINGS = {"size": "1024x1024", "scale": "0.5", "output": "single"}
# Run in a process of a site that has a sandbox and no worker: `site.shell(HERE.format(count=20))`.
HERE = "from bench.writes import measure\nfound = measure({count})\nanswer = [found.commits, found.statements, found.waiting]"


@dataclass(slots=True)
class Count:
    """Commits and write statements between two moments; `waiting`: those while all runs were polled."""

    commits: int = 0
    statements: int = 0
    waiting: int = 0


@contextmanager
def counted() -> Iterator[Count]:
    """Count what this process writes through its connection.

    A write outside a transaction is a commit of its own; a read never is one.
    """
    count = Count()

    def execute(
        run: Callable[..., Any], sql: str, params: Any, many: bool, context: dict[str, Any]
    ) -> Any:
        if sql.lstrip("( ").upper().startswith(WRITES):
            count.statements += 1
            count.commits += not connection.in_atomic_block
        return run(sql, params, many, context)

    commit = connection.commit

    def committing() -> None:
        count.commits += 1
        commit()

    connection.commit = committing  # type: ignore[method-assign]
    try:
        with connection.execute_wrapper(execute):
            yield count
    finally:
        del connection.commit  # the class's own is found again


def measure(runs: int) -> Count:
    """Compose, drive and settle `runs` of one picture in this process, all in flight together."""
    from generations.models import Project, User
    from generations.services import compose

    project = Project.objects.get(slug="demo")
    person = User.objects.get(username="designer")
    with counted() as count:
        for number in range(runs):
            compose.submit(
                project=project,
                user=person,
                engine="jimeng-image-4.0",
                prompt=f"{number}",
                settings=SETTINGS,
                count=1,
            )
        settle(count, runs)
    return count


def settle(count: Count, runs: int) -> None:
    """Do what a worker does until every job has ended; see what is written while all are running."""
    from generations.models import Job, JobState, ProviderAccount
    from generations.models.runs import ACTIVE
    from generations.services import driver, jobs

    account = ProviderAccount.objects.get(provider="jimeng")
    before: list[int] = []

    def over() -> bool:
        states = list(Job.objects.values_list("state", flat=True))
        if states.count(JobState.RUNNING) == runs:
            before.append(count.statements)
            count.waiting = before[-1] - before[0]
        return not {JobState.QUEUED, JobState.SUBMITTING, JobState.RUNNING} & {*states}

    while Job.objects.filter(state__in=ACTIVE).exists():
        driver.drive(account_id=account.pk, stop=over)
        for pk in list(Job.objects.filter(state=JobState.COLLECTING).values_list("pk", flat=True)):
            jobs.finish(job_id=pk, alive=lambda: None)
