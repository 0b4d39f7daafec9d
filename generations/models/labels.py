"""AIGC labels: what a project asks of everything made in it, and who took something away without them."""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from django.core.exceptions import ValidationError
from django.core.validators import MaxValueValidator, MinValueValidator
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from generations.models.files import Asset
from generations.models.people import User
from generations.models.projects import Project

if TYPE_CHECKING:
    from decimal import Decimal

# Of each text, in characters; what the provider takes.
TEXT_MAX = 256
REASON_MAX = 500


class Corner(models.TextChoices):
    """The values are the first letters of the provider's positions."""

    NONE = "", _("None")
    BOTTOM_RIGHT = "br", _("Bottom right")
    BOTTOM_LEFT = "bl", _("Bottom left")
    TOP_LEFT = "tl", _("Top left")
    TOP_RIGHT = "tr", _("Top right")


class MarkLanguage(models.TextChoices):
    ZH = "zh", _("Chinese")
    EN = "en", _("English")


class LabelPolicy(models.Model):
    """The labels that a project's runs ask for. Without a row: none.

    A run keeps its own copy (`Generation.labels`), so a change speaks of later runs only.
    """

    project = models.OneToOneField(Project, models.CASCADE, related_name="label_policy")
    corner = models.CharField(
        _("visible mark"), max_length=2, choices=Corner.choices, default="", blank=True
    )
    language = models.CharField(
        _("language of the mark"), max_length=2, choices=MarkLanguage.choices, default="zh"
    )
    opacity: models.DecimalField[Decimal, Decimal] = models.DecimalField(
        _("opacity"),
        max_digits=3,
        decimal_places=2,
        default=1,
        validators=[
            MinValueValidator(0, _("Choose an opacity from 0 to 1.")),
            MaxValueValidator(1, _("Choose an opacity from 0 to 1.")),
        ],
    )
    text = models.CharField(_("text of the mark"), max_length=TEXT_MAX, blank=True)
    implicit = models.BooleanField(_("hidden mark"), default=False)
    producer = models.CharField(_("producer"), max_length=TEXT_MAX, blank=True)
    producer_id = models.CharField(_("producer's id"), max_length=TEXT_MAX, blank=True)
    propagator = models.CharField(_("propagator"), max_length=TEXT_MAX, blank=True)
    propagator_id = models.CharField(_("propagator's id"), max_length=TEXT_MAX, blank=True)
    updated_at = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("label policy")
        verbose_name_plural = _("label policies")
        constraints = [
            models.CheckConstraint(
                condition=models.Q(implicit=False) | ~models.Q(producer_id=""),
                name="label_policy_names_its_producer",
            ),
            models.CheckConstraint(
                condition=models.Q(opacity__range=(0, 1)), name="label_policy_opacity_in_range"
            ),
        ]

    def __str__(self) -> str:
        return str(self.project)

    def clean(self) -> None:
        """What the provider would refuse, said before it is asked."""
        if self.implicit and not self.producer_id:
            message = _("The hidden mark needs the producer's id: the provider refuses it without.")
            raise ValidationError({"producer_id": message})


class UnlabelledDownload(models.Model):
    """Somebody took a file away without a label that its project asks for, and said why. Never edited.

    The file may be gone later; its id and hash stay.
    """

    class Way(models.TextChoices):
        PAGE = "page", _("In the studio")
        ARCHIVE = "archive", _("In a ZIP")
        API = "api", _("By the API")

    public_id = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    project = models.ForeignKey(Project, models.CASCADE, related_name="unlabelled_downloads")
    user = models.ForeignKey(User, models.PROTECT, related_name="unlabelled_downloads")
    asset = models.ForeignKey(Asset, models.SET_NULL, null=True, related_name="+")
    asset_public_id = models.UUIDField(_("file"))
    sha256 = models.CharField(max_length=64)
    # Which of "visible" and "implicit" it lacked, with a comma between them.
    missing = models.CharField(_("missing"), max_length=20)
    way = models.CharField(_("way"), max_length=7, choices=Way.choices)
    reason = models.CharField(_("reason"), max_length=REASON_MAX)
    created_at = models.DateTimeField(_("when"), default=timezone.now)

    class Meta:
        verbose_name = _("unlabelled download")
        verbose_name_plural = _("unlabelled downloads")
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(
                fields=["project", "-created_at", "-id"], name="unlabelled_download_keyset"
            ),
        ]

    def __str__(self) -> str:
        return str(self.asset_public_id)
