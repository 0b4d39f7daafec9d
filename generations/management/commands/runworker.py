"""`manage.py runworker`: everything that works in the background, under one supervisor."""

from __future__ import annotations

import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class Command(BaseCommand):
    requires_system_checks: list[str] = []  # its children start often; the web process checks
    help = "Run the background worker: drivers, downloads and sweeps. Stop it with Ctrl-C."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", help="(internal) host one cluster")
        parser.add_argument("--ensure", action="store_true", help="(internal) sweep")

    def handle(self, *args: Any, **options: Any) -> None:
        # Imported late: a host's Q_CLUSTER_NAME must be in the environment before django-q2 is.
        from generations.services.supervisor import processes

        if options["host"]:
            status = processes.host_cluster(options["host"])
        elif options["ensure"]:
            status = processes.run_ensure()
        else:
            status = processes.run_worker()
        sys.exit(status)
