"""References that a provider fetches from the object store are put there before their job is sent.

Meanwhile the job waits in line like any other, unsent and without a lease: dying here, a cancel or a pause
cost nothing. When all is there it is claimed again. A store that fails makes its jobs wait, each time longer,
and everybody else goes on.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from datetime import timedelta
from functools import partial

from django.conf import settings
from django.db.models import QuerySet
from django.utils import timezone

from generations.models import Job, JobState, StoredCopy
from generations.services import jobs, store
from generations.services.driver import claims
from generations.services.driver.calls import Errand, Lent, Pool, Result
from generations.services.driver.hold import Hold, Stop
from generations.services.driver.lease import Lease
from generations.services.driver.watch import Then
from generations.services.jobs.backoff import retry_interval

# A job comes back into the line by itself when nobody told what became of its pictures.
PARKED = timedelta(seconds=30)
# So long after its time a slice still waits for what is on its way to the store.
LATE_S = 15.0
# Each thread has a client of its own, which takes memory; one upload takes a second or two.
LENDERS = 4


class Lending(Hold):
    """What a slice has on its way to the store, and which jobs wait for it."""

    def __init__(self, lease: Lease, stop: Stop) -> None:
        super().__init__(lease, stop)
        self.lenders = Pool(LENDERS, beside=self.pool)
        self.parked: dict[int, list[Job]] = {}

    def ending(self) -> bool:
        """A hand-over waits for what is nearly there, so that it is not put there twice."""
        late = time.monotonic() - self.started > settings.ENGINE["slice_s"] + LATE_S
        return super().ending() and (late or not self.parked or self.asked_to_stop())

    def lend(self, job: Job, copies: Sequence[StoredCopy]) -> None:
        """Give the job back to the line, and see to it that what it needs is there when it returns."""
        claims.put_back(self.lease, [job.pk])
        waiting = Job.objects.filter(pk=job.pk, state=JobState.QUEUED, lease_owner="")
        waiting.update(not_before=timezone.now() + PARKED, reason="")
        for copy in copies:
            others = self.parked.setdefault(copy.pk, [])
            others.append(job)
            if len(others) == 1:
                self.lenders.send(Errand("lend", job, partial(_put, copy)))

    def record(self, result: Result) -> Then:
        return self.lent(result.answer) if result.verb == "lend" else super().record(result)

    def lent(self, answer: object) -> Then:
        """One picture is there, or it is not: its jobs come back, at once or after a while."""
        if not isinstance(answer, Lent):
            return self.parked.clear  # a bug of ours, and logged: they come back by themselves
        waiting = self.parked.get(answer.copy_id, [])
        if answer.reason:
            _wait(waiting, answer.reason)
        else:
            StoredCopy.objects.filter(pk=answer.copy_id).update(put_at=timezone.now())
            _parked(waiting).filter(reason="").update(not_before=None)
        return lambda: self.forget(answer.copy_id)

    def forget(self, copy_id: int) -> None:
        self.parked.pop(copy_id, None)


def _put(copy: StoredCopy) -> Lent:
    try:
        store.put(copy)
    except store.StoreProblem as problem:
        return Lent(copy.pk, problem.reason)
    return Lent(copy.pk)


def _parked(waiting: Iterable[Job]) -> QuerySet[Job]:
    ids = [job.pk for job in waiting]
    return Job.objects.filter(pk__in=ids, state=JobState.QUEUED, lease_owner="")


def _wait(waiting: Iterable[Job], reason: str) -> None:
    """Say why on the cards; nothing was sent, so nothing is uncertain and nothing has failed."""
    for job in waiting:
        later = timezone.now() + timedelta(seconds=retry_interval(job.tries))
        _parked([job]).update(reason=reason, not_before=later, tries=min(job.tries + 1, 1000))
    jobs.touch({job.generation_id for job in waiting})
