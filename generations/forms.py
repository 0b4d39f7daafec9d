"""The compose form, built from an engine's declaration.

It keeps whatever was typed and says where each problem is; what is a good value is decided by
services.compose alone, so that a program and a person get the same answer.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django import forms
from django.http import QueryDict
from django.utils.translation import gettext as _
from django.utils.translation import ngettext

from generations.models import Generation, Reference
from generations.providers import catalog
from generations.providers.catalog import FieldError, SettingValue
from generations.refilled import raw_recipe
from generations.services import accounts, compose, engines
from generations.services.library import transport
from generations.services.library.fills import Filled
from generations.services.library.fitting import fit_note
from generations.services.library.picks import Pick

USUAL_COUNT = {"image": 4, "video": 1}
FIXED = ("prompt", "engine", "also", "count", "form_token", "rerun_of", "references")


class ComposeForm(forms.Form):
    """Everything the compose panel posts. Fields beyond FIXED are the engine's own."""

    prompt = forms.Field(required=False)
    engine = forms.Field(required=False)
    also = forms.Field(required=False)
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
        # Whether the model's provider cannot fetch them, so that the panel names one that need not.
        self.unaddressed = False
        wanted = str(self["engine"].value() or "")
        self.engine_on_offer = engines.find(wanted) or accounts.offered()[0]
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

    def settings_that_fit(self) -> set[str]:
        """The settings this model takes as they are; the others were another model's."""
        names = {name for name in self.fields if name not in FIXED and self.typed(name)}
        try:
            catalog.clean_settings(self.engine_on_offer, self.raw_settings())
        except catalog.SettingsError as problem:
            bad = {each.field for each in problem.errors}
            for param in self.engine_on_offer.params:
                if bad & {param.name, *param.fields}:
                    names -= {param.name, *param.fields}
        return names

    def recipe(self) -> dict[str, object]:
        """The settings as a recipe holds them; one that is no good is the model's usual one."""
        fit, raw = self.settings_that_fit(), self.raw_settings()
        good = {name: value for name, value in raw.items() if name in fit}
        try:
            return dict(catalog.clean_settings(self.engine_on_offer, good))
        except catalog.SettingsError:  # each is good, and they are not beside one another
            return dict(catalog.defaults(self.engine_on_offer))

    @property
    def tokens(self) -> list[str]:
        """The chosen pictures as they were posted, in order."""
        return self.data.getlist("reference") if isinstance(self.data, QueryDict) else []

    @property
    def roles(self) -> dict[str, str]:
        """What each chosen picture is for, by its token."""
        return {name[5:]: str(self.data[name]) for name in self.data if name.startswith("role-")}

    def take_errors(
        self, problems: Sequence[FieldError], engine: catalog.Engine | None = None
    ) -> None:
        """Put each of compose's problems at its field, translated; those of `engine`, which is not the
        first of several models, at the list of the others, under its name.
        """
        for problem in problems:
            if engine:
                said = _(problem.message) % problem.params
                self.add_error("also", f"{_(engine.label)}: {said}")
                continue
            name = problem.field if problem.field in self.fields else None
            self.unaddressed |= problem.message == transport.NO_ADDRESS
            self.add_error(name, _(problem.message) % problem.params)

    # --- Several models -----------------------------------------------------------------------

    def _ticked(self) -> list[str]:
        """Each slug that was posted as a further model, whatever it is."""
        chosen = self.initial.get("also", [])
        if isinstance(self.data, QueryDict) and self.is_bound:
            chosen = self.data.getlist("also")
        return [each for each in dict.fromkeys(chosen) if each]

    @property
    def others(self) -> list[str]:
        """The models on offer that are to make the same besides, in the order of the list."""
        chosen = self._ticked()
        offered = [each.slug for each in accounts.offered()]
        return [each for each in offered if each in chosen and each != self.engine_on_offer.slug]

    @property
    def also_engines(self) -> list[catalog.Engine]:
        return [found for slug in self.others if (found := engines.find(slug))]

    @property
    def models(self) -> int:
        return 1 + len(self.others)

    @property
    def also_errors(self) -> list[str]:
        return self.field_errors("also")

    def asks(self) -> list[compose.Ask]:
        """What each model is asked for: the first as it was typed, the others the nearest to it."""
        engine = self.engine_on_offer
        first = compose.Ask(
            self.typed("engine") or engine.slug, self.raw_settings(), self.asked_count()
        )
        gone = [compose.Ask(slug, {}, 1) for slug in self._ticked() if not engines.find(slug)]
        return [first, *map(self.ask_also, self.also_engines), *gone]

    def ask_also(self, engine: catalog.Engine) -> compose.Ask:
        """As many of the same kind, or as many as is usual of the other, in the nearest shape."""
        here, settings = self.engine_on_offer, self.good_settings
        shape = catalog.aspect(here, settings)
        alike = engine.kind == here.kind
        return compose.Ask(
            engine.slug,
            catalog.carried(engine, settings, shape, len(self.picks)),
            min(self.asked_count() if alike else USUAL_COUNT[engine.kind], compose.most(engine)),
        )

    @property
    def others_told(self) -> list[tuple[str, str]]:
        """Each of the others by name, with what the settings come to on it, in short."""
        return [self._told(engine) for engine in self.also_engines]

    def _told(self, engine: catalog.Engine) -> tuple[str, str]:
        ask = self.ask_also(engine)
        settings = catalog.clean_settings(engine, ask.settings)
        rows = catalog.describe_settings(engine, settings)
        words = [_(row.value) for row in rows if row.name in ("size", "aspect_ratio", "frames")]
        if engine.kind != self.engine_on_offer.kind:
            name = ngettext("%(n)s picture", "%(n)s pictures", ask.count)
            if engine.kind == "video":
                name = ngettext("%(n)s video", "%(n)s videos", ask.count)
            words.append(name % {"n": ask.count})
        return _(engine.label), " · ".join(words)

    # --- What it begins with ------------------------------------------------------------------

    @classmethod
    def fresh(cls, source: Generation | None = None, **more: object) -> ComposeForm:
        """A form to be filled in, empty or with the recipe of a generation to run again."""
        initial: dict[str, object] = {"form_token": secrets.token_urlsafe(16)}
        if source is not None:
            initial |= {"prompt": source.prompt, "rerun_of": str(source.public_id)}
            initial |= raw_recipe(source.engine, source.recipe["settings"])
        form = cls(initial=initial | more)
        usual = source.count if source else USUAL_COUNT[form.engine_on_offer.kind]
        form.initial.setdefault("count", usual)
        form.fit_count()
        return form

    def again(self, names: Iterable[str] | None = None) -> ComposeForm:
        """The same form for the next press of the button: as typed, with a token of its own.

        With `names`, of the settings only these.
        """
        kept = {*self.fields} if names is None else {"prompt", "engine", "count", *names}
        typed = {name: self.typed(name) for name in kept - {"rerun_of", "references"}}
        form = ComposeForm(
            initial=typed | {"form_token": secrets.token_urlsafe(16), "also": self.others}
        )
        form.picks, form.saved = self.picks, self.saved
        if names is not None:
            form.fit_count()
        return form

    def fit_count(self) -> None:
        """Begin with as many as this model takes, where others take more."""
        asked = whole_number(str(self.initial.get("count", ""))) or 0
        if self.most_count < asked <= compose.MAX_COUNT:
            self.initial["count"] = self.most_count

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
        return min(max(self.asked_count(), 1), self.most_count)

    @property
    def most_count(self) -> int:
        """How many may be asked for at once."""
        return compose.most(self.engine_on_offer)

    @property
    def good_settings(self) -> Mapping[str, SettingValue]:
        """The settings as typed, or the usual ones while something about them is wrong."""
        try:
            return catalog.clean_settings(self.engine_on_offer, self.raw_settings())
        except catalog.SettingsError:
            return catalog.defaults(self.engine_on_offer)

    @property
    def makes_video(self) -> bool:
        return self.engine_on_offer.kind == "video"

    @property
    def as_single(self) -> bool:
        """Whether each run makes one picture, going by the settings as far as they are good."""
        return catalog.max_outputs(self.engine_on_offer, self.good_settings, 0) == 1

    @property
    def tiles(self) -> list[tuple[Pick, list[str]]]:
        """The chosen pictures, each with what this model will be sent of it."""
        first = next((pick.source for pick in self.picks), None)
        first = first if isinstance(first, Reference) else None
        return [(pick, fit_words(pick, self.engine_on_offer, first)) for pick in self.picks]

    def field_errors(self, name: str) -> list[str]:
        return [str(text) for text in self.errors.get(name, ())] if self.is_bound else []


def fit_words(pick: Pick, engine: catalog.Engine, first: Reference | None = None) -> list[str]:
    """What will be cut, scaled or converted, in words; a result is only looked at once adopted.

    `first` is the picture in the first place: the second frame of a video takes its shape.
    """
    if not isinstance(pick.source, Reference) or not engine.references.maximum:
        return []
    return [_(note.message) % note.params for note in fit_note(pick.source, engine, first)]


def whole_number(text: str) -> int | None:
    """A whole number as a person may type it, full-width digits included."""
    try:
        return int(text.strip()) if len(text) < 20 else None
    except ValueError:
        return None
