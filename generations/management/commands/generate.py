"""`manage.py generate "a corgi" --project demo --wait --out DIR`: the studio without a browser.

With `--from FILE` a run for each line of a list. Each has a token made of its line, so that the same
command goes on where it was stopped, however it was stopped.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.utils.text import slugify
from django.utils.translation import gettext as _
from django.utils.translation import override

from generations.management import lists, serving
from generations.management.lists import Wanted
from generations.models import Asset, Generation, JobState, Membership, Project, Role, User
from generations.models.runs import ACTIVE
from generations.services import accounts, compose, engines, quota
from generations.services.library import references, transport
from generations.services.supervisor import inline

LOCAL = "local"


class Command(BaseCommand):
    help = "Run prompts through the same services as the pages, and save what comes of them."
    refused = False

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("prompt", nargs="?", default="")
        parser.add_argument(
            "--from",
            type=Path,
            dest="list",
            metavar="FILE",
            help=".jsonl or .csv: prompt, and where it differs engine, count, settings, references",
        )
        parser.add_argument(
            "--label", default="", help="with --from: another label makes every line anew"
        )
        parser.add_argument("--project", required=True, help="short name of the project")
        parser.add_argument("--engine", default="jimeng-image-4.0")
        parser.add_argument(
            "--set",
            action="append",
            default=[],
            metavar="NAME=VALUE",
            help="a setting of the model, as docs/engines.md names it; may be given several times",
        )
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
            wanted = self._wanted(options)
            with self._references_served(wanted) as by_us:
                made = self._submit(wanted, options)
                # Whoever serves the references must stay until they have been fetched.
                if not (options["wait"] or options["out"] or options["list"] or by_us):
                    return
                ends = time.monotonic() + options["timeout"]
                for number, generation in made.items():
                    self._wait(generation, ends)
                    for path in self._save(generation, options["out"], number):
                        self.stdout.write(str(path))
            self._complain(made)

    def _wanted(self, options: dict[str, Any]) -> list[Wanted]:
        usual = Wanted(
            prompt=options["prompt"],
            engine=options["engine"],
            count=options["count"],
            settings=_settings(options),
            references=tuple(options["reference"]),
        )
        if options["list"] is None:
            return [usual]
        try:
            project = Project.objects.filter(slug=options["project"]).first()
            return lists.read(options["list"], usual, project)
        except OSError as error:
            raise CommandError(f"{options['list']}: {error.strerror}") from None
        except lists.ListProblem as problem:
            raise CommandError("\n".join(_line(*each) for each in problem.said)) from None

    def _references_served(self, wanted: list[Wanted]) -> AbstractContextManager[bool]:
        """Serve references from here if a provider on this machine will ask, and nobody would answer."""
        slugs = {each.engine for each in wanted if each.references}
        there = [engine for slug in slugs if (engine := engines.find(slug))]
        found = [accounts.account_for(each) for each in there if transport.fetched(each)]
        asked = any(each and transport.from_here(each) for each in found)
        return self._served() if asked else nullcontext(False)

    @contextmanager
    def _served(self) -> Iterator[bool]:
        try:
            with serving.served() as by_us:
                yield by_us
        except serving.PortTaken as taken:
            message = _("Port %(port)s is taken by another program. Choose a free one with PORT=….")
            raise CommandError(message % {"port": taken.port}) from None

    def _submit(self, wanted: list[Wanted], options: dict[str, Any]) -> dict[int, Generation]:
        """Ask for each run; those of a list that were asked for before are found again. By line."""
        project, user = self._where(options["project"], options["user"])
        made: dict[int, Generation] = {}
        for each in wanted:
            token = each.token(options["label"]) if options["list"] else None
            try:
                made[each.number] = self._ask(project, user, each, token)
            except CommandError as refused:
                if not made:
                    raise
                self.stderr.write(_line(each.number, str(refused), {}))
                self.refused = True
                break  # what has been asked for is waited for; the same command goes on here
            self.stdout.write(str(made[each.number].public_id))
        return made

    def _ask(self, project: Project, user: User, wanted: Wanted, token: str | None) -> Generation:
        try:
            return compose.submit(
                project=project,
                user=user,
                engine=wanted.engine,
                prompt=wanted.prompt,
                settings=wanted.settings,
                count=wanted.count,
                references=[self._taken_in(path, user) for path in wanted.references],
                form_token=token,
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

    def _wait(self, generation: Generation, ends: float) -> None:
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

    def _save(self, generation: Generation, folder: Path | None, number: int) -> list[Path]:
        if folder is None:
            return []
        try:
            folder.mkdir(parents=True, exist_ok=True)
            assets = generation.assets.select_related("blob", "job").order_by(
                "job__position", "position"
            )
            return [
                self._copy(asset, folder, f"{number:04d}-" if number else "") for asset in assets
            ]
        except OSError as error:
            raise CommandError(f"{folder}: {error.strerror}") from None

    def _copy(self, asset: Asset, folder: Path, first: str) -> Path:
        assert asset.job is not None
        suffix = "jpg" if asset.format == "jpeg" else asset.format
        place = f"{asset.job.position + 1}-{asset.position + 1}"
        path = folder / f"{first}{asset.public_id.hex[:8]}-{place}.{suffix}"
        path.write_bytes((settings.MEDIA_ROOT / asset.blob.name).read_bytes())
        return path

    def _complain(self, made: dict[int, Generation]) -> None:
        """Say what became of runs that gave nothing, and end with a status that tells."""
        good = not self.refused
        for number, generation in made.items():
            bad = generation.jobs.exclude(state=JobState.SUCCEEDED).order_by("position").first()
            if bad is not None:
                said = " ".join(filter(None, [bad.reason, bad.provider_code, bad.provider_message]))
                self.stderr.write(_line(number, f"{JobState(bad.state).label}: {said}", {}))
                good = False
        if not good:
            sys.exit(1)


def _settings(options: dict[str, Any]) -> dict[str, object]:
    chosen: dict[str, object] = {"size": options["size"], "scale": options["scale"]}
    chosen["output"] = "set" if options["as_set"] else None
    for each in options["set"]:
        name, equals, value = each.partition("=")
        if not equals:
            message = _("“%(text)s” is no setting: write NAME=VALUE.")
            raise CommandError(message % {"text": each[:60]})
        chosen[name.strip()] = value.strip()
    return {name: value for name, value in chosen.items() if value is not None}


def _line(number: int, message: str, params: Mapping[str, object]) -> str:
    said = _(message) % params if params else _(message)
    return _("Line %(n)s: %(said)s") % {"n": number, "said": said} if number else said
