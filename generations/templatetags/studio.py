"""Template tags of the studio: icons, pictures, and what cards say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from functools import lru_cache
from typing import Protocol

from django import template
from django.template import Context
from django.templatetags.static import static
from django.urls import reverse
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from generations.models import Asset, Generation, Job, Project, ReferenceRole
from generations.providers import catalog
from generations.services import accounts, engines, jobs
from generations.services.batches import Line
from generations.services.library.picks import Pick
from generations.templatetags import controls, failures, picker, sentences, tiles
from generations.templatetags.transport import Transport, transport

register = template.Library()
WIDTHS = (320, 640, 1280)
PICTURE_EACH = 320  # the width of a plain `src`


class Shown(Protocol):
    """A pane of a comparison."""

    asset: Asset


@register.simple_tag
@lru_cache(maxsize=256)
def icon(name: str, size: str = "") -> SafeString:
    """One icon of the sprite; `size` "s" makes it 14 px. Hidden from screen readers."""
    classes = f"ic {size}".strip()
    href = f"{static('img/sprite.svg')}#i-{name}"
    return format_html('<svg class="{}" aria-hidden="true"><use href="{}"/></svg>', classes, href)


@register.inclusion_tag("generations/_label_badge.html")
def label_badge(asset: Asset, run: Generation | None = None) -> dict[str, object]:
    """Which AIGC labels a file carries; `run` where the asset's own is not loaded."""
    return tiles.labelled(asset, run)


@register.filter
def ago(moment: datetime) -> str:
    return sentences.ago(moment)


@register.filter
def edge(names: list[str]) -> str:
    return sentences.edge(names)


@register.filter
def clock(moment: datetime) -> str:
    return sentences.clock(moment)


@register.filter
def chips(generation: Generation) -> list[str]:
    return tiles.chips(generation)


@register.filter(name="tiles")
def tiles_of(generation: Generation, ahead: jobs.Ahead | None = None) -> list[tiles.Tile]:
    return tiles.tiles(generation, ahead=ahead)


@register.simple_tag
def blamed(source: Generation | None, bound: bool) -> dict[str, str]:
    """What of the run that is opened again made it fail: the sentence for each field at fault.

    Nothing once the form was sent: then the form's own problems are what counts.
    """
    return failures.blamed(source.jobs.all()) if source and not bound else {}


@register.filter
def first_words(found: list[tiles.Tile]) -> str:
    """What the first picture that is still under way says of itself."""
    return next((tile.words for tile in found if tile.kind == "pending"), "")


@register.filter
def troubles(found: list[tiles.Tile]) -> list[str]:
    """Why pictures failed, each reason once."""
    return list(dict.fromkeys(tile.words for tile in found if tile.kind in ("failed", "lost")))


@register.filter
def state_dot(state: str) -> str:
    """The colour of the dot beside a run's state; the state stands there in words too."""
    return {"active": "", "succeeded": "ok", "failed": "bad"}.get(state, "warn")


@register.filter
def problem(line: Line) -> str:
    """What is wrong with a line of a list, in the reader's language."""
    return controls.say(line.problem) % line.params


@register.filter
def under_way(job: Job, ahead: jobs.Ahead | None = None) -> str:
    """Without a number: the queue page has that in a column of its own."""
    pause = ahead.pause(job.account_id) if ahead and job.state == "queued" else None
    return sentences.paused(pause) if pause else sentences.under_way(job)


@register.filter
def paused(pause: jobs.Pause) -> str:
    return sentences.paused(pause)


@register.filter
def cools_until(moment: datetime) -> str:
    return sentences.cools_until(moment)


@register.filter
def behind(mine: jobs.Mine) -> str:
    """How many go before one of the person's waiting jobs."""
    return sentences.behind(mine.ahead, mine.at_once)


@register.filter
def waits(found: list[tiles.Tile]) -> bool:
    """Whether a picture of these stands in line: its place moves without an event of its own."""
    return any(tile.kind == "pending" and tile.job.state == "queued" for tile in found)


@register.filter
def about(seconds: int) -> str:
    return sentences.about(seconds)


@register.filter
def engine_label(generation: Generation) -> str:
    return tiles.chips(generation)[0]


@register.filter
def engine_name(slug: str) -> str:
    """What the catalogue calls an engine; its slug when it has left the catalogue."""
    return tiles.engine_name(slug)


@register.filter
def columns(found: list[tiles.Tile]) -> int:
    return tiles.columns(found)


@register.filter(name="controls")
def controls_of(form: controls.Filled) -> list[controls.Control]:
    return controls.controls(form)


@register.filter
def unusual(found: list[controls.Control]) -> bool:
    """Whether the folded settings hold an error, or a value that is not the usual one."""
    return any(control.unusual for control in found if control.advanced)


@register.simple_tag(takes_context=True)
def model_groups(context: Context, kind: str = "", alone: bool = False) -> list[picker.Group]:
    """What the page's project may use; without one, what is on offer."""
    return picker.groups(accounts.offered(context.get("project")), kind, alone=alone)


@register.filter
def model(form: controls.Filled) -> picker.Model:
    """The form's model, as the picker's row shows it."""
    return picker.model_of(form.engine_on_offer)


@register.filter
def fill(text: str, number: int) -> str:
    """Put a number into a translated text that scripts fill too: “Generate {n}”."""
    return text.replace("{n}", str(number))


@register.filter
def pair(found: list[tiles.Tile]) -> str:
    """The query string that compares the first two pictures, or nothing."""
    ids = [tile.asset.public_id for tile in found if tile.asset and tile.kind == "picture"][:2]
    return f"a={ids[0]}&b={ids[1]}" if len(ids) == 2 else ""


@register.filter
def has_several(found: list[tiles.Tile]) -> bool:
    """Whether an archive is worth it: one picture has its own download."""
    return sum(tile.kind == "picture" for tile in found) > 1


@register.filter
def playtime(asset: Asset) -> str:
    return sentences.playtime(asset.duration_ms)


@register.filter
def strip_width(asset: Asset) -> int:
    """Of the hover strip, where one of its frames is as wide as the video."""
    return asset.width * tiles.STRIP


@register.simple_tag(name="transport")
def transport_of(panes: Iterable[Shown]) -> Transport | None:
    """The bar of a comparison; None where nothing in it plays."""
    return transport(pane.asset for pane in panes)


@register.simple_tag(takes_context=True)
def animates(context: Context) -> bool:
    """Whether there is a model that brings a picture to life."""
    return engines.animator(context.get("project")) is not None


@register.simple_tag
def instead(engine: catalog.Engine, picks: list[Pick], project: Project) -> picker.Model | None:
    """A model that takes these pictures where nobody can fetch them from here."""
    return picker.instead(engine, len(picks), project)


@register.simple_tag
def finals(asset: Asset, run: Generation | None, project: Project) -> list[tiles.Final]:
    return tiles.finals(asset, run, project)


@register.simple_tag
def final_of(asset: Asset, run: Generation | None, project: Project) -> tiles.Final | None:
    """The first way to make a video's final, if there is one."""
    return next(iter(tiles.finals(asset, run, project)), None)


@register.filter
def rendition(asset: Asset, width: int = PICTURE_EACH) -> str:
    return reverse("file-rendition", args=[asset.public_id, width])


@register.filter
def picture_url(pick: Pick, width: int = 0) -> str:
    """Where a chosen picture is, whole or as a thumbnail."""
    source = pick.source
    if isinstance(source, Asset):
        return rendition(source, width) if width else reverse("asset", args=[source.public_id])
    if width:
        return reverse("file-reference", args=[source.public_id, width])
    return reverse("file-reference-original", args=[source.public_id])


@register.filter
def frames_label(rule: catalog.FrameRule, minimum: int) -> str:
    """What the pictures are for a model that takes them as frames."""
    if len(rule.names) > 1:
        return _("First and last frame")
    return controls.say(rule.names[0]) if minimum else _("First frame, if you like")


@register.simple_tag
def frame_crop(pick: Pick, engine: catalog.Engine) -> catalog.Crop | None:
    """The part of a picture that the video keeps; None where it is used whole, or as a reference."""
    width, height = pick.source.width, pick.source.height
    crop = catalog.centre_crop(width, height, engine.frames.shapes) if engine.frames else None
    return crop if crop and (crop.width, crop.height) != (width, height) else None


@register.simple_tag
def reference_roles() -> list[tuple[str, str]]:
    return [(value, str(label)) for value, label in ReferenceRole.choices]


@register.filter
def say(msgid: str) -> str:
    """A declared text in the reader's language."""
    return controls.say(msgid)


@register.filter
def srcset(asset: Asset) -> str:
    """Every rendition there is of a picture, with its true width: none is ever enlarged."""
    useful = [width for width in WIDTHS if width < asset.width] or [WIDTHS[0]]
    if useful[-1] != WIDTHS[-1] and asset.width > useful[-1]:
        useful.append(WIDTHS[len(useful)])
    return ", ".join(f"{rendition(asset, width)} {min(width, asset.width)}w" for width in useful)
