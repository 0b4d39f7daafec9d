"""django-q2's functions: each fetches nothing, calls one service and returns. Arguments are ids only."""

from __future__ import annotations

from generations.services import batches, driver, jobs, queue
from generations.services.jobs import parts
from generations.services.supervisor import ensure, watchdog


def drive(account_id: int) -> None:
    """Submit and poll for one account, for a slice."""
    watchdog.came_through()
    driver.drive(account_id=account_id, stop=watchdog.stopping)


def finish(job_id: int) -> None:
    """Fetch, verify, keep and render what the provider made for a job, and for those beside it."""
    with watchdog.beating():
        jobs.finish_ready(first=job_id, alive=watchdog.came_through, stop=watchdog.stopping)


def keep(job_id: int, place: int) -> None:
    """Fetch, verify, keep and render one picture of a call that is not over; and do what else is ready:
    with so many messages waiting, no more are sent for that, and each must look for it.
    """
    with watchdog.beating():
        parts.keep(job_id=job_id, place=place)
        jobs.finish_ready(first=job_id, alive=watchdog.came_through, stop=watchdog.stopping)


def feed(batch_id: int) -> None:
    """Make runs of a batch's next lines, for a few seconds; the rest is another message."""
    watchdog.came_through()
    if batches.feed(batch_id=batch_id, alive=watchdog.came_through):
        queue.feed(batch_id)


def ensure_drivers() -> None:
    """Once a minute, beside the supervisor's own rounds."""
    ensure.ensure()


def canary() -> None:
    """Nothing but the proof that messages still come through."""
    watchdog.came_through()
