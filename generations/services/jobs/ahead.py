"""What a card says of a waiting job: how many go before it, how many run at once, what holds it up."""

from __future__ import annotations

from functools import cached_property

from generations.models import EngineLimit, Job, JobState, Limited, ProviderAccount
from generations.services.jobs import forecast
from generations.services.jobs.pauses import Pause, pauses
from generations.services.jobs.shown import engine_of

S = JobState


class Ahead:
    """Asked job by job while a page is made; each account's line is read once, when it is needed."""

    def __init__(self) -> None:
        self._lines: dict[int, forecast.Line] = {}
        self._stand: dict[int, dict[int, tuple[int, float]]] = {}

    @cached_property
    def _engines(self) -> dict[tuple[int, str], EngineLimit]:
        return {(row.account_id, row.engine): row for row in EngineLimit.objects.all()}

    @cached_property
    def _pauses(self) -> dict[int | None, Pause]:
        return pauses()

    def pause(self, account_id: int) -> Pause | None:
        """What keeps an account from sending: its own pause, or everybody's."""
        return self._pauses.get(None) or self._pauses.get(account_id)

    def _stands(self, job: Job) -> tuple[int, float] | None:
        if job.state != S.QUEUED:
            return None
        if job.account_id not in self._stand:
            self._stand[job.account_id] = self.line(job.account).finishes()
        return self._stand[job.account_id].get(job.pk)

    def line(self, account: ProviderAccount) -> forecast.Line:
        if account.pk not in self._lines:
            own = [each for each in self._engines.values() if each.account_id == account.pk]
            self._lines[account.pk] = forecast.line(account, own)
        return self._lines[account.pk]

    def of(self, job: Job) -> int | None:
        """How many go before this one; None when it is not in line or too far back."""
        stands = self._stands(job)
        return stands[0] - 1 if stands else None

    def seconds(self, job: Job) -> float | None:
        """Until a waiting job is done; None when nobody can say."""
        if engine_of(job) is None:
            return None
        stands = self._stands(job)
        return stands[1] if stands and not self.pause(job.account_id) else None

    def limits(self, job: Job) -> list[Limited]:
        """The limits a job is under: the account's, and its engine's where that has some."""
        own = self._engines.get((job.account_id, job.generation.engine))
        return [job.account, own] if own else [job.account]

    def at_once(self, job: Job) -> int:
        return min(limit.at_once for limit in self.limits(job))
