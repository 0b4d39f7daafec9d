"""Synchronous calls: the answer to the submit is the result, and may take ten minutes.

A slice that still waits for some at its end hands the account over and only waits from then on. One
slice of an account may do so at a time, or they would fill the workers; until its turn comes a slice
drives on. A stop waits too, up to its grace; what is cut off is called uncertain at once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from django import db
from django.conf import settings
from django.db import transaction

from generations.models import Job, Outcome, Submission
from generations.providers.base import LONGEST_CALL_S, Part
from generations.services import engines, events, jobs, queue
from generations.services.driver import claims, verdicts
from generations.services.driver.calls import Pool, Result
from generations.services.driver.lease import Lease
from generations.services.driver.watch import AWAY_S, Watch
from generations.services.jobs import parts

log = logging.getLogger(__name__)
Stop = Callable[[], bool]
# Of a stop's grace, what it takes to write down what is cut off, and to end.
MARGIN_S = 3.0
LOOK_S = 0.2
# What Django raises when the database is not there, or was closed by somebody else.
GONE = (db.OperationalError, db.InterfaceError)


class Hold(Watch):
    """What a slice knows about its synchronous calls, and how it ends with some of them open."""

    def __init__(self, lease: Lease, stop: Stop) -> None:
        super().__init__(lease)
        self.stop = stop
        self.pool = Pool(int(settings.ENGINE["threads"]))
        self.slow = Pool(int(settings.ENGINE["slow_threads"]), beside=self.pool)
        self.held: dict[int, Job] = {}
        self.started = time.monotonic()
        self.stopped_at: float | None = None
        self.asked_at = 0.0
        self.may_leave = False

    def asked_to_stop(self) -> bool:
        if self.stopped_at is None and self.stop():
            self.stopped_at = time.monotonic()
        return self.stopped_at is not None

    def ending(self) -> bool:
        """The slice is over or a stop is asked for; with calls open, only when it may hand over."""
        if self.asked_to_stop():
            return True
        over = time.monotonic() - self.started > settings.ENGINE["slice_s"]
        return over and (not self.open_calls() or self._seat_is_free())

    def open_calls(self) -> set[int]:
        self.held = {pk: job for pk, job in self.held.items() if pk in self.sending}
        return set(self.held)

    def part_arrived(self, job: Job, row: Submission, part: Part) -> None:
        """One picture of a call that goes on; runs in the call's thread. What fails here is done again
        with the whole answer.
        """
        try:
            kept = parts.on_disk(part)
        except OSError:
            log.exception("a picture that arrived cannot be written", extra={"job": job.pk})
            return
        self.pool.results.put(Result("part", job, kept, row))

    def _seat_is_free(self) -> bool:
        """Whether no earlier slice of the account is waiting already; asked once a second."""
        if time.monotonic() - self.asked_at > 1.0:
            self.asked_at = time.monotonic()
            self.may_leave = not claims.sent_by_others(self.lease)
        return self.may_leave

    def too_late_for(self) -> list[str]:
        """Engines whose calls would outlive this task: django-q2 ends it after its time-out."""
        longest = settings.Q_CLUSTER["ALT_CLUSTERS"]["drive"]["timeout"] - LONGEST_CALL_S - 20
        if time.monotonic() - self.started < longest:
            return []
        return [engine.slug for engine in engines.every() if engine.synchronous]

    # --- after the slice ---

    def rescue(self) -> None:
        """The slice broke off, as when its database went away: what is being sent comes back, and is
        written down as soon as it can be.
        """
        ends = time.monotonic() + AWAY_S
        while self.sending.keys() - self.open_calls() and time.monotonic() < ends:
            self.await_database()
            try:
                self.absorb(self.pool.gather(LOOK_S))
            except GONE:
                log.warning("an answer was written, but what follows was not")

    def hand_over(self, account_id: int | None) -> None:
        """Let the next driver in, and ask for it. Without a database the lease runs out, and the sweep asks."""
        try:
            self.lease.release()
            if account_id is not None:
                queue.drive(account_id)
        except GONE:
            log.warning("not handed over: the database does not answer")
            db.connection.close()

    def wait_for_calls(self) -> None:
        """Keep the open calls' leases, and record each answer, until there are none."""
        self._keep_calls()
        while self.open_calls():
            if self._grace_is_over():
                self._cut_off()
                return
            if self.lease.due():
                self._keep_calls()
            try:
                self.absorb(self.pool.gather(LOOK_S))
            except GONE:
                log.warning("an answer was written, but what follows was not")
                db.connection.close()

    def _keep_calls(self) -> None:
        try:
            self.lease.renew_jobs(self.open_calls())
        except GONE:
            log.warning("leases of open calls not renewed: the database does not answer")
            db.connection.close()

    def _grace_is_over(self) -> bool:
        if not self.asked_to_stop():
            return False
        assert self.stopped_at is not None
        grace = settings.ENGINE["stop_grace_s"]
        return time.monotonic() - self.stopped_at > grace - min(MARGIN_S, grace / 4)

    def _cut_off(self) -> None:
        """Nobody will read these answers: say so now instead of when their leases run out."""
        cut = list(self.held.values())
        with transaction.atomic():
            events.in_order()
            won = jobs.apply([verdicts.after_cut_off(job, self.lease.epoch) for job in cut])
            pending = Submission.objects.filter(job__in=cut, outcome=Outcome.PENDING)
            pending.update(outcome=Outcome.UNKNOWN)
        log.warning(
            "stopped before the answer to calls that cannot be resumed",
            extra={"account": self.lease.account.pk, "cut_off": sum(won)},
        )
