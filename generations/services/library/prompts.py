"""Saved prompts: written in versions, kept on a project's shelf or one's own, judged by results."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from django.db import transaction
from django.db.models import F, Max, Q, QuerySet
from django.utils import timezone

from generations.models import Asset, Generation, Project, Prompt, PromptVersion, User
from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.services.library import slots
from generations.services.library.slots import SlotProblem
from generations.services.paging import Cursor

TITLE_MAX, TEXT_MAX = 100, 4000
TAG_MAX, MOST_TAGS = 30, 10


class PromptProblem(Exception):
    """What was written cannot be kept; `errors` name the fields, as untranslated msgids."""

    def __init__(self, errors: Sequence[FieldError]) -> None:
        super().__init__("; ".join(each.message for each in errors))
        self.errors = errors


@dataclass(frozen=True, slots=True)
class Wording:
    """What a person writes down: checked and cleaned by `clean`."""

    title: str
    text: str
    tags: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Made:
    """What a prompt was made with, beside its text: a model, its settings, a picture."""

    engine: str = ""
    settings: Mapping[str, object] = field(default_factory=dict)
    example: Asset | None = None


def clean(wording: Wording) -> Wording:
    """The wording as it is kept; raise PromptProblem with every problem found."""
    title, text, tags = _line(wording.title), _text(wording.text), _tags(wording.tags)
    problems = [
        *_check("title", title, TITLE_MAX, N_("Give the prompt a title.")),
        *_check("text", text, TEXT_MAX, N_("Write the text of the prompt.")),
        *(each for tag in tags for each in _check("tags", tag, TAG_MAX)),
    ]
    if len(tags) > MOST_TAGS:
        message = N_("A prompt has at most %(max)s tags.")
        problems.append(FieldError("tags", message, {"max": MOST_TAGS}))
    try:
        slots.parse(text)
    except SlotProblem as problem:
        problems.append(FieldError("text", problem.message, problem.params))
    if problems:
        raise PromptProblem(problems)
    return Wording(title, text, tags)


def create(*, user: User, project: Project | None, wording: Wording, made: Made = Made()) -> Prompt:
    """Put a new prompt on the project's shelf, or on the person's own."""
    wording = clean(wording)
    with transaction.atomic():
        prompt = Prompt.objects.create(
            project=project,
            user=user,
            title=wording.title,
            text=wording.text,
            tags=list(wording.tags),
            engine=made.engine,
            settings=dict(made.settings),
            example=made.example,
        )
        PromptVersion.objects.create(prompt=prompt, number=1, text=wording.text, user=user)
    return prompt


def change(*, prompt: Prompt, user: User, wording: Wording) -> Prompt:
    """Title, tags and text; another text becomes another version, the same one does not."""
    wording = clean(wording)
    with transaction.atomic():
        row = Prompt.objects.select_for_update().get(pk=prompt.pk)
        if row.text != wording.text:
            last = row.versions.aggregate(last=Max("number"))["last"] or 0
            row.versions.create(number=last + 1, text=wording.text, user=user)
        row.title, row.text, row.tags = wording.title, wording.text, list(wording.tags)
        row.changed_at = timezone.now()
        row.save(update_fields=["title", "text", "tags", "changed_at"])
    return row


def hide(*, prompt: Prompt) -> None:
    """Off the shelf. Runs made from it keep saying so."""
    Prompt.objects.filter(pk=prompt.pk).update(hidden_at=timezone.now())


def show(*, prompt: Prompt) -> None:
    """Back on the shelf."""
    Prompt.objects.filter(pk=prompt.pk).update(hidden_at=None)


def move(*, prompt: Prompt, to: Project | None) -> None:
    """To a project's shelf, or (None) to the own shelf of whoever wrote it."""
    Prompt.objects.filter(pk=prompt.pk).update(project=to)


def used(*, version: PromptVersion) -> None:
    """Count a run made from a wording."""
    Prompt.objects.filter(pk=version.prompt_id).update(uses=F("uses") + 1)


# --- Reading --------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class PromptPage:
    """Some prompts, and where to go on (None at the end)."""

    prompts: list[Prompt]
    next: Cursor | None


def within(*, user: User, project: Project) -> QuerySet[Prompt]:
    """What a person may use inside a project: its shelf and their own, hidden ones included."""
    shelves = Q(project=project) | Q(project=None, user=user)
    return Prompt.objects.visible_to(user).filter(shelves)


def page(
    *, shelf: QuerySet[Prompt], q: str = "", after: Cursor | None = None, limit: int = 24
) -> PromptPage:
    """The last changed of a shelf whose title, text or tags hold `q`. One query."""
    rows = shelf.filter(hidden_at=None).select_related("example", "user")
    if q := _line(q)[:TITLE_MAX]:
        rows = rows.filter(Q(title__icontains=q) | Q(text__icontains=q) | _tagged(q))
    if after:
        rows = rows.filter(after.before("changed_at"))
    found = list(rows.order_by("-changed_at", "-id")[: limit + 1])
    shown = found[:limit]
    more = Cursor(shown[-1].changed_at, shown[-1].pk) if len(found) > limit else None
    return PromptPage(shown, more)


def results(*, prompt: Prompt, user: User, limit: int = 24) -> list[Asset]:
    """What came of a prompt, the best first: rating, then favourites, then the newest."""
    runs = Generation.objects.visible_to(user).filter(prompt_version__prompt=prompt)
    found = Asset.objects.kept().filter(generation__in=runs).select_related("generation")
    best = F("rating").desc(nulls_last=True)
    return list(found.order_by(best, "-favourite", "-created_at", "-id")[:limit])


def history(*, user: User, project: Project, limit: int = 50) -> list[str]:
    """A person's own prompts in a project, the last one first, each once."""
    rows = Generation.objects.filter(user=user, project=project).order_by("-created_at", "-id")
    recent = rows.values_list("prompt", flat=True)[: limit * 8]
    return list(dict.fromkeys(recent))[:limit]


def of_generation(*, generation: Generation) -> tuple[Wording, Made]:
    """A run as the beginning of a prompt: braces as themselves, its best picture as the example."""
    text = slots.escape(generation.prompt)
    best = F("rating").desc(nulls_last=True)
    example = generation.assets.kept().order_by(best, "-favourite", "id").first()
    # A prompt is for many pictures: with the seed it would only ever make this one.
    settings = {k: value for k, value in generation.recipe["settings"].items() if k != "seed"}
    return Wording(_line(generation.prompt)[:40], text), Made(generation.engine, settings, example)


# --- Cleaning -------------------------------------------------------------------------------------


def _tagged(q: str) -> Q:
    return Q(tags__icontains=q.encode("ascii", "backslashreplace").decode()) | Q(tags__icontains=q)


def _check(name: str, value: str, most: int, empty: str = "") -> list[FieldError]:
    if empty and not value:
        return [FieldError(name, empty, {})]
    if len(value) > most:
        message = N_("At most %(max)s characters; this has %(count)s.")
        return [FieldError(name, message, {"max": most, "count": len(value)})]
    return []


def _text(value: str) -> str:
    value = value.replace("\0", "").replace("\r\n", "\n").encode("utf-8", "ignore").decode()
    return value.strip()


def _line(value: str) -> str:
    return " ".join(_text(value).split())


def _tags(values: Sequence[str]) -> list[str]:
    return list(dict.fromkeys(tag for value in values if (tag := _line(value).lstrip("#"))))


def split_tags(text: str) -> list[str]:
    """Tags as a person types them: commas between, half or full width."""
    return text.replace("，", ",").replace("、", ",").split(",")
