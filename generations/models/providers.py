"""Accounts at providers, and which driver process works for which of them."""

from __future__ import annotations

import uuid

from django.db import models
from django.utils.translation import gettext_lazy as _


class ProviderAccount(models.Model):
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
    is_sandbox = models.BooleanField(_("sandbox"), default=False)
    enabled = models.BooleanField(_("in use"), default=True)
    max_concurrent = models.PositiveIntegerField(_("jobs at once"), default=2)
    rate_per_s = models.FloatField(_("submissions per second"), default=2.0)
    result_hosts = models.TextField(
        _("result hosts"),
        blank=True,
        help_text=_("Hosts result files may come from, one per line. Empty: any public host."),
    )
    cool_until = models.DateTimeField(_("cooling down until"), null=True, blank=True)
    strikes = models.PositiveIntegerField(_("refusals in a row"), default=0)
    unreachable_since = models.DateTimeField(_("unreachable since"), null=True, blank=True)
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
