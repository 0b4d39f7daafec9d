"""The program that decodes uploads: `python -m generations.imaging.child REQUEST`.

REQUEST is one line of JSON: the task, the file, the folder to write into. The answer is a file in that
folder, so that nothing it says can fill its caller's memory. It sees no secrets: its caller hands it a
bare environment.
"""

from __future__ import annotations

import json
import resource
import sys
from pathlib import Path
from typing import Any

from generations.imaging import limits
from generations.imaging.decode import NotAPicture, Picture
from generations.imaging.fit import Wanted, fit
from generations.imaging.master import prepare

ANSWER = "answer.json"


def main(request: dict[str, Any]) -> None:
    """Do what is asked and leave an answer; whatever goes wrong is an answer too."""
    folder = Path(request["folder"])
    try:
        answer = _TASKS[request["task"]](Path(request["source"]), folder, request)
    except NotAPicture as why:
        answer = {"refused": why.reason, "detail": str(why)[:200]}
    (folder / ANSWER).write_text(json.dumps(answer | {"peak_kb": _peak_kb()}), encoding="ascii")


def _prepare(source: Path, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    made = prepare(source, folder)
    for each in made.renditions:
        (folder / each.spec).write_bytes(each.data)
    sizes = [[each.spec, each.width, each.height] for each in made.renditions]
    return {
        "picture": _as_json(made.picture),
        "placeholder": made.placeholder,
        "renditions": sizes,
    }


def _fit(source: Path, folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    wanted = Wanted(
        box=tuple(request["box"]),
        size=tuple(request["size"]),
        formats=tuple(request["formats"]),
        max_bytes=request["max_bytes"],
        min_side=request["min_side"],
    )
    return {"picture": _as_json(fit(source, folder, wanted))}


def _peak_kb() -> int:
    """The most memory this program held. (Linux's ru_maxrss would count its parent's, too.)"""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    found = (int(line.split()[1]) for line in lines if line.startswith("VmHWM:"))
    return next(found, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def _as_json(picture: Picture) -> list[object]:
    return [picture.format, picture.content_type, picture.width, picture.height]


_TASKS = {"prepare": _prepare, "fit": _fit}

if __name__ == "__main__":
    asked = json.loads(sys.argv[1])
    limits.impose(asked["parent"])
    main(asked)
