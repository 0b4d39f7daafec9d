"""What administrators do to allowances: another limit, more for this period, one of somebody's own."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db import transaction
from django.db.models import F, Sum
from django.utils import timezone
from django.utils.translation import gettext_noop as N_

from generations.models import Allowance, Balance, LedgerEntry, User
from generations.services.quota.books import open_balance
from generations.services.quota.periods import period_key

Kind = LedgerEntry.Kind
LIMIT_CHANGED = N_("limit changed")
MOST_AT_ONCE = 1_000_000


@transaction.atomic
def apply_limit(*, allowance: Allowance, actor: User) -> None:
    """Carry an administrator's new limit into the running period, as an ADJUST entry.

    What was given on top in this period stays on top. A limit below what is already held or spent
    leaves that standing and allows nothing more.
    """
    key = period_key(allowance.period, timezone.now())
    balances = list(allowance.balances.select_for_update().filter(period_key=key).order_by("pk"))
    extra = _given_on_top(balances)
    for balance in balances:
        wanted = allowance.limit + extra.get(balance.pk, 0)
        granted = max(wanted, balance.reserved + balance.spent)
        if granted != balance.granted:
            _adjust(balance, granted - balance.granted, actor, LIMIT_CHANGED)


def _given_on_top(balances: Sequence[Balance]) -> dict[int, int]:
    """What `grant` added; entries of a job are what came beyond a reservation."""
    rows = LedgerEntry.objects.filter(kind=Kind.ADJUST, balance__in=balances, job=None)
    sums = rows.exclude(why=LIMIT_CHANGED).order_by().values("balance_id")
    return {row["balance_id"]: row["n"] for row in sums.annotate(n=Sum("amount"))}


@transaction.atomic
def grant(*, allowances: Iterable[Allowance], amount: int, actor: User, why: str) -> int:
    """Give `amount` more in the running period; say to how many balances.

    An allowance that everyone gets is given to each active person whom it binds. In the order in which
    `reserve` locks them.
    """
    now, given = timezone.now(), 0
    for allowance in sorted(allowances, key=lambda each: each.pk):
        for user in _holders(allowance, actor):
            _adjust(open_balance(allowance, user, now), amount, actor, _reason(why))
            given += 1
    return given


def _reason(why: str) -> str:
    """Never the words that mark a change of limit, which does not add up with what was given."""
    return f"{why}." if why == LIMIT_CHANGED else why


def _holders(allowance: Allowance, actor: User) -> Iterable[User]:
    """Whose balances an allowance has; one that is nobody's own is opened by whoever asks."""
    if allowance.scope != Allowance.Scope.PERSON:
        return [actor]
    if allowance.user is not None:
        return [allowance.user]
    own = Allowance.objects.filter(
        scope=Allowance.Scope.PERSON,
        unit=allowance.unit,
        period=allowance.period,
        enabled=True,
        user__isnull=False,
    )
    return User.objects.filter(is_active=True).exclude(pk__in=own.values("user")).order_by("pk")


def _adjust(balance: Balance, amount: int, actor: User, why: str) -> None:
    LedgerEntry.objects.create(
        kind=Kind.ADJUST,
        balance=balance,
        allowance_id=balance.allowance_id,
        amount=amount,
        actor=actor,
        why=why,
    )
    Balance.objects.filter(pk=balance.pk).update(granted=F("granted") + amount)


@transaction.atomic
def give_own(*, users: Iterable[User], period: str, limit: int, actor: User, why: str) -> int:
    """Give each person an allowance of their own, in the place of what everyone gets; say to how many."""
    given = 0
    for user in users:
        allowance, made = Allowance.objects.update_or_create(
            scope=Allowance.Scope.PERSON,
            user=user,
            unit=Allowance.Unit.IMAGE,
            period=period,
            defaults={"limit": limit, "enabled": True},
        )
        if made:
            open_balance(allowance, user, timezone.now(), actor=actor, why=why)
        else:
            apply_limit(allowance=allowance, actor=actor)
        given += 1
    return given
