"""From what was pasted to numbered lines: each with its prompt, or with what is wrong with it."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

from generations.models import Project
from generations.providers import catalog
from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.services import accounts, compose
from generations.services.library import slots
from generations.services.library.sheets import delimiter_of

MAX_LINES = 500


@dataclass(frozen=True, slots=True)
class Line:
    """One line under the number it has in the pasted text. `problem` is a msgid.

    `twin` is the number of an earlier line that asks for the same; both run.
    """

    number: int
    prompt: str
    problem: str = ""
    params: Mapping[str, object] = field(default_factory=dict)
    twin: int = 0


@dataclass(frozen=True)
class Draft:
    """A list that was read and checked: what Start would make."""

    engine: catalog.Engine
    settings: Mapping[str, object]
    count: int
    lines: Sequence[Line]

    @cached_property
    def good(self) -> list[Line]:
        return [line for line in self.lines if not line.problem]

    @property
    def bad(self) -> int:
        return len(self.lines) - len(self.good)

    @property
    def pictures(self) -> int:
        """How many pictures there will be; as sets, at most."""
        each = catalog.max_outputs(self.engine, self.settings, 0)
        return len(self.good) * self.count * each

    @cached_property
    def digest(self) -> str:
        """Tells whether what is started is what was looked at."""
        rows = [[line.number, line.prompt, line.problem] for line in self.lines]
        parts = [self.engine.slug, dict(self.settings), self.count, rows]
        return hashlib.sha256(json.dumps(parts, sort_keys=True).encode()).hexdigest()


class ListProblem(Exception):
    """The list as a whole cannot be read; names a field of the form and says why, as a msgid."""

    def __init__(self, place: str, message: str, /, **params: object) -> None:
        super().__init__(message % params)
        self.error = FieldError(place, message, params)


def plan(
    *,
    engine: str,
    settings: Mapping[str, object],
    count: int,
    text: str,
    template: str | None = None,
    project: Project | None = None,
) -> Draft:
    """Read and check a list: one prompt per line, or with a `template` a table of slot values; for a
    `project`, also whether it may use the model.

    Raises compose.ComposeProblem with everything that is wrong apart from single lines.
    """
    found = compose.engine_for(engine, project)
    problems = list(_shared_problems(found, count, project))
    cleaned: Mapping[str, object] = {}
    try:
        cleaned = catalog.clean_settings(found, settings)
    except catalog.SettingsError as error:
        problems += error.errors
    lines: list[Line] = []
    try:
        lines = _read(text, template)
    except ListProblem as problem:
        problems.append(problem.error)
    if problems:
        raise compose.ComposeProblem(problems)
    return Draft(found, cleaned, count, _with_twins([_checked(found, line) for line in lines]))


def _shared_problems(
    engine: catalog.Engine, count: int, project: Project | None
) -> Iterator[FieldError]:
    if problem := compose.count_problem(engine, count):
        yield problem
    if accounts.account_for(engine, project) is None:
        message = N_("No account is set up for this model. Ask an administrator to add its key.")
        yield FieldError("engine", message, {})


def _read(text: str, template: str | None) -> list[Line]:
    lines = list(_plain(text) if template is None else _table(text, template))
    if not lines:
        raise ListProblem("lines", N_("Paste at least one line."))
    if len(lines) > MAX_LINES:
        message = N_(
            "The list has %(lines)s lines; a batch takes at most %(max)s. Split it into parts."
        )
        raise ListProblem("lines", message, lines=len(lines), max=MAX_LINES)
    return lines


def _plain(text: str) -> Iterator[Line]:
    for number, line in enumerate(text.splitlines(), 1):
        if prompt := line.strip():
            yield Line(number, prompt)


def _checked(engine: catalog.Engine, line: Line) -> Line:
    if line.problem:
        return line
    try:
        return replace(line, prompt=catalog.clean_prompt(engine, line.prompt))
    except catalog.PromptError as error:
        return replace(line, problem=error.message, params=error.params)


def _with_twins(lines: Sequence[Line]) -> list[Line]:
    first: dict[str, int] = {}
    return [
        line if line.problem else replace(line, twin=_twin(first, line.prompt, line.number))
        for line in lines
    ]


def _twin(first: dict[str, int], prompt: str, number: int) -> int:
    earlier = first.setdefault(prompt, number)
    return 0 if earlier == number else earlier


# --- Tables -------------------------------------------------------------------------------------


def _table(text: str, template: str) -> Iterator[Line]:
    """A line per row, its slots filled from the columns that the first line names."""
    wanted = _slots(template)
    if not wanted:
        message = N_("Write the text that all lines share, with a {slot} for each column.")
        raise ListProblem("template", message)
    rows = list(_rows(text))
    if not rows:
        return
    columns = [cell.strip() for cell in rows[0][1]]
    for slot in wanted:
        if slot.name not in columns and not slot.default:
            message = N_("No column is called “%(name)s”. The first line names: %(columns)s.")
            shown = ", ".join(columns)[:200]
            raise ListProblem("lines", message, name=slot.name, columns=shown)
    for number, cells in rows[1:]:
        yield _filled(number, cells, columns, template, wanted)


def _slots(template: str) -> list[slots.Slot]:
    try:
        return slots.parse(template)
    except slots.SlotProblem as problem:
        raise ListProblem("template", problem.message, **problem.params) from None


def _filled(
    number: int, cells: list[str], columns: list[str], template: str, wanted: list[slots.Slot]
) -> Line:
    named = zip(columns, (cell.strip() for cell in cells), strict=False)
    values = {name: cell for name, cell in named if cell}  # an empty cell leaves the default
    if len(cells) > len(columns):
        message = N_(
            "The line has %(cells)s values for %(columns)s columns. "
            "Put quotes around a value that holds a comma."
        )
        params = {"cells": len(cells), "columns": len(columns)}
        return Line(number, ", ".join(cells), message, params)
    empty = next((each.name for each in wanted if not values.get(each.name, each.default)), None)
    if empty is not None:
        return Line(number, ", ".join(cells), N_("No value for {%(name)s}."), {"name": empty})
    return Line(number, slots.fill(template.strip(), values))


def _rows(text: str) -> Iterator[tuple[int, list[str]]]:
    """Rows that hold anything, with the number of the line each begins in."""
    text = text.removeprefix("\ufeff").replace("\r\n", "\n").replace("\r", "\n")
    reader = csv.reader(
        io.StringIO(text), delimiter=delimiter_of(text), skipinitialspace=True, strict=True
    )
    begins = 1
    try:
        for cells in reader:
            if any(cell.strip() for cell in cells):
                yield begins, cells
            begins = reader.line_num + 1
    except csv.Error:
        message = N_("Line %(line)s cannot be read as a table. Look at its quotes.")
        raise ListProblem("lines", message, line=begins) from None
