"""The library: reference pictures, reusable prompts in versions, and presets of settings.

Each row stands on the shelf of a project, or on one person's own (then `project` is empty).
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.models.files import Asset, Blob
from generations.models.people import User
from generations.models.projects import Project
from generations.models.runs import Generation

if TYPE_CHECKING:
    from generations.models.projects import Person


def on_a_shelf_of(user: Person) -> models.Q:
    """Rows of the person's projects and of their own shelf."""
    if not user.is_authenticated:
        return models.Q(pk__in=[])
    mine = models.Q(project__isnull=True, user=user)
    return models.Q(project__in=Project.objects.visible_to(user)) | mine


class ReferenceQuerySet(models.QuerySet["Reference"]):
    def visible_to(self, user: Person) -> ReferenceQuerySet:
        """On a shelf the person may see, or used by a run the person may see."""
        runs = Generation.objects.visible_to(user)
        used = Use.objects.filter(generation__in=runs).values("reference")
        return self.filter(on_a_shelf_of(user) | models.Q(pk__in=used))

    def on_shelf(self, user: Person) -> ReferenceQuerySet:
        """What the person may pick from: never what somebody took off a shelf."""
        return self.filter(on_a_shelf_of(user), hidden_at=None)


class Reference(models.Model):
    """An input picture: the oriented, sRGB, metadata-free master of what was uploaded or adopted.

    Never deleted under a run that used it: taking it off the shelf sets `hidden_at`.
    """

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="references")
    user = models.ForeignKey(User, models.PROTECT, related_name="references")
    from_asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="adopted_as")
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="references")
    name = models.CharField(_("name"), max_length=120)
    note = models.CharField(_("note"), max_length=300, blank=True)
    format = models.CharField(max_length=10)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    placeholder = models.CharField(max_length=2000, blank=True)
    hidden_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)

    objects = ReferenceQuerySet.as_manager()

    class Meta:
        verbose_name = _("reference")
        verbose_name_plural = _("references")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["project", "-created_at", "-id"], name="reference_keyset"),
            models.Index(fields=["user", "-created_at", "-id"], name="reference_by_person"),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["project", "blob"],
                condition=models.Q(project__isnull=False),
                name="one_reference_per_picture",
            ),
            models.UniqueConstraint(
                fields=["user", "blob"],
                condition=models.Q(project__isnull=True),
                name="one_own_reference_per_picture",
            ),
        ]

    def __str__(self) -> str:
        return self.name


class ReferenceRole(models.TextChoices):
    """What a reference is for. It travels with the recipe; no documented engine reads it."""

    ANY = "", _("Any use")
    SUBJECT = "subject", _("Subject")
    STYLE = "style", _("Style")
    COMPOSITION = "composition", _("Composition")
    EDIT = "edit", _("To be changed")


class Use(models.Model):
    """A reference in its place in a run: what the recipe names by sha256, as rows to look up."""

    generation = models.ForeignKey(Generation, models.CASCADE, related_name="uses")
    reference = models.ForeignKey(Reference, models.PROTECT, related_name="uses")
    position = models.PositiveSmallIntegerField()
    role = models.CharField(max_length=11, choices=ReferenceRole.choices, blank=True)

    class Meta:
        ordering = ["generation", "position"]
        constraints = [
            models.UniqueConstraint(fields=["generation", "position"], name="use_position"),
        ]

    def __str__(self) -> str:
        return f"{self.generation_id}:{self.position}"


class PromptQuerySet(models.QuerySet["Prompt"]):
    def visible_to(self, user: Person) -> PromptQuerySet:
        return self.filter(on_a_shelf_of(user))


class Prompt(models.Model):
    """Saved, reusable text with {slots}. `text` repeats the newest version's, for lists."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="prompts")
    user = models.ForeignKey(User, models.PROTECT, related_name="prompts")
    title = models.CharField(_("title"), max_length=100)
    text = models.TextField(_("text"))
    tags = models.JSONField(_("tags"), default=list)
    # Empty: for any model, with whatever settings stand in the panel.
    engine = models.CharField(_("engine"), max_length=60, blank=True)
    settings = models.JSONField(_("settings"), default=dict)
    example = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="+")
    uses = models.PositiveIntegerField(default=0)
    hidden_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=timezone.now)
    changed_at = models.DateTimeField(default=timezone.now)

    objects = PromptQuerySet.as_manager()

    class Meta:
        verbose_name = _("prompt")
        verbose_name_plural = _("prompts")
        ordering = ["-changed_at", "-id"]
        indexes = [
            models.Index(fields=["project", "-changed_at", "-id"], name="prompt_keyset"),
            models.Index(fields=["user", "-changed_at", "-id"], name="prompt_by_person"),
        ]

    def __str__(self) -> str:
        return self.title


class PromptVersion(models.Model):
    """One wording of a prompt. Runs point at the wording they were made from."""

    prompt = models.ForeignKey(Prompt, models.CASCADE, related_name="versions")
    number = models.PositiveIntegerField()
    text = models.TextField(_("text"))
    user = models.ForeignKey(User, models.PROTECT, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        ordering = ["prompt", "-number"]
        constraints = [
            models.UniqueConstraint(fields=["prompt", "number"], name="prompt_version_number"),
        ]

    def __str__(self) -> str:
        return f"{self.prompt_id}.{self.number}"


class PresetQuerySet(models.QuerySet["Preset"]):
    def visible_to(self, user: Person) -> PresetQuerySet:
        return self.filter(on_a_shelf_of(user))


class Preset(models.Model):
    """Settings without a prompt."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, null=True, related_name="presets")
    user = models.ForeignKey(User, models.PROTECT, related_name="presets")
    name = models.CharField(_("name"), max_length=60)
    engine = models.CharField(_("engine"), max_length=60)
    settings = models.JSONField(_("settings"), default=dict)
    count = models.PositiveSmallIntegerField(_("how many"), default=1)
    created_at = models.DateTimeField(default=timezone.now)

    objects = PresetQuerySet.as_manager()

    class Meta:
        verbose_name = _("preset")
        verbose_name_plural = _("presets")
        ordering = ["name", "id"]

    def __str__(self) -> str:
        return self.name
