"""A saved prompt in the compose panel: its slots, what was put into them, and the texts to send."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from generations.models import PromptVersion
from generations.providers.catalog import FieldError
from generations.services.library import slots
from generations.services.library.slots import Slot, SlotProblem


@dataclass(slots=True)
class Place:
    """One slot as a field: `n` names it in the form."""

    n: int
    slot: Slot
    value: str
    error: FieldError | None = None

    @property
    def every(self) -> str:
        """The value that stands for all choices, one run each."""
        return "|".join(self.slot.choices[: slots.MOST_RUNS])

    @property
    def other(self) -> bool:
        """Whether the value is none that the list offers; it is kept all the same."""
        return bool(self.slot.choices) and self.value not in (*self.slot.choices, self.every)


@dataclass(slots=True)
class Filled:
    """A saved wording being used. `text` is what stands in the prompt field."""

    version: PromptVersion
    text: str
    values: Mapping[str, str] = field(default_factory=dict)
    places: list[Place] = field(default_factory=list)

    def __post_init__(self) -> None:
        try:
            found = slots.parse(self.text)
        except SlotProblem:
            found = []  # the prompt field says why
        self.places = [
            Place(n, slot, self.values.get(slot.name, slot.default)) for n, slot in enumerate(found)
        ]

    @property
    def token(self) -> str:
        return f"{self.version.prompt.public_id}.{self.version.number}"

    def texts(self) -> list[str]:
        """What to send, one text per combination. Raises SlotProblem, marked at its slot."""
        try:
            return slots.fill_each(self.text, self.values)
        except SlotProblem as problem:
            for place in self.places:
                if place.slot.name == problem.slot:
                    place.error = FieldError(f"slot_{place.n}", problem.message, problem.params)
            raise


def values_of(posted: Mapping[str, str]) -> dict[str, str]:
    """What was put into each slot, by its name: the text may have changed since."""
    found = {}
    for n in range(slots.MOST_SLOTS):
        name = posted.get(f"slot_name_{n}", "")
        if name:
            found[name] = posted.get(f"slot_{n}", "")
    return found
