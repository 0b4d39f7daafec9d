"""The one app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GenerationsConfig(AppConfig):
    name = "generations"
    verbose_name = _("Studio")

    def ready(self) -> None:
        from generations import checks  # noqa: F401  (registers the system checks)
