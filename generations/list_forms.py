"""The form of a list of prompts, each of which becomes a run."""

from __future__ import annotations

from collections.abc import Sequence

from django import forms
from django.utils.translation import gettext as _

from generations.providers.catalog import FieldError


class ListForm(forms.Form):
    """The list of a batch, beside the compose form that holds the settings its lines share."""

    TABLE = "table"

    name = forms.Field(required=False)
    how = forms.Field(required=False)
    lines = forms.Field(required=False)
    template = forms.Field(required=False)

    def typed(self, name: str) -> str:
        value = self[name].value()
        return "" if value is None else str(value)

    @property
    def is_table(self) -> bool:
        return self.typed("how") == self.TABLE

    def check_name(self, longest: int) -> bool:
        """Whether the name fits; says so at the field when it does not."""
        if len(self.typed("name").strip()) <= longest:
            return True
        self.add_error("name", _("A name has at most %(max)s characters.") % {"max": longest})
        return False

    def take_errors(self, problems: Sequence[FieldError]) -> list[FieldError]:
        """Put each problem of the list at its field; the rest belongs to the settings."""
        for problem in problems:
            if problem.field in self.fields:
                self.add_error(problem.field, _(problem.message) % problem.params)
        return [problem for problem in problems if problem.field not in self.fields]
