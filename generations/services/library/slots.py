"""`{slots}` of a saved prompt: read, shown, filled. Pure.

`{name}` is free text, `{name=default}` begins with something, `{name:a|b|c}` is chosen from a list whose
first is usual; `{{` and `}}` stand for braces. The full-width ：＝｜ do as well.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product

from generations.providers.base import N_

NAME_MAX = 40
MOST_SLOTS = 12
MOST_CHOICES = 20
MOST_RUNS = 8
_PART = re.compile(r"\{\{|\}\}|\{[^{}\n]*\}|[{}]")
_BODY = re.compile(r"\{([^:：=＝|｜]+)(?:([:：=＝])(.*))?\}")
_BAR = re.compile("[|｜]")


class SlotProblem(Exception):
    """The text or a value is no good; `slot` names the slot at fault. An untranslated msgid."""

    def __init__(self, message: str, params: Mapping[str, object], slot: str = "") -> None:
        super().__init__(message % params)
        self.message = message
        self.params = params
        self.slot = slot


@dataclass(frozen=True, slots=True)
class Slot:
    """One place to fill; of one that has `choices`, the first is the default."""

    name: str
    choices: tuple[str, ...] = ()
    default: str = ""


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of text, or the slot that stands there."""

    text: str
    slot: Slot | None = None


def parse(text: str) -> list[Slot]:
    """The slots of a text, each once, in order. Raises SlotProblem for a brace that is no slot."""
    found: dict[str, Slot] = {}
    for part in parts(text):
        slot = part.slot
        if slot and (slot.name not in found or found[slot.name] == Slot(slot.name)):
            found[slot.name] = slot
    if len(found) > MOST_SLOTS:
        message = N_("A prompt has at most %(max)s slots; this one has %(count)s.")
        raise SlotProblem(message, {"max": MOST_SLOTS, "count": len(found)})
    return list(found.values())


def fill(text: str, values: Mapping[str, str]) -> str:
    """The text with its slots filled. Raises SlotProblem for one that has no value.

    What a value holds in braces stays as it is: it was typed, not written as a slot.
    """
    chosen = {slot.name: _value(slot, values) for slot in parse(text)}
    return "".join(chosen[each.slot.name] if each.slot else each.text for each in parts(text))


def fill_each(text: str, values: Mapping[str, str]) -> list[str]:
    """The text once for every combination of values that a `|` separates, at most MOST_RUNS."""
    slots = parse(text)
    several = [_several(slot, values) for slot in slots]
    count = 1
    for each in several:
        count *= len(each)
    if count > MOST_RUNS:
        message = N_("These values make %(count)s runs; at most %(max)s can be made at once.")
        widest = slots[max(range(len(slots)), key=lambda n: len(several[n]))]
        raise SlotProblem(message, {"count": count, "max": MOST_RUNS}, widest.name)
    names = [slot.name for slot in slots]
    return [fill(text, dict(zip(names, each, strict=True))) for each in product(*several)]


def escape(text: str) -> str:
    """Plain text as a prompt without slots: every brace stands for itself."""
    return text.replace("{", "{{").replace("}", "}}")


def parts(text: str) -> Iterator[Part]:
    """The text in order, stretch by stretch. Raises SlotProblem for a brace that is no slot."""
    place = 0
    for found in _PART.finditer(text):
        if found.start() > place:
            yield Part(text[place : found.start()])
        yield _part(found[0])
        place = found.end()
    if place < len(text):
        yield Part(text[place:])


def _part(token: str) -> Part:
    if token in ("{{", "}}"):
        return Part(token[0])
    if token in ("{", "}"):
        message = N_("There is a single “%(brace)s”. A slot is {name}; for a brace write it twice.")
        raise SlotProblem(message, {"brace": token})
    return Part(token, _slot(token))


def _slot(token: str) -> Slot:
    found = _BODY.fullmatch(token)
    name = found[1].strip() if found else ""
    if not found or not name or len(name) > NAME_MAX:
        message = N_("“%(slot)s” is no slot: its name has 1 to %(max)s characters.")
        raise SlotProblem(message, {"slot": token[:60], "max": NAME_MAX})
    rest = (found[3] or "").strip()
    if found[2] not in (":", "："):
        return Slot(name, default=rest)
    choices = tuple(dict.fromkeys(_split(rest)))
    if not 1 <= len(choices) <= MOST_CHOICES:
        message = N_("The slot “%(name)s” needs 1 to %(max)s choices.")
        raise SlotProblem(message, {"name": name, "max": MOST_CHOICES}, name)
    return Slot(name, choices, choices[0])


def _split(text: str) -> list[str]:
    return [each.strip() for each in _BAR.split(text) if each.strip()]


def _value(slot: Slot, values: Mapping[str, str]) -> str:
    value = values.get(slot.name, slot.default)
    if not value.strip():
        raise SlotProblem(N_("Give “%(name)s” a value."), {"name": slot.name}, slot.name)
    return value


def _several(slot: Slot, values: Mapping[str, str]) -> Sequence[str]:
    return list(dict.fromkeys(_split(values.get(slot.name, slot.default)))) or [""]
