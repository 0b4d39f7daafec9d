"""AIGC labels: what a project asks for, what a run was sent with, and what its files turned out to carry.

The visible mark cannot be read back: of it is known what was asked for. The implicit one is read from the
file itself.
"""

from __future__ import annotations

from generations.services.labels.policy import PolicyProblem, frozen, missing, policy_of, to_edit
from generations.services.labels.reading import read
from generations.services.labels.shown import Badge, Told, asks_visible, badge, look, told

__all__ = [
    "Badge",
    "PolicyProblem",
    "Told",
    "asks_visible",
    "badge",
    "frozen",
    "look",
    "missing",
    "policy_of",
    "read",
    "to_edit",
    "told",
]
