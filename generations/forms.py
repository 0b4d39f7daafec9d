"""The compose form, built from an engine's declaration.

It keeps whatever was typed and says where each problem is; what is a good value is decided by
services.compose alone, so that a program and a person get the same answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _

from generations.models import Generation, Reference
from generations.providers import catalog
from generations.providers.catalog import FieldError
from generations.services import compose
from generations.services.library.fills import Filled
from generations.services.library.fitting import fit_note
from generations.services.library.picks import Pick

DEFAULT_COUNT = 4
FIXED = ("prompt", "engine", "count", "form_token", "rerun_of", "references")


class ComposeForm(forms.Form):
    """Everything the compose panel posts. Fields beyond FIXED are the engine's own."""

    prompt = forms.Field(required=False)
    engine = forms.Field(required=False)
    count = forms.Field(required=False)
    form_token = forms.Field(required=False)
    rerun_of = forms.Field(required=False)
    references = forms.Field(required=False)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # The chosen pictures, as the view found them among what the person may use.
        self.picks: list[Pick] = []
        # The saved prompt it is made from, with its slots, as the view found it.
        self.saved: Filled | None = None
        wanted = str(self["engine"].value() or "")
        self.engine_on_offer = catalog.ENGINES.get(wanted) or next(iter(catalog.ENGINES.values()))
        for param in self.engine_on_offer.params:
            for name in param.fields:
                self.fields[name] = forms.Field(required=False)

    # --- What was typed -----------------------------------------------------------------------

    def typed(self, name: str) -> str:
        """The field's text as it was typed, or what the form began with."""
        value = self[name].value()
        return "" if value is None else str(value)

    def asked_count(self) -> int:
        """How many, or 0 for anything that is no number: compose refuses that with its own words."""
        value = whole_number(self.typed("count"))
        return value if value is not None else 0

    def raw_settings(self) -> dict[str, object]:
        """The engine's settings under their raw keys; the parts of an unused custom size left out."""
        names = [name for name in self.fields if name not in FIXED]
        raw: dict[str, object] = {name: text for name in names if (text := self.typed(name))}
        for param in self.engine_on_offer.params:
            if isinstance(param, catalog.SizeParam) and raw.get(param.name) not in (None, "custom"):
                raw.pop("width", None)
                raw.pop("height", None)
        return raw

    @property
    def tokens(self) -> list[str]:
        """The chosen pictures as they were posted, in order."""
        return self.data.getlist("reference") if isinstance(self.data, QueryDict) else []

    @property
    def roles(self) -> dict[str, str]:
        """What each chosen picture is for, by its token."""
        return {name[5:]: str(self.data[name]) for name in self.data if name.startswith("role-")}

    def take_errors(self, problems: Sequence[FieldError]) -> None:
        """Put each of compose's problems at its field, translated."""
        for problem in problems:
            name = problem.field if problem.field in self.fields else None
            self.add_error(name, _(problem.message) % problem.params)

    # --- What it begins with ------------------------------------------------------------------

    @classmethod
    def fresh(cls, source: Generation | None = None, **more: object) -> ComposeForm:
        """A form to be filled in, empty or with the recipe of a generation to run again."""
        initial: dict[str, object] = {"form_token": secrets.token_urlsafe(16)}
        initial["count"] = source.count if source else DEFAULT_COUNT
        if source is not None:
            initial |= {"prompt": source.prompt, "rerun_of": str(source.public_id)}
            initial |= raw_recipe(source.engine, source.recipe["settings"])
        return cls(initial=initial | more)

    def again(self) -> ComposeForm:
        """The same form for the next press of the button: as typed, with a token of its own."""
        left = ("rerun_of", "references")
        typed = {name: self.typed(name) for name in self.fields if name not in left}
        form = ComposeForm(initial=typed | {"form_token": secrets.token_urlsafe(16)})
        form.picks, form.saved = self.picks, self.saved
        return form

    # --- What the panel shows -----------------------------------------------------------------

    @property
    def prompt_length(self) -> int:
        return len(self.typed("prompt").replace("\r\n", "\n"))

    @property
    def first_invalid(self) -> str:
        return next(iter(self.errors), "") if self.is_bound else ""

    @property
    def hint_below(self) -> int:
        """Pixels below which the size gets a hint; 0 when the engine knows none."""
        sizes = (p for p in self.engine_on_offer.params if isinstance(p, catalog.SizeParam))
        return next((param.hint_below for param in sizes), 0)

    @property
    def shown_count(self) -> int:
        """The count the panel's texts speak of: what was asked for, within what is possible."""
        return min(max(self.asked_count(), 1), compose.MAX_COUNT)

    @property
    def as_single(self) -> bool:
        """Whether each run makes one picture, going by the settings as far as they are good."""
        try:
            settings = catalog.clean_settings(self.engine_on_offer, self.raw_settings())
        except catalog.SettingsError:
            settings = catalog.defaults(self.engine_on_offer)
        return catalog.max_outputs(self.engine_on_offer, settings, 0) == 1

    @property
    def tiles(self) -> list[tuple[Pick, list[str]]]:
        """The chosen pictures, each with what this model will be sent of it."""
        return [(pick, fit_words(pick, self.engine_on_offer)) for pick in self.picks]

    def field_errors(self, name: str) -> list[str]:
        return [str(text) for text in self.errors.get(name, ())] if self.is_bound else []


def fit_words(pick: Pick, engine: catalog.Engine) -> list[str]:
    """What will be cut, scaled or converted, in words; a result is only looked at once adopted."""
    if not isinstance(pick.source, Reference):
        return []
    return [_(note.message) % note.params for note in fit_note(pick.source, engine)]


def whole_number(text: str) -> int | None:
    """A whole number as a person may type it, full-width digits included."""
    try:
        return int(text.strip()) if len(text) < 20 else None
    except ValueError:
        return None


def raw_recipe(slug: str, settings: Mapping[str, Any]) -> dict[str, object]:
    """A recipe's settings under the raw keys a form posts; nothing of an engine that has gone."""
    engine = catalog.ENGINES.get(slug)
    if engine is None:
        return {}
    raw: dict[str, object] = {"engine": engine.slug}
    for param in engine.params:
        value = settings.get(param.name)
        if value is None:
            continue
        if isinstance(param, catalog.BoolParam):
            raw[param.form_field] = (param.yes if value else param.no).value
        elif isinstance(param, catalog.SizeParam) and not _on_offer(param, str(value)):
            width, _x, height = str(value).partition("x")
            raw |= {param.name: param.CUSTOM, "width": width, "height": height}
        else:
            raw[param.name] = value
    return raw


def _on_offer(param: catalog.SizeParam, value: str) -> bool:
    return param.auto(value) is not None or value in {each.value for each in param.presets}


def estimate(form: ComposeForm, at_once: int) -> list[dict[str, object]]:
    """What the footer says for each count, as single pictures and as sets; one of them shows.

    `at_once` is how many the account runs side by side; the rest waits its turn.
    """
    engine, single, shown = form.engine_on_offer, form.as_single, form.shown_count
    return [
        {
            "count": count,
            "seconds": round(engine.typical_latency_s * -(-count // max(1, at_once))),
            "total": engine.outputs.max_total,
            "most": count * max(1, engine.outputs.max_total - len(form.picks)),
            "hidden_single": not single or count != shown,
            "hidden_set": single or count != shown,
        }
        for count in range(1, compose.MAX_COUNT + 1)
    ]


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
