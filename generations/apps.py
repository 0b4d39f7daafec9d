"""The one app."""

from __future__ import annotations

from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate
from django.utils.translation import gettext_lazy as _


def _begin_with_prices(**_kwargs: Any) -> None:
    """A new installation knows the published prices; administrators add theirs."""
    from generations.services import pricing

    pricing.seed()


class GenerationsConfig(AppConfig):
    name = "generations"
    verbose_name = _("Studio")

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        post_migrate.connect(_begin_with_prices, sender=self, dispatch_uid="prices")
        from generations import checks  # noqa: F401  (registers the system checks)
        from generations.views import me

        # Sessions begin in three places (our page, the admin's, a link); Django tells of all of them.
        user_logged_in.connect(me.note_sign_in, dispatch_uid="note_sign_in")
