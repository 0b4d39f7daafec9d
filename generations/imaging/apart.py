"""Starts the process that decodes uploads, waits for it, ends it, and reads its answer.

Whatever happens to it (a crash, a limit, a hang) is NotAPicture to the caller, and nothing worse.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from generations.imaging.decode import NotAPicture, Picture
from generations.imaging.fit import Wanted
from generations.imaging.renditions import Made, Prepared

log = logging.getLogger(__name__)
PROGRAM = "generations.imaging.child"
ANSWER = "answer.json"
_ROOT = Path(__file__).resolve().parents[2]
TIMEOUT_S = 60.0
# Each may take most of a gigabyte for a moment; who comes third waits.
_AT_ONCE = threading.BoundedSemaphore(2)
_WAIT_S = 90.0
_ANSWER_BYTES = 16 * 1024
# Asked to stop by a limit, or by the system when memory runs out.
_EXHAUSTED = {-signal.SIGXCPU, -signal.SIGXFSZ, -signal.SIGKILL}


def prepare(source: Path, folder: Path) -> Prepared:
    """The master of the upload at `source`, written to `folder` / "master"; raise NotAPicture."""
    answer = _ask({"task": "prepare", "source": str(source), "folder": str(folder)})
    made = tuple(
        Made(spec, (folder / spec).read_bytes(), width, height)
        for spec, width, height in answer["renditions"]
    )
    return Prepared(Picture(*answer["picture"]), answer["placeholder"], made)


def fit(source: Path, folder: Path, wanted: Wanted) -> Picture:
    """The master at `source` made to `wanted`, written to `folder` / "fitted"; raise NotAPicture."""
    request = {"task": "fit", "source": str(source), "folder": str(folder), **asdict(wanted)}
    return Picture(*_ask(request)["picture"])


def _ask(request: Mapping[str, object]) -> dict[str, Any]:
    if not _AT_ONCE.acquire(timeout=_WAIT_S):
        raise NotAPicture("heavy", "others are being read")
    try:
        status = _run(json.dumps({**request, "parent": os.getpid()}))
    finally:
        _AT_ONCE.release()
    answer = _read(Path(str(request["folder"])) / ANSWER) if status == 0 else {}
    if "picture" in answer:
        return answer
    if "refused" in answer:
        raise NotAPicture(str(answer["refused"]), str(answer.get("detail", "")))
    log.warning("a picture ended the process that read it", extra={"status": status})
    raise NotAPicture("heavy" if status in _EXHAUSTED else "damaged", f"exit {status}")


def _run(request: str) -> int:
    """The child's exit status; -SIGKILL when it took too long."""
    process = subprocess.Popen(
        [sys.executable, "-m", PROGRAM, request],
        cwd=_ROOT,
        env=_bare_environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    try:
        return process.wait(TIMEOUT_S)
    except BaseException as why:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        status = process.wait()
        if isinstance(why, subprocess.TimeoutExpired):
            return status
        raise


def _bare_environment() -> dict[str, str]:
    """No secret reaches it. What measures coverage does, or its lines would count as never run."""
    kept = ("PATH", "LANG", "LD_LIBRARY_PATH", "COVERAGE_")
    return {name: value for name, value in os.environ.items() if name.startswith(kept)}


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            found = json.loads(file.read(_ANSWER_BYTES))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
