"""A project in the admin: its names, and which models it may use."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from generations.models import Project
from generations.services import engines


class ProjectForm(forms.ModelForm[Project]):
    """Models are chosen by name, of all that are on offer."""

    default_engine = forms.ChoiceField(label=gettext_lazy("usual model"), required=False)
    engines = forms.MultipleChoiceField(
        label=gettext_lazy("only these models"),
        required=False,
        widget=forms.CheckboxSelectMultiple,
        help_text=gettext_lazy("All of them: every model, and those to come."),
    )

    class Meta:
        model = Project
        fields = ("name", "slug", "default_engine", "engines")

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        names = [(slug, _(each.label)) for slug, each in engines.on_offer().items()]
        self.fields["engines"] = _with_choices(self.fields["engines"], names)
        self.initial["engines"] = self.instance.engines or [slug for slug, _name in names]
        usual = self.instance.default_engine
        if usual and usual not in dict(names):
            names.append((usual, usual))  # what is not on offer any more can stay, or be changed
        none = ("", _("None in particular"))
        self.fields["default_engine"] = _with_choices(self.fields["default_engine"], [none, *names])

    def clean_engines(self) -> list[str]:
        chosen = self.cleaned_data["engines"]
        if not chosen:
            raise forms.ValidationError(_("Leave at least one model on."))
        return engines.selection(
            self.instance.engines, wanted=chosen, among=engines.on_offer().keys()
        )

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        usual, chosen = cleaned.get("default_engine"), cleaned.get("engines")
        if usual and chosen and usual not in chosen:
            self.add_error("default_engine", _("The usual model is one of those that are on."))
        return cleaned


def _with_choices(field: forms.Field, choices: list[tuple[str, str]]) -> forms.Field:
    assert isinstance(field, forms.ChoiceField)
    field.choices = choices
    return field
