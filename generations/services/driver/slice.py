"""One slice of driving: at most `slice_s` seconds of submitting and polling for one account.

All state of polls lives in memory; the database is written only when a job changes state, and only
from this thread. Everything here may die at any moment: rows, epochs and leases make that safe.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections import Counter
from collections.abc import Callable
from functools import partial

from django.conf import settings
from django.db import DatabaseError

from generations.models import Job, JobState, ProviderAccount
from generations.providers import get_provider
from generations.providers.base import Accepted, Call, Credentials, NotSent, Provider
from generations.services import accounts, crash, jobs, queue
from generations.services.driver import claims
from generations.services.driver.calls import Errand, Pool
from generations.services.driver.lease import Lease, take
from generations.services.driver.watch import LEASE_LOST, Watch
from generations.services.library import transport

log = logging.getLogger(__name__)
Stop = Callable[[], bool]
# A cancel that got no answer is asked for again after this long.
CANCEL_AGAIN_S = 35.0
S = JobState


def drive(*, account_id: int, stop: Stop) -> bool:
    """Drive one account for a slice; False when another driver holds it or there is no key.

    `stop` is asked several times a second. Unless it says so at the end, a successor is asked for.
    """
    account = ProviderAccount.objects.get(pk=account_id)
    credentials = accounts.credentials_for(account)
    if credentials is None:
        claims.say_no_key(account)
        return False
    lease = take(account)
    if lease is None:
        return False
    run = Slice(lease, credentials, stop)
    try:
        run.loop()
    finally:
        run.pool.close()
        lease.release()
    if not stop():
        queue.drive(account_id)
    return True


class Slice(Watch):
    """The loop: look for work, send what is due, and record what came of it."""

    def __init__(self, lease: Lease, credentials: Credentials, stop: Stop) -> None:
        super().__init__(lease)
        self.credentials = credentials
        self.stop = stop
        self.provider: Provider = get_provider(lease.account.provider)
        self.pool = Pool(int(settings.ENGINE["threads"]))
        self.lost = False
        self.started = time.monotonic()
        self.scan_at = 0.0

    # --- the loop ---

    def loop(self) -> None:
        """Until the slice is over, a stop is asked for, or the lease is lost.

        What is being sent is always waited for: an answer that nobody reads is a picture paid for
        and not known about, even when somebody else drives by then.
        """
        while True:
            if not self.lost and self.lease.due():
                self.keep_lease()
            ending = self.lost or self.ending()
            if ending and not self.sending:
                return
            now = time.monotonic()
            if now >= self.scan_at:
                self.scan_at = now + settings.ENGINE["scan_s"]
                if not self.lost:
                    self.scan(claiming=not ending and self.lease.account.enabled)
            if not self.lost:
                self.send_polls()
            self.absorb(self.pool.gather(self.nap()))

    def keep_lease(self) -> None:
        """Renew, and read what an administrator changed about the account meanwhile."""
        self.lost = not self.lease.renew(self.in_flight)
        if self.lost:
            log.warning("lease lost", extra={"account": self.lease.account.pk})
            return
        self.lease.account.refresh_from_db(fields=["enabled", "max_concurrent", "rate_per_s"])

    def ending(self) -> bool:
        over = time.monotonic() - self.started > settings.ENGINE["slice_s"]
        return over or self.stop()

    def nap(self) -> float:
        """Seconds until something is due: a scan, or the next poll."""
        ends = [self.scan_at, *([self.due[0][0]] if self.due else [])]
        return max(0.001, min(ends) - time.monotonic())

    # --- looking for work ---

    def scan(self, *, claiming: bool) -> None:
        if not claims.attention(self.lease):
            return
        claims.cancel_waiting(self.lease)
        for job in claims.adopt(self.lease):
            self.watch(job)
        self.send_cancels()
        if claiming:
            self.submit_more()

    def submit_more(self) -> None:
        slots = min(self.pace.slots(self.in_flight), self.pool.room())
        if slots <= 0 or not self.lease.valid():
            return
        held = Counter(job.user_id for job in (*self.watched.values(), *self.sending.values()))
        ready = [
            (job, call)
            for job in claims.claim(self.lease, slots, held)
            if (call := self.build(job)) is not None
        ]
        begun = claims.begin(self.lease, ready) if ready else []
        self.pace.spend(len(begun))
        crash.point("before_send")
        for job, call, row in begun:
            self.sending[job.pk] = job
            work = partial(self.call_submit, call, str(row.uuid))
            self.pool.send(Errand("submit", job, work, row))

    def build(self, job: Job) -> Call | None:
        """The prepared call; a recipe that cannot be built any more fails its job, unsent."""
        engine = jobs.engine_of(job)
        recipe = job.generation.recipe
        try:
            if engine is None:
                raise LookupError(job.generation.engine)
            references = transport.urls(job, engine, self.lease.account)
            return self.provider.build(
                engine, recipe["prompt"], recipe["settings"], references=references
            )
        except DatabaseError:
            raise  # about the database, not about the job: whoever drives next tries again
        except Exception:
            log.exception("recipe cannot be built", extra={"job": job.pk})
            gone = jobs.Change(job, (S.QUEUED,), S.FAILED, {"reason": "unbuildable"})
            jobs.apply([gone])
            return None

    # --- calls (these run in threads) ---

    def call_submit(self, call: Call, client_request_id: str) -> Accepted:
        if not self.lease.valid():
            raise NotSent(LEASE_LOST, "the lease ran out before anything was sent")
        accepted = self.provider.submit(
            call,
            base_url=self.lease.account.base_url,
            credentials=self.credentials,
            client_request_id=client_request_id,
        )
        crash.point("after_send")
        return accepted

    def send_polls(self) -> None:
        now = time.monotonic()
        while self.due and self.due[0][0] <= now and self.pool.room():
            job = heapq.heappop(self.due)[2]
            engine = jobs.engine_of(job)
            # A job that was ordered again is another object: the old one's polls end here.
            if self.watched.get(job.pk) is job and engine is not None:
                work = partial(
                    self.provider.poll,
                    engine,
                    job.remote_id,
                    base_url=self.lease.account.base_url,
                    credentials=self.credentials,
                )
                self.pool.send(Errand("poll", job, work))

    def send_cancels(self) -> None:
        rows = Job.objects.filter(
            account=self.lease.account,
            state=S.RUNNING,
            cancel_asked_at__isnull=False,
            cancel_refused=False,
        )
        for pk in rows.values_list("pk", flat=True)[:100]:
            job = self.watched.get(pk)
            engine = jobs.engine_of(job) if job else None
            if job is None or engine is None or self.cancelling.get(pk, 0.0) > time.monotonic():
                continue
            self.cancelling[pk] = time.monotonic() + CANCEL_AGAIN_S
            work = partial(
                self.provider.cancel,
                engine,
                job.remote_id,
                base_url=self.lease.account.base_url,
                credentials=self.credentials,
            )
            self.pool.send(Errand("cancel", job, work))
