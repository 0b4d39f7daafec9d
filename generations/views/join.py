"""A link that lets a person in: who is new makes an account on the way, who is signed in confirms."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import login as start_session
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.utils import translation
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods

from generations.models import Invitation, Project, User
from generations.people_forms import JoinForm
from generations.services import projects
from generations.views.account import keep_taste

# The account was made this moment, with a password of its own: no back end was asked.
BACKEND = "django.contrib.auth.backends.ModelBackend"


@require_http_methods(["GET", "HEAD", "POST"])
@never_cache
@sensitive_post_parameters("password")
def join(request: HttpRequest, token: str) -> HttpResponse:
    """One page for a link that works, one and the same for every link that does not."""
    found = projects.find(token)
    if found is not None and _is_member(request, found.project):
        return redirect("studio", found.project.public_id)
    if found is None or not projects.usable(found):
        return _gone(request)
    try:
        answer = _known(request, found, token) if _user(request) else _new(request, found, token)
    except projects.InvitationGone:
        return _gone(request)
    return _private(answer)


def _known(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    """Somebody signed in says yes; a link alone, opened by mistake, changes nothing."""
    user = _user(request)
    if request.method == "POST" and user:
        return _welcome(request, projects.accept(token=token, user=user))
    return render(request, "generations/join.html", {"invitation": invitation})


def _new(request: HttpRequest, invitation: Invitation, token: str) -> HttpResponse:
    form = JoinForm(request.POST if request.method == "POST" else None)
    if form.is_valid():
        user = form.save(commit=False)
        try:
            project = projects.accept(token=token, user=user)
        except projects.UsernameTaken:
            form.add_error("username", _("Somebody here has this name already. Choose another."))
        else:
            start_session(request, user, backend=BACKEND)
            with translation.override(user.language or get_language()):
                return keep_taste(_welcome(request, project), user.language, "")
    chosen = form["language"].value() or get_language()
    context = {
        "invitation": invitation,
        "form": form,
        "languages": settings.LANGUAGES,
        "chosen": chosen,
        "next": request.path,
    }
    status = 422 if form.is_bound else 200
    return render(request, "generations/join.html", context, status=status)


def _welcome(request: HttpRequest, project: Project) -> HttpResponse:
    messages.success(request, _("You have joined %(name)s.") % {"name": project.name})
    return redirect("studio", project.public_id)


def _gone(request: HttpRequest) -> HttpResponse:
    """Unknown, expired, used up, revoked: the same answer, so that nobody learns which links there were."""
    return _private(render(request, "generations/join_gone.html", status=404))


def _private(response: HttpResponse) -> HttpResponse:
    """The address is a key: no other site hears it, no search engine keeps it.

    Not `no-referrer`: under that policy browsers send `Origin: null` with the form, which the CSRF check
    has to refuse. `strict-origin` never tells a path either.
    """
    response.headers["Referrer-Policy"] = "strict-origin"
    response.headers["X-Robots-Tag"] = "noindex"
    return response


def _user(request: HttpRequest) -> User | None:
    return request.user if isinstance(request.user, User) else None


def _is_member(request: HttpRequest, project: Project) -> bool:
    return project.role_of(request.user) is not None
