"""The one door to django-q2: messages are wake-ups that may be lost, late or doubled.

Tasks are named by string, so no service imports a task. Arguments are ids only: they are pickled
and anyone with the admin could read them.
"""

from __future__ import annotations

from collections.abc import Callable

from django.utils import timezone
from django_q import signals
from django_q.models import OrmQ, Schedule
from django_q.tasks import async_task

from generations.models import DriverLease

DRIVE, MEDIA = "drive", "media"
# More wake-ups than this waiting say nothing new: each driver finds all its work by itself.
_ENOUGH = 20


def full(cluster: str) -> bool:
    """Whether so many messages wait that another would say nothing new.

    Those that somebody has taken do not wait: he may be dead, and they stay locked for long.
    """
    waiting = OrmQ.objects.filter(key=cluster, lock__lte=timezone.now())
    return int(waiting[:_ENOUGH].count()) >= _ENOUGH


def waiting() -> dict[str, int]:
    """How many messages wait in front of each cluster."""
    return {name: OrmQ.objects.filter(key=name).count() for name in (DRIVE, MEDIA)}


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
    """Ask for a job's result to be fetched, verified and kept; each that is asked looks for more."""
    if not full(MEDIA):
        async_task("generations.tasks.finish", job_id, cluster=MEDIA)


def keep(job_id: int, place: int) -> None:
    """Ask for one picture of a call that is not over to be fetched, verified and kept."""
    async_task("generations.tasks.keep", job_id, place, cluster=MEDIA)


def feed(batch_id: int) -> None:
    """Ask for the next lines of a batch to be made into runs. Beside the drivers, so that a new
    batch need not wait until the pictures of the one before are fetched.
    """
    async_task("generations.tasks.feed", batch_id, cluster=DRIVE)


def canary(cluster: str) -> None:
    """Send a message that proves the whole way through a cluster, back to its watchdog."""
    async_task("generations.tasks.canary", cluster=cluster)


def tell(*, completed: Callable[[], None], acknowledged: Callable[[], None]) -> None:
    """Call `completed` in a worker after each task, `acknowledged` in the monitor that took its result."""
    in_worker, in_monitor = signals.post_execute_in_worker, signals.post_execute
    in_worker.connect(lambda **_more: completed(), weak=False, dispatch_uid="completed")
    in_monitor.connect(lambda **_more: acknowledged(), weak=False, dispatch_uid="acknowledged")


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
