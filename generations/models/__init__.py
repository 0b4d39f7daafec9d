"""What the studio remembers. Models own invariants: constraints, legal transitions, who may see what."""

from __future__ import annotations

from generations.models.events import Event
from generations.models.files import Asset, Blob, Rendition
from generations.models.money import Allowance, Balance, LedgerEntry
from generations.models.people import User
from generations.models.projects import Membership, Project, Role
from generations.models.providers import DriverLease, ProviderAccount
from generations.models.runs import (
    TRANSITIONS,
    Generation,
    Job,
    JobState,
    Outcome,
    Submission,
)

__all__ = [
    "TRANSITIONS",
    "Allowance",
    "Asset",
    "Balance",
    "Blob",
    "DriverLease",
    "Event",
    "Generation",
    "Job",
    "JobState",
    "LedgerEntry",
    "Membership",
    "Outcome",
    "Project",
    "ProviderAccount",
    "Rendition",
    "Role",
    "Submission",
    "User",
]
