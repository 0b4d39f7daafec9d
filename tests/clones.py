"""What tests of an administrator's own models say again and again."""

from __future__ import annotations

from typing import Any

from generations.models import CustomEngine, Project
from generations.services import engines
from tests import world

SLUG, ID = "house-image-5", "jimeng_t2i_v50"


def clone(slug: str = SLUG, parent: str = world.ENGINE, **more: Any) -> CustomEngine:
    """A clone as the admin saves it; asked for as ID unless told otherwise."""
    told: dict[str, Any] = {"req_key": ID, "label_en": "House Image 5", "label_zh": "自家图片 5"}
    told |= {"enabled": True, **more}
    row, _made = CustomEngine.objects.update_or_create(
        slug=slug, defaults={"parent": parent, **told}
    )
    engines.changed()
    return row


def only(project: Project, *slugs: str) -> None:
    """Switch all but these off."""
    project.engines = list(slugs)
    project.save(update_fields=["engines"])
