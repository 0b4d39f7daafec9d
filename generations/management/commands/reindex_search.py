"""`manage.py reindex_search`: write what search looks through, for the runs that lack it or for all."""

from __future__ import annotations

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from generations.services.gallery import search


class Command(BaseCommand):
    help = "Write the search text of every run that lacks it; with --all, of every run anew."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--all", action="store_true", help="every run, and the index itself")
        parser.add_argument("--after", type=int, default=0, help="go on after the run so numbered")
        parser.add_argument("--batch", type=int, default=search.AT_ONCE, help="runs a transaction")

    def handle(self, *args: Any, **options: Any) -> None:
        after, count = options["after"], 0
        if options["batch"] < 1:
            raise CommandError("--batch must be 1 or more.")
        if not 0 <= after < 2**63:
            raise CommandError("--after must be the number of a run.")
        if options["all"]:
            # First: SQLite takes the old words out of its index, and fails where they are not in it.
            search.rebuild()
        while done := search.reindex(
            after=after, limit=options["batch"], everything=options["all"]
        ):
            after, count = done[-1], count + len(done)
            self.stdout.write(f"{count} done, up to run {after}")
            self.stdout.flush()
        self.stdout.write(f"Search text written for {count} runs.")
