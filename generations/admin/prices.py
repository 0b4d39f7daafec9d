"""Prices in the admin: a new one from a moment on; what held before stays, with who wrote it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from django import forms
from django.contrib import admin
from django.contrib.admin.widgets import AdminSplitDateTime
from django.http import HttpRequest
from django.utils import timezone
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.admin.asking import person
from generations.models import Price
from generations.services import engines, pricing
from generations.templatetags import controls

YEARS = range(2020, 2100)
MOST_MILLS = 1_000_000  # ¥1,000 for one picture is a slip of the keyboard


class PriceForm(forms.ModelForm[Price]):
    """The model is one of the catalogue, the price a plausible one."""

    engine = forms.ChoiceField(label=gettext_lazy("model"))
    mills = forms.IntegerField(
        label=gettext_lazy("price in mills"),
        min_value=0,
        max_value=MOST_MILLS,
        help_text=gettext_lazy("Thousandths of CNY for one picture or one second."),
    )
    up_to = forms.IntegerField(
        label=gettext_lazy("up to so many pixels"),
        min_value=0,
        max_value=2**31 - 1,
        initial=0,
        help_text=gettext_lazy("0: any size."),
    )

    valid_from = forms.SplitDateTimeField(
        label=gettext_lazy("from"), initial=timezone.now, widget=AdminSplitDateTime
    )

    class Meta:
        model = Price
        fields = ("engine", "up_to", "mills", "valid_from", "note")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        field = self.fields["engine"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(each.slug, controls.say(each.label)) for each in engines.every()]

    def clean_valid_from(self) -> datetime:
        moment: datetime = self.cleaned_data["valid_from"]
        if moment.year not in YEARS:
            raise forms.ValidationError(
                _("Choose a date from %(first)s to %(last)s.")
                % {"first": YEARS[0], "last": YEARS[-1]}
            )
        return moment


class PriceAdmin(admin.ModelAdmin[Price]):
    """Only ever added to: a run keeps the price of its moment, and so does the list."""

    form = PriceForm
    list_display = ("engine", "up_to", "said", "valid_from", "told", "actor")
    list_filter = ("engine",)
    list_select_related = ("actor",)
    ordering = ("engine", "up_to", "-valid_from")

    @admin.display(description=gettext_lazy("price"), ordering="mills")
    def said(self, row: Price) -> str:
        engine = engines.known(row.engine)
        unit = _("second") if engine and engine.price_unit == "second" else _("picture")
        return f"¥{pricing.yuan(row.mills)} / {unit}"

    @admin.display(description=gettext_lazy("note"))
    def told(self, row: Price) -> str:
        return _(row.note) if row.note else ""  # those of the published prices are translated

    def has_change_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Price | None = None) -> bool:
        return False

    def save_model(self, request: HttpRequest, obj: Price, form: Any, change: bool) -> None:
        obj.actor = person(request)
        super().save_model(request, obj, form, change)
