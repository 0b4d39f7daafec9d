"""The one door to django-q2: messages are wake-ups that may be lost, late or doubled.

Tasks are named by string, so no service imports a task. Arguments are ids only: they are pickled
and anyone with the admin could read them.
"""

from __future__ import annotations

from django.utils import timezone
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from generations.models import DriverLease

DRIVE, MEDIA = "drive", "media"
# More wake-ups than this waiting say nothing new: each driver finds all its work by itself.
_ENOUGH = 20


def full(cluster: str) -> bool:
    """Whether so many messages wait that another would say nothing new."""
    return int(OrmQ.objects.filter(key=cluster)[:_ENOUGH].count()) >= _ENOUGH


def drive(account_id: int) -> None:
    """Ask for a driver for one account. A second one finds the lease taken and returns."""
    if not full(DRIVE):
        async_task("generations.tasks.drive", account_id, cluster=DRIVE)


def wake(account_id: int) -> None:
    """Ask for a driver unless one is alive: a living one looks for work five times a second."""
    alive = DriverLease.objects.filter(account_id=account_id, expires_at__gt=timezone.now())
    if not alive.exists():
        drive(account_id)


def finish(job_id: int) -> None:
    """Ask for a job's result to be fetched, verified and kept."""
    async_task("generations.tasks.finish", job_id, cluster=MEDIA)


def feed(batch_id: int) -> None:
    """Ask for the next lines of a batch to be made into runs. Beside the drivers, so that a new
    batch need not wait until the pictures of the one before are fetched.
    """
    async_task("generations.tasks.feed", batch_id, cluster=DRIVE)


def canary(cluster: str) -> None:
    """Send a message that proves the whole way through a cluster, back to its watchdog."""
    async_task("generations.tasks.canary", cluster=cluster)


def drop_locks(cluster: str) -> None:
    """Free the messages a hung cluster had taken, so that its successor need not wait for them."""
    OrmQ.objects.filter(key=cluster).update(lock=timezone.now())


def keep_ensuring() -> None:
    """A once-a-minute schedule beside the supervisor's own rounds, in case that process is gone."""
    Schedule.objects.update_or_create(
        name="ensure-drivers",
        defaults={
            "func": "generations.tasks.ensure_drivers",
            "schedule_type": Schedule.MINUTES,
            "minutes": 1,
            "repeats": -1,
            "cluster": DRIVE,
        },
    )
