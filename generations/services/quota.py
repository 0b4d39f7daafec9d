"""Allowances: reserve before, settle after. The only writer of Balance and LedgerEntry.

Rules for settling a round of a job: what was delivered is spent and the rest released; a failure,
a moderation or a cancel that delivered nothing releases all; pictures that the provider delivered
but that could not be kept are spent (they are paid for); a round whose outcome nobody knows stays
reserved until a person decides, and then counts as spent, because it may have been charged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from django.conf import settings
from django.db.models import BigIntegerField, Case, F, Q, Sum, Value, When
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.models import (
    Allowance,
    Balance,
    Job,
    LedgerEntry,
    Project,
    Submission,
    User,
)

Kind = LedgerEntry.Kind


class OverLimit(Exception):
    """An allowance does not hold what was asked for; `message` is one translated sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


@dataclass(frozen=True, slots=True)
class Meter:
    """How much of one allowance is used, in its unit."""

    label: str
    used: int
    limit: int
    left: int
    percent: int


def period_key(period: str, now: datetime) -> str:
    """The provider's calendar day (`2026-11-21`) or month (`2026-11`), in its time zone."""
    local = now.astimezone(ZoneInfo(settings.ALLOWANCE_TIME_ZONE))
    return local.strftime("%Y-%m-%d" if period == Allowance.Period.DAY else "%Y-%m")


def binding(*, user: User, project: Project | None) -> list[Allowance]:
    """The allowances a run must pass, in the fixed order in which they are locked.

    A person's own allowance replaces the one that everyone gets for the same unit and period.
    """
    scope = Q(scope=Allowance.Scope.SITE) | Q(scope=Allowance.Scope.PERSON, user=user)
    scope |= Q(scope=Allowance.Scope.PERSON, user__isnull=True)
    if project is not None:
        scope |= Q(scope=Allowance.Scope.PROJECT, project=project)
    rows = list(Allowance.objects.filter(scope, enabled=True).order_by("id"))
    own = {(row.unit, row.period) for row in rows if row.user_id}
    return [row for row in rows if not _replaced(row, own)]


def _replaced(row: Allowance, own: set[tuple[str, str]]) -> bool:
    each = row.scope == Allowance.Scope.PERSON and row.user_id is None
    return each and (row.unit, row.period) in own


def _holder(allowance: Allowance, user: User) -> User | None:
    """Whose balance it is: a person's, or nobody's for the site and a project."""
    return user if allowance.scope == Allowance.Scope.PERSON else None


def _open(allowance: Allowance, user: User, now: datetime) -> Balance:
    balance, created = Balance.objects.get_or_create(
        allowance=allowance,
        user=_holder(allowance, user),
        period_key=period_key(allowance.period, now),
        defaults={"granted": allowance.limit},
    )
    if created:
        LedgerEntry.objects.create(
            kind=Kind.GRANT, balance=balance, allowance=allowance, amount=allowance.limit
        )
    return balance


def reserve(*, jobs: Sequence[Job], user: User, project: Project) -> None:
    """Hold every job's `max_outputs` in each binding allowance, or raise OverLimit and hold nothing.

    One conditional UPDATE per allowance: two people pressing at once cannot both see the same rest.
    Call inside the transaction that makes the jobs; OverLimit must roll it back.
    """
    wanted = sum(job.max_outputs for job in jobs)
    now = timezone.now()
    for allowance in binding(user=user, project=project):
        balance = _open(allowance, user, now)
        held = Balance.objects.filter(
            pk=balance.pk, granted__gte=F("reserved") + F("spent") + wanted
        ).update(reserved=F("reserved") + wanted)
        if not held:
            balance.refresh_from_db()
            raise OverLimit(_refusal(allowance, wanted, balance.left))
        LedgerEntry.objects.bulk_create(
            LedgerEntry(
                kind=Kind.RESERVE,
                balance=balance,
                allowance=allowance,
                amount=job.max_outputs,
                job=job,
                round=job.round,
                actor=user,
            )
            for job in jobs
        )


def _refusal(allowance: Allowance, wanted: int, left: int) -> str:
    needs = ngettext("This needs %(n)s image", "This needs %(n)s images", wanted) % {"n": wanted}
    day = allowance.period == Allowance.Period.DAY
    rests = {
        Allowance.Scope.SITE: _("%(n)s left for the whole site today")
        if day
        else _("%(n)s left for the whole site this month"),
        Allowance.Scope.PROJECT: _("%(n)s left for this project today")
        if day
        else _("%(n)s left for this project this month"),
        Allowance.Scope.PERSON: _("you have %(n)s left today")
        if day
        else _("you have %(n)s left this month"),
    }
    rest = rests[Allowance.Scope(allowance.scope)] % {"n": left}
    return _("%(needs)s, but %(rest)s. Ask an administrator for more.") % {
        "needs": needs,
        "rest": rest,
    }


def settle(
    *, job: Job, delivered: int, submission: Submission | None, why: str, actor: User | None = None
) -> None:
    """End the current round of `job`: spend `delivered` units and release the rest. Idempotent.

    Call inside the transaction of the state change, after its compare-and-set has won.
    """
    entries = LedgerEntry.objects.filter(job=job, round=job.round).order_by("allowance_id")
    by_balance: dict[int, list[LedgerEntry]] = defaultdict(list)
    for entry in entries:
        by_balance[entry.balance_id].append(entry)
    for found in by_balance.values():
        if [entry.kind for entry in found] == [Kind.RESERVE]:
            _settle_one(found[0], delivered, submission, why, actor)


def _settle_one(
    hold: LedgerEntry, delivered: int, submission: Submission | None, why: str, actor: User | None
) -> None:
    spent = min(delivered, hold.amount)
    parts = [(Kind.SPEND, spent), (Kind.RELEASE, hold.amount - spent)]
    Balance.objects.filter(pk=hold.balance_id).update(
        reserved=F("reserved") - hold.amount, spent=F("spent") + spent
    )
    if delivered > spent:
        parts.append((Kind.ADJUST, -_shrink(hold.balance_id, delivered - spent)))
    LedgerEntry.objects.bulk_create(
        LedgerEntry(
            kind=kind,
            balance_id=hold.balance_id,
            allowance_id=hold.allowance_id,
            amount=amount,
            job_id=hold.job_id,
            round=hold.round,
            submission=submission,
            actor=actor,
            why=why,
        )
        for kind, amount in parts
        if amount
    )


def _shrink(balance_id: int, extra: int) -> int:
    """Take what came beyond the reservation out of what is left; never below nothing."""
    balance = Balance.objects.select_for_update().get(pk=balance_id)
    taken = min(extra, balance.left)
    Balance.objects.filter(pk=balance_id).update(granted=F("granted") - taken)
    return taken


def apply_limit(*, allowance: Allowance, actor: User) -> None:
    """Carry an administrator's new limit into the running period, as an ADJUST entry.

    A limit below what is already held or spent leaves that standing and allows nothing more.
    """
    key = period_key(allowance.period, timezone.now())
    for balance in allowance.balances.select_for_update().filter(period_key=key):
        granted = max(allowance.limit, balance.reserved + balance.spent)
        if granted != balance.granted:
            LedgerEntry.objects.create(
                kind=Kind.ADJUST,
                balance=balance,
                allowance=allowance,
                amount=granted - balance.granted,
                actor=actor,
                why="limit changed",
            )
            Balance.objects.filter(pk=balance.pk).update(granted=granted)


def summary(*, user: User, project: Project | None = None) -> list[Meter]:
    """What the top bar shows: every binding allowance, the tightest first. Two queries."""
    allowances = binding(user=user, project=project)
    now = timezone.now()
    keys = {row.pk: period_key(row.period, now) for row in allowances}
    mine = Q(user=user) | Q(user__isnull=True)
    rows = Balance.objects.filter(mine, allowance__in=keys, period_key__in=set(keys.values()))
    balances = {row.allowance_id: row for row in rows if row.period_key == keys[row.allowance_id]}
    meters = [_meter(row, balances.get(row.pk)) for row in allowances]
    return sorted(meters, key=lambda meter: meter.left)


def _meter(allowance: Allowance, balance: Balance | None) -> Meter:
    limit = balance.granted if balance else allowance.limit
    used = balance.reserved + balance.spent if balance else 0
    day = allowance.period == Allowance.Period.DAY
    labels = {
        Allowance.Scope.SITE: _("Site today") if day else _("Site this month"),
        Allowance.Scope.PROJECT: _("Project today") if day else _("Project this month"),
        Allowance.Scope.PERSON: _("Today") if day else _("This month"),
    }
    return Meter(
        label=labels[Allowance.Scope(allowance.scope)],
        used=used,
        limit=limit,
        left=max(0, limit - used),
        percent=min(100, round(100 * used / limit)) if limit else 100,
    )


def _signed(*terms: tuple[str, int]) -> Sum:
    whens = [When(kind=kind, then=Value(sign) * F("amount")) for kind, sign in terms]
    return Sum(Case(*whens, default=Value(0)), output_field=BigIntegerField())


def discrepancies() -> list[str]:
    """Name every balance that is not the sum of its ledger; empty when the books are right."""
    rows = Balance.objects.values_list("pk", "granted", "reserved", "spent")
    sums = {
        row["balance_id"]: (row["granted"], row["reserved"], row["spent"])
        for row in LedgerEntry.objects.order_by()
        .values("balance_id")
        .annotate(
            granted=_signed((Kind.GRANT, 1), (Kind.ADJUST, 1)),
            reserved=_signed((Kind.RESERVE, 1), (Kind.SPEND, -1), (Kind.RELEASE, -1)),
            spent=_signed((Kind.SPEND, 1)),
        )
    }
    return [
        f"balance {pk}: has {tuple(parts)}, its ledger says {sums.get(pk, (0, 0, 0))}"
        for pk, *parts in rows
        if tuple(parts) != sums.get(pk, (0, 0, 0))
    ]
