"""Accounts at providers, and which driver process works for which of them."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.models.people import User
from generations.models.projects import Project


class Limited(models.Model):
    """Limits as an administrator set them, and how far the provider has made us slow down since.

    `reduced_to` is how many jobs at once it takes for now, empty when that is `max_concurrent`.
    """

    max_concurrent = models.PositiveIntegerField(_("jobs at once"), default=2)
    rate_per_s = models.FloatField(_("submissions per second"), default=2.0)
    reduced_to = models.PositiveIntegerField(_("jobs at once for now"), null=True, blank=True)
    cool_until = models.DateTimeField(_("cooling down until"), null=True, blank=True)
    strikes = models.PositiveIntegerField(_("refusals in a row"), default=0)

    class Meta:
        abstract = True

    @property
    def at_once(self) -> int:
        """How many jobs may be under way at this moment."""
        reduced = self.max_concurrent if self.reduced_to is None else self.reduced_to
        return max(1, min(self.max_concurrent, reduced))

    def cools(self, now: datetime) -> bool:
        """Whether the provider has asked for a pause that is not over."""
        return self.cool_until is not None and self.cool_until > now

    @property
    def cools_now(self) -> bool:
        return self.cools(timezone.now())


class Paused(models.Model):
    """Since when nothing is sent, and who wanted that; empty while things are sent."""

    paused_at = models.DateTimeField(_("paused since"), null=True, blank=True)
    paused_by = models.ForeignKey(
        User, models.SET_NULL, null=True, blank=True, related_name="+", verbose_name=_("paused by")
    )

    class Meta:
        abstract = True


class SiteSwitch(Paused):
    """One row: whether anything at all is sent."""

    ONLY = 1

    class Meta:
        constraints = [models.CheckConstraint(condition=models.Q(pk=1), name="one_site_switch")]

    def __str__(self) -> str:
        return f"paused since {self.paused_at}" if self.paused_at else "on"


class ProviderAccount(Limited, Paused):
    """One set of credentials at a Provider, with its limits. The secret itself is never stored here."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    provider = models.SlugField(_("provider"), max_length=40)
    label = models.CharField(_("label"), max_length=100)
    base_url = models.URLField(_("base URL"), max_length=200)
    key_fingerprint = models.CharField(
        _("key fingerprint"),
        max_length=16,
        help_text=_("First 16 hex digits of the key's SHA-256."),
    )
    key_since = models.DateTimeField(_("key in use since"), default=timezone.now)
    is_sandbox = models.BooleanField(_("sandbox"), default=False)
    enabled = models.BooleanField(_("in use"), default=True)
    projects = models.ManyToManyField(
        Project,
        verbose_name=_("only for these projects"),
        blank=True,
        related_name="+",
        help_text=_("None chosen: for all."),
    )
    result_hosts = models.TextField(
        _("result hosts"),
        blank=True,
        help_text=_("Hosts result files may come from, one per line. Empty: any public host."),
    )
    unreachable_since = models.DateTimeField(_("unreachable since"), null=True, blank=True)
    probe_at = models.DateTimeField(_("asked again at"), null=True, blank=True)
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("provider account")
        verbose_name_plural = _("provider accounts")
        ordering = ["id"]
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "base_url", "key_fingerprint"], name="one_account_per_key"
            ),
            models.CheckConstraint(
                condition=models.Q(max_concurrent__gte=1, rate_per_s__gt=0),
                name="account_limits_positive",
            ),
        ]

    def __str__(self) -> str:
        return self.label

    @property
    def allowed_hosts(self) -> frozenset[str]:
        return frozenset(line.strip().lower() for line in self.result_hosts.split() if line.strip())


class EngineLimit(Limited):
    """What one engine takes of an account, where that is less than the account takes as a whole."""

    account = models.ForeignKey(ProviderAccount, models.CASCADE, related_name="engine_limits")
    engine = models.CharField(_("engine"), max_length=60)

    class Meta:
        verbose_name = _("limit of one model")
        verbose_name_plural = _("limits of single models")
        ordering = ["account", "engine"]
        constraints = [
            models.UniqueConstraint(fields=["account", "engine"], name="one_limit_per_engine"),
            models.CheckConstraint(
                condition=models.Q(max_concurrent__gte=1, rate_per_s__gt=0),
                name="engine_limits_positive",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.account}: {self.engine}"


class DriverLease(models.Model):
    """Who drives an account. `epoch` grows with every take-over: a driver that slept is fenced by it."""

    account = models.OneToOneField(
        ProviderAccount, models.CASCADE, primary_key=True, related_name="lease"
    )
    owner = models.CharField(max_length=80, blank=True)
    epoch = models.PositiveBigIntegerField(default=0)
    expires_at = models.DateTimeField(null=True)
    heartbeat_at = models.DateTimeField(null=True)
    in_flight = models.PositiveIntegerField(default=0)

    def __str__(self) -> str:
        return f"{self.account}: {self.owner or '-'} #{self.epoch}"
