"""Models that an administrator put on offer between two releases."""

from __future__ import annotations

from django.db import models
from django.utils.translation import gettext_lazy as _


class CustomEngine(models.Model):
    """An engine of the catalogue under another id at its provider, perhaps with tighter limits.

    `parent` is the slug of the catalogue's engine: everything that is not written here is declared
    there. `offered` holds, for each setting of which only a part is offered, the values that are.
    """

    slug = models.CharField(
        _("short name"),
        max_length=60,
        unique=True,
        help_text=_(
            "What scripts and recipes call it: letters, digits, dots and dashes. For good."
        ),
    )
    parent = models.CharField(_("clone of"), max_length=60)
    req_key = models.CharField(
        _("id at the provider"),
        max_length=120,
        help_text=_(
            "Of Jimeng the req_key; of Ark the model id, or an endpoint id that begins with ep-."
        ),
    )
    label_en = models.CharField(_("name, English"), max_length=60)
    label_zh = models.CharField(_("name, Chinese"), max_length=60)
    good_for_en = models.CharField(
        _("good for, English"),
        max_length=200,
        blank=True,
        help_text=_("One sentence below the name where a model is chosen. Empty: as its origin."),
    )
    good_for_zh = models.CharField(_("good for, Chinese"), max_length=200, blank=True)
    count_max = models.PositiveSmallIntegerField(
        _("most at once"), null=True, blank=True, help_text=_("Of one run. Empty: as everywhere.")
    )
    references_max = models.PositiveSmallIntegerField(
        _("most references"), null=True, blank=True, help_text=_("Empty: as many as its origin.")
    )
    offered = models.JSONField(default=dict, blank=True, editable=False)
    enabled = models.BooleanField(
        _("on offer"),
        default=True,
        help_text=_("Off: nothing new is begun with it. What runs ends, and what was made stays."),
    )
    created_at = models.DateTimeField(_("created"), auto_now_add=True)

    class Meta:
        verbose_name = _("model of your own")
        verbose_name_plural = _("models of your own")
        ordering = ["parent", "id"]

    def __str__(self) -> str:
        return self.label_en
