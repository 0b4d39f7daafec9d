"""Files: stored bytes, the verified results that use them, and what can be rebuilt from those."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.models.people import User
from generations.models.projects import Project
from generations.models.runs import Generation, Job

if TYPE_CHECKING:
    from generations.models.projects import Person


class Blob(models.Model):
    """Stored bytes, named by their hash; `uses` counts the rows that point here."""

    sha256 = models.CharField(max_length=64, primary_key=True)
    size = models.PositiveBigIntegerField()
    content_type = models.CharField(max_length=60)
    uses = models.PositiveIntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)

    def __str__(self) -> str:
        return self.sha256[:12]

    @property
    def name(self) -> str:
        """The name below MEDIA_ROOT: two hex digits, a slash, the hash."""
        return f"{self.sha256[:2]}/{self.sha256}"


class AssetQuerySet(models.QuerySet["Asset"]):
    def visible_to(self, user: Person) -> AssetQuerySet:
        """Trashed ones included: whoever threw one away may look at it and bring it back."""
        return self.filter(project__in=Project.objects.visible_to(user))

    def kept(self) -> AssetQuerySet:
        """What lists, covers and comparisons show: nothing from the trash."""
        return self.filter(trashed_at=None)


class Asset(models.Model):
    """One verified file. Its bytes are the provider's, untouched."""

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="assets")
    generation = models.ForeignKey(Generation, models.CASCADE, null=True, related_name="assets")
    job = models.ForeignKey(Job, models.CASCADE, null=True, related_name="assets")
    derived_from = models.ForeignKey("self", models.SET_NULL, null=True, related_name="derived")
    position = models.PositiveSmallIntegerField(default=0)
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="assets")
    kind = models.CharField(max_length=5)
    format = models.CharField(max_length=10)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    duration_ms = models.PositiveIntegerField(null=True)
    # A 16 px WebP as a data URI: shown until the rendition has arrived.
    placeholder = models.CharField(max_length=2000, blank=True)
    # The AIGC label in the file itself, as it was read: {} is none, empty means that nobody has looked.
    aigc = models.JSONField(null=True)
    # The team's judgement, not one person's: whoever edits in the project may change it.
    rating = models.PositiveSmallIntegerField(null=True)
    favourite = models.BooleanField(default=False)
    # In the trash since; 30 days later the row and its bytes go.
    trashed_at = models.DateTimeField(null=True)
    trashed_by = models.ForeignKey(User, models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField(default=timezone.now)

    objects = AssetQuerySet.as_manager()

    class Meta:
        verbose_name = _("asset")
        verbose_name_plural = _("assets")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["project", "-created_at", "-id"], name="asset_keyset"),
            models.Index(fields=["project", "-rating", "-created_at", "-id"], name="asset_best"),
            models.Index(
                fields=["trashed_at"],
                condition=models.Q(trashed_at__isnull=False),
                name="asset_trash",
            ),
            models.Index(
                fields=["project", "-trashed_at", "-id"],
                condition=models.Q(trashed_at__isnull=False),
                name="asset_trash_page",
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["job", "position"],
                condition=models.Q(job__isnull=False),
                name="asset_position",
            ),
            models.CheckConstraint(
                condition=models.Q(job__isnull=False) | models.Q(derived_from__isnull=False),
                name="asset_has_origin",
            ),
            models.CheckConstraint(
                condition=models.Q(rating=None) | models.Q(rating__range=(1, 5)),
                name="asset_rating_in_range",
            ),
        ]

    def __str__(self) -> str:
        return str(self.public_id)


class Rendition(models.Model):
    """A rebuildable derived file of an asset or a reference, unique on (source, spec)."""

    asset = models.ForeignKey(Asset, models.CASCADE, null=True, related_name="renditions")
    reference = models.ForeignKey(
        "generations.Reference", models.CASCADE, null=True, related_name="renditions"
    )
    spec = models.CharField(max_length=40)
    blob = models.ForeignKey(Blob, models.PROTECT, related_name="renditions")
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    created_at = models.DateTimeField(default=timezone.now)

    class Meta:
        verbose_name = _("rendition")
        verbose_name_plural = _("renditions")
        constraints = [
            models.UniqueConstraint(
                fields=["asset", "spec"],
                condition=models.Q(asset__isnull=False),
                name="one_rendition_per_spec",
            ),
            models.UniqueConstraint(
                fields=["reference", "spec"],
                condition=models.Q(reference__isnull=False),
                name="one_reference_rendition_per_spec",
            ),
            models.CheckConstraint(
                condition=models.Q(asset__isnull=False, reference=None)
                | models.Q(asset=None, reference__isnull=False),
                name="rendition_has_one_source",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.asset_id or self.reference_id}:{self.spec}"


class StoredCopy(models.Model):
    """A blob's bytes in the object store, for providers to fetch.

    `place` says in which store; `name` is the object's, below the store's prefix. `put_at` is empty until it
    is there. Without a blob it only waits to be removed.
    """

    blob = models.ForeignKey(Blob, models.SET_NULL, null=True, related_name="copies")
    place = models.CharField(max_length=16)
    name = models.CharField(max_length=120, unique=True)
    put_at = models.DateTimeField(null=True)
    handed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["blob", "place"],
                condition=models.Q(blob__isnull=False),
                name="one_copy_per_store",
            ),
        ]

    def __str__(self) -> str:
        return self.name
