"""Jobs that nobody knows the outcome of: what was sent when, and a person's three ways out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django import forms
from django.contrib import admin, messages
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generations.admin.asking import ask, person, typed
from generations.admin.read_only import ReadOnly
from generations.models import JobState, Submission, UncertainJob
from generations.services import jobs, quota


class Sure(forms.Form):
    """Nothing to fill in: the page asks whether it is meant."""


class TaskId(forms.Form):
    remote_id = forms.CharField(label=gettext_lazy("Task id"), max_length=30)


Desk = admin.ModelAdmin[UncertainJob]


def _order(
    request: HttpRequest, chosen: QuerySet[UncertainJob], what: Callable[..., None], **more: Any
) -> None:
    """Each by itself; what could not be done is said in the service's own sentence."""
    done = 0
    for job in chosen.select_related("generation__project", "account"):
        try:
            what(job=job, actor=person(request), **more)
            done += 1
        except (jobs.NotPossible, quota.OverLimit) as refused:
            messages.error(request, f"{job}: {refused.message}")
    if done:
        said = ngettext("Done for %(n)s picture.", "Done for %(n)s pictures.", done)
        messages.success(request, said % {"n": done})


@admin.action(description=gettext_lazy("Fetch by task id"), permissions=["decide"])
def adopt(desk: Desk, request: HttpRequest, chosen: QuerySet[UncertainJob]) -> HttpResponse | None:
    if chosen.count() != 1:
        messages.error(request, _("A task id belongs to one picture: choose one."))
        return None
    form = TaskId(typed(request))
    if not form.is_valid():
        words = {
            "title": _("Fetch by task id"),
            "action": "adopt",
            "verb": _("Fetch"),
            "lead": _(
                "Look in the provider's console for a task made at that time, or ask its support "
                "for the request id. If there is one, enter its task id and the studio fetches the "
                "picture."
            ),
        }
        return ask(desk, request, chosen, form, words)
    _order(request, chosen, jobs.adopt_remote_id, **form.cleaned_data)
    return None


@admin.action(description=gettext_lazy("Send again (may be charged twice)"), permissions=["decide"])
def send_again(
    desk: Desk, request: HttpRequest, chosen: QuerySet[UncertainJob]
) -> HttpResponse | None:
    if typed(request) is None:
        words = {
            "title": _("Send again (may be charged twice)"),
            "action": "send_again",
            "verb": _("Send again"),
            "lead": _("If the first one was made after all, you pay twice."),
        }
        return ask(desk, request, chosen, Sure(), words)
    _order(request, chosen, jobs.send_again)
    return None


@admin.action(description=gettext_lazy("Dismiss"), permissions=["decide"])
def dismiss(
    desk: Desk, request: HttpRequest, chosen: QuerySet[UncertainJob]
) -> HttpResponse | None:
    if typed(request) is None:
        words = {
            "title": _("Dismiss"),
            "action": "dismiss",
            "verb": _("Dismiss"),
            "lead": _("Give it up. It counts as charged."),
        }
        return ask(desk, request, chosen, Sure(), words)
    _order(request, chosen, jobs.dismiss)
    return None


class UncertainAdmin(ReadOnly):
    list_display = ("public_id", "sent_at", "request", "body", "reason", "user", "account")
    list_filter = ("account",)
    list_select_related = ("user", "account")
    search_fields = ("=public_id", "=submissions__uuid", "=submissions__request_id")
    exclude = ("output_urls",)
    actions = (adopt, send_again, dismiss)

    def get_queryset(self, request: HttpRequest) -> QuerySet[UncertainJob]:
        """Each with its last attempt: the id it travelled under, and the hash of its body."""
        attempts = Submission.objects.filter(job=OuterRef("pk")).order_by("-pk")
        rows = super().get_queryset(request).filter(state=JobState.UNCERTAIN).order_by("sent_at")
        found: QuerySet[UncertainJob] = rows.annotate(
            request=Subquery(attempts.values("uuid")[:1]),
            body=Subquery(attempts.values("body_sha256")[:1]),
        )
        return found

    def has_decide_permission(self, request: HttpRequest) -> bool:
        """It spends a team's allowance, so looking at the list is not enough."""
        return request.user.has_perm("generations.change_uncertainjob")

    @admin.display(description=gettext_lazy("Request id"))
    def request(self, row: Any) -> object:
        return row.request

    @admin.display(description=gettext_lazy("body's SHA-256"))
    def body(self, row: Any) -> object:
        return row.body
