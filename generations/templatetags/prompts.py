"""Saved prompts on a page: their text with the slots marked."""

from __future__ import annotations

from django import template
from django.utils.translation import gettext as _

from generations.providers.catalog import FieldError
from generations.services.library import slots
from generations.services.library.slots import Part, SlotProblem

register = template.Library()


@register.filter
def parts(text: str) -> list[Part]:
    """The stretches of a text; all of it as one where it cannot be read."""
    try:
        return list(slots.parts(text))
    except SlotProblem:
        return [Part(text)]


@register.filter
def sentence(problem: FieldError) -> str:
    """What is wrong, in the person's language."""
    return _(problem.message) % problem.params
