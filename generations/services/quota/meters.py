"""What people see of their allowances: how much is used, what binds, when it starts anew."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.models import Allowance, Balance, Project, User
from generations.services.quota.books import binding, not_replaced
from generations.services.quota.periods import in_words, period_key, resets_at

NEAR = 80  # percent
Scope = Allowance.Scope
ORDER = {Scope.PERSON: 0, Scope.SITE: 1, Scope.PROJECT: 2}


@dataclass(frozen=True, slots=True)
class Meter:
    """How much of one allowance is used, in its unit."""

    label: str
    used: int
    limit: int
    left: int
    percent: int
    reserved: int = 0
    resets: str = ""

    @property
    def spent(self) -> int:
        return self.used - self.reserved

    @property
    def near(self) -> bool:
        """Whether it is time to say that there is not much left."""
        return self.percent >= NEAR


@dataclass(frozen=True, slots=True)
class Usage:
    """Everything that binds a person: alone and with everybody, and in each project of theirs."""

    mine: list[Meter]
    projects: list[tuple[Project, list[Meter]]]


def summary(*, user: User, project: Project | None = None) -> list[Meter]:
    """What the top bar shows: every binding allowance, the tightest first. Two queries."""
    found = _meters(binding(user=user, project=project), user)
    return sorted((meter for _row, meter in found), key=lambda meter: meter.left)


def usage(*, user: User) -> Usage:
    """What the usage page shows. Two queries, however many projects there are."""
    scope = Q(scope=Scope.SITE) | Q(scope=Scope.PERSON, user=user)
    scope |= Q(scope=Scope.PERSON, user__isnull=True)
    scope |= Q(scope=Scope.PROJECT, project__memberships__user=user)
    rows = Allowance.objects.filter(scope, enabled=True).select_related("project")
    found = _meters(not_replaced(rows.distinct().order_by("id")), user)
    found.sort(key=lambda pair: (ORDER[Scope(pair[0].scope)], pair[0].period))
    projects: dict[int, tuple[Project, list[Meter]]] = {}
    for row, meter in found:
        if row.project is not None:
            projects.setdefault(row.project.pk, (row.project, []))[1].append(meter)
    by_name = sorted(projects.values(), key=lambda pair: pair[0].name.casefold())
    return Usage([meter for row, meter in found if row.project is None], by_name)


def _meters(allowances: Iterable[Allowance], user: User) -> list[tuple[Allowance, Meter]]:
    rows, now = list(allowances), timezone.now()
    keys = {row.pk: period_key(row.period, now) for row in rows}
    mine = Q(user=user) | Q(user__isnull=True)
    kept = Balance.objects.filter(mine, allowance__in=keys, period_key__in=set(keys.values()))
    balances = {
        each.allowance_id: each for each in kept if each.period_key == keys[each.allowance_id]
    }
    return [(row, _meter(row, balances.get(row.pk), now)) for row in rows]


def _meter(allowance: Allowance, balance: Balance | None, now: datetime) -> Meter:
    limit = balance.granted if balance else allowance.limit
    used = balance.reserved + balance.spent if balance else 0
    day = allowance.period == Allowance.Period.DAY
    labels = {
        Scope.SITE: _("Site today") if day else _("Site this month"),
        Scope.PROJECT: _("Project today") if day else _("Project this month"),
        Scope.PERSON: _("Today") if day else _("This month"),
    }
    return Meter(
        label=labels[Scope(allowance.scope)],
        used=used,
        limit=limit,
        left=max(0, limit - used),
        percent=min(100, round(100 * used / limit)) if limit else 100,
        reserved=balance.reserved if balance else 0,
        resets=in_words(resets_at(allowance.period, now)),
    )
