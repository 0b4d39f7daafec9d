"""How full the disk is that the pictures go to."""

from __future__ import annotations

import shutil

from django.conf import settings

NEAR = 2.0


def free() -> int:
    """Free bytes where the pictures are stored."""
    place = settings.MEDIA_ROOT
    while not place.exists() and place != place.parent:
        place = place.parent
    return shutil.disk_usage(place).free


def low() -> bool:
    """Below the floor: nothing more is fetched, or the database would be next to fail."""
    return free() < settings.DISK_FLOOR


def near() -> bool:
    """Somebody should make room now."""
    return free() < NEAR * settings.DISK_FLOOR
