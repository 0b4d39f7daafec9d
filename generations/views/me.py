"""A person's own account: the e-mail address, browsers they are signed in with, their programs' tokens."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from django.contrib import messages
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect
from django.utils.translation import gettext as _
from django.utils.translation import ngettext
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from generations.forms import whole_number
from generations.models import User
from generations.people_forms import EmailForm
from generations.services import people
from generations.views.access import person
from generations.views.account import settings_page


@require_POST
@sensitive_post_parameters("password")
@login_required
def email(request: HttpRequest) -> HttpResponse:
    # A row of its own: a refused address must not show up in the rest of the page.
    form = EmailForm(request.POST, instance=User.objects.get(pk=person(request).pk))
    if not form.is_valid():
        return settings_page(request, email_form=form)
    form.save()
    messages.success(request, _("Saved."))
    return redirect("settings")


@require_POST
@login_required
def sign_out_one(request: HttpRequest) -> HttpResponse:
    """End one of one's own sessions. One that has gone meanwhile is what was wanted, too."""
    wanted = whole_number(request.POST.get("sign_in", "")) or 0
    people.end(user=person(request), sign_in=wanted)
    messages.success(request, _("Signed out there."))
    return redirect("settings")


@require_POST
@login_required
def sign_out_elsewhere(request: HttpRequest) -> HttpResponse:
    n = people.end_elsewhere(user=person(request), session_key=request.session.session_key)
    said = ngettext("Signed out in %(n)s other browser.", "Signed out in %(n)s other browsers.", n)
    messages.success(request, said % {"n": n})
    return redirect("settings")


@require_POST
@never_cache
@login_required
def token_make(request: HttpRequest) -> HttpResponse:
    """Make a token and show it, this once: only its hash is kept, so no later page can."""
    wanted = {name: request.POST.get(name, "") for name in ("name", "days", "project", "may")}
    typed = {f"typed_token_{name}": value for name, value in wanted.items()}
    try:
        token = people.make_token(
            user=person(request),
            name=wanted["name"],
            days=wanted["days"],
            project=wanted["project"],
            may_run=wanted["may"] == "run",
        )
    except people.TokenProblem as refused:
        return settings_page(request, token_problem=refused, **typed)
    return settings_page(request, new_token=token)


@require_POST
@login_required
def token_revoke(request: HttpRequest, token: UUID) -> HttpResponse:
    found = get_object_or_404(people.tokens_of(user=person(request)), public_id=token)
    people.revoke_token(token=found)
    messages.success(request, _("The token lets nobody in any more."))
    return redirect("settings")


def note_sign_in(sender: object, request: HttpRequest, user: User, **_rest: Any) -> None:
    """Called whenever Django has signed somebody in."""
    if not request.session.session_key:
        request.session.save()  # its key is drawn only now
    people.begin(
        user=user,
        session_key=request.session.session_key or "",
        agent=request.META.get("HTTP_USER_AGENT", ""),
        address=request.META.get("REMOTE_ADDR", ""),
    )
