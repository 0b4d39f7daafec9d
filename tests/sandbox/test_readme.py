"""The sandbox's README tells all of it: every word, fault and option; and the package imports nothing of ours."""

from __future__ import annotations

import ast

from sandbox.ark_models import MODELS
from sandbox.ark_wire import CODES
from sandbox.engines import ENGINES
from sandbox.faults import ACCOUNT, ARK, KINDS
from sandbox.options import build_parser
from sandbox.triggers import ALIASES
from sandbox.wire import SERVICE_CODES
from tests.sandbox.caller import ROOT

TEXT = (ROOT / "sandbox" / "README.md").read_text()


def test_every_option_is_documented() -> None:
    options = [action.option_strings[-1] for action in build_parser()._actions]
    assert [option for option in options if f"`{option}" not in TEXT and option != "--help"] == []


def test_every_word_and_code_is_documented() -> None:
    assert [alias for alias in ALIASES if alias not in TEXT] == []
    assert [code for code in SERVICE_CODES if str(code) not in TEXT] == []
    assert [key for key in ENGINES if key not in TEXT] == []


def test_every_fault_is_documented() -> None:
    assert [kind for kind in (*KINDS, *ARK, *ACCOUNT) if f"`{kind}`" not in TEXT] == []


def test_every_model_and_error_of_ark_is_documented() -> None:
    assert [name for name in MODELS if f"`{name}`" not in TEXT] == []
    words = {word.strip(".,") for word in TEXT.split()}
    assert [code for code in CODES if code not in words] == []


def test_the_sandbox_stands_alone() -> None:
    allowed = {"PIL", "starlette", "uvicorn", "sandbox"}
    foreign = set()
    for path in (ROOT / "sandbox").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom):
                assert node.level == 0
                names = [node.module or ""]
            foreign |= {name.split(".")[0] for name in names}
    assert foreign.isdisjoint({"django", "studio", "generations", "numpy", "requests"})
    assert allowed <= foreign
