"""The studio: the compose panel, the feed of results, and one card of it."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.core.exceptions import ValidationError
from django.db.models import Q
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from generations.forms import ComposeForm
from generations.models import Generation, Project
from generations.services import accounts, compose, events, gallery, jobs, quota
from generations.services.gallery import Cursor
from generations.services.library import picks, presets
from generations.services.library.picks import Pick
from generations.services.library.references import Chosen, ReferenceProblem
from generations.views.access import (
    get_project,
    may_write,
    person,
    require_writer,
    wants_fragment,
)
from generations.views.beginnings import (
    begin,
    estimate,
    notes_on,
    price_varies,
    seconds_until_done,
    take_saved,
    texts_of,
    token_of,
    told,
    usual,
)
from generations.views.marks import targets
from generations.views.references import tokens_of

PAGE = 12
CATCH_UP = 24  # more new cards than this at once replace the feed instead of growing it


@require_safe
@login_required
def studio(request: HttpRequest, project: UUID) -> HttpResponse:
    """The page; `?recipe=` opens the panel with a run's recipe. What is in it opens it on a phone."""
    found = get_project(request, project)
    source = source_of(request, request.GET.get("recipe", ""))
    form = begin(request, found, source)
    form.picks = _begin_with(request, source)
    begun = bool(source or form.saved or form.picks or "preset" in request.GET)
    context = _page(request, found, form, source=source, sheet_open=begun)
    if source:
        context["source_notes"] = notes_on(source, person(request), found)
    return render(request, "generations/studio.html", context)


@require_POST
@login_required
def submit(request: HttpRequest, project: UUID) -> HttpResponse:
    """Generate. A refusal is 422 with everything typed kept, as the panel alone or as the page."""
    found = get_project(request, project)
    require_writer(request, found)
    source = source_of(request, request.POST.get("rerun_of", ""))
    form = ComposeForm(request.POST)
    form.saved = take_saved(request, found)
    made, over = _submit(request, found, form, source)
    if not made or over:
        return _refused(request, found, form, source, over)
    if not wants_fragment(request):
        return redirect("studio", found.public_id)
    cards = gallery.card_queryset().filter(pk__in=[each.pk for each in made])
    context = _panel(request, found, form.again()) | {
        "made": list(cards.order_by("-id")),
        "newest": Cursor(made[-1].created_at, made[-1].pk),
        "runs": sum(each.count for each in made),
    }
    response = render(request, "generations/_composed.html", context)
    response.headers["HX-Trigger"] = "composed"
    return response


def _begin_with(request: HttpRequest, source: Generation | None) -> list[Pick]:
    """The pictures of the run to be repeated, and those the address names."""
    before = picks.of_generation(generation=source, user=person(request)) if source else []
    named = picks.find(tokens=tokens_of(request), roles={}, user=person(request)).picks
    known = {each.token for each in before}
    return before + [each for each in named if each.token not in known]


def _choose(request: HttpRequest, project: Project, form: ComposeForm) -> list[Chosen] | None:
    """The form's pictures as references; None, with the field's error set, when one is not there."""
    roles = {} if form.engine_on_offer.frames else form.roles  # a frame's role is its place
    found = picks.find(tokens=form.tokens, roles=roles, user=person(request))
    form.picks = found.picks
    if found.missing:
        form.add_error("references", _("A chosen picture is not there any more. It was left out."))
        return None
    try:
        chosen = picks.chosen(picks=found.picks, user=person(request), project=project)
    except ReferenceProblem as problem:
        form.add_error("references", _(problem.message) % problem.params)
        return None
    form.picks = [Pick(str(c.reference.public_id), c.role, c.reference) for c in chosen]
    return chosen


def _submit(
    request: HttpRequest, project: Project, form: ComposeForm, source: Generation | None
) -> tuple[list[Generation], str]:
    """The new generations; where one is refused, with the form's errors set or the sentence why."""
    texts = texts_of(form)
    chosen = _choose(request, project, form) if texts else None
    if chosen is None:
        return [], ""
    asks, made = form.asks(), list[Generation]()
    try:
        for text in texts:
            made += _run(request, project, form, asks, text, chosen, source)
    except compose.ComposeProblem as problem:
        form.take_errors(problem.errors, problem.engine)
        return [], ""
    except quota.OverLimit as refused:
        return made, told(refused.message, len(made), len(texts) * len(asks))
    return made, ""


def _run(
    request: HttpRequest,
    project: Project,
    form: ComposeForm,
    asks: list[compose.Ask],
    text: str,
    chosen: list[Chosen],
    source: Generation | None,
) -> list[Generation]:
    version = form.saved.version if form.saved else None
    return compose.submit_together(
        project=project,
        user=person(request),
        prompt=text,
        asks=asks,
        references=chosen,
        form_token=token_of(form, text),
        origin=compose.Origin(rerun_of=source, prompt_version=version),
    )


def _refused(
    request: HttpRequest, project: Project, form: ComposeForm, source: Generation | None, over: str
) -> HttpResponse:
    more: dict[str, Any] = {"source": source, "over_limit": over, "sheet_open": True}
    if wants_fragment(request):
        context = _panel(request, project, form, **more)
        return render(request, "generations/_compose.html", context, status=422)
    context = _page(
        request, project, form, None, **more, here=resolve_url("studio", project.public_id)
    )
    return render(request, "generations/studio.html", context, status=422)


def compose_panel(
    request: HttpRequest, project: Project, form: ComposeForm, **more: object
) -> HttpResponse:
    """The panel alone, with a form that was filled elsewhere."""
    return render(request, "generations/_compose.html", _panel(request, project, form, **more))


def compose_page(
    request: HttpRequest, project: Project, form: ComposeForm, **more: object
) -> HttpResponse:
    """The studio with a form that was filled elsewhere."""
    here = resolve_url("studio", project.public_id)
    context = _page(request, project, form, None, here=here, sheet_open=True, **more)
    return render(request, "generations/studio.html", context)


@require_safe
@login_required
def feed(request: HttpRequest, project: UUID) -> HttpResponse:
    """Older cards (`?after=` a cursor) or those that came meanwhile (`?newer=` one)."""
    found = get_project(request, project)
    after = Cursor.parse(request.GET.get("after", ""))
    if not wants_fragment(request):
        context = _page(request, found, ComposeForm.fresh(None, **usual(found)), after=after)
        return render(request, "generations/studio.html", context)
    if "newer" in request.GET:
        return _newer(request, found, Cursor.parse(request.GET["newer"]))
    context = _cards(request, found, after)
    return render(request, "generations/_cards.html", context)


def _newer(request: HttpRequest, project: Project, cursor: Cursor | None) -> HttpResponse:
    """New cards to put on top; the first page to replace everything when they are too many."""
    rows = gallery.card_queryset().filter(project=project)
    if cursor:
        later = Q(created_at__gt=cursor.created_at)
        rows = rows.filter(later | Q(created_at=cursor.created_at, id__gt=cursor.id))
    found = list(rows.order_by("-created_at", "-id")[: CATCH_UP + 1])
    many = len(found) > CATCH_UP
    context = _cards(request, project, None) if many else {"cards": found, "project": project}
    newest = Cursor(found[0].created_at, found[0].pk) if found else cursor
    context |= {"newest": newest, "may_write": may_write(request, project)}
    response = render(request, "generations/_newer.html", context)
    if many:
        response.headers["HX-Reswap"] = "innerHTML"
    return response


@require_safe
@login_required
def generation(request: HttpRequest, project: UUID, generation: UUID) -> HttpResponse:
    """One card, for the feed to refresh itself with, or on a page of its own."""
    found = get_project(request, project)
    card = get_object_or_404(_visible(request), project=found, public_id=generation)
    return show_card(request, card, page=True)


def show_card(
    request: HttpRequest, card: Generation, *, problem: str = "", page: bool = False
) -> HttpResponse:
    """A card as it stands now: as a fragment, as a page, or (after a plain form) in the studio."""
    context = {
        "generation": card,
        "project": card.project,
        "may_write": may_write(request, card.project),
        "problem": problem,
        "section": "studio",
    }
    if wants_fragment(request):
        status = 422 if problem else 200
        return render(request, "generations/_card.html", context, status=status)
    if page:
        context["cursor"] = events.latest_id(project=card.project)
        return render(request, "generations/generation.html", context)
    return redirect("generation", card.project.public_id, card.public_id)


def _visible(request: HttpRequest) -> Any:
    ids = Generation.objects.visible_to(request.user).values("pk")
    return gallery.card_queryset().filter(pk__in=ids)


def source_of(request: HttpRequest, text: str) -> Generation | None:
    """The generation to run again, 404 unless the person may see it; None when none is named."""
    if not text:
        return None
    try:
        return get_object_or_404(Generation.objects.visible_to(request.user), public_id=text)
    except ValidationError:
        raise Http404 from None


def _panel(
    request: HttpRequest, project: Project, form: ComposeForm, **more: object
) -> dict[str, Any]:
    account = accounts.account_for(form.engine_on_offer, project)
    ahead = jobs.Ahead()
    return {
        "ahead": ahead,  # the cards beside the panel read the same line
        "project": project,
        "form": form,
        "estimates": estimate(form, seconds_until_done(form, account, person(request), ahead)),
        "price_varies": price_varies(form),
        "may_write": may_write(request, project),
        "presets": presets.on_offer(user=person(request), project=project),
        **more,
    }


def _cards(request: HttpRequest, project: Project, after: Cursor | None) -> dict[str, Any]:
    found = gallery.cards(project=project, after=after, limit=PAGE)
    return {
        "project": project,
        "cards": found.cards,
        "next": found.next,
        "may_write": may_write(request, project),
    }


def _page(
    request: HttpRequest,
    project: Project,
    form: ComposeForm,
    after: Cursor | None = None,
    **more: object,
) -> dict[str, Any]:
    """Everything on the studio page. The stream's cursor is read first, so that no event is missed."""
    cursor = events.latest_id(project=project)
    context = _panel(request, project, form, **more) | _cards(request, project, after)
    cards = context["cards"]
    newest = Cursor(cards[0].created_at, cards[0].pk) if cards and not after else None
    more_context = {"cursor": cursor, "newest": newest, "after": after, "section": "studio"}
    return context | more_context | {"targets": targets(request)}
