"""One slice of driving: at most `slice_s` seconds of submitting and polling for one account.

All state of polls lives in memory; the database is written only when a job changes state, and only
from this thread. Everything here may die at any moment: rows, epochs and leases make that safe.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections import Counter
from dataclasses import replace
from functools import partial
from typing import Any

from django import db
from django.conf import settings

from generations.models import Job, JobState, Limited, ProviderAccount, Submission
from generations.providers import get_provider
from generations.providers.base import Accepted, Call, Credentials, Finished, NotSent, Provider
from generations.providers.labels import labels_of
from generations.services import accounts, crash, engines, jobs, store
from generations.services.driver import claims
from generations.services.driver.breaker import LEASE_LOST, PAUSED
from generations.services.driver.calls import Errand
from generations.services.driver.hold import Stop
from generations.services.driver.lease import Lease, take
from generations.services.driver.lending import Lending
from generations.services.jobs import parts
from generations.services.library import transport

log = logging.getLogger(__name__)
# A cancel that got no answer is asked for again after this long.
CANCEL_AGAIN_S = 35.0
# A call that was ready longer than this before it begins looks once more whether it may.
STALE_S = 0.5
LIMITS = [each.name for each in Limited._meta.get_fields()]
S = JobState


def drive(*, account_id: int, stop: Stop) -> bool:
    """Drive one account for a slice; False when another driver holds it or there is no key.

    `stop` is asked several times a second. Unless it says so at the end, a successor is asked for.
    """
    account = ProviderAccount.objects.filter(pk=account_id).first()
    if account is None:
        return False  # its key went to another account
    credentials = accounts.credentials_for(account)
    if credentials is None:
        claims.say_no_key(account)
        return False
    lease = take(account)
    if lease is None:
        return False
    run = Slice(lease, credentials, stop)
    log.debug("slice began", extra={"account": account_id, "epoch": lease.epoch})
    lost: Exception | None = None
    try:
        run.loop()
    except Exception as error:
        log.exception("slice broke off", extra={"account": account_id})
        lost = error
    try:
        if lost is not None:
            run.rescue()
    finally:
        run.pool.close()
        run.slow.close()
        run.hand_over(None if lost or stop() else account_id)
    run.wait_for_calls()
    if lost is not None:
        raise lost
    return True


class Slice(Lending):
    """The loop: look for work, send what is due, and record what came of it."""

    def __init__(self, lease: Lease, credentials: Credentials, stop: Stop) -> None:
        super().__init__(lease, stop)
        self.credentials = credentials
        self.provider: Provider = get_provider(lease.account.provider)
        self.lost = False
        self.scan_at = self.looked_at = 0.0
        self.paused = self.keyless = False
        self.siblings = accounts.siblings(lease.account)

    # --- the loop ---

    def loop(self) -> None:
        """Until the slice is over, a stop is asked for, or the lease is lost.

        What is being sent is always waited for: an answer that nobody reads is a picture paid for
        and not known about, even when somebody else drives by then. Synchronous calls are waited for
        afterwards, without the lease on the account.
        """
        while True:
            if not self.lost and self.lease.due():
                self.keep_lease()
            ending = self.lost or self.ending()
            if ending and not self.sending.keys() - self.open_calls():
                return
            now = time.monotonic()
            if now >= self.scan_at:
                self.scan_at = now + settings.ENGINE["scan_s"]
                if not self.lost:
                    self.paused = jobs.held_back(self.lease.account.pk)
                    self.looked_at = time.monotonic()
                    self.scan(claiming=not ending and not self.paused)
            if not self.lost:
                self.send_polls()
            self.absorb(self.pool.gather(self.nap()))

    def keep_lease(self) -> None:
        """Renew, and read what an administrator changed about the account meanwhile."""
        self.lost = not self.lease.renew(self.in_flight)
        if self.lost:
            log.warning("lease lost", extra={"account": self.lease.account.pk})
            return
        account = self.lease.account
        account.refresh_from_db(fields=["key_fingerprint", *LIMITS])
        self.pace.read()
        self.siblings = accounts.siblings(account)
        credentials = accounts.credentials_for(account)
        self.keyless = credentials is None
        self.credentials = credentials or self.credentials

    def ending(self) -> bool:
        """Also when nobody has the account's key any more: the next slice will find it or say so."""
        return self.keyless or super().ending()

    def nap(self) -> float:
        """Seconds until something is due: a scan, or the next poll."""
        polls = bool(self.due) and not self.breaker.open
        ends = [self.scan_at, *([self.due[0][0]] if polls else [])]
        return max(0.001, min(ends) - time.monotonic())

    # --- looking for work ---

    def scan(self, *, claiming: bool) -> None:
        if not (claims.attention(self.lease) or claims.wait_elsewhere(self.lease, self.siblings)):
            return
        claims.cancel_waiting(self.lease)
        for job in claims.adopt(self.lease):
            self.watch(job)
        if self.breaker.open:
            return
        self.send_cancels()
        if claiming:
            self.submit_more()

    def submit_more(self) -> None:
        if not self.lease.valid():
            return
        ours = [*self.watched.values(), *self.sending.values()]
        taken = [(job.user_id, job.generation.engine) for job in ours]
        taken += claims.sent_by_others(self.lease)
        held, engines = Counter(user for user, _ in taken), Counter(slug for _, slug in taken)
        free = min(self.pool.room(), self.slow.room())
        slots = min(self.pace.room(len(taken)), free)
        if slots <= 0:
            return
        rooms = {**self.pace.rooms(engines), **dict.fromkeys(self.too_late_for(), 0)}
        claimed = claims.claim(self.lease, slots, held, rooms)
        if self.siblings and not claimed:
            claimed = claims.take_over(self.lease, slots, held, rooms, self.siblings)
        ready = [(job, call) for job in claimed if (call := self.build(job)) is not None]
        begun = claims.begin(self.lease, ready) if ready else []
        for job, _call, row in begun:
            self.pace.spend(job.generation.engine, row.pk)
        if begun:
            crash.point("before_send")
        for job, call, row in begun:
            self.send_one(job, call, row)

    def send_one(self, job: Job, call: Call, row: Submission) -> None:
        """A call whose answer is the result goes to the pool for those: it may take minutes."""
        self.sending[job.pk] = job
        engine = jobs.engine_of(job)
        slow = engine is not None and engine.synchronous
        if slow:
            self.held[job.pk] = job
        work = partial(self.call_submit, call, job, row, time.monotonic())
        (self.slow if slow else self.pool).send(Errand("submit", job, work, row))

    def build(self, job: Job) -> Call | None:
        """The prepared call; a recipe that cannot be built any more fails its job, unsent."""
        try:
            engines.fresh(job.generation.engine)
            engine = jobs.engine_of(job)
            if engine is None:
                raise LookupError(job.generation.engine)
            recipe = engines.recipe_at(job.generation.recipe, job.position)
            crash.point("build", job.pk)
            references = transport.carried(job, engine, self.lease.account)
            return self.provider.build(
                engine,
                recipe["prompt"],
                recipe["settings"],
                references=references,
                labels=labels_of(job.generation.labels),
            )
        except store.NotThereYet as first:
            self.lend(job, first.copies)
            return None
        except db.DatabaseError:
            raise  # about the database, not about the job: whoever drives next tries again
        except Exception:
            log.exception("recipe cannot be built", extra={"job": job.pk})
            jobs.apply([jobs.Change(job, (S.QUEUED,), S.FAILED, {"reason": "unbuildable"})])
            return None

    def access(self) -> dict[str, Any]:
        """Where the account's calls go, and with which key as of now."""
        return {"base_url": self.lease.account.base_url, "credentials": self.credentials}

    # --- calls (these run in threads) ---

    def may_still(self, ready_at: float) -> bool:
        """A process that slept, or waited for the processor, may have slept through a pause."""
        now = time.monotonic()
        if now - ready_at < STALE_S:
            return True
        while self.looked_at < now:
            if self.lost or time.monotonic() - now > 10 * STALE_S:
                return False
            time.sleep(0.05)
        return not self.paused

    def call_submit(
        self, call: Call, job: Job, row: Submission, ready_at: float
    ) -> Accepted | Finished:
        if not self.may_still(ready_at):
            raise NotSent(PAUSED, "sending was paused", reason="paused")
        if not self.lease.valid():
            raise NotSent(LEASE_LOST, "the lease ran out before anything was sent")
        accepted = self.provider.submit(
            call,
            base_url=self.lease.account.base_url,
            credentials=self.credentials,
            client_request_id=str(row.uuid),
            arrived=partial(self.part_arrived, job, row),
        )
        crash.point("after_send")
        if isinstance(accepted, Finished):
            # Nobody can be asked for bytes again: on disk before anything is written down.
            return replace(accepted, parts=tuple(map(parts.on_disk, accepted.parts)))
        return accepted

    def probe(self) -> None:
        """One free question, if anything waits for the answer and the last one is long enough ago."""
        if not self.breaker.due():
            return
        waits = next(iter(self.watched.values()), None)
        waits = waits or claims.lease_jobs(self.lease).filter(state=S.QUEUED).first()
        if waits is None:
            return
        self.breaker.asks()
        work = partial(self.provider.probe, **self.access())
        self.pool.send(Errand("probe", waits, work))

    def send_polls(self) -> None:
        if self.breaker.open:
            self.probe()
            return
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
                    labels=labels_of(job.generation.labels),
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
            work = partial(self.provider.cancel, engine, job.remote_id, **self.access())
            self.pool.send(Errand("cancel", job, work))
