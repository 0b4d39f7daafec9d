"""Saved prompts as CSV or JSON, out and in."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial

from generations.models import Project, Prompt, User
from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.services.library import kept, prompts
from generations.services.library.prompts import Made, PromptProblem, Wording

COLUMNS = ("title", "text", "tags", "engine", "settings")
MOST_ROWS = 1000
MOST_BYTES = 2_000_000
# What makes a spreadsheet run a cell, and the mark that stops it.
_RUNS = tuple("=+-@＝＋－＠\t\r")
_MARK = "'"
Row = tuple[Wording, Made]


class SheetProblem(Exception):
    """The file cannot be read at all. An untranslated msgid."""

    def __init__(self, message: str, params: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.params = params or {}


@dataclass(slots=True)
class Imported:
    """How many rows were taken, and what was wrong with the others, by line."""

    made: int = 0
    problems: list[tuple[int, FieldError]] = field(default_factory=list)


def to_csv(rows: Iterable[Prompt]) -> str:
    """For a spreadsheet: with a byte order mark, and no cell that it would run."""
    out = io.StringIO()
    out.write("\ufeff")
    sheet = csv.writer(out)
    sheet.writerow(COLUMNS)
    for each in rows:
        more = (", ".join(each.tags), each.engine, kept.text_of(each.settings))
        sheet.writerow([guard(cell) for cell in (each.title, each.text, *more)])
    return out.getvalue()


def to_json(rows: Iterable[Prompt]) -> str:
    found = [{name: getattr(each, name) for name in COLUMNS} for each in rows]
    return json.dumps({"prompts": found}, ensure_ascii=False, indent=2)


def guard(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula; one that is marked already gets a second mark."""
    return _MARK + cell if cell.lstrip(_MARK).startswith(_RUNS) else cell


def unguard(cell: str) -> str:
    """What `guard` was given."""
    guarded = cell.startswith(_MARK) and cell.lstrip(_MARK).startswith(_RUNS)
    return cell[1:] if guarded else cell


def bring_in(*, data: bytes, user: User, project: Project | None) -> Imported:
    """Make a prompt of each good row. Raises SheetProblem for a file that is no list of prompts."""
    if len(data) > MOST_BYTES:
        raise SheetProblem(N_("The file is larger than %(max)s MB."), {"max": MOST_BYTES // 10**6})
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise SheetProblem(N_("The file is not UTF-8. Save it as “CSV UTF-8”.")) from None
    rows = _from_json(text) if text.lstrip().startswith(("{", "[")) else _from_csv(text)
    if len(rows) > MOST_ROWS:
        raise SheetProblem(N_("The file has more than %(max)s rows."), {"max": MOST_ROWS})
    result = Imported()
    for line, read in reversed(rows):  # a shelf shows the last one made first
        try:
            wording, made = read()
            prompts.create(user=user, project=project, wording=wording, made=made)
            result.made += 1
        except PromptProblem as problem:
            result.problems += [(line, each) for each in problem.errors]
    result.problems.sort(key=lambda each: each[0])
    return result


def delimiter_of(text: str) -> str:
    """What stands between the columns: spreadsheets paste tabs, some save semicolons."""
    head = next((line for line in text.splitlines() if line.strip()), "")
    return max("\t;,", key=lambda mark: (head.count(mark), mark == ","))


def _from_csv(text: str) -> list[tuple[int, Callable[[], Row]]]:
    text = text.replace("\0", "")
    sheet = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter_of(text))
    try:
        if not {"title", "text"} <= set(sheet.fieldnames or ()):
            raise SheetProblem(N_("The first line must name the columns title and text."))
        return [(sheet.line_num, partial(_cells, row)) for row in sheet]
    except csv.Error:
        raise SheetProblem(N_("The file is no CSV that can be read.")) from None


def _cells(row: Mapping[str | None, str | list[str] | None]) -> Row:
    """A row with more cells than columns was cut at a comma of its text: taken, it would lose words."""
    more = row.get(None)
    if more:
        message = N_(
            "The line has %(cells)s values for %(columns)s columns. "
            "Put quotes around a value that holds a comma."
        )
        columns = len(row) - 1
        params = {"cells": columns + len(more), "columns": columns}
        raise PromptProblem([FieldError("text", message, params)])
    cells = (unguard(str(row.get(name) or "")) for name in COLUMNS)
    title, text, tags, engine, settings = cells
    return Wording(title, text, prompts.split_tags(tags)), kept.read(engine, settings)


def _from_json(text: str) -> list[tuple[int, Callable[[], Row]]]:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        raise SheetProblem(N_("The file is no JSON that can be read.")) from None
    rows = found.get("prompts") if isinstance(found, dict) else found
    if not isinstance(rows, list):
        raise SheetProblem(N_("The file holds no list of prompts."))
    return [(n, partial(_entry, each)) for n, each in enumerate(rows, 1)]


def _entry(each: object) -> Row:
    if not isinstance(each, dict):
        return Wording("", ""), Made()
    tags = each.get("tags")
    words = [str(tag) for tag in tags] if isinstance(tags, list) else []
    wording = Wording(_words(each.get("title")), _words(each.get("text")), words)
    return wording, kept.read(each.get("engine"), each.get("settings"))


def _words(value: object) -> str:
    return value if isinstance(value, str) else ""
