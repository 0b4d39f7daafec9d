"""`generate --from FILE`: a line of a list is a run, wherever the command was stopped before."""

from __future__ import annotations

import csv
import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from generations.models import Project
from generations.providers.base import N_
from generations.services import compose

MOST_LINES, MOST_BYTES = 5000, 20_000_000
_OWN = ("prompt", "engine", "count", "references", "settings")


class ListProblem(Exception):
    """The file cannot be run. `said` is a msgid and its places for each problem, with its line (or 0)."""

    def __init__(self, *said: tuple[int, str, Mapping[str, object]]) -> None:
        super().__init__(said)
        self.said = said


@dataclass(frozen=True, slots=True)
class Wanted:
    """One run to ask for. `number` is its line in the file; references are files of this machine."""

    prompt: str
    engine: str
    count: int = 1
    settings: Mapping[str, object] = field(default_factory=dict)
    references: tuple[Path, ...] = ()
    number: int = 0

    def token(self, label: str) -> str:
        """The same line asked for again under the same label is the same run."""
        told = [self.prompt, self.engine, self.count, dict(self.settings)]
        told += [self.number, [str(each) for each in self.references], label]
        return hashlib.sha256(json.dumps(told, sort_keys=True).encode()).hexdigest()[:40]

    def problems(self, project: Project | None) -> Iterator[tuple[int, str, Mapping[str, object]]]:
        """Everything that would be refused, apart from what a look into a reference finds."""
        for path in self.references:
            if not path.is_file():
                yield self.number, N_("There is no file %(path)s."), {"path": path}
        try:
            engine = compose.engine_for(self.engine, project)
            compose.check(engine, self.prompt, self.settings, len(self.references))
            if problem := compose.count_problem(engine, self.count):
                yield self.number, problem.message, problem.params
        except compose.ComposeProblem as refused:
            yield from ((self.number, each.message, each.params) for each in refused.errors)


def read(path: Path, usual: Wanted, project: Project | None = None) -> list[Wanted]:
    """The runs of a .jsonl or .csv file, for a `project` that is there already; what a line leaves out
    is as in `usual`. Raises ListProblem.
    """
    if path.stat().st_size > MOST_BYTES:
        message = N_("The file is larger than %(max)s MB.")
        raise ListProblem((0, message, {"max": MOST_BYTES // 10**6}))
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError:
        raise ListProblem((0, N_("The file is not UTF-8."), {})) from None
    rows = _table(text) if path.suffix.lower() == ".csv" else _objects(text)
    found = [_wanted(number, row, usual, path.parent) for number, row in rows]
    if not 1 <= len(found) <= MOST_LINES:
        message = N_("A list has from 1 to %(max)s lines; this one has %(n)s.")
        raise ListProblem((0, message, {"max": MOST_LINES, "n": len(found)}))
    if bad := [problem for each in found for problem in each.problems(project)]:
        raise ListProblem(*bad)
    return found


def _objects(text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        if not isinstance(row, dict):
            raise ListProblem((number, N_("This line is no JSON object."), {}))
        yield number, row


def _table(text: str) -> Iterator[tuple[int, Mapping[str, object]]]:
    """Columns beyond our own are settings; an empty cell is left out."""
    sheet = csv.reader(text.splitlines(keepends=True), strict=True)
    try:
        head = [name.strip() for name in next(sheet, [])]
        for cells in sheet:
            number = sheet.line_num
            if len(cells) > len(head):
                raise ListProblem((number, N_("This line has more cells than the head."), {}))
            row = {name: cell for name, cell in zip(head, cells, strict=False) if cell.strip()}
            own = {name: row.pop(name) for name in _OWN[:3] if name in row}
            references = row.pop("references", "").split(";")
            yield (
                number,
                {**own, "references": [each for each in references if each], "settings": row},
            )
    except csv.Error as error:
        message = N_("This is no CSV: %(why)s")
        raise ListProblem((sheet.line_num, message, {"why": error})) from None


def _wanted(number: int, row: Mapping[str, object], usual: Wanted, folder: Path) -> Wanted:
    for name in row:
        if name not in _OWN:
            message = N_("There is no field called “%(name)s”. These are: %(names)s.")
            facts = {"name": name[:60], "names": ", ".join(_OWN)}
            raise ListProblem((number, message, facts))
    settings, references = row.get("settings", {}), row.get("references", [])
    count = row.get("count", usual.count)
    if not (isinstance(settings, dict) and isinstance(references, list) and _whole(count)):
        message = N_("settings is an object, references a list of files, count a whole number.")
        raise ListProblem((number, message, {}))
    return Wanted(
        prompt=str(row.get("prompt", usual.prompt)),
        engine=str(row.get("engine", usual.engine)),
        count=int(str(count)),
        settings={**usual.settings, **settings},
        references=tuple(folder / str(each) for each in references) or usual.references,
        number=number,
    )


def _whole(value: object) -> bool:
    return not isinstance(value, bool) and str(value).strip().isdecimal() and len(str(value)) < 9
