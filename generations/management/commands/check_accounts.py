"""`manage.py check_accounts`: whether each account's key is accepted, and what is wrong where it is not."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError
from django.utils.translation import gettext as _

from generations.services import health


class Command(BaseCommand):
    help = "Ask each provider account's service whether it accepts the key; costs nothing."

    def handle(self, *args: Any, **options: Any) -> None:
        findings = health.check_accounts()
        if not findings:
            raise CommandError(_("There is no account in use."))
        for each in findings:
            mark, row = "ok" if each.well else "!!", each.account
            self.stdout.write(f"{mark} {row.label} ({row.provider}): {each.sentence}")
        bad = sum(not each.well for each in findings)
        if bad:
            told = _("%(bad)s of %(all)s accounts cannot be used.")
            raise CommandError(told % {"bad": bad, "all": len(findings)})
