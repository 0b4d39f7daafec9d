"""Models as pages list them beside compose: those a project may use, and those of old runs."""

from __future__ import annotations

from django import template

from generations.models import Project
from generations.services import accounts, engines
from generations.templatetags import picker

register = template.Library()


@register.filter
def permits(project: Project, slug: str) -> bool:
    """Whether a project may use a model."""
    return engines.permits(project, slug)


@register.simple_tag
def site_models() -> list[picker.Group]:
    """What is on offer, whatever a project may use of it."""
    return picker.groups(accounts.offered())


@register.simple_tag
def past_models() -> list[picker.Group]:
    """What runs are narrowed to: what is on offer, and what an administrator took off."""
    there = accounts.offered()
    known = {each.slug for each in there}
    return picker.groups(
        [*there, *(each for each in engines.made_here() if each.slug not in known)]
    )
