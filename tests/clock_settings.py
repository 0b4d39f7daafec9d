"""studio.settings under a clock that a test sets: the seconds in the file CLOCK_FILE are added."""

import os
import time
from datetime import datetime, timedelta
from pathlib import Path

from django.utils import timezone

from studio.settings import *  # noqa: F403

_true_now, _true_time = timezone.now, time.time


def offset_s() -> float:
    # Empty for the moment in which it is being written.
    return float(Path(os.environ["CLOCK_FILE"]).read_text(encoding="ascii") or 0)


def shifted_now() -> datetime:
    return _true_now() + timedelta(seconds=offset_s())


def shifted_time() -> float:
    return _true_time() + offset_s()


timezone.now, time.time = shifted_now, shifted_time
