"""Both languages are complete: every text that the code marks is translated, and says the same things."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest
from babel.messages.catalog import Catalog, Message
from django.utils import translation

from tests.running import ROOT


def _load() -> ModuleType:
    """locale/ is no package, so that Python's own `locale` stays what it is."""
    spec = importlib.util.spec_from_file_location("messages", ROOT / "locale" / "messages.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    import sys

    sys.modules["messages"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


messages = _load()


@pytest.mark.parametrize("locale", ["zh_Hans", "en"])
def test_nothing_is_left_to_translate(locale: str) -> None:
    assert messages.missing(locale) == []


@pytest.mark.parametrize("locale", ["zh_Hans", "en"])
def test_nothing_is_kept_that_nobody_says(locale: str) -> None:
    wanted = {(entry.id, entry.context) for entry in messages.extract()}
    kept = {(entry.id, entry.context) for entry in messages.load(locale)}
    assert kept - wanted == set()


def test_no_chinese_in_the_code() -> None:
    """msgids are English."""
    chinese = [
        entry.id
        for entry in messages.extract()
        if any("\u4e00" <= letter <= "\u9fff" for letter in str(entry.id))
    ]
    assert chinese == []


def test_what_is_extracted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "studio").mkdir()
    (tmp_path / "templates").mkdir()
    (tmp_path / "studio" / "a.py").write_text(
        "_('plain')\nN_('marked %(n)s')\nngettext('%(n)s one', '%(n)s many', n)\n"
        "pgettext('place', 'in place')\n_(variable)\n_(f'{not_a} text')\n"
    )
    (tmp_path / "templates" / "a.html").write_text(
        "{% load i18n %}\n"
        '  {% if x %}\n {% translate "Tag" %}{% endif %}\n'
        '   {% translate "100% sure" context "doubt" %}\n'
        "{% blocktranslate trimmed count n=n %}\n  {{ n }} cat\n{% plural %}\n  {{ n }} cats\n"
        "{% endblocktranslate %}\n"
        '<p title="{{ _("Title") }}">it\'s (not marked</p>\n'
    )
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    found = {(entry.id, entry.context) for entry in messages.extract() if entry.id}
    assert found == {
        ("plain", None),
        ("marked %(n)s", None),
        (("%(n)s one", "%(n)s many"), None),
        ("in place", "place"),
        ("Tag", None),
        ("100%% sure", "doubt"),
        (("%(n)s cat", "%(n)s cats"), None),
        ("Title", None),
    }


def complaints(msgid: object, string: object, *flags: str) -> list[str]:
    wanted = Message(msgid)
    return [*messages.complaints(Message(msgid, string, flags=flags), wanted, "xx")]


@pytest.mark.parametrize(
    ("msgid", "string", "said"),
    [
        ("one", "", "is not translated"),
        ("%(n)s of %(m)s", "%(n)s", "placeholders differ"),
        ("%(n)s", "%(n)s %(extra)s", "placeholders differ"),
        (("%(n)s a", "%(n)s b"), ("%(n)s c", ""), "lacks a plural form"),
    ],
)
def test_a_bad_entry_is_noticed(msgid: object, string: object, said: str) -> None:
    assert said in complaints(msgid, string)[0]


def test_a_good_entry_is_left_alone() -> None:
    assert complaints(("one cat", "%(n)s cats"), ("%(n)s 只猫",)) == []
    assert complaints("100%% of %(n)s", "%(n)s 的 100%%") == []
    assert "is fuzzy" in complaints("one", "一", "fuzzy")[0]
    assert "is not translated" in " ".join(messages.complaints(None, Message("new"), "xx"))


def test_updating_keeps_what_was_translated(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(messages, "ROOT", tmp_path)
    code = tmp_path / "studio" / "a.py"
    code.parent.mkdir()
    code.write_text("_('cat')\n_('dog')\n")
    messages.update()
    kept: Catalog = messages.load("zh_Hans")
    kept["cat"].string = "猫"
    from babel.messages.pofile import write_po

    with messages.po_file("zh_Hans").open("wb") as file:
        write_po(file, kept)
    code.write_text("_('cat')\n_('bird')\n")
    messages.update()
    kept = messages.load("zh_Hans")
    assert {entry.id: entry.string for entry in kept if entry.id} == {"cat": "猫", "bird": ""}
    assert {entry.id: entry.string for entry in messages.load("en") if entry.id} == {
        "cat": "cat",
        "bird": "bird",
    }
    messages.compile_all()
    assert messages.po_file("zh_Hans").with_suffix(".mo").exists()
    assert "1 to do" in capsys.readouterr().out


@pytest.mark.parametrize(("language", "name"), [("zh-hans", "zh_Hans"), ("en", "en")])
def test_the_compiled_texts_are_the_ones_shown(language: str, name: str) -> None:
    entry = next(entry for entry in messages.load(name) if entry.id == "Projects")
    with translation.override(language):
        assert translation.gettext("Projects") == (entry.string or "Projects")
