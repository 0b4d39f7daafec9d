"""Allowances, their balances, and the append-only ledger. Only services/quota writes here."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.models.people import User
from generations.models.projects import Project
from generations.models.runs import Job, Submission


def _unique_allowance() -> list[models.UniqueConstraint]:
    """One allowance per scope, unit and period; NULLs never equal each other, hence one each."""
    by_scope = {
        "site": (["unit", "period"], models.Q(scope="site")),
        "project": (["project", "unit", "period"], models.Q(scope="project")),
        "person": (["user", "unit", "period"], models.Q(scope="person", user__isnull=False)),
        "everyone": (["unit", "period"], models.Q(scope="person", user__isnull=True)),
    }
    return [
        models.UniqueConstraint(fields=fields, condition=condition, name=f"one_allowance_{name}")
        for name, (fields, condition) in by_scope.items()
    ]


class Allowance(models.Model):
    """A limit for a scope and a period, in whole units (images)."""

    class Scope(models.TextChoices):
        SITE = "site", _("Whole site")
        PROJECT = "project", _("Project")
        PERSON = "person", _("Person")

    class Unit(models.TextChoices):
        IMAGE = "image", _("Images")

    class Period(models.TextChoices):
        DAY = "day", _("Day")
        MONTH = "month", _("Month")

    scope = models.CharField(_("scope"), max_length=7, choices=Scope.choices)
    project = models.ForeignKey(
        Project, models.CASCADE, null=True, blank=True, verbose_name=_("project")
    )
    user = models.ForeignKey(
        User,
        models.CASCADE,
        null=True,
        blank=True,
        verbose_name=_("person"),
        help_text=_("Scope “Person” without a person named: each person has this much."),
    )
    unit = models.CharField(_("unit"), max_length=6, choices=Unit.choices, default=Unit.IMAGE)
    period = models.CharField(_("period"), max_length=5, choices=Period.choices, default=Period.DAY)
    limit = models.PositiveBigIntegerField(_("limit"))
    enabled = models.BooleanField(_("in force"), default=True)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("allowance")
        verbose_name_plural = _("allowances")
        ordering = ["id"]
        constraints = [
            models.CheckConstraint(
                condition=models.Q(scope="site", project=None, user=None)
                | models.Q(scope="project", project__isnull=False, user=None)
                | models.Q(scope="person", project=None),
                name="allowance_scope_matches",
            ),
            *_unique_allowance(),
        ]

    def __str__(self) -> str:
        return f"{self.get_scope_display()}: {self.limit} / {self.get_period_display()}"


class Price(models.Model):
    """What a model's provider asks from a moment on. Never changed: another row follows it.

    `mills` (1/1000 of CNY) for each unit of the engine, a picture or a second; where a model has several
    classes, `up_to` so many pixels (0: any size).
    """

    engine = models.CharField(_("model"), max_length=60)
    up_to = models.PositiveIntegerField(
        _("up to so many pixels"), default=0, help_text=_("0: any size.")
    )
    mills = models.PositiveIntegerField(
        _("price in mills"), help_text=_("Thousandths of CNY for one picture or one second.")
    )
    valid_from = models.DateTimeField(_("from"), default=timezone.now)
    note = models.CharField(_("note"), max_length=200, blank=True)
    actor = models.ForeignKey(User, models.PROTECT, null=True, editable=False, related_name="+")
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        verbose_name = _("price")
        verbose_name_plural = _("prices")
        ordering = ["engine", "up_to", "-valid_from"]
        constraints = [
            models.UniqueConstraint(
                fields=["engine", "up_to", "valid_from"], name="one_price_at_a_moment"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.engine}: {self.mills}"


class Balance(models.Model):
    """What an allowance still holds in one period, for one person where it is given to each.

    `granted`, `reserved` and `spent` are sums of the ledger; the database refuses an overdraft.
    """

    allowance = models.ForeignKey(Allowance, models.PROTECT, related_name="balances")
    user = models.ForeignKey(User, models.PROTECT, null=True, related_name="balances")
    period_key = models.CharField(max_length=10)
    granted = models.BigIntegerField(default=0)
    reserved = models.BigIntegerField(default=0)
    spent = models.BigIntegerField(default=0)

    class Meta:
        verbose_name = _("balance")
        verbose_name_plural = _("balances")
        constraints = [
            models.UniqueConstraint(
                fields=["allowance", "user", "period_key"],
                condition=models.Q(user__isnull=False),
                name="one_balance_per_person",
            ),
            models.UniqueConstraint(
                fields=["allowance", "period_key"],
                condition=models.Q(user__isnull=True),
                name="one_balance_per_period",
            ),
            models.CheckConstraint(
                condition=models.Q(granted__gte=0, reserved__gte=0, spent__gte=0),
                name="balance_parts_positive",
            ),
            models.CheckConstraint(
                condition=models.Q(granted__gte=models.F("reserved") + models.F("spent")),
                name="balance_never_overdrawn",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.allowance_id} {self.period_key}: {self.left} left"

    @property
    def left(self) -> int:
        return self.granted - self.reserved - self.spent


class LedgerEntry(models.Model):
    """One line of the ledger. Never changed, never deleted.

    RESERVE, SPEND and RELEASE belong to a job's round: a reservation of n units ends as SPEND s and
    RELEASE n - s. GRANT opens a period; ADJUST follows an administrator's edit (and may be negative).
    """

    class Kind(models.TextChoices):
        GRANT = "grant", _("Grant")
        RESERVE = "reserve", _("Reserve")
        SPEND = "spend", _("Spend")
        RELEASE = "release", _("Release")
        ADJUST = "adjust", _("Adjust")

    kind = models.CharField(_("kind"), max_length=7, choices=Kind.choices)
    balance = models.ForeignKey(Balance, models.PROTECT, related_name="entries")
    allowance = models.ForeignKey(Allowance, models.PROTECT, related_name="entries")
    amount = models.BigIntegerField(_("amount"))
    job = models.ForeignKey(Job, models.PROTECT, null=True, related_name="ledger")
    round = models.PositiveSmallIntegerField(null=True)
    submission = models.ForeignKey(Submission, models.PROTECT, null=True, related_name="ledger")
    actor = models.ForeignKey(User, models.PROTECT, null=True, related_name="+")
    why = models.CharField(_("why"), max_length=200, blank=True)
    created_at = models.DateTimeField(_("time"), default=timezone.now)

    class Meta:
        verbose_name = _("ledger entry")
        verbose_name_plural = _("ledger")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "round", "balance", "kind"],
                condition=models.Q(job__isnull=False),
                name="one_entry_per_round",
            ),
            models.UniqueConstraint(
                fields=["submission", "allowance", "kind"],
                condition=models.Q(submission__isnull=False),
                name="one_entry_per_submission",
            ),
            models.CheckConstraint(
                condition=models.Q(kind="adjust") | models.Q(amount__gte=0),
                name="ledger_amount_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.amount}"
