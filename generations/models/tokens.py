"""What lets a program in: a person's tokens for the API. Only their hashes are kept."""

from __future__ import annotations

import uuid
from datetime import datetime

from django.db import models
from django.db.models import Q
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.models.people import User
from generations.models.projects import Project


class ApiTokenQuerySet(models.QuerySet["ApiToken"]):
    def working(self, now: datetime) -> ApiTokenQuerySet:
        """Those that still let somebody in: not revoked, not expired, of a person who may sign in."""
        lasting = Q(expires_at=None) | Q(expires_at__gt=now)
        return self.filter(lasting, revoked_at=None, user__is_active=True)


class ApiToken(models.Model):
    """One program's way in, as the person who made it, or as less."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    user = models.ForeignKey(User, models.CASCADE, related_name="api_tokens")
    # Empty: whatever project the person belongs to.
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="api_tokens")
    name = models.CharField(_("name"), max_length=60)
    token_sha256 = models.CharField(max_length=64, unique=True)
    # False: it may read, and nothing else.
    may_run = models.BooleanField(default=False)
    expires_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    last_used_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ApiTokenQuerySet.as_manager()

    class Meta:
        verbose_name = _("API token")
        verbose_name_plural = _("API tokens")
        ordering = ["-id"]

    def __str__(self) -> str:
        return self.name

    @property
    def has_expired(self) -> bool:
        return self.expires_at is not None and self.expires_at <= timezone.now()
