"""The README tells the truth: variables, settings, commands and files are compared with the code."""

from __future__ import annotations

import ast
import re
import runpy
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.core.management import get_commands, load_command_class

from generations.providers import catalog
from tests.running import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
# Not ours: read, set or passed on for the programs that we start.
OTHERS = {"DJANGO_SETTINGS_MODULE"}
READERS = {"text", "flag", "number", "names", "kept_secret", "key_pairs"}


def section(title: str) -> str:
    found = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", README, re.DOTALL | re.MULTILINE)
    assert found, title
    return found[1]


def rows(title: str) -> list[list[str]]:
    """The cells of the table under a heading, without its head."""
    lines = re.findall(r"^\|(.*)\|$", section(title), re.MULTILINE)[2:]
    return [[cell.strip() for cell in line.split(" | ")] for line in lines]


def variables(title: str) -> list[str]:
    return [row[0].strip("`") for row in rows(title)]


# What `env.key_pairs("X")` reads; of the numbered ones the first stands for all.
PAIR = ("_ACCESS_KEY", "_SECRET_KEY", "_SESSION_TOKEN", "_ACCESS_KEY_2")


def _is_environ(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "environ"


def _named(call: ast.Call) -> bool:
    """`env.text(…)`, `os.environ.get(…)` and their kin."""
    function = call.func
    if not isinstance(function, ast.Attribute):
        return False
    by_env = isinstance(function.value, ast.Name) and function.value.id == "env"
    return (by_env and function.attr in READERS) or (
        _is_environ(function.value) and function.attr == "get"
    )


def read_in(text: str) -> Iterator[str]:
    """Names of the environment variables that a module reads."""
    for node in ast.walk(ast.parse(text)):
        name: ast.expr | None = None
        if isinstance(node, ast.Call) and node.args and _named(node):
            name = node.args[0]
        elif isinstance(node, ast.Subscript) and _is_environ(node.value):
            name = node.slice if isinstance(node.ctx, ast.Load) else None
        if isinstance(name, ast.Constant) and isinstance(name.value, str):
            pairs = isinstance(node, ast.Call) and ast.unparse(node.func) == "env.key_pairs"
            yield from [name.value + end for end in PAIR] if pairs else [name.value]


def read_by(*rooms: str) -> set[str]:
    files = [path for room in rooms for path in sorted((ROOT / room).rglob("*.py"))]
    return {name for path in files for name in read_in(path.read_text(encoding="utf-8"))} - OTHERS


def test_the_reader_of_this_test_sees_every_way_to_read() -> None:
    text = (
        "env.text('A')\nenv.flag('B', True)\nenv.kept_secret('C', x)\nos.environ.get('D')\n"
        "os.environ['E']\nos.environ['NO'] = '1'\nother.text('NO')\nenv.number(variable)\n"
        "env.key_pairs('F')\n"
    )
    assert sorted(read_in(text)) == ["A", "B", "C", "D", "E", *(sorted("F" + end for end in PAIR))]


def test_every_variable_is_documented_and_every_documented_one_is_read() -> None:
    listed = variables("Configuration")
    assert len(listed) == len(set(listed))
    assert set(listed) == read_by("studio", "generations", "sandbox")


def test_the_variables_of_the_tests_are_documented() -> None:
    assert set(variables("Tests")) == read_by("tests") - read_by("studio", "generations")


def test_the_example_names_only_what_exists() -> None:
    lines = (ROOT / ".env.example").read_text(encoding="utf-8").splitlines()
    named = [match[1] for line in lines if (match := re.match(r"#?([A-Z_]+)=", line))]
    assert len(named) > 5
    assert {name.removesuffix("_FILE") for name in named} <= set(variables("Configuration"))


def test_the_page_of_the_models_is_the_catalogue() -> None:
    script = runpy.run_path(str(ROOT / "docs" / "engines.py"))
    assert script["PAGE"].read_text(encoding="utf-8") == script["page"]()
    assert [slug for slug in catalog.ENGINES if f"`{slug}`" not in section("Models")] == []


def test_every_file_it_names_is_there() -> None:
    linked = re.findall(r"\]\((?!https?://)([^)#]+)\)", README)
    quoted = re.findall(r"`((?:studio|generations|sandbox|tests|locale)/[\w./]*\w)`", README)
    assert len(linked) > 3 and len(quoted) > 3
    assert [name for name in {*linked, *quoted} if not (ROOT / name).exists()] == []


def test_every_make_target_it_names_exists() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z]+):", makefile, re.MULTILINE))
    assert set(re.findall(r"\bmake ((?!it\b)[a-z]+)`", README)) | {"run", "test"} <= targets


def test_the_headless_example_uses_options_that_exist() -> None:
    command = load_command_class(get_commands()["generate"], "generate")
    known = {
        option
        for action in command.create_parser("manage.py", "generate")._actions
        for option in action.option_strings
    }
    used = set(re.findall(r"(?<=\s)--[a-z-]+", section("Without a browser")))
    assert used and used <= known


def test_the_architecture_fits_on_a_screen() -> None:
    assert len(section("Architecture").strip().splitlines()) <= 32


def test_ci_runs_the_test_command() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert "set -euo pipefail" in script
    assert script.rstrip().endswith("make test")


def test_the_procfile_names_web_and_worker() -> None:
    lines = (ROOT / "Procfile").read_text(encoding="utf-8").splitlines()
    assert [line.partition(":")[0] for line in lines] == ["web", "worker"]


@pytest.mark.parametrize("place", ["README.md", "sandbox/README.md", "CHANGELOG.md"])
def test_the_words_of_a_page_fit_a_line(place: str) -> None:
    lines = Path(ROOT / place).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if len(line) > 130 and not line.startswith("|")] == []
