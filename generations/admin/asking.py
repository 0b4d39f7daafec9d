"""The page between choosing rows and doing something with them."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from generations.models import User


def person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def ask(
    desk: admin.ModelAdmin[Any],
    request: HttpRequest,
    chosen: QuerySet[Any],
    form: forms.Form,
    words: dict[str, str],
) -> HttpResponse:
    """422 where something was typed and is wrong."""
    context = {
        **desk.admin_site.each_context(request),
        **words,
        "opts": desk.model._meta,
        "chosen": chosen,
        "form": form,
        "media": desk.media,
    }
    status = 422 if form.is_bound else 200
    return TemplateResponse(request, "admin/grant.html", context, status=status)


def typed(request: HttpRequest) -> Any:
    return request.POST if "apply" in request.POST else None
