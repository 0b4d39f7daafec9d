"""`manage.py runworker`: everything that works in the background, under one supervisor."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand

from generations.services.supervisor import processes


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # the web process checks
    help = "Run the background worker: drivers, downloads and sweeps. Stop it with Ctrl-C."

    def handle(self, *args: Any, **options: Any) -> None:
        sys.exit(processes.run_worker())
