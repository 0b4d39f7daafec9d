"""What one generation's card is made of: a tile for every picture, and for every one still missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from django.utils import timezone
from django.utils.translation import gettext as _

from generations.models import Asset, Generation, Job, JobState, Project
from generations.providers import catalog
from generations.providers.base import N_
from generations.services import engines, jobs, labels
from generations.templatetags import controls, failures, sentences
from generations.templatetags.failures import Meaning

S = JobState
ANY_SHAPE = (2048, 2048)  # where the model picks the shape
TALL = 9 / 16  # taller ones are cropped in the row of tiles
WIDE = 1.7
ALWAYS = ("size", "aspect_ratio", "frames")  # settings that a card names in any case
STRIP = 10  # frames in a hover strip


@dataclass(frozen=True, slots=True)
class Tile:
    """`kind` is picture, trashed, pending, failed, cancelled, uncertain or (of a set that came) lost.

    Sizes are in px of the picture.
    """

    kind: str
    job: Job
    width: int
    height: int
    asset: Asset | None = None
    words: str = ""
    percent: int = 0
    elapsed: float = 0.0
    typical: float = 0.0
    may_cancel: bool = False
    why: Meaning | None = None
    request_id: str = ""
    until: str = ""

    @property
    def letter(self) -> str:
        return failures.letter(self.job)

    @property
    def video(self) -> bool:
        return self.job.generation.kind == "video"

    @property
    def tall(self) -> bool:
        return self.width < self.height * TALL


def in_rows(cards: Sequence[Generation]) -> list[list[Generation]]:
    """Neighbours that are tied together as one row, in the order in which the models were chosen."""
    rows: list[list[Generation]] = []
    for card in cards:
        if rows and card.together and card.together == rows[-1][0].together:
            rows[-1].append(card)
        else:
            rows.append([card])
    return [sorted(row, key=lambda card: card.pk) for row in rows]


def tiles(
    generation: Generation, now: datetime | None = None, ahead: jobs.Ahead | None = None
) -> list[Tile]:
    """The tiles of a card, in order. Reads what `gallery.card_queryset` has prefetched, and `ahead`."""
    now = now or timezone.now()
    engine = engines.known(generation.engine)
    box = engine and (
        catalog.aspect(engine, generation.recipe["settings"]) or _first_frame(engine, generation)
    )
    return [
        tile
        for job in sorted(generation.jobs.all(), key=lambda job: job.position)
        for tile in _of_job(job, box or ANY_SHAPE, now, ahead)
    ]


def _first_frame(engine: catalog.Engine, generation: Generation) -> tuple[int, int] | None:
    """The shape that a video takes from the picture it starts from."""
    first = next(iter(generation.uses.all()), None)
    if engine.frames is None or first is None:
        return None
    source = first.reference
    crop = catalog.centre_crop(source.width, source.height, engine.frames.shapes)
    return crop.width, crop.height


def _of_job(
    job: Job, box: tuple[int, int], now: datetime, ahead: jobs.Ahead | None
) -> Iterator[Tile]:
    for asset in sorted(job.assets.all(), key=lambda asset: asset.position):
        kind = "trashed" if asset.trashed_at else "picture"
        yield Tile(kind, job, asset.width, asset.height, asset=asset)
    if job.is_active:
        yield _pending(job, box, now, ahead)
    elif job.state == S.UNCERTAIN:
        yield Tile("uncertain", job, *box, request_id=_client_request_id(job))
    elif job.state == S.CANCELLED:
        yield Tile("cancelled", job, *box)
    elif job.state != S.SUCCEEDED or job.reason:
        kind = "lost" if job.state == S.SUCCEEDED else "failed"
        why = failures.meaning(job)
        yield Tile(kind, job, *box, words=str(why), why=why)


def _pending(job: Job, box: tuple[int, int], now: datetime, ahead: jobs.Ahead | None) -> Tile:
    started = job.accepted_at or job.sent_at
    typical = jobs.usual_of(job).p50
    runs = started is not None and job.state in (S.SUBMITTING, S.RUNNING)
    return Tile(
        "pending",
        job,
        *box,
        words=_when(job, sentences.under_way(job, now, ahead), ahead),
        percent=jobs.progress_percent(job, now, typical),
        elapsed=(now - started).total_seconds() if runs and started else 0.0,
        typical=typical if runs else 0.0,
        may_cancel=job.state != S.COLLECTING and not job.cancel_asked_at,
        until=sentences.kept_until(job),
    )


def _when(job: Job, words: str, ahead: jobs.Ahead | None) -> str:
    """Of a waiting job also when it will be done, unless something else than the line decides."""
    stuck = job.account.unreachable_since or job.reason in ("no_key", "provider_quota")
    seconds = None if ahead is None or stuck else ahead.seconds(job)
    return words if seconds is None else f"{words} · {sentences.about(round(seconds))}"


def _client_request_id(job: Job) -> str:
    """The id under which the last attempt travelled; the provider's support can look for it."""
    attempts = sorted(job.submissions.all(), key=lambda each: each.pk)
    return str(attempts[-1].uuid) if attempts else ""


@dataclass(frozen=True, slots=True)
class Final:
    """A better engine for the recipe of a video, and what the studio's address says to open with it."""

    label: str
    query: str


def finals(asset: Asset, run: Generation | None, project: Project) -> list[Final]:
    """How a draft, a video of this run, is made again for good in its project; the nearest way first."""
    job = asset.job if asset.kind == "video" else None
    if run is None or job is None:
        return []
    place = f"recipe={run.public_id}&n={job.position}"
    better = engines.finals(run.engine, project)
    return [Final(_(each.label), f"{place}&final={each.slug}") for each in better]


LABELS = {
    labels.Badge.VISIBLE: N_("AIGC label: visible mark, asked for"),
    labels.Badge.IMPLICIT: N_("AIGC label: hidden mark, in the file"),
    labels.Badge.BOTH: N_("AIGC labels: visible mark, asked for, and hidden mark, in the file"),
    labels.Badge.NONE: N_("No AIGC label"),
    labels.Badge.UNKNOWN: N_("AIGC label unknown: nobody has looked into the file"),
}


def labelled(asset: Asset, run: Generation | None) -> dict[str, object]:
    """What a badge says; `run` is the asset's, where it is at hand and the asset does not know it."""
    if run is not None:
        asset.generation = run
    found = labels.badge(asset)
    return {"badge": found.value, "says": _(LABELS[found])}


def columns(found: list[Tile]) -> int:
    """How many tiles stand in a row: few or wide pictures get more room each."""
    if len(found) <= 2 and all(tile.width > tile.height * WIDE for tile in found):
        return 2
    return 3 if len(found) <= 3 else 4


def engine_name(slug: str) -> str:
    engine = engines.known(slug)
    return _(engine.label) if engine else slug


def chips(generation: Generation) -> list[str]:
    """The model, the size or shape and length, and every setting that is not the usual one."""
    engine = engines.known(generation.engine)
    if engine is None:
        return [generation.engine]
    texts = [_(engine.label)]
    for row in catalog.describe_settings(engine, generation.recipe["settings"]):
        if row.name in ALWAYS:
            texts.append(_(row.value))
        elif isinstance(row.raw, bool):
            texts += [] if row.is_default else [_(row.value)]
        elif not row.is_default:
            texts.append(f"{_(row.label)} {controls.say(row.value)}")
    return texts
