"""What a run will cost and has cost: one set of prices, one function for both.

Prices are rows with a moment from which they hold; nothing is ever changed, so what has been asked for
keeps the price of its moment. All amounts are whole mills (1/1000) of CNY.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone

from generations.models import Generation, Price
from generations.models.runs import FINAL
from generations.providers import catalog, prices
from generations.providers.catalog import Engine
from generations.services import engines

FRAMES_A_SECOND = 24
EPOCH = datetime(2026, 1, 1, tzinfo=timezone.get_fixed_timezone(0))


@dataclass(frozen=True, slots=True)
class Cost:
    """From the least to the most that something may cost, in mills."""

    low: int
    high: int

    def __add__(self, other: Cost) -> Cost:
        return Cost(self.low + other.low, self.high + other.high)


class Book:
    """The prices that hold at one moment, read once."""

    def __init__(self, at: datetime | None = None) -> None:
        self.rows: dict[str, dict[int, Price]] = defaultdict(dict)
        for row in Price.objects.filter(valid_from__lte=at or timezone.now()).order_by(
            "valid_from", "id"
        ):
            self.rows[row.engine][row.up_to] = row  # the latest of each class stays

    def each(self, engine: Engine, settings: Mapping[str, object]) -> int | None:
        """Mills for one output with these settings; None where no price is known. A clone without prices
        of its own costs what its origin does.
        """
        pixels = catalog.area(engine, settings)
        for slug in dict.fromkeys((engine.slug, engines.origin(engine.slug))):
            classes = self.rows.get(slug, {})
            fitting = [up_to for up_to in classes if up_to and up_to >= pixels]
            if row := classes.get(min(fitting, default=0)):
                return row.mills * units(engine, settings)
        return None

    def estimate(
        self, engine: Engine, settings: Mapping[str, object], references: int, count: int
    ) -> Cost | None:
        """What `count` calls may cost: a set is one picture at least; None where no price is known."""
        each = self.each(engine, settings)
        if each is None:
            return None
        most = catalog.max_outputs(engine, settings, references)
        return Cost(each * count, each * count * most)


def units(engine: Engine, settings: Mapping[str, object]) -> int:
    """How many units one output is charged as: 1 picture, or the whole seconds of a video."""
    if engine.price_unit == "image":
        return 1
    return int(str(settings["frames"])) // FRAMES_A_SECOND


def seed() -> int:
    """Give every model that has no price yet the published one; how many rows were made."""
    known = set(Price.objects.values_list("engine", flat=True).distinct())
    made = Price.objects.bulk_create(
        Price(engine=slug, up_to=each.up_to, mills=each.mills, note=each.note, valid_from=EPOCH)
        for slug, listed in prices.LIST.items()
        if slug not in known
        for each in listed
    )
    return len(made)


def words(cost: Cost | None) -> str:
    """“¥0.80” or “¥0.20–2.80”; nothing where no price is known."""
    if cost is None:
        return ""
    least = yuan(cost.low)
    return f"¥{least}" if cost.low == cost.high else f"¥{least}–{yuan(cost.high)}"


def yuan(mills: int) -> str:
    """The amount in whole cents, or in mills where it has any."""
    return f"{mills / 1000:.3f}" if mills % 10 else f"{mills / 1000:.2f}"


def cost_of(generation: Generation) -> Cost | None:
    """What a run has cost, or may cost while it goes on. Reads its jobs, which lists have prefetched."""
    jobs = [job for job in generation.jobs.all() if job.price_mills is not None]
    if not jobs:
        return None
    found = Cost(0, 0)
    for job in jobs:
        spent, each = job.cost_mills or 0, job.price_mills or 0
        least = each if job.is_active else 0  # of one that is uncertain perhaps nothing
        most = 0 if job.state in FINAL else each * job.max_outputs
        found += Cost(spent + least, spent + most)
    return found
