"""Files that leave without a label their project asks for: never without a reason, never unwritten."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta

from django.db.models import QuerySet
from django.utils import timezone
from django.utils.translation import gettext as _

from generations.models import Asset, LabelPolicy, Project, UnlabelledDownload, User
from generations.models.labels import REASON_MAX
from generations.providers.base import N_
from generations.providers.labels import Label
from generations.services import labels
from generations.services.library import sheets
from generations.services.paging import Cursor

PAGE = 50
# A download that is resumed is one: whoever says the same of the same file again so soon adds no row.
SAME = timedelta(minutes=10)
COLUMNS = ("when", "person", "file", "sha256", "missing", "way", "reason")
WORDS: dict[str, str] = {"visible": N_("visible mark"), "implicit": N_("hidden mark")}
NO_REASON = N_("This file lacks a label that its project asks for. Say why it is needed without.")
LONG_REASON = N_("A reason has at most %(max)s characters.")


class ReasonProblem(Exception):
    """No reason, or one that cannot be kept; `message` is an untranslated msgid."""

    def __init__(self, message: str, params: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.params = params or {}


@dataclass(frozen=True, slots=True)
class Lacking:
    """A file, and the labels that it lacks."""

    asset: Asset
    missing: tuple[Label, ...]


def lacking(*, assets: Sequence[Asset]) -> list[Lacking]:
    """Which of these lack something that the policy of their project asks for. One query, unless files
    from before labels were read have to be looked into."""
    projects = {each.project_id for each in assets}
    policies = {each.project_id: each for each in LabelPolicy.objects.filter(project__in=projects)}
    found = (Lacking(each, labels.missing(each, policies.get(each.project_id))) for each in assets)
    return [each for each in found if each.missing]


def register(*, user: User, found: Sequence[Lacking], reason: str, way: str) -> None:
    """Write down who takes these, and why, before a byte goes out. Raises ReasonProblem."""
    plain = clean_reason(reason)
    since = timezone.now() - SAME
    before = UnlabelledDownload.objects.filter(user=user, reason=plain, created_at__gte=since)
    known = set(before.values_list("asset_id", "missing", "way"))
    told = ((each, (each.asset.pk, ",".join(each.missing), way)) for each in found)
    UnlabelledDownload.objects.bulk_create(
        UnlabelledDownload(
            project_id=each.asset.project_id,
            user=user,
            asset=each.asset,
            asset_public_id=each.asset.public_id,
            sha256=each.asset.blob_id,
            missing=key[1],
            way=way,
            reason=plain,
        )
        for each, key in told
        if key not in known
    )


def clean_reason(text: str) -> str:
    """One line without control characters. Raises ReasonProblem."""
    plain = "".join(char if char.isprintable() else " " for char in text[: REASON_MAX * 4])
    plain = " ".join(plain.split())
    if not plain:
        raise ReasonProblem(NO_REASON)
    if len(plain) > REASON_MAX:
        raise ReasonProblem(LONG_REASON, {"max": REASON_MAX})
    return plain


def rows(*, project: Project) -> QuerySet[UnlabelledDownload]:
    """The project's register, the newest first."""
    return UnlabelledDownload.objects.filter(project=project).select_related("user", "asset")


def page(
    *, project: Project, after: Cursor | None = None
) -> tuple[list[UnlabelledDownload], Cursor | None]:
    """Some of the register, and where to go on (None at the end)."""
    found = rows(project=project)
    if after:
        found = found.filter(after.before())
    shown = list(found.order_by("-created_at", "-id")[: PAGE + 1])
    last = shown[PAGE - 1] if len(shown) > PAGE else None
    return shown[:PAGE], Cursor(last.created_at, last.pk) if last else None


def to_csv(found: Iterable[UnlabelledDownload]) -> Iterator[str]:
    """The register for a spreadsheet, line by line: with a byte order mark, and no cell that it would run."""
    out = io.StringIO()
    sheet = csv.writer(out)
    out.write("\ufeff")
    sheet.writerow(COLUMNS)
    for each in found:
        yield out.getvalue()
        out.seek(0)
        out.truncate()
        cells = (
            timezone.localtime(each.created_at).isoformat(timespec="seconds"),
            each.user.get_username(),
            str(each.asset_public_id),
            each.sha256,
            each.missing,
            each.way,
            each.reason,
        )
        sheet.writerow([sheets.guard(cell) for cell in cells])
    yield out.getvalue()


def named(missing: str) -> str:
    """What a file lacked, in words."""
    return ", ".join(_(WORDS.get(each, each)) for each in missing.split(","))
