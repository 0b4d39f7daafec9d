"""django-q2's functions: each fetches nothing, calls one service and returns. Arguments are ids only."""

from __future__ import annotations

from generations.services import batches, driver, jobs, queue
from generations.services.supervisor import ensure, processes


def drive(account_id: int) -> None:
    """Submit and poll for one account, for a slice."""
    processes.came_through()
    driver.drive(account_id=account_id, stop=processes.stopping)


def finish(job_id: int) -> None:
    """Fetch, verify, keep and render what the provider made for one job."""
    processes.came_through()
    jobs.finish(job_id=job_id, alive=processes.came_through)


def feed(batch_id: int) -> None:
    """Make runs of a batch's next lines, for a few seconds; the rest is another message."""
    processes.came_through()
    if batches.feed(batch_id=batch_id, alive=processes.came_through):
        queue.feed(batch_id)


def ensure_drivers() -> None:
    """Once a minute, beside the supervisor's own rounds."""
    ensure.ensure()


def canary() -> None:
    """Nothing but the proof that messages still come through."""
    processes.came_through()
