"""What differs between pictures: their parameters by row, each with a cell per picture.

The rows come from the engine's declaration, so a new engine needs no change here.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from django.db.models import Sum
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.models import Asset, Generation, Job, LedgerEntry, Use
from generations.providers import catalog
from generations.services import engines, pricing
from generations.services.labels import told

NEAR = 0.03  # sides are rounded to what a codec takes: 1920 × 1088 is 16:9


@dataclass(frozen=True, slots=True)
class Fact:
    """One parameter of one picture. `actual` is empty where nothing but the wish is known."""

    key: str
    label: str
    value: str
    actual: str = ""
    uses: tuple[Use, ...] = ()

    @property
    def differs(self) -> bool:
        return bool(self.actual) and self.actual != self.value


@dataclass(frozen=True, slots=True)
class Cell:
    """One parameter of one picture of several; `other` where it is not as the first one's."""

    value: str = "–"
    came: str = ""
    # Which references, in which order and for what; the rows themselves differ with the run.
    alike: tuple[tuple[int, str], ...] = ()
    uses: tuple[Use, ...] = field(default=(), compare=False)
    other: bool = field(default=False, compare=False)


@dataclass(frozen=True, slots=True)
class Row:
    """One parameter of every picture that is compared."""

    label: str
    cells: tuple[Cell, ...]

    @property
    def same(self) -> bool:
        return len(set(self.cells)) == 1


def rows(assets: Sequence[Asset]) -> list[Row]:
    """Every parameter that any of the pictures has, in the first one's order."""
    costs = _costs(assets)
    known = [{fact.key: fact for fact in _compared(each, costs)} for each in assets]
    if all(_tells_both_sizes(facts) for facts in known):
        for each in known:
            del each["pixels"]
    labels = {key: fact.label for facts in reversed(known) for key, fact in facts.items()}
    keys = dict.fromkeys(key for facts in known for key in facts)
    return [Row(labels[key], _marked(_cell(facts.get(key)) for facts in known)) for key in keys]


def _tells_both_sizes(facts: dict[str, Fact]) -> bool:
    """Whether the row of the size asked for says what came, so that a row for that is one too many."""
    return "size" in facts and bool(facts["size"].actual)


def _marked(cells: Iterable[Cell]) -> tuple[Cell, ...]:
    first, *others = cells
    return (first, *(replace(each, other=each != first) for each in others))


def _cell(fact: Fact | None) -> Cell:
    if fact is None:
        return Cell()
    alike = tuple((use.reference_id, use.role) for use in fact.uses)
    return Cell(fact.value, fact.actual if fact.differs else "", alike, fact.uses)


def _compared(asset: Asset, costs: dict[int, int]) -> Iterator[Fact]:
    """What the detail page tells, with the references and the cost of the run."""
    generation = asset.generation
    uses = tuple(generation.uses.all()) if generation else ()
    for fact in asked_and_actual(asset):
        if fact.key == "pixels" and uses:
            names = ngettext("%(n)s reference", "%(n)s references", len(uses)) % {"n": len(uses)}
            yield Fact("references", _("References"), names, uses=uses)
        if fact.key == "person" and generation:
            charged = [_cost(costs[generation.pk], generation.kind)]
            if generation.cost_mills is not None:
                charged.append(f"¥{pricing.yuan(generation.cost_mills)}")
            yield Fact("cost", _("Cost of the run"), " · ".join(charged))
        yield fact


def _cost(n: int, kind: str) -> str:
    if kind == "video":
        return ngettext("%(n)s video", "%(n)s videos", n) % {"n": n}
    return ngettext("%(n)s image", "%(n)s images", n) % {"n": n}


def _costs(assets: Sequence[Asset]) -> dict[int, int]:
    """Images charged for each run. Several allowances may each have been charged the same."""
    runs = {each.generation_id: 0 for each in assets if each.generation_id}
    spent = (
        LedgerEntry.objects.filter(kind=LedgerEntry.Kind.SPEND, job__generation__in=runs)
        .values("job__generation", "allowance")
        .annotate(n=Sum("amount"))
        .order_by()
    )
    for each in spent:
        run = each["job__generation"]
        runs[run] = max(runs[run], each["n"])
    return runs


def facts(asset: Asset) -> list[Fact]:
    """Everything that is known about how a picture was asked for and how it came out."""
    generation = asset.generation
    return [
        *(_asked(generation, asset.job) if generation else ()),
        Fact("pixels", _("Actual size"), f"{asset.width} × {asset.height}"),
        *_played(asset),
        Fact("format", _("Format"), asset.format.upper()),
        Fact("bytes", _("File size"), file_size(asset.blob.size)),
        *_labels(asset),
        *(_run(asset, generation) if generation else ()),
    ]


def asked_and_actual(asset: Asset) -> list[Fact]:
    """The settings asked for, the size with what came of it, and the facts of the file."""
    came = f"{asset.width} × {asset.height}"
    wish = _asked_size(asset)
    return [
        Fact(each.key, each.label, each.value, came if each.key == wish else each.actual)
        for each in facts(asset)
    ]


def _asked_size(asset: Asset) -> str:
    """The setting that what came is held against: the exact size asked for, or a shape that came
    otherwise; nothing where the model was to choose.
    """
    generation = asset.generation
    engine = engines.known(generation.engine) if generation else None
    asked = engine and generation and catalog.aspect(engine, generation.recipe["settings"])
    if not asked or not generation:
        return ""
    if generation.recipe["settings"].get("size"):
        return "size"
    off = asset.width / asset.height / (asked[0] / asked[1])
    return "" if 1 - NEAR < off < 1 + NEAR else "aspect_ratio"


def _labels(asset: Asset) -> Iterator[Fact]:
    """The AIGC labels: of the visible one only the wish is known, the hidden one is read from the file."""
    found = told(asset)
    visible = _("Asked for, cannot be read back") if found.visible_asked else _("Not asked for")
    yield Fact("label_visible", _("Visible mark"), visible)
    if found.implicit:
        who = found.implicit.get("ContentProducer") or found.implicit.get("ProduceID") or "–"
        yield Fact("label_implicit", _("Hidden mark"), _("In the file: %(who)s") % {"who": who})
    elif found.implicit is None:
        yield Fact("label_implicit", _("Hidden mark"), _("Nobody has looked yet"))
    elif found.implicit_asked:
        yield Fact("label_implicit", _("Hidden mark"), _("Asked for"), _("not in the file"))
    else:
        yield Fact("label_implicit", _("Hidden mark"), _("None in the file"))


def _played(asset: Asset) -> Iterator[Fact]:
    if asset.duration_ms is not None:
        seconds = f"{asset.duration_ms / 1000:.2f}"
        yield Fact("played", _("Actual length"), _("%(n)s s") % {"n": seconds})


def _asked(generation: Generation, job: Job | None) -> Iterator[Fact]:
    engine = engines.known(generation.engine)
    if engine is None:
        yield Fact("engine", _("Model"), generation.engine)
        return
    yield Fact("engine", _("Model"), _(engine.label))
    settings = engines.recipe_at(generation.recipe, job.position if job else 0)["settings"]
    for row in catalog.describe_settings(engine, settings):
        # The project's policy asks for the mark although the run's own setting does not.
        added = row.name == "watermark" and row.raw is False and "visible" in generation.labels
        came = _("With watermark") if added else ""
        yield Fact(row.name, _(row.label), _(row.value), came)


def _run(asset: Asset, generation: Generation) -> Iterator[Fact]:
    job = asset.job
    if job and job.price_mills is not None:
        yield Fact("price", _("Price"), f"¥{pricing.yuan(job.price_mills)}")
    if job and job.sent_at and job.finished_at:
        seconds = (job.finished_at - job.sent_at).total_seconds()
        yield Fact("duration", _("Took"), _("%(n)s s") % {"n": f"{seconds:.1f}"})
    yield Fact("person", _("Person"), generation.user.shown_name)
    made = timezone.localtime(generation.created_at)
    yield Fact("created", _("Asked"), f"{date_format(made, 'DATE_FORMAT')} {made:%H:%M}")


def file_size(size: int) -> str:
    """Bytes as a person says them: 834 B, 12 KB, 1.4 MB."""
    if size < 1000:
        return f"{size} B"
    if size < 1_000_000:
        return f"{size / 1000:.0f} KB"
    return f"{size / 1_000_000:.1f} MB"
