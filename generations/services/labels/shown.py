"""What is known of a file's labels, in one word and in full."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from django.conf import settings

from generations.models import Asset
from generations.services.labels.reading import read


class Badge(StrEnum):
    """`UNKNOWN`: no visible mark was asked for, and nobody has looked into the file yet."""

    VISIBLE = "visible"
    IMPLICIT = "implicit"
    BOTH = "both"
    NONE = "none"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class Told:
    """A file's labels: asked for when it was made, and the implicit one as read from it (None: nobody
    has looked)."""

    badge: Badge
    visible_asked: bool
    implicit_asked: bool
    implicit: dict[str, str] | None


def asks_visible(asset: Asset) -> bool:
    """Whether the provider was asked for a visible mark: by the policy, or by a setting of the run."""
    run = asset.generation
    if run is None:
        return False
    return "visible" in run.labels or run.recipe.get("settings", {}).get("watermark") is True


def badge(asset: Asset) -> Badge:
    """In one word; asks the database nothing if the asset's run is there."""
    visible = asks_visible(asset)
    if asset.aigc:
        return Badge.BOTH if visible else Badge.IMPLICIT
    if visible:
        return Badge.VISIBLE
    return Badge.UNKNOWN if asset.aigc is None else Badge.NONE


def told(asset: Asset) -> Told:
    run = asset.generation
    asked = run is not None and "implicit" in run.labels
    return Told(badge(asset), asks_visible(asset), asked, asset.aigc)


def look(asset: Asset) -> dict[str, str]:
    """The implicit label of the file; read now, and kept, where nobody has looked yet."""
    if asset.aigc is None:
        try:
            asset.aigc = read(settings.MEDIA_ROOT / asset.blob.name)
        except FileNotFoundError:
            return {}
        Asset.objects.filter(pk=asset.pk, aigc__isnull=True).update(aigc=asset.aigc)
    found: dict[str, str] = asset.aigc
    return found
