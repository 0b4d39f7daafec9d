"""Models of an administrator's own in the admin: an engine of the catalogue under another id."""

from __future__ import annotations

import re
from typing import Any, ClassVar, cast

from django import forms
from django.contrib import admin, messages
from django.contrib.admin.utils import unquote
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect
from django.template.response import TemplateResponse
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, override

from generations.models import CustomEngine
from generations.providers import catalog, clones
from generations.providers.catalog import ChoiceParam, Engine, SizeParam
from generations.services import compose, engines
from generations.templatetags.controls import say

SLUG = re.compile(r"[A-Za-z0-9]+(?:[.-]+[A-Za-z0-9]+)*")
REQ_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
OFFERED = "offered_"  # before the name of a setting, the field that says what is offered of it
LANGUAGES = {"label_en": "en", "label_zh": "zh-hans"}


class CloneForm(forms.ModelForm[CustomEngine]):
    """Names, id and limits of a clone. `parent` is what it is a clone of; see `form_for`."""

    parent: ClassVar[Engine | None] = None

    class Meta:
        model = CustomEngine
        fields = (
            *("slug", "req_key", "label_en", "label_zh", "good_for_en", "good_for_zh"),
            *("count_max", "references_max", "enabled"),
        )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.parent is None:
            return
        self.instance.parent = self.parent.slug
        for param in clones.narrowable(self.parent):
            here = self.instance.offered.get(param.name)
            self.initial[OFFERED + param.name] = here or list(clones.values_of(param))

    def clean_slug(self) -> str:
        slug = str(self.cleaned_data["slug"])
        if not SLUG.fullmatch(slug):
            raise forms.ValidationError(
                _("Use letters, digits, dots and dashes, as in “jimeng-image-5.0”.")
            )
        taken = {
            each.slug.casefold() for each in engines.every() if each.slug != self.instance.slug
        }
        if slug.casefold() in taken:
            raise forms.ValidationError(_("There is a model of this short name already."))
        return slug

    def clean_req_key(self) -> str:
        key = str(self.cleaned_data["req_key"])
        if not REQ_KEY.fullmatch(key):
            raise forms.ValidationError(
                _("Write the id as the provider's console shows it, without spaces.")
            )
        if self.parent and (wrong := _of_another(self.parent, key)):
            raise forms.ValidationError(wrong)
        if (
            self.instance.pk
            and key != self.initial["req_key"]
            and engines.at_provider(self.instance)
        ):
            raise forms.ValidationError(
                _(
                    "Runs are at the provider under the old id. Take the model off offer, and change it when they are over."
                )
            )
        return key

    def clean_label_en(self) -> str:
        return self._free_label("label_en")

    def clean_label_zh(self) -> str:
        return self._free_label("label_zh")

    def _free_label(self, name: str) -> str:
        label = " ".join(str(self.cleaned_data[name]).split())
        with override(LANGUAGES[name]):
            others = (each for each in engines.every() if each.slug != self.instance.slug)
            taken = {_(each.label).casefold() for each in others}
        if label.casefold() in taken:
            raise forms.ValidationError(_("Another model has this name already."))
        return label

    def clean_count_max(self) -> int | None:
        return self._within("count_max", 1, compose.MAX_COUNT)

    def clean_references_max(self) -> int | None:
        if self.parent is None:
            return self.instance.references_max
        rule = self.parent.references
        return self._within("references_max", rule.minimum, rule.maximum)

    def _within(self, name: str, least: int, most: int) -> int | None:
        value: int | None = self.cleaned_data[name]
        if value is not None and not least <= value <= most:
            limits = {"minimum": least, "maximum": most}
            raise forms.ValidationError(
                _("Choose a number from %(minimum)s to %(maximum)s.") % limits
            )
        return value

    def clean(self) -> dict[str, Any]:
        """What is offered of each setting; all of it is no limit."""
        cleaned = super().clean() or {}
        offered = {}
        for param in clones.narrowable(self.parent) if self.parent else ():
            chosen = cleaned.get(OFFERED + param.name)
            if not chosen:
                continue
            if isinstance(param, ChoiceParam) and param.alone and param.default not in chosen:
                self.add_error(OFFERED + param.name, _kept(param))
            values = clones.values_of(param)
            if len(chosen) < len(values):
                offered[param.name] = [each for each in values if each in chosen]
        if self.parent:
            self.instance.offered = offered
        return cleaned


def _of_another(parent: Engine, key: str) -> str:
    """What is wrong with an id that belongs to the other provider."""
    if parent.provider == "jimeng" and key.startswith(("ep-", "doubao-")):
        return _("This is an id of Ark, and the model it is a clone of is asked at Jimeng.")
    if parent.provider == "ark" and key.startswith("jimeng_"):
        return _("This is an id of Jimeng, and the model it is a clone of is asked at Ark.")
    return ""


def _kept(param: ChoiceParam) -> str:
    usual = next(each.label for each in param.choices if each.value == param.default)
    return _("“%(value)s” has to stay: with a first frame it is the only one.") % {
        "value": say(usual)
    }


def form_for(parent: Engine | None) -> type[CloneForm]:
    """The form for clones of an engine, with a field for each setting that has named values."""
    found: dict[str, Any] = {"parent": parent, "Meta": CloneForm.Meta}
    for param in clones.narrowable(parent) if parent else ():
        found[OFFERED + param.name] = forms.MultipleChoiceField(
            label=_("Offered of “%(setting)s”") % {"setting": say(param.label)},
            choices=_choices(param),
            widget=forms.CheckboxSelectMultiple,
            help_text=_("With fewer than all, no other size can be typed.")
            if isinstance(param, SizeParam)
            else "",
        )
    return cast("type[CloneForm]", type("CloneForm", (CloneForm,), found))


def _choices(param: clones.Narrowable) -> list[tuple[str, str]]:
    if isinstance(param, SizeParam):
        autos = [(each.value, say(each.label)) for each in param.autos]
        sizes = [(each.value, f"{each.label} · {each.shape}") for each in param.presets]
        return autos + sizes
    return [(each.value, say(each.label)) for each in param.choices]


class CustomEngineAdmin(admin.ModelAdmin[CustomEngine]):
    list_display = ("label_en", "label_zh", "slug", "origin", "req_key", "enabled")
    list_filter = ("enabled",)
    search_fields = ("slug", "req_key", "label_en", "label_zh")
    show_full_result_count = False

    @admin.display(description=gettext_lazy("clone of"))
    def origin(self, row: CustomEngine) -> str:
        parent = catalog.known_engine(row.parent)
        return _(parent.label) if parent else row.parent

    def get_form(
        self,
        request: HttpRequest,
        obj: CustomEngine | None = None,
        change: bool = False,
        **kwargs: Any,
    ) -> Any:
        """The form follows from what is cloned: `?parent=` when it is made."""
        slug = obj.parent if obj else request.GET.get("parent", "")
        return super().get_form(
            request, obj, change, form=form_for(catalog.known_engine(slug)), **kwargs
        )

    def get_fieldsets(self, request: HttpRequest, obj: CustomEngine | None = None) -> Any:
        slug = obj.parent if obj else request.GET.get("parent", "")
        parent = catalog.known_engine(slug)
        limits = ["count_max"]
        if parent is not None:
            narrow = parent.references.minimum < parent.references.maximum
            limits += ["references_max"] if narrow else []
            limits += [OFFERED + each.name for each in clones.narrowable(parent)]
        names = ("label_en", "label_zh", "good_for_en", "good_for_zh")
        first = ("origin", "slug", "req_key", "enabled") if obj else ("slug", "req_key", "enabled")
        return (
            (None, {"fields": first}),
            (_("Names"), {"fields": names}),
            (_("Limits"), {"fields": limits}),
        )

    def get_readonly_fields(
        self, request: HttpRequest, obj: CustomEngine | None = None
    ) -> tuple[str, ...]:
        """Recipes name the slug, and were checked against the parent."""
        return ("origin", "slug") if obj else ()

    def add_view(
        self, request: HttpRequest, form_url: str = "", extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """First the model to clone, then what is different about the clone."""
        parent = catalog.ENGINES.get(request.GET.get("parent", ""))
        if parent is None:
            return self._choose(request)
        title = _("Clone of %(name)s") % {"name": _(parent.label)}
        return super().add_view(request, form_url, {"title": title, **(extra_context or {})})

    def _choose(self, request: HttpRequest) -> HttpResponse:
        if not self.has_add_permission(request):
            raise PermissionDenied
        context = {
            **self.admin_site.each_context(request),
            "opts": self.opts,
            "title": _("Which model is to be cloned?"),
            "engines": catalog.ENGINES.values(),
            "media": self.media,
        }
        return TemplateResponse(request, "admin/choose_engine.html", context)

    def save_model(self, request: HttpRequest, obj: CustomEngine, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        engines.changed()

    def delete_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What has a history is taken off offer instead."""
        row = self.get_object(request, unquote(object_id))
        try:
            if row is not None and self.has_delete_permission(request, row):
                engines.may_go(row)
            return super().delete_view(request, object_id, extra_context)
        except engines.EngineProblem as refused:
            messages.error(request, _(refused.message) % refused.params)
            return redirect("admin:generations_customengine_change", object_id)

    def delete_model(self, request: HttpRequest, obj: CustomEngine) -> None:
        engines.remove(row=obj)

    def get_actions(self, request: HttpRequest) -> dict[str, Any]:
        """Nothing is deleted from the list."""
        found = super().get_actions(request)
        found.pop("delete_selected", None)
        return found
