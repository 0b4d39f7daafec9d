"""What tests may break on purpose. Alive under test settings only.

`DIPTYCH_CRASH_AT` names the point at which to die, or a folder: then a process dies that comes to a
point of which a file there bears the name, once for each file.
"""

from __future__ import annotations

import os
import signal
from pathlib import Path

from django.conf import settings


def point(name: str, job: int | None = None) -> None:
    """Die here, at once and without cleaning up, when a test has asked for it by this name.

    `name:7` asks for it while at job 7 only.
    """
    if not settings.TESTING:
        return
    wanted = os.environ.get("DIPTYCH_CRASH_AT", "")
    if wanted in (name, f"{name}:{job}") or ("/" in wanted and _taken(Path(wanted) / name)):
        os.kill(os.getpid(), signal.SIGKILL)


def _taken(file: Path) -> bool:
    """Whether this process is the one that a file asks to die: it is gone afterwards."""
    try:
        file.unlink()
    except FileNotFoundError:
        return False
    return True


def unsafe_requeue() -> bool:
    """Whether a test has removed the guard that keeps what was perhaps sent from being sent again."""
    return bool(settings.TESTING and os.environ.get("DIPTYCH_UNSAFE_REQUEUE") == "1")
