"""The books: reserve before, settle after.

Rules for settling a round of a job: what was delivered is spent and the rest released; a failure,
a moderation or a cancel that delivered nothing releases all; pictures that the provider delivered
but that could not be kept are spent (they are paid for); a round whose outcome nobody knows stays
reserved until a person decides, and then counts as spent, because it may have been charged.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime

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
from generations.services.quota.periods import in_words, period_key, resets_at

Kind = LedgerEntry.Kind


class OverLimit(Exception):
    """An allowance does not hold what was asked for; `message` is one translated sentence."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def binding(*, user: User, project: Project | None) -> list[Allowance]:
    """The allowances a run must pass, in the fixed order in which they are locked.

    A person's own allowance replaces the one that everyone gets for the same unit and period.
    """
    scope = Q(scope=Allowance.Scope.SITE) | Q(scope=Allowance.Scope.PERSON, user=user)
    scope |= Q(scope=Allowance.Scope.PERSON, user__isnull=True)
    if project is not None:
        scope |= Q(scope=Allowance.Scope.PROJECT, project=project)
    return not_replaced(Allowance.objects.filter(scope, enabled=True).order_by("id"))


def not_replaced(found: Iterable[Allowance]) -> list[Allowance]:
    """The allowances that bind one person: of their own and everyone's, only their own."""
    rows = list(found)
    own = {(row.unit, row.period) for row in rows if row.user_id}
    return [row for row in rows if not _replaced(row, own)]


def _replaced(row: Allowance, own: set[tuple[str, str]]) -> bool:
    each = row.scope == Allowance.Scope.PERSON and row.user_id is None
    return each and (row.unit, row.period) in own


def holder(allowance: Allowance, user: User) -> User | None:
    """Whose balance it is: a person's, or nobody's for the site and a project."""
    return user if allowance.scope == Allowance.Scope.PERSON else None


def open_balance(
    allowance: Allowance, user: User, now: datetime, *, actor: User | None = None, why: str = ""
) -> Balance:
    """The balance of the running period; opened with a GRANT where this is its first use."""
    balance, created = Balance.objects.get_or_create(
        allowance=allowance,
        user=holder(allowance, user),
        period_key=period_key(allowance.period, now),
        defaults={"granted": allowance.limit},
    )
    if created:
        LedgerEntry.objects.create(
            kind=Kind.GRANT,
            balance=balance,
            allowance=allowance,
            amount=allowance.limit,
            actor=actor,
            why=why,
        )
    return balance


def reserve(*, jobs: Sequence[Job], user: User, project: Project) -> None:
    """Hold every job's `max_outputs` in each binding allowance, or raise OverLimit and hold nothing.

    One conditional UPDATE per allowance: two people pressing at once cannot both see the same rest.
    Call inside the transaction that makes the jobs; OverLimit must roll it back.
    """
    wanted = sum(job.max_outputs for job in jobs)
    now = timezone.now()
    entries: list[LedgerEntry] = []
    for allowance in binding(user=user, project=project):
        balance = open_balance(allowance, user, now)
        held = Balance.objects.filter(
            pk=balance.pk, granted__gte=F("reserved") + F("spent") + wanted
        ).update(reserved=F("reserved") + wanted)
        if not held:
            balance.refresh_from_db()
            raise OverLimit(_refusal(allowance, wanted, balance.left, now))
        entries += [
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
        ]
    LedgerEntry.objects.bulk_create(entries)


def _refusal(allowance: Allowance, wanted: int, left: int, now: datetime) -> str:
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
    sentence = _(
        "%(needs)s, but %(rest)s. That limit starts anew on %(when)s; an administrator can give more."
    )
    when = in_words(resets_at(allowance.period, now))
    return sentence % {"needs": needs, "rest": rest, "when": when}


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
    LedgerEntry.objects.bulk_create(
        entry
        for found in by_balance.values()
        if [entry.kind for entry in found] == [Kind.RESERVE]
        for entry in _settled(found[0], delivered, submission, why, actor)
    )


def _settled(
    hold: LedgerEntry, delivered: int, submission: Submission | None, why: str, actor: User | None
) -> list[LedgerEntry]:
    """Bring one balance up to date; the entries that say so."""
    spent = min(delivered, hold.amount)
    parts = [(Kind.SPEND, spent), (Kind.RELEASE, hold.amount - spent)]
    Balance.objects.filter(pk=hold.balance_id).update(
        reserved=F("reserved") - hold.amount, spent=F("spent") + spent
    )
    if delivered > spent:
        parts.append((Kind.ADJUST, -_shrink(hold.balance_id, delivered - spent)))
    return [
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
    ]


def _shrink(balance_id: int, extra: int) -> int:
    """Take what came beyond the reservation out of what is left; never below nothing."""
    balance = Balance.objects.select_for_update().get(pk=balance_id)
    taken = min(extra, balance.left)
    Balance.objects.filter(pk=balance_id).update(granted=F("granted") - taken)
    return taken


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
