"""Named points at which a test may kill the process. Alive under test settings only."""

from __future__ import annotations

import os
import signal

from django.conf import settings


def point(name: str) -> None:
    """Die here, at once and without cleaning up, when a test has asked for it by this name."""
    if settings.TESTING and os.environ.get("DIPTYCH_CRASH_AT") == name:
        os.kill(os.getpid(), signal.SIGKILL)
