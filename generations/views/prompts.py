"""Saved prompts: the shelf, one prompt with its versions and results, and writing them."""

from __future__ import annotations

from itertools import pairwise
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.core.exceptions import PermissionDenied, ValidationError
from django.db.models import QuerySet
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render, resolve_url
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from generations.forms import ComposeForm
from generations.models import Generation, Project, Prompt, PromptVersion
from generations.services.gallery import prompt_segments
from generations.services.library import kept, prompts, slots
from generations.services.library import starters as library_starters
from generations.services.library.fills import Filled
from generations.services.library.prompts import Made, PromptProblem, Wording
from generations.services.paging import Cursor
from generations.views.access import get_project, may_write, person, require_writer

MENU = 8
VERSIONS = 50
write = require_http_methods(["GET", "HEAD", "POST"])


def is_own(request: HttpRequest) -> bool:
    """Whether the address or the form means one's own shelf."""
    return (request.POST.get("shelf") or request.GET.get("shelf")) == "mine"


def shelf_of(request: HttpRequest, project: Project) -> QuerySet[Prompt]:
    """The project's shelf, or one's own (`shelf=mine`)."""
    rows = prompts.within(user=person(request), project=project)
    return rows.filter(project=None) if is_own(request) else rows.filter(project=project)


def find(request: HttpRequest, project: Project, public_id: UUID | str) -> Prompt:
    """A prompt usable in the project, or 404."""
    rows = prompts.within(user=person(request), project=project).select_related("user", "example")
    try:
        return get_object_or_404(rows, public_id=public_id)
    except ValidationError:
        raise Http404 from None


@require_safe
@login_required
def prompt_list(request: HttpRequest, project: UUID) -> HttpResponse:
    """A shelf, last changed first; `?q=` searches, `?hidden=` offers to put one back."""
    found = get_project(request, project)
    q, hidden = request.GET.get("q", ""), request.GET.get("hidden", "")
    after = Cursor.parse(request.GET.get("after", ""))
    page = prompts.page(shelf=shelf_of(request, found), q=q, after=after)
    context = {
        "project": found,
        "prompts": page.prompts,
        "next": page.next,
        "after": after,
        "q": q,
        "mine": is_own(request),
        "hidden": find(request, found, hidden) if hidden else None,
        "may_write": may_write(request, found),
        "section": "library",
    }
    return render(request, "generations/prompts.html", context)


@write
@login_required
def prompt_new(request: HttpRequest, project: UUID) -> HttpResponse:
    """Write a prompt; `from` names a run to begin with, its settings and its picture."""
    found = get_project(request, project)
    require_writer(request, found)
    source = _source(request, request.POST.get("from") or request.GET.get("from", ""))
    context: dict[str, Any] = {"source": source}
    if request.method != "POST" or "draft" in request.POST:
        wording, context["made"] = _begun(request, source)
        return _form(request, found, wording, context | {"keep": source is not None})
    wording = _typed(request)
    context["keep"] = "keep" in request.POST
    try:
        made = context["made"] = _beside(request, source)
        shelf = None if is_own(request) else found
        kept_with = made if context["keep"] else Made(example=made.example)
        row = prompts.create(user=person(request), project=shelf, wording=wording, made=kept_with)
    except PromptProblem as problem:
        return _form(request, found, wording, context, problem)
    messages.success(request, _("Saved."))
    return redirect("prompt", found.public_id, row.public_id)


def _begun(request: HttpRequest, source: Generation | None) -> tuple[Wording, Made]:
    """A run, what stands in the compose panel, or an address's text, as the beginning of a prompt."""
    if "draft" in request.POST:
        text = request.POST.get("prompt", "")  # without slots of its own, braces mean themselves
        text = text if request.POST.get("prompt_version") else slots.escape(text)
        form = ComposeForm(request.POST)
        return Wording(text.strip()[:40], text), Made(form.engine_on_offer.slug, form.recipe())
    wording, made = (
        prompts.of_generation(generation=source) if source else (Wording("", ""), Made())
    )
    return Wording(wording.title, wording.text or request.GET.get("text", "")), made


def _beside(request: HttpRequest, source: Generation | None) -> Made:
    """What may be kept with the text: of the run, or as the form brought it along."""
    if source:
        return prompts.of_generation(generation=source)[1]
    return kept.read(request.POST.get("engine", ""), request.POST.get("settings", ""))


@write
@login_required
def prompt(request: HttpRequest, project: UUID, prompt: UUID) -> HttpResponse:
    """One prompt: its text, versions, results; POST changes, hides, shows or moves it."""
    found = get_project(request, project)
    row = find(request, found, prompt)
    if request.method != "POST":
        return _page(request, found, row, Wording(row.title, row.text, row.tags))
    require_writer(request, found)
    if "title" in request.POST:
        wording = _typed(request)
        try:
            prompts.change(prompt=row, user=person(request), wording=wording)
        except PromptProblem as problem:
            return _page(request, found, row, wording, problem)
        messages.success(request, _("Saved."))
        return redirect("prompt", found.public_id, row.public_id)
    return _shelve(request, found, row)


def _shelve(request: HttpRequest, project: Project, row: Prompt) -> HttpResponse:
    """Hide, show or move, as the button says."""
    back = resolve_url("prompts", project.public_id)
    if "hide" in request.POST:
        prompts.hide(prompt=row)
        mine = "" if row.project_id else "&shelf=mine"
        return redirect(f"{back}?hidden={row.public_id}{mine}")
    if "show" in request.POST:
        prompts.show(prompt=row)
    elif "move" in request.POST:
        if row.project_id and row.user_id != person(request).pk:
            raise PermissionDenied  # nobody takes away what somebody else wrote for the project
        prompts.move(prompt=row, to=None if row.project_id else project)
    return redirect("prompt", project.public_id, row.public_id)


@require_safe
@login_required
def insert(request: HttpRequest, project: UUID, prompt: UUID) -> HttpResponse:
    """The slot fields of a prompt, for the compose panel."""
    found = get_project(request, project)
    row = find(request, found, prompt)
    context = {"project": found, "saved": using(row)}
    return render(request, "generations/_slots.html", context)


@require_safe
@login_required
def menu(request: HttpRequest, project: UUID) -> HttpResponse:
    """What `/` offers in the prompt field: the few prompts that fit best."""
    found = get_project(request, project)
    rows = prompts.within(user=person(request), project=found)
    page = prompts.page(shelf=rows, q=request.GET.get("q", ""), limit=MENU)
    context = {"project": found, "prompts": page.prompts}
    return render(request, "generations/_prompt_menu.html", context)


@require_safe
@login_required
def history(request: HttpRequest, project: UUID) -> HttpResponse:
    """One's own last prompts here, each once, the last first."""
    found = get_project(request, project)
    return JsonResponse({"prompts": prompts.history(user=person(request), project=found)})


def using(row: Prompt) -> Filled:
    """A prompt in its newest wording, about to be filled."""
    version = row.versions.select_related("prompt").order_by("-number").first()
    if version is None:
        raise Http404
    return Filled(version, version.text)


def version_named(request: HttpRequest, project: Project, token: str) -> PromptVersion | None:
    """The wording a form names as `<prompt>.<number>`; None for none, 404 for a foreign one."""
    if not token:
        return None
    public_id, _dot, number = token.partition(".")
    row = find(request, project, public_id)
    if not (number.isascii() and number.isdigit() and len(number) < 9):
        raise Http404
    return get_object_or_404(row.versions.select_related("prompt"), number=int(number))


def _source(request: HttpRequest, text: str) -> Generation | None:
    if not text:
        return None
    try:
        return get_object_or_404(Generation.objects.visible_to(request.user), public_id=text)
    except ValidationError:
        raise Http404 from None


def _typed(request: HttpRequest) -> Wording:
    typed = request.POST
    text = typed.get("text", typed.get("prompt", ""))
    return Wording(typed.get("title", ""), text, prompts.split_tags(typed.get("tags", "")))


def _errors(problem: PromptProblem | None) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for each in problem.errors if problem else ():
        found.setdefault(each.field, []).append(_(each.message) % each.params)
    return found


def _form(
    request: HttpRequest,
    project: Project,
    wording: Wording,
    more: dict[str, Any],
    problem: PromptProblem | None = None,
) -> HttpResponse:
    context = {
        "project": project,
        "wording": wording,
        "tags": ", ".join(wording.tags),
        "errors": _errors(problem),
        "settings": kept.text_of(more["made"].settings) if "made" in more else "",
        "mine": is_own(request),
        "section": "library",
        "here": resolve_url("prompt-new", project.public_id),
        **more,
    }
    status = 422 if problem else 200
    return render(request, "generations/prompt_new.html", context, status=status)


def _page(
    request: HttpRequest,
    project: Project,
    row: Prompt,
    wording: Wording,
    problem: PromptProblem | None = None,
) -> HttpResponse:
    versions = list(row.versions.select_related("user").order_by("-number")[: VERSIONS + 1])
    changes = [(new, prompt_segments(old.text, new.text)) for new, old in pairwise(versions)]
    context = {
        "project": project,
        "prompt": row,
        "wording": wording,
        "tags": ", ".join(wording.tags),
        "errors": _errors(problem),
        "changes": changes[:VERSIONS],
        "first": versions[-1] if len(versions) <= VERSIONS else None,
        "results": prompts.results(prompt=row, user=person(request)),
        "may_write": may_write(request, project),
        "may_move": row.project_id is None or row.user_id == person(request).pk,
        "mine": row.project_id is None,
        "section": "library",
    }
    status = 422 if problem else 200
    return render(request, "generations/prompt.html", context, status=status)


@require_POST
@login_required
def starters(request: HttpRequest, project: UUID) -> HttpResponse:
    """Put the starter set, in the person's language, on an empty shelf."""
    found = get_project(request, project)
    require_writer(request, found)
    shelf = None if is_own(request) else found
    made = library_starters.add(
        user=person(request), project=shelf, language=get_language() or "en"
    )
    messages.success(request, _("%(count)s prompts were added.") % {"count": len(made)})
    back = resolve_url("prompts", project)
    return redirect(f"{back}?shelf=mine" if shelf is None else back)
