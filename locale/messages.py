"""The translations: extracted from the code, kept in locale/*/LC_MESSAGES/django.po, compiled with Babel.

    python locale/messages.py update    bring the .po files up to date with the code (make messages)
    python locale/messages.py compile   .po to .mo (make run does it)
    python locale/messages.py missing   list what is not translated; exit 1 if anything is

No system gettext is needed. JavaScript shows only texts that templates hand to it in attributes, so
there is no second catalogue.
"""

from __future__ import annotations

import io
import os
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, cast

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
LOCALES = ("zh_Hans", "en")
SOURCES = ("studio", "generations")
TEMPLATES = ("templates", "generations/templates")
# The names that mark a text. Those ending in `lazy` mean the same later; N_ only marks.
# Which arguments hold the context (0: none) and the msgids, counted from 1.
KEYWORDS: dict[str, tuple[int, tuple[int, ...]]] = {
    **dict.fromkeys(("_", "N_", "gettext", "gettext_lazy", "gettext_noop"), (0, (1,))),
    **dict.fromkeys(("ngettext", "ngettext_lazy"), (0, (1, 2))),
    **dict.fromkeys(("pgettext", "pgettext_lazy"), (1, (2,))),
    **dict.fromkeys(("npgettext", "npgettext_lazy"), (1, (2, 3))),
}
PLACEHOLDER = re.compile(r"%\((\w+)\)[-#0 +]*\d*(?:\.\d+)?[a-zA-Z]|%%|%[sd]|\{(\w*)\}")


def po_file(locale: str) -> Path:
    return ROOT / "locale" / locale / "LC_MESSAGES" / "django.po"


# --- Extraction ---------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Marked:
    """One marked text: a msgid, or singular and plural; its context; comments for translators."""

    msgid: str | tuple[str, ...]
    context: str | None
    comments: list[str]


def _calls(source: str) -> Iterator[Marked]:
    data = io.BytesIO(source.encode("utf-8"))
    for found in extract_python(
        data, dict.fromkeys(KEYWORDS), ["Translators:"], {"encoding": "utf-8"}
    ):
        function, arguments, comments = cast("tuple[str, Any, list[str]]", found[1:])
        given = arguments if isinstance(arguments, tuple) else (arguments,)
        where, wanted = KEYWORDS[function]
        needed = [number for number in (where, *wanted) if number]
        # A variable where a text should be (None) is somebody else's marked text.
        if len(given) < max(needed) or not all(given[number - 1] for number in needed):
            continue
        msgids = tuple(given[number - 1] for number in wanted)
        context = given[where - 1] if where else None
        yield Marked(msgids if len(msgids) > 1 else msgids[0], context, list(comments))


def _python_of(path: Path) -> str:
    """Python's own text; of a template, what Django's `templatize` makes of it."""
    text = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return text
    from django.utils.translation.template import templatize

    made = templatize(text, origin=str(path))
    # What is left of the markup is no Python block: without its indentation it can be tokenised.
    return "\n".join(line.lstrip() for line in made.splitlines())


def _files() -> Iterator[Path]:
    for folder in SOURCES:
        for path in sorted((ROOT / folder).rglob("*.py")):
            if "migrations" not in path.parts:
                yield path
    for folder in TEMPLATES:
        for suffix in ("html", "txt"):
            yield from sorted((ROOT / folder).rglob(f"*.{suffix}"))


def extract() -> Catalog:
    """Every text the code marks, with where it stands."""
    catalog = Catalog(domain="django")
    for path in _files():
        place = path.relative_to(ROOT).as_posix()
        for text in _calls(_python_of(path)):
            # Line 0 is left out below: a line that moved is no change to a translation.
            catalog.add(
                text.msgid, None, [(place, 0)], auto_comments=text.comments, context=text.context
            )
    return catalog


# --- Catalogues ---------------------------------------------------------------------------------


def load(locale: str) -> Catalog:
    path = po_file(locale)
    if not path.exists():
        return Catalog(
            locale, "django", header_comment="# Diptych", project="Diptych", version="", fuzzy=False
        )
    with path.open("rb") as file:
        return read_po(file, locale=locale, domain="django")


def placeholders(text: str) -> set[str]:
    return {found.group(0) for found in PLACEHOLDER.finditer(text)} - {"%%"}


def _strings(value: object) -> list[str]:
    if isinstance(value, (list, tuple)):
        return [str(each) for each in value]
    return [str(value or "")]


def complaints(message: Message | None, wanted: Message, locale: str) -> Iterator[str]:
    """What is wrong with one entry, in words; nothing when it is translated."""
    name = f"{locale}: {wanted.id!r}"
    if message is None or not any(_strings(message.string)):
        yield f"{name} is not translated"
        return
    if message.fuzzy:
        yield f"{name} is fuzzy"
    ids, strings = _strings(wanted.id), _strings(message.string)
    if not all(strings):
        yield f"{name} lacks a plural form"
    known = set().union(*(placeholders(each) for each in ids))
    needed = set.intersection(*(placeholders(each) for each in ids))
    for string in strings:
        if string and not needed <= placeholders(string) <= known:
            yield f"{name}: placeholders differ in {string!r}"


def missing(locale: str) -> list[str]:
    """Everything in the code that `locale` does not say properly."""
    kept = load(locale)
    return [
        complaint
        for wanted in extract()
        if wanted.id
        for complaint in complaints(kept.get(wanted.id, wanted.context), wanted, locale)
    ]


# --- Commands -----------------------------------------------------------------------------------


def _fill_english(catalog: Catalog) -> None:
    """English msgids are English: an empty entry says what its msgid says."""
    for message in catalog:
        if message.id and not any(_strings(message.string)):
            message.string = message.id if isinstance(message.id, str) else tuple(message.id)


def update() -> None:
    template = extract()
    for locale in LOCALES:
        catalog = load(locale)
        catalog.update(template, no_fuzzy_matching=True, update_creation_date=False)
        catalog.obsolete.clear()
        if locale == "en":
            _fill_english(catalog)
        path = po_file(locale)
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            write_po(file, catalog, width=100, sort_output=True, include_lineno=False)
        print(f"{path.relative_to(ROOT)}: {len(catalog)} texts, {len(missing(locale))} to do")


def compile_all() -> None:
    for locale in LOCALES:
        if not po_file(locale).exists():
            continue
        made = po_file(locale).with_suffix(f".{os.getpid()}")
        with made.open("wb") as file:
            write_mo(file, load(locale))
        made.replace(po_file(locale).with_suffix(".mo"))  # nobody reads half a file


def report() -> None:
    found = [complaint for locale in LOCALES for complaint in missing(locale)]
    print("\n".join(found) or "every text is translated")
    sys.exit(bool(found))


COMMANDS = {"update": update, "compile": compile_all, "missing": report}


def main() -> None:
    if len(sys.argv) != 2 or sys.argv[1] not in COMMANDS:
        sys.exit(f"usage: messages.py {'|'.join(COMMANDS)}")
    COMMANDS[sys.argv[1]]()


if __name__ == "__main__":
    main()
