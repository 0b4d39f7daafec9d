"""Reading a batch: how far it is, and its lines."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from django.db.models import Count, QuerySet
from django.utils.translation import gettext as _

from generations.models import Asset, Batch, BatchLine, Generation, Project
from generations.services.batches.orders import HELD

State = Generation.State


@dataclass(frozen=True, slots=True)
class Progress:
    """Lines by what became of them. `whole` leaves out those that never could run."""

    whole: int
    to_do: int
    held: int
    bad: int
    by_state: Counter[str]

    @property
    def ended(self) -> int:
        return sum(self.by_state.values()) - self.by_state[State.ACTIVE]

    @property
    def active(self) -> int:
        return self.by_state[State.ACTIVE]

    @property
    def failed(self) -> int:
        return self.by_state[State.FAILED] + self.by_state[State.PARTIAL]

    @property
    def waiting(self) -> bool:
        """Whether anything may still come: then the page listens and orders make sense."""
        return bool(self.active or self.to_do)


def progress(batches: list[Batch]) -> dict[int, Progress]:
    """By batch id. One query, whatever the number of batches and lines."""
    rows = (
        BatchLine.objects.filter(batch__in=batches)
        .order_by()
        .values_list("batch_id", "generation__state", "problem")
        .annotate(lines=Count("pk"))
    )
    counts: dict[int, Counter[str]] = {batch.pk: Counter() for batch in batches}
    for batch_id, state, problem, lines in rows:
        counts[batch_id][_kind(state, problem)] += lines
    return {batch_id: _progress(found) for batch_id, found in counts.items()}


def _kind(state: str | None, problem: str) -> str:
    if state:
        return state
    if not problem:
        return "to do"
    return "held" if problem in HELD else "bad"


def _progress(found: Counter[str]) -> Progress:
    to_do, held, bad = (found.pop(kind, 0) for kind in ("to do", "held", "bad"))
    return Progress(sum(found.values()) + to_do + held, to_do, held, bad, found)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line as the page shows it: its run, or the sentence on why it has none."""

    line: BatchLine
    generation: Generation | None
    words: str
    bad: bool = False

    @property
    def first_picture(self) -> Asset | None:
        jobs = self.generation.jobs.all() if self.generation else ()
        return next((asset for job in jobs for asset in job.assets.all()), None)


def entries(*, batch: Batch, after: int = 0, limit: int = 100) -> tuple[list[Entry], int]:
    """Lines after a position, and the position to go on from (0 at the end)."""
    rows: QuerySet[BatchLine] = batch.lines.filter(position__gt=after).select_related("generation")
    rows = rows.prefetch_related("generation__jobs__assets", "generation__jobs__account")
    found = list(rows.order_by("position")[: limit + 1])
    shown = found[:limit]
    for line in shown:
        if line.generation is not None:
            line.generation.batch = batch  # known already: a card asks whether it is paused
    more = shown[-1].position if len(found) > limit else 0
    return [_entry(batch, line) for line in shown], more


def _entry(batch: Batch, line: BatchLine) -> Entry:
    if line.generation is not None:
        return Entry(line, line.generation, line.generation.get_state_display())
    if line.problem:
        held = line.problem in HELD
        return Entry(line, None, _(line.problem) % line.problem_params, bad=not held)
    return Entry(line, None, _("Paused") if batch.paused_at else _("Not started yet"))


def recent(*, project: Project) -> QuerySet[Batch]:
    """A project's batches, newest first, for a list by keyset."""
    return (
        Batch.objects.filter(project=project).select_related("user").order_by("-created_at", "-id")
    )
