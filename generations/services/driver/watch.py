"""What a driver keeps in memory about its jobs, and how each answer is recorded.

An answer may be the only copy of a paid task's id. So a batch is written in one transaction, and when that
fails each answer gets a transaction of its own, tried again for a while; memory follows the commit.
"""

from __future__ import annotations

import heapq
import logging
import time
from collections import Counter
from collections.abc import Callable
from contextlib import nullcontext
from itertools import count

from django import db
from django.conf import settings
from django.utils import timezone

from generations.models import Job, JobState, Outcome
from generations.providers.base import Accepted, Finished, Part, Throttled
from generations.services import crash, jobs, queue
from generations.services.driver import verdicts
from generations.services.driver.breaker import Breaker
from generations.services.driver.calls import Result
from generations.services.driver.lease import Lease
from generations.services.driver.pace import Pace, poll_interval
from generations.services.jobs import parts
from generations.services.jobs.backoff import retry_interval

log = logging.getLogger(__name__)
RETRY_WAITS_S = (0.0, 1.0, 3.0, 10.0)
AWAY_S = 60.0
LOOK_AGAIN_S = 0.3
# A video takes minutes, and half of that is long for somebody whose prompt was refused at once.
FIRST_POLL_S = 5.0
S = JobState
Then = Callable[[], None]


class Watch:
    """Jobs being sent and jobs being polled, with their due times, failures and doubts."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.pace = Pace(lease.account)
        self.breaker = Breaker(lease.account, self.pace.tell)
        self.watched: dict[int, Job] = {}
        self.sending: dict[int, Job] = {}
        self.cancelling: dict[int, float] = {}
        self.due: list[tuple[float, int, Job]] = []
        self.ticket = count()
        self.failures: Counter[int] = Counter()
        self.doubts: dict[int, float] = {}

    @property
    def in_flight(self) -> int:
        return len(self.watched) + len(self.sending)

    def watch(self, job: Job) -> None:
        """Poll this job from now on: first at half of what its engine usually takes, if that is soon."""
        self.watched[job.pk] = job
        elapsed = self.elapsed(job)
        first = min(0.5 * jobs.usual_of(job).p50, FIRST_POLL_S) - elapsed
        self.later(job, first if first > 0 else 0.1)

    def elapsed(self, job: Job) -> float:
        if job.accepted_at is None:
            return 0.0
        return (timezone.now() - job.accepted_at).total_seconds()

    def later(self, job: Job, seconds: float) -> None:
        heapq.heappush(self.due, (time.monotonic() + seconds, next(self.ticket), job))

    # --- answers ---

    def absorb(self, results: list[Result]) -> None:
        """Record a batch of answers, whatever the database says; it is not asked where nothing changes."""
        news: list[Result] = []
        silent: list[Result] = []
        for result in results:
            (news if self.is_news(result) else silent).append(result)
        try:
            with jobs.together() if news else nullcontext():
                thens = [self.record(result) for result in news]
        except db.Error:
            log.exception("a batch of answers could not be written at once")
            self.await_database()
            thens = [self.record_alone(result) for result in news]
        if any(isinstance(result.answer, Accepted) for result in news):
            crash.point("after_remote_id")
        thens += [self.record(result) for result in silent]
        for result, then in zip([*news, *silent], thens, strict=True):
            then()
            if result.verb != "lend":  # what the store says is nothing about the provider
                self.breaker.note(result.answer)

    def is_news(self, result: Result) -> bool:
        """Whether an answer changes a row: most polls say that it goes on, and cost no transaction."""
        if result.verb == "poll":
            return self.change_of(result) is not None
        return result.verb != "probe"

    def await_database(self) -> None:
        """A restart takes seconds, in which nothing can be written, and what is known must not be lost."""
        ends = time.monotonic() + AWAY_S
        while time.monotonic() < ends:
            try:
                if db.connection.connection is not None and not db.connection.is_usable():
                    db.connection.close()
                db.connection.ensure_connection()
            except db.OperationalError:
                time.sleep(LOOK_AGAIN_S)
            else:
                return

    def record_alone(self, result: Result) -> Then:
        """One bad answer must not take the others along, nor a short outage a good one."""
        for wait in RETRY_WAITS_S:
            time.sleep(wait)
            try:
                with jobs.together():
                    return self.record(result)
            except (db.OperationalError, db.InterfaceError):
                db.connection.close()
            except db.Error:
                log.exception("an answer could not be written", extra={"job": result.job.pk})
                break
        return lambda: self.give_up(result)

    def give_up(self, result: Result) -> None:
        """A submission is left to the sweep, which calls it uncertain; a poll is asked again."""
        if result.verb == "part":
            return  # its call goes on, and brings it again at its end
        self.sending.pop(result.job.pk, None)
        if result.verb == "poll":
            self.later(result.job, retry_interval(3))

    def record(self, result: Result) -> Then:
        """Write what an answer means; return what changes in memory once that is committed."""
        if result.verb == "submit":
            return self.submitted(result)
        if result.verb == "probe":
            return lambda: None
        if isinstance(result.answer, Part):
            parts.note(job=result.job, part=result.answer, epoch=self.lease.epoch)
            return lambda: None
        return self.polled(result) if result.verb == "poll" else self.cancelled(result)

    def submitted(self, result: Result) -> Then:
        job, answer = result.job, result.answer
        assert result.submission is not None
        verdicts.note_submission(result.submission, answer)
        change = verdicts.after_submit(job, answer, self.lease.epoch)
        won = jobs.apply([change])[0]
        if not won and isinstance(answer, Accepted):
            # The sweep took us for dead and called it uncertain; now the task id is known.
            jobs.resume(job=job, remote_id=answer.remote_id)
        elif isinstance(answer, Finished):
            if won or jobs.apply([verdicts.after_late_result(job, answer)])[0]:
                queue.finish(job.pk)
        elif not won and verdicts.outcome_of(answer) == Outcome.REJECTED:
            jobs.apply([verdicts.after_late_refusal(job, answer)])
        return lambda: self.after_submitted(result, won=won)

    def after_submitted(self, result: Result, *, won: bool) -> None:
        job, answer = result.job, result.answer
        self.sending.pop(job.pk, None)
        engine, number = job.generation.engine, result.submission.pk if result.submission else 0
        if isinstance(answer, (Accepted, Finished)):
            self.pace.accepted(engine, number)
            if won and isinstance(answer, Accepted):
                job.refresh_from_db(fields=["state", "remote_id", "accepted_at", "deadline_at"])
                self.watch(job)
        if isinstance(answer, Throttled):
            self.pace.throttled(engine, number, answer.retry_after)

    def polled(self, result: Result) -> Then:
        job = result.job
        if self.watched.get(job.pk) is not job:
            return lambda: None  # ended or ordered again while it was asked about
        change = self.change_of(result)
        if change and jobs.apply([change])[0] and change.after == S.COLLECTING:
            queue.finish(job.pk)
        ended = change is not None
        return lambda: self.after_polled(result, ended=ended)

    def change_of(self, result: Result) -> jobs.Change | None:
        job, answer = result.job, result.answer
        ours = self.watched.get(job.pk) is job
        if not ours or (verdicts.doubtful(answer) and not self.certain(job)):
            return None
        return verdicts.after_poll(job, answer, self.lease.epoch)

    def certain(self, job: Job) -> bool:
        """Whether the provider has told the same for long enough to be believed."""
        since = self.doubts.setdefault(job.pk, time.monotonic())
        enough = verdicts.DOUBT_S * settings.ENGINE["patience"]
        return bool(time.monotonic() - since >= enough)

    def after_polled(self, result: Result, *, ended: bool) -> None:
        job, answer = result.job, result.answer
        failed = isinstance(answer, BaseException)
        if not failed and not verdicts.doubtful(answer):
            self.doubts.pop(job.pk, None)
        self.failures[job.pk] = self.failures[job.pk] + 1 if failed else 0
        if ended:
            self.watched.pop(job.pk, None)
        elif failed:
            self.later(job, retry_interval(self.failures[job.pk]))
        else:
            self.later(job, poll_interval(self.elapsed(job)))

    def cancelled(self, result: Result) -> Then:
        job, answer = result.job, result.answer
        if self.watched.get(job.pk) is job and answer is True:
            jobs.apply([verdicts.after_cancel(job, self.lease.epoch)])
        elif answer is False:
            # Too late: the picture is being made and will be paid for, so it will be kept.
            still = Job.objects.filter(pk=job.pk, state=S.RUNNING, round=job.round)
            if still.update(cancel_refused=True):
                jobs.touch([job.generation_id])
        return lambda: self.after_cancelled(result)

    def after_cancelled(self, result: Result) -> None:
        if result.answer is True and self.watched.get(result.job.pk) is result.job:
            del self.watched[result.job.pk]
