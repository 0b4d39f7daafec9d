"""Signing in and out, the password, and how a person likes to read the studio."""

from __future__ import annotations

from typing import Any

from django.conf import settings as conf
from django.contrib import messages
from django.contrib.auth import login as start_session
from django.contrib.auth import logout as end_session
from django.contrib.auth import update_session_auth_hash
from django.contrib.auth.decorators import login_required
from django.contrib.auth.forms import AuthenticationForm, PasswordChangeForm
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render, resolve_url
from django.utils import translation
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST

from generations.models import Project, User
from generations.models.people import Theme
from generations.people_forms import EmailForm
from generations.services import people
from generations.views.access import person

page = require_http_methods(["GET", "HEAD", "POST"])


def _next(request: HttpRequest, default: str) -> str:
    """Where the person wanted to go, if that is a place of ours."""
    wanted = request.POST.get("next") or request.GET.get("next") or ""
    ours = url_has_allowed_host_and_scheme(
        wanted, allowed_hosts={request.get_host()}, require_https=request.is_secure()
    )
    return wanted if ours else resolve_url(default)


@page
@never_cache
@sensitive_post_parameters("password")
def login(request: HttpRequest) -> HttpResponse:
    target = _next(request, conf.LOGIN_REDIRECT_URL)
    if request.user.is_authenticated:
        return redirect(target)
    form = AuthenticationForm(request, request.POST if request.method == "POST" else None)
    if not form.is_valid():
        status = 422 if form.is_bound else 200
        context = {"form": form, "next": request.POST.get("next") or request.GET.get("next", "")}
        return render(request, "registration/login.html", context, status=status)
    user = form.get_user()
    start_session(request, user)
    response = redirect(target)
    keep_taste(response, user.language, user.theme)
    return response


def locked_out(
    request: HttpRequest,
    response: HttpResponse | None = None,
    credentials: dict[str, Any] | None = None,
    *args: object,
    **kwargs: object,
) -> HttpResponse:
    """What django-axes answers with after too many wrong passwords."""
    minutes = round(float(conf.AXES_COOLOFF_TIME) * 60)
    return render(request, "registration/locked_out.html", {"minutes": minutes}, status=429)


def client_address(request: HttpRequest) -> str | None:
    """What django-axes counts wrong passwords by; None behind a Unix socket, which has no address."""
    return people.address_of(request.META.get("REMOTE_ADDR", ""))


@require_POST
def logout(request: HttpRequest) -> HttpResponse:
    people.forget(session_key=request.session.session_key or "")
    end_session(request)
    return redirect(conf.LOGOUT_REDIRECT_URL)


@page
@never_cache
@sensitive_post_parameters()
@login_required
def password(request: HttpRequest) -> HttpResponse:
    form = PasswordChangeForm(person(request), request.POST if request.method == "POST" else None)
    if form.is_valid():
        form.save()
        before = request.session.session_key or ""
        update_session_auth_hash(request, form.user)
        people.moved(before=before, after=request.session.session_key or "")
        people.end_elsewhere(user=person(request), session_key=request.session.session_key)
        messages.success(
            request, _("Your password has been changed. Elsewhere you are signed out.")
        )
        return redirect("settings")
    context = {"form": form, "section": "settings"}
    status = 422 if form.is_bound else 200
    return render(request, "registration/password.html", context, status=status)


@page
def settings(request: HttpRequest) -> HttpResponse:
    """Language and theme. Anybody may set them for this browser; the page is for people signed in."""
    if request.method == "POST":
        return _save_taste(request)
    return settings_page(request)


@login_required
def settings_page(request: HttpRequest, **more: object) -> HttpResponse:
    """The page; `more` is what a refused form or a new token adds to it."""
    user = person(request)
    context = {
        "section": "settings",
        "themes": Theme.choices,
        "email_form": EmailForm(instance=user),
        "sign_ins": people.sign_ins(user=user, session_key=request.session.session_key),
        "tokens": people.tokens_of(user=user),
        "token_days": people.DAYS,
        "token_projects": Project.objects.visible_to(user).order_by("name", "id"),
        "here": resolve_url("settings"),
        **more,
    }
    status = 422 if {"email_form", "token_problem"} & more.keys() else 200
    return render(request, "generations/settings.html", context, status=status)


def _save_taste(request: HttpRequest) -> HttpResponse:
    language, theme = request.POST.get("language", ""), request.POST.get("theme", "")
    language = language if language in dict(conf.LANGUAGES) else ""
    theme = theme if theme in Theme.values else ""
    if isinstance(request.user, User):
        request.user.language = language or request.user.language
        request.user.theme = theme or request.user.theme
        request.user.save(update_fields=["language", "theme"])
        with translation.override(language or translation.get_language()):
            if "next" not in request.POST:
                messages.success(request, _("Saved."))
    default = "settings" if request.user.is_authenticated else conf.LOGIN_URL
    response = redirect(_next(request, default))
    keep_taste(response, language, theme)
    return response


def keep_taste(response: HttpResponse, language: str, theme: str) -> HttpResponse:
    """Put what was chosen into cookies, so that the very first byte of a page knows it."""
    for name, value in ((conf.LANGUAGE_COOKIE_NAME, language), ("theme", theme)):
        if value:
            response.set_cookie(
                name,
                value,
                max_age=conf.LANGUAGE_COOKIE_AGE,
                secure=conf.LANGUAGE_COOKIE_SECURE,
                httponly=conf.LANGUAGE_COOKIE_HTTPONLY,
                samesite="Lax",
            )
    return response
