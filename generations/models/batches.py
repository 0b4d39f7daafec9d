"""Many prompts at once: a list of lines, each of which becomes a run of its own."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.models.people import User
from generations.models.projects import Project

if TYPE_CHECKING:
    from generations.models.projects import Person


class BatchQuerySet(models.QuerySet["Batch"]):
    def visible_to(self, user: Person) -> BatchQuerySet:
        return self.filter(project__in=Project.objects.visible_to(user))


class Batch(models.Model):
    """What was pasted, with the settings all its lines share. While paused, no job of it is claimed."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="batches")
    user = models.ForeignKey(User, models.PROTECT, related_name="batches")
    name = models.CharField(_("name"), max_length=100)
    engine = models.CharField(_("engine"), max_length=60)
    settings = models.JSONField(default=dict)
    references = models.JSONField(default=list)
    count = models.PositiveSmallIntegerField(_("how many"), default=1)
    paused_at = models.DateTimeField(null=True)
    form_token = models.CharField(max_length=64, null=True, unique=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = BatchQuerySet.as_manager()

    class Meta:
        verbose_name = _("batch")
        verbose_name_plural = _("batches")
        ordering = ["-created_at", "-id"]
        indexes = [models.Index(fields=["project", "-created_at", "-id"], name="batch_keyset")]

    def __str__(self) -> str:
        return self.name


class BatchLine(models.Model):
    """One line: its prompt, and the run it became or the sentence on why it became none."""

    batch = models.ForeignKey(Batch, models.CASCADE, related_name="lines")
    position = models.PositiveIntegerField()
    prompt = models.TextField()
    # A msgid and what fills its places, so that each reader gets it in their own language.
    problem = models.CharField(max_length=300, blank=True)
    problem_params = models.JSONField(default=dict)
    generation = models.OneToOneField(
        "generations.Generation", models.SET_NULL, null=True, related_name="batch_line"
    )

    class Meta:
        ordering = ["batch", "position"]
        constraints = [
            models.UniqueConstraint(fields=["batch", "position"], name="batch_line_position"),
        ]

    def __str__(self) -> str:
        return f"{self.batch_id}:{self.position}"
