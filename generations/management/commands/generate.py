"""`manage.py generate "a corgi" --project demo --wait --out DIR`: the studio without a browser."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import override

from generations.management import serving
from generations.models import Asset, Generation, JobState, Membership, Project, Role, User
from generations.models.runs import ACTIVE
from generations.providers import catalog
from generations.services import accounts, compose, quota
from generations.services.library import references, transport
from generations.services.supervisor import inline

LOCAL = "local"


class Command(BaseCommand):
    help = "Run one prompt through the same services as the pages, and save the pictures."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prompt")
        parser.add_argument("--project", required=True, help="short name of the project")
        parser.add_argument("--engine", default="jimeng-image-4.0")
        parser.add_argument("--size", help="WIDTHxHEIGHT, or auto-1k, auto-2k, auto-4k")
        parser.add_argument("--scale", help="0 to 1: how strongly the prompt binds")
        parser.add_argument("--as-set", action="store_true", help="let the model make a set")
        parser.add_argument("--count", type=int, default=1)
        parser.add_argument(
            "--reference",
            type=Path,
            action="append",
            default=[],
            metavar="FILE",
            help="a picture to start from; may be given several times",
        )
        parser.add_argument("--user", help="who asks; by default the project's first owner")
        parser.add_argument("--wait", action="store_true", help="wait for the pictures")
        parser.add_argument("--out", type=Path, help="folder for the pictures (implies --wait)")
        parser.add_argument("--timeout", type=float, default=3600.0, help="seconds to wait")

    def handle(self, *args: Any, **options: Any) -> None:
        with override(settings.LANGUAGE_CODE):
            accounts.ensure_accounts()
            with self._references_served(options) as by_us:
                generation = self._submit(options)
                self.stdout.write(str(generation.public_id))
                # Whoever serves the references must stay until they have been fetched.
                if not (options["wait"] or options["out"] or by_us):
                    return
                self._wait(generation, options["timeout"])
            for path in self._save(generation, options["out"]):
                self.stdout.write(str(path))
            self._complain(generation)

    def _references_served(self, options: dict[str, Any]) -> AbstractContextManager[bool]:
        """Serve references from here if a provider on this machine will ask, and nobody would answer."""
        engine = catalog.ENGINES.get(options["engine"])
        account = accounts.account_for(engine) if engine and options["reference"] else None
        own = account is not None and transport.base_url(account) == settings.OWN_BASE_URL
        return self._served() if own else nullcontext(False)

    @contextmanager
    def _served(self) -> Iterator[bool]:
        try:
            with serving.served() as by_us:
                yield by_us
        except serving.PortTaken as taken:
            message = _("Port %(port)s is taken by another program. Choose a free one with PORT=….")
            raise CommandError(message % {"port": taken.port}) from None

    def _submit(self, options: dict[str, Any]) -> Generation:
        project, user = self._where(options["project"], options["user"])
        chosen = {"size": options["size"], "scale": options["scale"]}
        wanted = {name: value for name, value in chosen.items() if value is not None}
        if options["as_set"]:
            wanted["output"] = "set"
        try:
            return compose.submit(
                project=project,
                user=user,
                engine=options["engine"],
                prompt=options["prompt"],
                settings=wanted,
                count=options["count"],
                references=[self._taken_in(path, user) for path in options["reference"]],
            )
        except references.ReferenceProblem as problem:
            raise CommandError(_(problem.message) % problem.params) from None
        except compose.ComposeProblem as problem:
            said = [_(error.message) % error.params for error in problem.errors]
            raise CommandError(" ".join(said)) from None
        except quota.OverLimit as refusal:
            raise CommandError(refusal.message) from None

    def _taken_in(self, path: Path, user: User) -> compose.Chosen:
        """The file on the person's own shelf."""
        try:
            made = references.ingest(source=path, name=path.name, user=user, project=None)
        except OSError as error:
            raise CommandError(f"{path}: {error.strerror}") from None
        return compose.Chosen(made)

    def _where(self, slug: str, username: str | None) -> tuple[Project, User]:
        """The named project and person; on an empty database, made on the spot."""
        if not User.objects.exists():
            user = User.objects.create_user(LOCAL)
            slug = slugify(slug, allow_unicode=True) or LOCAL
            project = Project.objects.create(name=slug, slug=slug)
            Membership.objects.create(project=project, user=user, role=Role.OWNER)
            return project, user
        found = Project.objects.filter(slug=slug).first()
        if found is None:
            raise CommandError(_("There is no project called “%(slug)s”.") % {"slug": slug})
        members = found.memberships.select_related("user").exclude(role=Role.VIEWER)
        if username:
            members = members.filter(user__username=username)
        member = members.order_by("-role", "id").first()  # owners come before editors
        if member is None:
            raise CommandError(_("Nobody may make pictures in this project under that name."))
        return found, member.user

    def _wait(self, generation: Generation, timeout_s: float) -> None:
        ends = time.monotonic() + timeout_s
        shown = ""
        while generation.jobs.filter(state__in=ACTIVE).exists():
            if time.monotonic() > ends:
                raise CommandError(_("Gave up waiting; the pictures will still arrive."))
            inline.step(generation=generation)
            if (line := self._progress(generation)) != shown:
                self.stderr.write(shown := line)

    def _progress(self, generation: Generation) -> str:
        jobs = list(generation.jobs.select_related("account"))
        states = ", ".join(str(JobState(job.state).label) for job in jobs)
        away = next(
            (j.account.unreachable_since for j in jobs if j.account.unreachable_since), None
        )
        waiting = _("the provider cannot be reached; waiting") if away else ""
        return " · ".join(filter(None, [states, waiting]))

    def _save(self, generation: Generation, folder: Path | None) -> list[Path]:
        if folder is None:
            return []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            assets = generation.assets.select_related("blob", "job").order_by(
                "job__position", "position"
            )
            return [self._copy(asset, folder) for asset in assets]
        except OSError as error:
            raise CommandError(f"{folder}: {error.strerror}") from None

    def _copy(self, asset: Asset, folder: Path) -> Path:
        assert asset.job is not None
        suffix = "jpg" if asset.format == "jpeg" else asset.format
        name = f"{asset.public_id.hex[:8]}-{asset.job.position + 1}-{asset.position + 1}.{suffix}"
        path = folder / name
        path.write_bytes((settings.MEDIA_ROOT / asset.blob.name).read_bytes())
        return path

    def _complain(self, generation: Generation) -> None:
        bad = generation.jobs.exclude(state=JobState.SUCCEEDED).order_by("position").first()
        if bad is None:
            return
        said = " ".join(filter(None, [bad.reason, bad.provider_code, bad.provider_message]))
        self.stderr.write(f"{JobState(bad.state).label}: {said}")
        sys.exit(1)
