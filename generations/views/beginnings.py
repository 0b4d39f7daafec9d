"""What the compose panel begins with, and the texts a saved prompt in it makes."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from django.core.exceptions import ValidationError
from django.http import Http404, HttpRequest, QueryDict
from django.shortcuts import get_object_or_404
from django.utils.translation import gettext as _

from generations.forms import USUAL_COUNT, ComposeForm, whole_number
from generations.models import Asset, Generation, Preset, Project, ProviderAccount, User
from generations.providers import catalog, prices
from generations.refilled import raw_recipe
from generations.services import accounts, compose, engines, jobs, pricing
from generations.services.library import again
from generations.services.library.fills import Filled, values_of
from generations.services.library.references import chosen_of
from generations.services.library.slots import SlotProblem
from generations.views.access import person
from generations.views.prompts import find, using, version_named


def begin(request: HttpRequest, project: Project, source: Generation | None) -> ComposeForm:
    """An empty form, or with a run's recipe; `?prompt=`, `?preset=`, `?final=` and `?animate=` put
    theirs over it.
    """
    more: dict[str, object] = {} if source else usual(project)
    saved = None
    if "prompt" in request.GET:
        row = find(request, project, request.GET["prompt"])
        saved = using(row)
        more |= raw_recipe(row.engine, row.settings) | {"prompt": saved.text}
    preset = preset_named(request, request.GET.get("preset", ""))
    if preset:
        more |= raw_recipe(preset.engine, preset.settings) | {"count": preset.count}
    more |= finished(request, project, source) if source else animated(request, project)
    form = ComposeForm.fresh(source, **more)
    if not engines.permits(project, form.engine_on_offer.slug):
        form = elsewhere(form, project)
    form.saved = saved
    return form


def usual(project: Project, *, alone: bool = False) -> dict[str, object]:
    """The model a project's runs begin with; `alone`: of those that need no picture to start from."""
    models = accounts.offered(project)
    if alone:
        models = [each for each in models if not each.references.minimum]
    found = engines.first(project, models)
    return {"engine": found.slug} if found else {}


def elsewhere(form: ComposeForm, project: Project) -> ComposeForm:
    """The same wish for a model that the project may use."""
    kept = {name: form.typed(name) for name in ("prompt", "count", "rerun_of", "form_token")}
    return ComposeForm.fresh(None, **{**kept, **usual(project)})


def finished(request: HttpRequest, project: Project, source: Generation) -> dict[str, object]:
    """What makes one video of a run again on a better engine: `?final=` its slug, `&n=` the video's place.

    Nothing where the run's engine names no such final.
    """
    wanted = request.GET.get("final", "")
    engine = next(
        (each for each in engines.finals(source.engine, project) if each.slug == wanted), None
    )
    if engine is None:
        return {}
    place = whole_number(request.GET.get("n", "")) or 0
    recipe = engines.recipe_at(source.recipe, min(max(place, 0), source.count - 1))
    return raw_recipe(engine.slug, recipe["settings"]) | {"count": 1}


def animated(request: HttpRequest, project: Project) -> dict[str, object]:
    """What brings the picture `?animate=` to life: its prompt, on the engine for it. 404 for no picture
    that the person may see.
    """
    engine = engines.animator(project)
    if engine is None or "animate" not in request.GET:
        return {}
    rows = Asset.objects.visible_to(request.user).select_related("generation")
    try:
        found = get_object_or_404(rows, public_id=request.GET["animate"], kind="image")
    except ValidationError:
        raise Http404 from None
    prompt = found.generation.prompt if found.generation else ""
    return {"engine": engine.slug, "prompt": prompt}


def as_kind(data: QueryDict, project: Project) -> QueryDict:
    """What was posted; where `kind` asks for the other kind, with a model of that one instead: the
    first that takes as many pictures as are chosen. `instead` names the very model. A count nobody changed
    becomes that kind's usual.
    """
    here, named = (engines.find(data.get(name, "")) for name in ("engine", "instead"))
    kind = named.kind if named else data.get("kind", "")
    models = [named] if named else [m for m in accounts.offered(project) if m.kind == kind]
    if not models or (here and not named and here.kind == kind):
        return data
    many = len(data.getlist("reference"))
    fits = (m for m in models if m.references.minimum <= many <= m.references.maximum)
    changed = data.copy()
    changed["engine"] = next(fits, models[0]).slug
    if here and here.kind != kind and whole_number(data.get("count", "")) == USUAL_COUNT[here.kind]:
        changed["count"] = str(USUAL_COUNT[kind])
    return changed


def notes_on(source: Generation, user: User, project: Project) -> list[str]:
    """What a run made again will share with the first one, and what has changed since, in words."""
    usable = len(chosen_of(generation=source, user=user))
    notes = again.notes(source=source, usable=usable, project=project)
    return [
        _(text) % {name: _words(value) for name, value in params.items()} for text, params in notes
    ]


def _words(value: object) -> object:
    return _(value) if isinstance(value, str) else value


def preset_named(request: HttpRequest, public_id: str) -> Preset | None:
    """The preset an address names; None for none, 404 for one the person may not use."""
    if not public_id:
        return None
    try:
        return get_object_or_404(Preset.objects.visible_to(person(request)), public_id=public_id)
    except ValidationError:
        raise Http404 from None


def take_saved(request: HttpRequest, project: Project) -> Filled | None:
    """The saved prompt that a posted form was made from, with what was put into its slots."""
    version = version_named(request, project, request.POST.get("prompt_version", ""))
    if version is None:
        return None
    return Filled(version, request.POST.get("prompt", ""), values_of(request.POST))


def texts_of(form: ComposeForm) -> list[str]:
    """What to send; nothing, with the problem at its slot or at the prompt, where one is no good."""
    if form.saved is None:
        return [form.typed("prompt")]
    try:
        return form.saved.texts()
    except SlotProblem as problem:
        if not any(place.error for place in form.saved.places):
            form.add_error("prompt", _(problem.message) % problem.params)
        return []


def token_of(form: ComposeForm, text: str) -> str | None:
    """The one-time token of one run of a form.

    A saved prompt makes several of them, and the allowance may end in the middle: pressed again, what
    was made is found, and what was changed meanwhile is something new.
    """
    token = form.typed("form_token")
    if not token or form.saved is None:
        return token or None
    asked = repr(
        (text, sorted(form.raw_settings().items()), form.asked_count(), form.tokens, form.others)
    )
    return f"{hashlib.sha256(asked.encode('utf-8', 'replace')).hexdigest()[:12]}:{token}"


def told(message: str, made: int, asked: int) -> str:
    """The allowance's sentence, with how many runs were made before it."""
    if not made:
        return message
    before = _("%(made)s of %(asked)s runs were made.") % {"made": made, "asked": asked}
    return f"{before} {message}"


def seconds_until_done(
    form: ComposeForm, account: ProviderAccount | None, user: User, ahead: jobs.Ahead
) -> list[float]:
    """When one, two, … pictures would be done if the form were sent now."""
    engine, most = form.engine_on_offer, compose.MAX_COUNT
    wanted = jobs.class_from(engine.slug, form.good_settings, len(form.picks))
    if account is None or ahead.pause(account.pk):
        return [jobs.usual(wanted).p50] * most
    return jobs.if_asked_now(here=ahead.line(account), user_id=user.pk, wanted=wanted, count=most)


def estimate(form: ComposeForm, seconds: Sequence[float]) -> list[dict[str, object]]:
    """What the footer says for each count, as single pictures and as sets; one of them shows.

    `seconds` is when one, two, … pictures would be done, the line of today before them. Prices are of
    all models that are asked.
    """
    engine, single, shown = form.engine_on_offer, form.as_single, form.shown_count
    settings = {**form.good_settings, "single": False}
    most = catalog.max_outputs(engine, settings, len(form.picks))
    book = pricing.Book()
    return [
        {
            "count": count,
            "seconds": round(seconds[count - 1]),
            "total": engine.outputs.max_total,
            "limit": engine.outputs.limited_by,
            "most": count * most,
            "hidden_single": not single or count != shown,
            "hidden_set": single or count != shown,
            "price_single": pricing.words(priced(form, book, count, single=True)),
            "price_set": pricing.words(priced(form, book, count, single=False)),
        }
        for count in range(1, compose.MAX_COUNT + 1)
    ]


def priced(
    form: ComposeForm, book: pricing.Book, count: int, *, single: bool
) -> pricing.Cost | None:
    """What one press would cost on all models that are asked; None where one has no known price."""
    engine, many = form.engine_on_offer, len(form.picks)
    found = book.estimate(engine, {**form.good_settings, "single": single}, many, count)
    for other in form.also_engines:
        ask = form.ask_also(other)
        n = min(count, compose.most(other)) if other.kind == engine.kind else ask.count
        settings = dict(ask.settings)
        if "single" in settings:
            settings["single"] = single
        more = book.estimate(other, settings, many, n)
        found = found + more if found and more else None
    return found


def price_varies(form: ComposeForm) -> bool:
    """Whether a setting may change the price of what is asked for: seconds, a size class, the pictures of
    a set. Otherwise the panel already holds the price of every count.
    """
    asked = [form.engine_on_offer, *form.also_engines]
    classes = (prices.LIST.get(engines.origin(each.slug), ()) for each in asked)
    films = (each.kind == "video" or each.outputs.limited_by for each in asked)
    return any(films) or any(len(each) > 1 for each in classes)
