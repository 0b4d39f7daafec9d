"""The rules of the house, as tests. An exception stands in a list here, with its reason."""

from __future__ import annotations

import ast
import hashlib
import io
import re
import subprocess
import sys
import tokenize
from collections.abc import Iterator
from functools import cache
from html.parser import HTMLParser
from pathlib import Path

import pytest
from django.core.management import call_command

from tests.running import ROOT

FORBIDDEN = {"util", "utils", "helper", "helpers", "common", "misc", "manager", "handler"}
FILE_LINES, FUNCTION_LINES, VIEW_LINES = 300, 45, 25

# Longer than the budget, and why that reads better than a cut.
LONG_FILES = {
    "tests/test_access.py": "one row per route, and the table is what is read",
}
LONG_FUNCTIONS = {
    "tests/browser/test_journey.py::test_from_sign_in_to_sign_out": "one person's way, told in order",
}
LONG_VIEWS: dict[str, str] = {}
# Text that is put into a page unescaped, and why it cannot hold anybody's words.
UNESCAPED: dict[str, str] = {}
# `hx-get` on something that is no link: nobody clicks it, so there is nothing to follow without it.
FETCHED_BY_EVENTS = {
    "templates/generations/_generation.html article": "a card fetches itself when its event comes",
    "templates/generations/_batch.html section": "a batch fetches itself when its lines move",
    "templates/generations/_queue.html section": "the queue fetches itself when it moves",
    "templates/generations/_newest.html div": "new cards of other people arrive by an event",
}


@cache
def sources() -> dict[str, str]:
    """Every Python file of ours, by its path in the work tree."""
    found = {}
    for room in ("studio", "generations", "sandbox", "tests", "locale"):
        for path in sorted((ROOT / room).rglob("*.py")):
            if "migrations" not in path.parts:
                found[path.relative_to(ROOT).as_posix()] = path.read_text(encoding="utf-8")
    return found


# Who may read the catalogue's engines by name: everybody else would overlook those of administrators.
READ_THE_CATALOGUE = {
    "generations/services/engines.py": "puts the two together",
    "generations/admin/engines.py": "only these are cloned",
    "generations/services/library/references.py": "a clone is sent the same renditions as its parent",
    "generations/services/supervisor/processes.py": "a clone has the provider of its parent",
    "generations/providers/ark.py": "any of its models will do to ask whether they are opened",
    "generations/providers/jimeng.py": "any engine will do to ask whether the provider is there",
    "generations/providers/catalog.py": "itself",
}


def test_engines_are_asked_for_at_one_place() -> None:
    reading = re.compile(
        r"catalog\.(ENGINES|RETIRED|known_engine|get_engine)|^ENGINES\b", re.MULTILINE
    )
    found = {
        path
        for path, text in sources().items()
        if path.startswith("generations/") and reading.search(text)
    }
    assert found == set(READ_THE_CATALOGUE)


def templates() -> dict[str, str]:
    paths = sorted((ROOT / "templates").rglob("*.html"))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


Function = ast.FunctionDef | ast.AsyncFunctionDef


def functions(tree: ast.AST, prefix: str = "") -> Iterator[tuple[str, Function]]:
    """Functions with their dotted names, methods and nested ones included."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            name = f"{prefix}{node.name}"
            if not isinstance(node, ast.ClassDef):
                yield name, node
            yield from functions(node, f"{name}.")
        else:
            yield from functions(node, prefix)


def lines_of(node: Function) -> int:
    return (node.end_lineno or node.lineno) - node.lineno + 1


def lines_without_docstring(node: Function) -> int:
    first = node.body[0]
    is_docstring = isinstance(first, ast.Expr) and isinstance(first.value, ast.Constant)
    return lines_of(node) - ((first.end_lineno or 0) - first.lineno + 1 if is_docstring else 0)


def words_of(name: str) -> set[str]:
    """`HTTPHandler_x` is made of http, handler and x."""
    return {word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z0-9]+", name)}


# --- Python -------------------------------------------------------------------------------------


def test_nothing_is_called_what_says_nothing() -> None:
    found = []
    for path, text in sources().items():
        found += [path for part in Path(path).with_suffix("").parts if words_of(part) & FORBIDDEN]
        classes = (node for node in ast.walk(ast.parse(text)) if isinstance(node, ast.ClassDef))
        found += [f"{path}: {node.name}" for node in classes if words_of(node.name) & FORBIDDEN]
    assert found == []


def test_files_are_short() -> None:
    long = {path for path, text in sources().items() if len(text.splitlines()) > FILE_LINES}
    assert long == set(LONG_FILES)


def test_functions_are_short() -> None:
    long = {
        f"{path}::{name}"
        for path, text in sources().items()
        for name, node in functions(ast.parse(text))
        if lines_of(node) > FUNCTION_LINES
    }
    assert long == set(LONG_FUNCTIONS)


def test_views_are_thin() -> None:
    long = {
        f"{path}::{name}"
        for path, text in sources().items()
        if path.startswith(("generations/views/", "generations/api/"))
        for name, node in functions(ast.parse(text))
        if [argument.arg for argument in node.args.args[:1]] == ["request"]
        and lines_without_docstring(node) > VIEW_LINES
    }
    assert long == set(LONG_VIEWS)


SILENCED = re.compile(r"#\s*(?:noqa(?:: [A-Z0-9, ]+)?|type: ignore(?:\[[\w, -]+\])?)(.*)")


def silenced(text: str) -> Iterator[str]:
    """Lint exceptions without a reason, here or on the line above."""
    explained = -1
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        match = SILENCED.match(token.string) if token.type == tokenize.COMMENT else None
        if match and not match[1].strip(" #-()") and explained != token.start[0] - 1:
            yield f"line {token.start[0]}: {token.string}"
        elif match:
            explained = token.start[0]


def test_every_lint_exception_says_why() -> None:
    """In the program; in tests the line itself shows it."""
    ours = {path: text for path, text in sources().items() if not path.startswith("tests/")}
    assert {path: found for path, text in ours.items() if (found := [*silenced(text)])} == {}
    assert [*silenced("import os  # noqa: F401\n")]


def test_migrations_are_complete(db: None) -> None:
    call_command("makemigrations", "--check", "--dry-run", verbosity=0)


def test_import_rules_hold_and_would_notice(tmp_path: Path) -> None:
    """A module that nobody placed fails, which is the point of `exhaustive`."""
    lint = [str(Path(sys.executable).parent / "lint-imports"), "--no-cache"]
    told = subprocess.run(lint, cwd=ROOT, capture_output=True, text=True)
    assert told.returncode == 0, told.stdout
    config = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert '"imaging"' not in config
    forgetful = tmp_path / "pyproject.toml"
    forgetful.write_text(config.replace("models | providers | imaging", "models | providers"))
    told = subprocess.run([*lint, "--config", forgetful], cwd=ROOT, capture_output=True, text=True)
    assert told.returncode != 0
    assert "imaging" in told.stdout


# --- Templates ----------------------------------------------------------------------------------


def without_django(text: str) -> str:
    """Template tags made plain words, so that what is left parses as HTML; equal tags stay equal."""

    def plain(found: re.Match[str]) -> str:
        return f"dj{hashlib.sha256(found.group(0).encode()).hexdigest()[:12]} "

    text = re.sub(r"{%-?\s*comment.*?endcomment\s*-?%}|{#.*?#}", "", text, flags=re.DOTALL)
    return re.sub(r"{%.*?%}|{{.*?}}", plain, text, flags=re.DOTALL)


class Tags(HTMLParser):
    """Collects (tag, attributes, line)."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str], int]] = []
        self.feed(without_django(text))

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        line = self.getpos()[0]
        self.found.append((tag, {name: value or "" for name, value in attrs}, line))


def inline(text: str) -> list[str]:
    """What the Content-Security-Policy would block, or htmx would have to evaluate."""
    found = []
    for tag, attributes, line in Tags(text).found:
        blocked = [
            name
            for name, value in attributes.items()
            if name == "style"
            or name.startswith(("on", "hx-on"))
            or value.strip().lower().startswith("javascript:")
            or (name in ("hx-vals", "hx-headers") and value.startswith("js:"))
        ]
        if tag == "style" or (tag == "script" and "src" not in attributes):
            blocked.append(f"<{tag}>")
        found += [f"line {line}: {name}" for name in blocked]
    return found


def test_nothing_is_inline() -> None:
    assert {path: found for path, text in templates().items() if (found := inline(text))} == {}


@pytest.mark.parametrize(
    "markup",
    [
        '<p style="color: red">',
        '<a href="javascript:void 0">',
        "<button onclick=go()>",
        '<b hx-on:click="go()">',
        "<script>go()</script>",
        "<style>p{}</style>",
        """<a {% if x %}title="{% url "a" %}"{% endif %} style="x">""",
    ],
)
def test_inline_code_would_be_noticed(markup: str) -> None:
    assert inline(markup)


def test_scripts_evaluate_nothing() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {match[0]}"
        for path in sorted((ROOT / "static" / "js").rglob("*.js"))
        for match in re.finditer(
            r"\beval\(|new Function\(|cssText|setAttribute\(.style", path.read_text()
        )
    ]
    assert found == []


def test_one_script_alone_knows_the_cookie_of_the_token() -> None:
    scripts = (ROOT / "static" / "js").rglob("*.js")
    assert [path.name for path in scripts if "csrftoken" in path.read_text()] == ["app.js"]


def test_nothing_is_put_into_a_page_unescaped_without_a_reason() -> None:
    found = {
        f"{path}: {match[0]}"
        for texts, pattern in (
            (templates(), r"\|\s*safe(?:seq)?\b|{%-?\s*autoescape\s+off"),
            (sources(), r"\bmark_safe\(|\bSafeString\("),
        )
        for path, text in texts.items()
        if path != "tests/test_house.py"
        for match in re.finditer(pattern, text)
    }
    assert found == set(UNESCAPED)


def fetched() -> Iterator[tuple[str, dict[str, str]]]:
    for path, text in templates().items():
        for tag, attributes, _line in Tags(text).found:
            if "hx-get" in attributes:
                yield f"{path} {tag}", attributes


def test_every_fetch_is_also_a_link() -> None:
    bare = {
        where
        for where, attributes in fetched()
        if attributes["hx-get"].strip() != attributes.get("href", "").strip()
    }
    assert bare == set(FETCHED_BY_EVENTS)
