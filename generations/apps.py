"""The one app."""

from __future__ import annotations

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class GenerationsConfig(AppConfig):
    name = "generations"
    verbose_name = _("Studio")

    def ready(self) -> None:
        from django.contrib.auth.signals import user_logged_in

        from generations import checks  # noqa: F401  (registers the system checks)
        from generations.views import me

        # Sessions begin in three places (our page, the admin's, a link); Django tells of all of them.
        user_logged_in.connect(me.note_sign_in, dispatch_uid="note_sign_in")
