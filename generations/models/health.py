"""What the administrators were told about: one row from when it began until it was over."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class Episode(models.Model):
    """Something that needs an administrator. Told once; the next one is another row."""

    class Kind(models.TextChoices):
        KEY_REFUSED = "key_refused", _("Key refused")
        WORKER_DEAD = "worker_dead", _("Worker dead")
        AT_RISK = "at_risk", _("Pictures at risk")
        DISK = "disk", _("Disk nearly full")

    kind = models.CharField(_("what"), max_length=12, choices=Kind.choices)
    subject = models.CharField(_("of"), max_length=120, blank=True)
    opened_at = models.DateTimeField(_("since"), default=timezone.now)
    closed_at = models.DateTimeField(_("until"), null=True)

    class Meta:
        verbose_name = _("alert")
        verbose_name_plural = _("alerts")
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["kind", "subject"],
                condition=models.Q(closed_at__isnull=True),
                name="one_open_episode",
            )
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.subject}" if self.subject else self.kind
