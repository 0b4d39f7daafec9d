"""What an administrator should hear before anything starts: `manage.py check`, and every command."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, Warning, register

TEMP_ELSEWHERE = "diptych.E001"
HALF_A_KEY = "diptych.E002"
HALF_A_STORE = "diptych.E003"
DEBUG_WITH_KEYS = "diptych.W001"


def _device(path: Path) -> int:
    """The file system that holds `path`, or the one that will once it is made."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path.stat().st_dev


@register()
def files_move_in_one_step(**_rest: Any) -> Iterable[CheckMessage]:
    """A finished download is renamed into place; only within one file system is that all or nothing."""
    if _device(Path(settings.TEMP_ROOT)) == _device(Path(settings.MEDIA_ROOT)):
        return []
    return [
        Error(
            "Temporary files and stored files are on different file systems.",
            hint=f"Put VAR_DIR ({settings.TEMP_ROOT}) and MEDIA_ROOT ({settings.MEDIA_ROOT}) on one.",
            id=TEMP_ELSEWHERE,
        )
    ]


@register()
def keys_come_in_pairs(**_rest: Any) -> Iterable[CheckMessage]:
    """Half a pair would silently fall back to the sandbox."""
    return [
        Error(
            f"{missing} is missing: the other half of the key pair is set.",
            hint="Set both for the real service, or neither for the sandbox.",
            id=HALF_A_KEY,
        )
        for missing in settings.VOLC_KEYS_MISSING
    ]


@register()
def the_store_is_whole(**_rest: Any) -> Iterable[CheckMessage]:
    """Half a store would silently hand references out from this site, or from nowhere."""
    return [
        Error(
            f"{missing} is missing: other parts of the object store are set.",
            hint="Set all of REFERENCE_STORE_…, or none.",
            id=HALF_A_STORE,
        )
        for missing in settings.REFERENCE_STORE.missing
    ]


@register()
def no_debug_pages_beside_real_keys(**_rest: Any) -> Iterable[CheckMessage]:
    """Debug pages show settings and local variables to whoever meets an error."""
    if not (settings.DEBUG and settings.LIVE):
        return []
    return [
        Warning(
            "DEBUG is on while real credentials are set.",
            hint="Unset DEBUG: its error pages show what the code holds at that moment.",
            id=DEBUG_WITH_KEYS,
        )
    ]
