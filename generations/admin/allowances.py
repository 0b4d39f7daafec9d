"""Allowances in the admin: usage beside each limit, giving more, and who changed what."""

from __future__ import annotations

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.exceptions import PermissionDenied
from django.db.models import Count, F, OuterRef, QuerySet, Subquery
from django.forms import ModelForm
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django.utils.formats import localize
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from generations.admin.asking import ask, person, typed
from generations.models import Allowance, Balance, LedgerEntry, User
from generations.services import quota

CHANGES = 50  # on the page of one allowance
Kind = LedgerEntry.Kind


class GrantForm(forms.Form):
    """How much more, and why: both stay in the ledger, with who gave it."""

    amount = forms.IntegerField(
        label=gettext_lazy("How many more"), min_value=1, max_value=quota.MOST_AT_ONCE
    )
    why = forms.CharField(label=gettext_lazy("Why"), max_length=200)


class OwnForm(forms.Form):
    """An allowance of somebody's own."""

    limit = forms.IntegerField(
        label=gettext_lazy("limit"), min_value=0, max_value=quota.MOST_AT_ONCE
    )
    period = forms.ChoiceField(label=gettext_lazy("period"), choices=Allowance.Period.choices)
    why = forms.CharField(label=gettext_lazy("Why"), max_length=200)


@admin.action(description=gettext_lazy("Give more in this period"), permissions=["change"])
def give_more(
    desk: admin.ModelAdmin[Allowance], request: HttpRequest, chosen: QuerySet[Allowance]
) -> HttpResponse | None:
    form = GrantForm(typed(request))
    if not form.is_valid():
        words = {
            "title": _("Give more in this period"),
            "action": "give_more",
            "lead": _(
                "It is added to what is left of the running day or month, and gone when that ends. "
                "Of an allowance that everyone gets, each person gets as much."
            ),
        }
        return ask(desk, request, chosen, form, words)
    n = quota.grant(allowances=chosen, actor=person(request), **form.cleaned_data)
    said = ngettext("Given to %(n)s balance.", "Given to %(n)s balances.", n)
    messages.success(request, said % {"n": n})
    return None


@admin.action(description=gettext_lazy("Give an allowance of their own"))
def give_own(
    desk: admin.ModelAdmin[User], request: HttpRequest, chosen: QuerySet[User]
) -> HttpResponse | None:
    if not request.user.has_perms(["generations.add_allowance", "generations.change_allowance"]):
        raise PermissionDenied
    form = OwnForm(typed(request))
    if not form.is_valid():
        words = {
            "title": _("Give an allowance of their own"),
            "action": "give_own",
            "lead": _(
                "It takes the place of what everyone gets for that period, and begins with nothing used."
            ),
        }
        return ask(desk, request, chosen, form, words)
    n = quota.give_own(users=chosen, actor=person(request), **form.cleaned_data)
    said = ngettext("Given to %(n)s person.", "Given to %(n)s people.", n)
    messages.success(request, said % {"n": n})
    return None


class AllowanceAdmin(admin.ModelAdmin[Allowance]):
    list_display = ("scope", "project", "user", "unit", "period", "limit", "used_now", "enabled")
    list_filter = ("scope", "period", "enabled")
    list_select_related = ("project", "user")
    autocomplete_fields = ("project", "user")
    actions = (give_more,)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Allowance]:
        """Each with the fullest of its balances in the running period, and how many there are."""
        now = timezone.now()
        keys = [quota.period_key(period, now) for period in Allowance.Period.values]
        inside = Balance.objects.filter(allowance=OuterRef("pk"), period_key__in=keys)
        inside = inside.annotate(used=F("reserved") + F("spent"))
        fullest = inside.order_by("-used", "pk")
        counted = inside.order_by().values("allowance").annotate(n=Count("pk"))
        return (
            super()
            .get_queryset(request)
            .annotate(
                used=Subquery(fullest.values("used")[:1]),
                granted=Subquery(fullest.values("granted")[:1]),
                balance_count=Subquery(counted.values("n")),
            )
        )

    @admin.display(description=gettext_lazy("used in this period"))
    def used_now(self, row: Any) -> SafeString:
        """A bar and two numbers; of an allowance that everyone gets, the person who used most."""
        limit = row.limit if row.granted is None else row.granted
        used = row.used or 0
        percent = min(100, round(100 * used / limit)) if limit else 100
        words = f"{used} / {limit}"
        if row.scope == Allowance.Scope.PERSON and row.user_id is None and row.balance_count:
            n = row.balance_count
            said = ngettext(
                "%(words)s at most, of %(n)s person", "%(words)s at most, of %(n)s people", n
            )
            words = said % {"words": words, "n": n}
        bar = '<progress max="100" value="{}" aria-label="{}" class="{}"></progress> {}'
        near = "near" if percent >= quota.NEAR else ""
        return format_html(bar, percent, _("used in this period"), near, words)

    @admin.display(description=gettext_lazy("latest changes"))
    def changes(self, row: Allowance) -> SafeString | str:
        """What the ledger and the log say of this limit, the newest first."""
        lines = sorted(
            [*_from_ledger(row), *_from_log(row)], key=lambda line: line[0], reverse=True
        )
        cells = ((localize(timezone.localtime(when)), *rest) for when, *rest in lines[:CHANGES])
        body = format_html_join("", "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>", cells)
        head = (_("time"), _("who"), _("what"), _("Why"))
        heads = format_html_join("", '<th scope="col">{}</th>', ((each,) for each in head))
        table = '<table class="changes"><thead><tr>{}</tr></thead><tbody>{}</tbody></table>'
        return format_html(table, heads, body) if body else "-"

    def save_model(
        self, request: HttpRequest, obj: Allowance, form: ModelForm[Allowance], change: bool
    ) -> None:
        super().save_model(request, obj, form, change)
        quota.apply_limit(allowance=obj, actor=person(request))

    def construct_change_message(
        self, request: HttpRequest, form: Any, formsets: Any, add: bool = False
    ) -> Any:
        """The log says from what to what."""
        if add or not form.changed_data:
            return super().construct_change_message(request, form, formsets, add)
        said = [
            _("%(field)s: %(before)s → %(after)s")
            % {
                "field": form.fields[name].label,
                "before": form.initial.get(name),
                "after": form.cleaned_data.get(name),
            }
            for name in form.changed_data
        ]
        return "; ".join(said)

    def get_readonly_fields(
        self, request: HttpRequest, obj: Allowance | None = None
    ) -> tuple[str, ...]:
        """What it limits is fixed once there is a ledger under it; how much is not."""
        return ("scope", "project", "user", "unit", "period", "changes") if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Allowance | None = None) -> bool:
        """Taken out of force instead: the ledger refers to it."""
        return obj is None or not obj.balances.exists()

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing is deleted from the list."""
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found


Line = tuple[Any, str, str, str]


def _from_ledger(allowance: Allowance) -> list[Line]:
    rows = allowance.entries.filter(kind__in=(Kind.GRANT, Kind.ADJUST), job=None)
    rows = rows.select_related("actor", "balance__user").order_by("-id")[:CHANGES]
    return [
        (
            row.created_at,
            row.actor.shown_name if row.actor else "-",
            f"{row.get_kind_display()} {row.amount:+} · {row.balance.period_key}"
            + (f" · {row.balance.user.shown_name}" if row.balance.user else ""),
            _(row.why) if row.why else "",
        )
        for row in rows
    ]


def _from_log(allowance: Allowance) -> list[Line]:
    kind = ContentType.objects.get_for_model(Allowance)
    rows = LogEntry.objects.filter(
        content_type=kind, object_id=str(allowance.pk), action_flag=CHANGE
    ).select_related("user")[:CHANGES]
    return [
        (
            row.action_time,
            row.user.get_full_name() or row.user.get_username(),
            row.get_change_message(),
            "",
        )
        for row in rows
    ]
