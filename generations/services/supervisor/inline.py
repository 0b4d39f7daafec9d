"""Driving without a worker: the command line does the work itself when nobody else does."""

from __future__ import annotations

import time

from django.db.models import Q, QuerySet
from django.utils import timezone

from generations.models import DriverLease, Generation, Job, JobState
from generations.services import driver, jobs
from generations.services.supervisor import ensure

LOOK_EVERY_S = 0.5
S = JobState


def step(*, generation: Generation) -> None:
    """Bring the generation a little further, or wait a moment while a worker does.

    Ends after a slice at the latest, or as soon as no job of the generation needs the provider.
    """
    accounts = set(_at_the_provider(generation).values_list("account_id", flat=True))
    alive = DriverLease.objects.filter(account_id__in=accounts, expires_at__gt=timezone.now())
    if alive.exists():
        time.sleep(LOOK_EVERY_S)
        return
    ensure.lost_answers()
    ensure.deadlines()
    for account_id in accounts:
        driver.drive(account_id=account_id, stop=_Until(generation))
    _collect(generation)
    time.sleep(0.1)


def _at_the_provider(generation: Generation) -> QuerySet[Job]:
    return generation.jobs.filter(state__in=(S.QUEUED, S.SUBMITTING, S.RUNNING))


class _Until:
    """A stop flag that asks the database twice a second whether anything is left to drive."""

    def __init__(self, generation: Generation) -> None:
        self.generation = generation
        self.asked_at = 0.0
        self.answer = False

    def __call__(self) -> bool:
        now = time.monotonic()
        if not self.answer and now - self.asked_at > LOOK_EVERY_S:
            self.asked_at = now
            self.answer = not _at_the_provider(self.generation).exists()
        return self.answer


def _collect(generation: Generation) -> None:
    due = Q(tries=0) | Q(not_before__lte=timezone.now())
    for pk in list(generation.jobs.filter(due, state=S.COLLECTING).values_list("pk", flat=True)):
        jobs.finish(job_id=pk, alive=lambda: None)
