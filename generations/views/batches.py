"""Many prompts at once: writing a list, looking at it, and following the batch it becomes."""

from __future__ import annotations

import secrets
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.http import require_http_methods, require_safe

from generations.forms import ComposeForm, whole_number
from generations.list_forms import ListForm
from generations.models import Batch, Project
from generations.services import batches, compose, events, quota
from generations.services.batches.orders import NAME_MAX
from generations.services.gallery import Cursor
from generations.views.access import (
    get_project,
    may_write,
    person,
    require_writer,
    wants_fragment,
)
from generations.views.beginnings import usual

PAGE = 20
LINES = 100
# Lines whose runs are made before the answer, so that something happens at once.
FIRST = 4
page = require_http_methods(["GET", "HEAD", "POST"])


@require_safe
@login_required
def batch_list(request: HttpRequest, project: UUID) -> HttpResponse:
    """The project's batches, newest first; `?after=` goes on from a cursor."""
    found = get_project(request, project)
    after = Cursor.parse(request.GET.get("after", ""))
    rows = batches.recent(project=found)
    shown = list(rows.filter(after.before())[: PAGE + 1] if after else rows[: PAGE + 1])
    more = len(shown) > PAGE
    shown = shown[:PAGE]
    progress = batches.progress(shown)
    context = {
        "project": found,
        "rows": [(batch, progress[batch.pk]) for batch in shown],
        "next": Cursor(shown[-1].created_at, shown[-1].pk) if more else None,
        "after": after,
        "may_write": may_write(request, found),
        "section": "queue",
    }
    return render(request, "generations/batch_list.html", context)


# --- A new one ----------------------------------------------------------------------------------


@page
@login_required
def new(request: HttpRequest, project: UUID) -> HttpResponse:
    """The form; posted, its preview; started from the preview, the batch."""
    found = get_project(request, project)
    require_writer(request, found)
    if request.method != "POST":
        return _new(
            request, found, ComposeForm.fresh(None, **usual(found, alone=True), count=1), ListForm()
        )
    form, pasted = ComposeForm(request.POST), ListForm(request.POST)
    draft = _draft(found, form, pasted)
    if draft is None or request.POST.get("step") != "start":
        return _new(request, found, form, pasted, draft)
    if request.POST.get("previewed") != draft.digest:
        # What is started is what was looked at, also where no script hides the old preview.
        return _new(request, found, form, pasted, draft, changed=True)
    if not draft.good:
        return _new(request, found, form, pasted, draft)
    batch = batches.start(
        project=found,
        user=person(request),
        draft=draft,
        name=pasted.typed("name"),
        form_token=form.typed("form_token") or secrets.token_urlsafe(16),
    )
    batches.feed(batch_id=batch.pk, limit=FIRST)
    return redirect("batch", found.public_id, batch.public_id)


def _draft(project: Project, form: ComposeForm, pasted: ListForm) -> batches.Draft | None:
    """The list as read and checked, or None with every problem at its field."""
    fits = pasted.check_name(NAME_MAX)
    try:
        draft = batches.plan(
            engine=form.typed("engine") or form.engine_on_offer.slug,
            settings=form.raw_settings(),
            count=form.asked_count(),
            text=pasted.typed("lines"),
            template=pasted.typed("template") if pasted.is_table else None,
            project=project,
        )
    except compose.ComposeProblem as problem:
        form.take_errors(pasted.take_errors(problem.errors))
        return None
    return draft if fits else None


def _new(
    request: HttpRequest,
    project: Project,
    form: ComposeForm,
    pasted: ListForm,
    draft: batches.Draft | None = None,
    *,
    changed: bool = False,
) -> HttpResponse:
    context = {
        "project": project,
        "form": form,
        "pasted": pasted,
        "draft": draft,
        "changed": changed,
        # Each preview is started once; looking again and starting that is another batch.
        "token": secrets.token_urlsafe(16),
        "max_lines": batches.MAX_LINES,
        "name_max": NAME_MAX,
        "section": "queue",
        **_room(request, project, draft),
    }
    refused = changed or form.errors or pasted.errors or (draft is not None and not draft.good)
    return render(request, "generations/batch_new.html", context, status=422 if refused else 200)


def _room(request: HttpRequest, project: Project, draft: batches.Draft | None) -> dict[str, object]:
    """The tightest allowance, and whether the draft is too much for it."""
    meters = quota.summary(user=person(request), project=project)
    over = bool(draft and meters and draft.pictures > meters[0].left)
    return {"meter": meters[0] if meters else None, "over": over}


# --- One ----------------------------------------------------------------------------------------


@page
@login_required
def batch(request: HttpRequest, project: UUID, batch: UUID) -> HttpResponse:
    """A batch line by line, as a page or as the fragment it refreshes itself with; POST orders."""
    found = get_project(request, project)
    rows = Batch.objects.visible_to(request.user).select_related("user", "project")
    row = get_object_or_404(rows, project=found, public_id=batch)
    if request.method == "POST":
        require_writer(request, found)
        _order(request, row)
        return redirect("batch", found.public_id, row.public_id)
    after = min(max(0, whole_number(request.GET.get("after", "")) or 0), 2**31 - 1)
    context = _page(request, found, row, after)
    fragment = wants_fragment(request)
    name = "_batch" if fragment else "batch"
    return render(request, f"generations/{name}.html", context)


def _page(request: HttpRequest, project: Project, batch: Batch, after: int) -> dict[str, Any]:
    # The stream's cursor is read first, so that no event is missed.
    cursor = events.latest_id(project=project)
    entries, more = batches.entries(batch=batch, after=after, limit=LINES)
    return {
        "project": project,
        "batch": batch,
        "cursor": cursor,
        "entries": entries,
        "more": more,
        "compare": _first_pictures(entries),
        "after": after,
        "progress": batches.progress([batch])[batch.pk],
        "may_write": may_write(request, project),
        "section": "queue",
    }


def _first_pictures(entries: list[batches.Entry]) -> str:
    """The query that compares the first pictures of the first four lines that have one."""
    found = [asset.public_id for entry in entries if (asset := entry.first_picture)]
    return (
        "&".join(f"{name}={each}" for name, each in zip("abcd", found, strict=False))
        if len(found) > 1
        else ""
    )


def _order(request: HttpRequest, batch: Batch) -> None:
    """Carry out what was ordered, and say what came of it where the page alone does not."""
    order, actor = request.POST.get("order", ""), person(request)
    if order == "pause":
        batches.pause(batch=batch)
    elif order == "resume":
        batches.resume(batch=batch)
        batches.feed(batch_id=batch.pk, limit=FIRST)
    elif order == "cancel":
        ordered = batches.cancel_waiting(batch=batch, actor=actor)
        text = ngettext("%(n)s is cancelled.", "%(n)s are cancelled.", ordered.done)
        messages.success(request, text % {"n": ordered.done})
    elif order == "retry":
        _say_retried(request, batches.retry_failed(batch=batch, actor=actor))
    else:
        messages.error(request, _("There is no such order. Reload the page."))


def _say_retried(request: HttpRequest, ordered: batches.Ordered) -> None:
    text = ngettext(
        "%(n)s picture is queued again.", "%(n)s pictures are queued again.", ordered.done
    )
    messages.success(request, text % {"n": ordered.done})
    if ordered.refused:
        messages.error(request, ordered.refused)
    elif ordered.left:
        text = ngettext(
            "%(n)s is left: press it once more.",
            "%(n)s are left: press it once more.",
            ordered.left,
        )
        messages.success(request, text % {"n": ordered.left})
