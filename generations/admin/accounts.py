"""Provider accounts in the admin: their limits, as a whole and for single models, and how they stand."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.urls import URLPattern, path
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext
from django.views.decorators.http import require_POST

from generations.admin.asking import ask, person
from generations.models import EngineLimit, ProviderAccount
from generations.providers.base import N_
from generations.services import accounts, engines, health, jobs

NO_OTHER_KEY = N_(
    "Choose one account, and give the studio's processes a second key first: see the README, "
    "“Several keys”."
)
STANDING = ("reduced_to", "cool_until", "strikes")


class EngineLimitForm(forms.ModelForm[EngineLimit]):
    """The models by name; one that is not here any more keeps its row."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = {each.slug: _(each.label) for each in engines.every()}
        if self.instance.engine:
            names.setdefault(self.instance.engine, self.instance.engine)
        label = EngineLimit._meta.get_field("engine").verbose_name
        self.fields["engine"] = forms.ChoiceField(label=label, choices=sorted(names.items()))

    class Meta:
        model = EngineLimit
        fields = ("engine", "max_concurrent", "rate_per_s")


class EngineLimitInline(admin.TabularInline[EngineLimit, ProviderAccount]):
    model = EngineLimit
    form = EngineLimitForm
    extra = 0
    readonly_fields = STANDING


@admin.action(description=gettext_lazy("Pause sending"), permissions=["change"])
def pause(
    desk: ProviderAccountAdmin, request: HttpRequest, chosen: QuerySet[ProviderAccount]
) -> None:
    for account in chosen:
        if jobs.pause_sending(account=account, actor=person(request)):
            desk.log_change(request, account, _("Paused."))
            messages.success(request, _("%(name)s is paused.") % {"name": account})


@admin.action(description=gettext_lazy("Resume sending"), permissions=["change"])
def resume(
    desk: ProviderAccountAdmin, request: HttpRequest, chosen: QuerySet[ProviderAccount]
) -> None:
    for account in chosen:
        if jobs.resume_sending(account=account):
            desk.log_change(request, account, _("Resumed."))
            messages.success(request, _("%(name)s sends again.") % {"name": account})


class KeyForm(forms.Form):
    """Which of the keys in the environment takes over."""

    fingerprint = forms.ChoiceField(label=gettext_lazy("key fingerprint"))


@admin.action(description=gettext_lazy("Replace the key"), permissions=["change"])
def replace_key(
    desk: ProviderAccountAdmin, request: HttpRequest, chosen: QuerySet[ProviderAccount]
) -> HttpResponse | None:
    account = chosen.first()
    keys = accounts.other_keys(account) if account and chosen.count() == 1 else []
    if account is None or not keys:
        messages.error(request, _(NO_OTHER_KEY))
        return None
    form = KeyForm(request.POST if "apply" in request.POST else None)
    form.fields["fingerprint"] = forms.ChoiceField(
        label=gettext_lazy("key fingerprint"), choices=[(each, each) for each in keys]
    )
    if form.is_valid():
        try:
            accounts.replace_key(account=account, **form.cleaned_data)
        except accounts.KeyProblem as problem:
            form.add_error("fingerprint", _(problem.message))
        else:
            desk.log_change(request, account, _("Key replaced."))
            messages.success(request, _("%(name)s uses the other key now.") % {"name": account})
            return None
    words = {
        "title": _("Replace the key"),
        "action": "replace_key",
        "verb": _("Replace"),
        "lead": _(
            "Jobs in flight are asked after under the new key: it must belong to the same account at "
            "the service. Take the old one out of the environment afterwards."
        ),
    }
    return ask(desk, request, chosen, form, words)


class ProviderAccountAdmin(admin.ModelAdmin[ProviderAccount]):
    list_display = (
        "label",
        "provider",
        "enabled",
        "paused_at",
        "at_once_now",
        "rate_per_s",
        "cool_until",
        "unreachable_since",
        "key_age",
    )
    readonly_fields = (
        "provider",
        "base_url",
        "key_fingerprint",
        "key_since",
        "key_age",
        "is_sandbox",
        *STANDING,
        "paused_at",
        "paused_by",
        "unreachable_since",
        "probe_at",
        "created_at",
    )
    inlines = (EngineLimitInline,)
    actions = (pause, resume, replace_key)

    def get_urls(self) -> list[URLPattern]:
        everything = self.admin_site.admin_view(require_POST(self.everything))
        check = self.admin_site.admin_view(require_POST(self.check_all))
        name = "generations_provideraccount"
        return [
            path("everything/", everything, name=f"{name}_everything"),
            path("check/", check, name=f"{name}_check"),
            *super().get_urls(),
        ]

    def check_all(self, request: HttpRequest) -> HttpResponse:
        """Ask each service whether it accepts the key: one call an account, which costs nothing."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        for each in health.check_accounts():
            say = messages.success if each.well else messages.error
            say(request, f"{each.account.label}: {each.sentence}")
        return redirect("admin:generations_provideraccount_changelist")

    def everything(self, request: HttpRequest) -> HttpResponse:
        """The switch of the whole site."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        order = request.POST.get("order")
        if order == "pause" and jobs.pause_sending(account=None, actor=person(request)):
            messages.success(request, _("Everything is paused."))
        elif order == "resume" and jobs.resume_sending(account=None):
            messages.success(request, _("Everything is sent again."))
        else:
            messages.warning(request, _("Nothing has changed."))
        return redirect("admin:generations_provideraccount_changelist")

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        more = {
            "everything": jobs.pauses().get(None),
            "may_switch": self.has_change_permission(request),
        }
        return super().changelist_view(request, {**more, **(extra_context or {})})

    @admin.display(description=gettext_lazy("jobs at once"))
    def at_once_now(self, row: ProviderAccount) -> str:
        """What is set, and what it is down to since the provider refused some."""
        if row.at_once == row.max_concurrent:
            return str(row.max_concurrent)
        return _("%(n)s of %(most)s for now") % {"n": row.at_once, "most": row.max_concurrent}

    @admin.display(description=gettext_lazy("age of the key"), ordering="key_since")
    def key_age(self, row: ProviderAccount) -> str:
        """How long the key has been in use, and what is to be done about it."""
        if accounts.credentials_for(row) is None:
            return _("not in the environment")
        days = (timezone.now() - row.key_since).days
        told = ngettext("%(n)s day", "%(n)s days", days) % {"n": days}
        if days < accounts.OLD_KEY_DAYS:
            return told
        return format_html(
            '<strong class="old">{}</strong>', _("%(age)s: replace it") % {"age": told}
        )

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Accounts follow the credentials in the environment."""
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
