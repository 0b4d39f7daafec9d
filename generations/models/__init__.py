"""What the studio remembers. Models own invariants: constraints, legal transitions, who may see what."""

from __future__ import annotations

from generations.models.batches import Batch, BatchLine
from generations.models.events import Event
from generations.models.files import Asset, Blob, Rendition
from generations.models.library import (
    Preset,
    Prompt,
    PromptVersion,
    Reference,
    ReferenceRole,
    Use,
)
from generations.models.money import Allowance, Balance, LedgerEntry
from generations.models.people import SignIn, User
from generations.models.projects import Invitation, Membership, Project, Role
from generations.models.providers import DriverLease, ProviderAccount
from generations.models.runs import (
    TRANSITIONS,
    Generation,
    Job,
    JobState,
    Outcome,
    Priority,
    Submission,
)
from generations.models.search import SearchText

__all__ = [
    "TRANSITIONS",
    "Allowance",
    "Asset",
    "Balance",
    "Batch",
    "BatchLine",
    "Blob",
    "DriverLease",
    "Event",
    "Generation",
    "Invitation",
    "Job",
    "JobState",
    "LedgerEntry",
    "Membership",
    "Outcome",
    "Preset",
    "Priority",
    "Project",
    "Prompt",
    "PromptVersion",
    "ProviderAccount",
    "Reference",
    "ReferenceRole",
    "Rendition",
    "Role",
    "SearchText",
    "SignIn",
    "Submission",
    "Use",
    "User",
]
