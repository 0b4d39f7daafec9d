"""`manage.py bootstrap`: what a first start needs, and nothing on any later one."""

from __future__ import annotations

import secrets
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import transaction

from generations.models import Allowance, Membership, Project, Role, User
from generations.services import accounts, compose, queue

# The demo's first generations, really run: two that differ in one setting, to be compared, and a pair.
DEMO_RUNS: list[tuple[str, dict[str, object], int]] = [
    ("雨夜的霓虹街道，一只白鹤缓步穿过积水，电影感侧光", {"size": "2304x1728"}, 4),
    ("雨夜的霓虹街道，一只白鹤展翅穿过积水，冷青色倒影", {"size": "2304x1728", "scale": "0.8"}, 2),
    ("Jade mountains above a sea of clouds at first light, gouache", {"size": "2560x1440"}, 2),
    ("沙丘航拍，落日，长长的影子，极简构图", {"size": "2048x2048"}, 2),
]
PER_PERSON_A_DAY, SITE_A_DAY = 100, 500


class Command(BaseCommand):
    help = "Prepare accounts and, on an empty database, the first people and the demo project."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--no-runs", action="store_true", help="no first pictures")

    def handle(self, *args: Any, **options: Any) -> None:
        accounts.ensure_accounts()
        queue.keep_ensuring()
        if User.objects.exists():
            return
        with transaction.atomic():
            designer, lines = self._people()
            project = self._project(designer)
        if not (settings.LIVE or options["no_runs"]):
            self._first_runs(project, designer)
        for line in lines:
            self.stdout.write(line)

    def _people(self) -> tuple[User, list[str]]:
        """The administrator and the designer; their passwords are shown this once."""
        passwords = {
            name: settings.DEMO_PASSWORD or secrets.token_urlsafe(9)
            for name in ("admin", "designer")
        }
        User.objects.create_superuser("admin", password=passwords["admin"])
        designer = User.objects.create_user("designer", password=passwords["designer"])
        each = Allowance(scope=Allowance.Scope.PERSON, limit=PER_PERSON_A_DAY)
        site = Allowance(scope=Allowance.Scope.SITE, limit=SITE_A_DAY)
        Allowance.objects.bulk_create([each, site])
        lines = [f"  {name:<9} {password}" for name, password in passwords.items()]
        return designer, ["Sign in with (shown once):", *lines]

    def _project(self, designer: User) -> Project:
        project = Project.objects.create(name="Demo", slug="demo")
        admin = User.objects.get(username="admin")
        for person in (designer, admin):
            Membership.objects.create(project=project, user=person, role=Role.OWNER)
        return project

    def _first_runs(self, project: Project, designer: User) -> None:
        for prompt, changed, count in DEMO_RUNS:
            compose.submit(
                project=project,
                user=designer,
                engine="jimeng-image-4.0",
                prompt=prompt,
                settings=changed,
                count=count,
            )
