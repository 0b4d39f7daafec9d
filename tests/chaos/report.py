"""The figures of one run, as a table for people and as JSON for comparison."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import asdict, dataclass, field
from pathlib import Path

from tests.chaos.checker import Books, why_unknown
from tests.chaos.nemesis import Strike
from tests.chaos.world import Settings


@dataclass(slots=True)
class Report:
    """What was done, what came of it, and what is wrong."""

    settings: Settings
    seconds: float = 0.0
    rest_seconds: float = 0.0
    stop_seconds: float = 0.0
    strikes: dict[str, int] = field(default_factory=dict)
    restarts: dict[str, int] = field(default_factory=dict)
    clicks: dict[str, int] = field(default_factory=dict)
    struck: dict[str, int] = field(default_factory=dict)
    states: dict[str, int] = field(default_factory=dict)
    generations: int = 0
    submissions: dict[str, int] = field(default_factory=dict)
    accepted: int = 0
    pictures: int = 0
    swept: int = 0
    uncertain: dict[str, int] = field(default_factory=dict)
    unknown: dict[str, int] = field(default_factory=dict)
    wrong: list[str] = field(default_factory=list)

    @property
    def duplicates(self) -> int:
        return sum(sentence.startswith("duplicate") for sentence in self.wrong)

    @property
    def good(self) -> bool:
        """With the guard removed, a run is good that finds the harm."""
        return self.duplicates > 0 if self.settings.unsafe_requeue else not self.wrong

    def take(self, books: Books) -> None:
        self.states = _counted(row["state"] for row in books.jobs.values())
        self.submissions = _counted(row["outcome"] for row in books.submissions.values())
        self.accepted = len(books.ledger)
        self.generations = books.rows.count("SELECT COUNT(*) FROM generations_generation")
        self.pictures = books.rows.count("SELECT COUNT(*) FROM generations_asset")
        jobs = books.jobs.values()
        self.uncertain = _counted(row["reason"] for row in jobs if row["state"] == "uncertain")
        unknown = [uuid for uuid, row in books.submissions.items() if row["outcome"] == "unknown"]
        self.unknown = _counted(why_unknown(books, uuid) or "nothing" for uuid in unknown)

    def note(self, strikes: list[Strike]) -> None:
        self.strikes = _counted(f"{strike.way} {strike.target}" for strike in strikes)

    def text(self) -> str:
        """One line a figure."""
        lines = []
        for name, value in asdict(self).items():
            if name == "wrong":
                continue
            shown = ", ".join(f"{k} {v}" for k, v in value.items()) if _is_table(value) else value
            lines.append(f"{name.replace('_', ' '):<14} {shown}")
        shown_wrong = self.wrong[:40]
        lines += [f"WRONG: {sentence}" for sentence in shown_wrong]
        lines.append(f"{len(self.wrong)} wrong; {'good' if self.good else 'BAD'}")
        return "\n".join(lines)

    def write(self, path: Path) -> None:
        path.write_text(json.dumps(asdict(self), indent=1, ensure_ascii=False), encoding="utf-8")


def _is_table(value: object) -> bool:
    return isinstance(value, dict)


def _counted(words: object) -> dict[str, int]:
    return dict(Counter(words).most_common())  # type: ignore[call-overload]
