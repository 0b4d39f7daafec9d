"""AIGC labels as a provider is asked for them: a mark that is seen, and one in the file's metadata.

Which of the two an engine can carry stands in its declaration; how each travels, in the vendor's file
(wire-protocol.md 2.5, 2.6 and section 3).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Label = Literal["visible", "implicit"]
CORNERS = ("br", "bl", "tl", "tr")
LANGUAGES = ("zh", "en")


@dataclass(frozen=True, slots=True)
class Visible:
    """A mark in a corner of the picture: `opacity` from 0 to 1; without a `text`, the provider's own."""

    corner: str = "br"
    language: str = "zh"
    opacity: float = 1.0
    text: str = ""


@dataclass(frozen=True, slots=True)
class Implicit:
    """A mark in the metadata: who made the file, and who spreads it, each with a name and an id."""

    producer_id: str
    producer: str = ""
    propagator: str = ""
    propagator_id: str = ""


@dataclass(frozen=True, slots=True)
class Labels:
    """What one run is to carry."""

    visible: Visible | None = None
    implicit: Implicit | None = None


UNLABELLED = Labels()


def labels_of(frozen: Mapping[str, object]) -> Labels:
    """The labels of a run from the plain values kept with it; what is not there is not asked for."""
    seen, hidden = frozen.get("visible"), frozen.get("implicit")
    visible = implicit = None
    if isinstance(seen, Mapping):
        given = {name: str(seen[name]) for name in ("corner", "language", "text") if name in seen}
        visible = Visible(**given, opacity=float(str(seen.get("opacity", "1"))))
    if isinstance(hidden, Mapping):
        names = ("producer_id", "producer", "propagator", "propagator_id")
        implicit = Implicit(**{name: str(hidden.get(name, "")) for name in names})
    return Labels(visible, implicit)
