"""What may happen to a run, in any order: the moves of the state machine in test_transitions.py."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Callable
from copy import copy
from datetime import timedelta
from itertools import count
from typing import Any

from django.db import connection, transaction
from django.utils import timezone
from hypothesis import note
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    rule,
)

from generations.models import (
    Allowance,
    Event,
    Job,
    JobState,
    Membership,
    Project,
    ProviderAccount,
    Role,
)
from generations.models.runs import ACTIVE, FINAL
from generations.providers import base
from generations.services import compose, events, jobs, quota
from generations.services.driver import verdicts
from generations.services.driver.calls import Errand, Result
from generations.services.driver.slice import Slice
from generations.services.supervisor import ensure
from tests import world
from tests.actors import ANSWERS, POLLED, SWEEPS, driver, line_of

S, R = JobState, base.RemoteStatus
ANY = st.integers(0, 11)


class Play(RuleBasedStateMachine):
    """One run of one or two pictures, and everything that may happen to it."""

    url = ""

    def __init__(self) -> None:
        super().__init__()
        self.block = transaction.atomic()
        self.block.__enter__()
        self.written: set[str] = set()
        self.notes = connection.execute_wrapper(self.note_writes)
        self.notes.__enter__()
        self.ids = count(7_000_000_000_000_000_001)
        self.orders: Counter[int] = Counter()
        self.drivers: list[Slice] = []
        self.pages: list[Job] = []
        self.account, self.user = world.account(), world.person("designer")
        self.project = Project.objects.create(name="acme", slug="acme")
        Membership.objects.create(project=self.project, user=self.user, role=Role.EDITOR)
        for scope, limit in ((Allowance.Scope.SITE, 5), (Allowance.Scope.PERSON, 4)):
            Allowance.objects.create(scope=scope, limit=limit)

    def note_writes(self, execute: Any, sql: str, *rest: Any) -> Any:
        """What was written says what has to be looked at again."""
        if found := re.match(r'(?:INSERT INTO|UPDATE|DELETE FROM) "generations_(\w+)"', sql):
            self.written.add(found[1])
        return execute(sql, *rest)

    def teardown(self) -> None:
        self.notes.__exit__(None, None, None)
        transaction.set_rollback(True)
        self.block.__exit__(None, None, None)

    @initialize(pictures=st.integers(1, 2))
    def ask(self, pictures: int) -> None:
        wanted = {"engine": world.ENGINE, "prompt": "一只柯基", "settings": {}, "count": pictures}
        self.run = compose.submit(project=self.project, user=self.user, **wanted)
        self.drivers.append(driver(self.account))
        self.remember(self.look())

    # --- what is there ---

    def remember(self, now: dict[int, Job]) -> None:
        self.before, self.published = now, self.count_events()
        self.since = self.standing()

    def standing(self) -> object:
        """How the account stands, as far as the cards tell."""
        return (
            ProviderAccount.objects.filter(provider="jimeng")
            .values_list("unreachable_since", "strikes", "cool_until")
            .get()
        )

    def look(self) -> dict[int, Job]:
        return {job.pk: job for job in self.run.jobs.select_related("generation", "account")}

    def count_events(self) -> int:
        return Event.objects.filter(name=events.name_of(self.run)).count()

    def job(self, which: int, *states: JobState) -> Job:
        """As it is now; as an old page shows it where no state is asked for and `which` is high."""
        found = [job for job in self.before.values() if not states or job.state in states]
        if not states and which > 7 and self.pages:
            return copy(self.pages[which % len(self.pages)])
        return copy(found[which % len(found)])

    def calls(self) -> list[tuple[Slice, Errand]]:
        return [(each, errand) for each in self.drivers for errand in line_of(each).waiting]

    def watched(self) -> list[tuple[Slice, Job]]:
        return [(each, job) for each in self.drivers for job in each.watched.values()]

    # --- what may happen next ---

    def possible(self) -> list[Callable[[int], None]]:
        """Whatever could change something, more often than what could not."""
        states = {job.state for job in self.before.values()}
        found: list[Callable[[int], None]] = [self.open_a_page, self.take_over, self.look_for_work]
        found += [self.cancel, self.cancel_all_that_wait, *SWEEPS]
        if self.calls():
            found += [self.accept, self.accept, self.answer, self.answer, self.never_answer]
            found += [self.answer_with_the_picture]
        if self.watched():
            found += [self.finish_there, self.poll, self.poll, self.poll]
        for state, more in (
            (S.QUEUED, [self.look_for_work, self.look_for_work, self.cannot_build]),
            (S.SUBMITTING, [self.take_for_dead]),
            (S.COLLECTING, [self.finish, self.finish, self.time_passes, self.give_up]),
            (S.UNCERTAIN, 2 * [self.send_again, self.dismiss, self.adopt]),
        ):
            found += more if state in states else []
        found += [self.time_passes] * (3 if states & set(ACTIVE) else 0)
        return [*found, *[self.retry] * (2 if states & set(FINAL) else 0)]

    @rule(what=st.integers(0, 999), which=ANY)
    def happens(self, what: int, which: int) -> None:
        possible = self.possible()
        chosen = possible[what % len(possible)]
        note(chosen.__name__)
        chosen(which)

    # --- drivers ---

    def look_for_work(self, which: int) -> None:
        self.drivers[-1 if which < 9 else 0].scan(claiming=which != 8)

    def take_over(self, _which: int) -> None:
        self.drivers = [*self.drivers[-2:], driver(self.account)]

    def cannot_build(self, which: int) -> None:
        job = self.job(which, S.QUEUED)
        job.generation = copy(job.generation)
        job.generation.recipe = {}
        assert self.drivers[-1].build(job) is None

    def call(self, which: int) -> tuple[Slice, Errand]:
        who, errand = self.calls()[which % len(self.calls())]
        line_of(who).waiting.remove(errand)
        return who, errand

    def accept(self, which: int) -> None:
        who, errand = self.call(which)
        yes = base.Accepted(str(next(self.ids)), "r") if errand.verb == "submit" else True
        who.absorb([Result(errand.verb, errand.job, yes, errand.submission)])

    def answer(self, which: int) -> None:
        who, errand = self.call(which)
        no = ANSWERS[which % len(ANSWERS)] if errand.verb == "submit" else which % 2 == 1
        who.absorb([Result(errand.verb, errand.job, no, errand.submission)])

    def answer_with_the_picture(self, which: int) -> None:
        """As a synchronous call does, here or after the sweep gave it up."""
        who, errand = self.call(which)
        done = base.Finished(base.pictures((self.url,)), "r") if errand.verb == "submit" else True
        who.absorb([Result(errand.verb, errand.job, done, errand.submission)])

    def never_answer(self, which: int) -> None:
        self.call(which)

    def finish_there(self, which: int) -> None:
        """Done, and the picture is where they say, or not."""
        there = which % 3
        url = self.url if there else f"{self.url.rpartition('/')[0]}/no-such.jpg"
        self.tell(which, base.Progress(R.DONE, urls=(url,)))

    def poll(self, which: int) -> None:
        self.tell(which, POLLED[which % len(POLLED)])

    def tell(self, which: int, answer: object) -> None:
        """Told for the first time, or for so long that it is believed."""
        who, job = self.watched()[which % len(self.watched())]
        if which > 3:
            who.doubts[job.pk] = time.monotonic() - 2 * verdicts.DOUBT_S
        who.absorb([Result("poll", job, answer)])

    # --- people ---

    def order(self, what: Callable[..., None], job: Job, **more: Any) -> bool:
        """Somebody presses a button; a sentence that says no is an answer."""
        try:
            what(job=job, actor=self.user, **more)
        except (jobs.NotPossible, quota.OverLimit):
            return False
        return True

    def open_a_page(self, which: int) -> None:
        self.pages = [*self.pages[-3:], self.job(which % 4)]

    def cancel(self, which: int) -> None:
        self.order(jobs.cancel, self.job(which))

    def cancel_all_that_wait(self, _which: int) -> None:
        jobs.cancel_waiting(rows=Job.objects.filter(generation=self.run), actor=self.user)

    def retry(self, which: int) -> None:
        job = self.job(which)
        self.orders[job.pk] += self.order(jobs.retry, job)

    def send_again(self, which: int) -> None:
        job = self.job(which)
        self.orders[job.pk] += self.order(jobs.send_again, job)

    def dismiss(self, which: int) -> None:
        self.order(jobs.dismiss, self.job(which))

    def adopt(self, which: int) -> None:
        """Of one's own, of the picture beside it, or one that another answer is about to bring."""
        taken = Job.objects.exclude(remote_id="").values_list("remote_id", flat=True).first()
        known = taken if which % 4 == 0 and taken else str(next(self.ids))
        if which % 4 == 1:
            self.ids = count(int(known))
        self.order(jobs.adopt_remote_id, self.job(which), remote_id=known)

    # --- time, and results ---

    def time_passes(self, which: int) -> None:
        """For a lease, a deadline or a pause."""
        field = ("lease_expires_at", "deadline_at", "not_before")[which % 3]
        past = timezone.now() - timedelta(seconds=1)
        rows = Job.objects.filter(pk=self.job(which // 3, *ACTIVE).pk)
        rows.filter(**{f"{field}__isnull": False}).update(**{field: past})
        ProviderAccount.objects.update(cool_until=None)
        for each in self.drivers:
            each.lease.account.cool_until = None

    def passes(self, job: Job, *fields: str) -> None:
        past = timezone.now() - timedelta(seconds=1)
        Job.objects.filter(pk=job.pk).update(**dict.fromkeys(fields, past))

    def take_for_dead(self, which: int) -> None:
        """Its sender lives, and its answer may still come."""
        self.passes(self.job(which, S.SUBMITTING), "lease_expires_at")
        ensure.lost_answers()

    def give_up(self, which: int) -> None:
        """As long after the answer as the provider keeps a result."""
        self.passes(self.job(which, S.COLLECTING), "deadline_at", "not_before")
        self.finish(which)

    def finish(self, which: int) -> None:
        jobs.finish(job_id=self.job(which, S.COLLECTING).pk, alive=lambda: None)
