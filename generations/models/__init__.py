"""What the studio remembers. Models own invariants: constraints, legal transitions, who may see what."""

from __future__ import annotations

from generations.models.batches import Batch, BatchLine
from generations.models.engines import CustomEngine
from generations.models.events import Event
from generations.models.files import Asset, Blob, Rendition, StoredCopy
from generations.models.health import Episode
from generations.models.labels import LabelPolicy, UnlabelledDownload
from generations.models.library import (
    Preset,
    Prompt,
    PromptVersion,
    Reference,
    ReferenceRole,
    Use,
)
from generations.models.money import Allowance, Balance, LedgerEntry, Price
from generations.models.people import SignIn, User
from generations.models.projects import Invitation, Membership, Project, Role
from generations.models.providers import (
    DriverLease,
    EngineLimit,
    Limited,
    ProviderAccount,
    SiteSwitch,
)
from generations.models.runs import (
    TRANSITIONS,
    AtRiskJob,
    Generation,
    Job,
    JobState,
    Outcome,
    Priority,
    Submission,
    UncertainJob,
)
from generations.models.search import SearchText
from generations.models.tokens import ApiToken

__all__ = [
    "TRANSITIONS",
    "Allowance",
    "ApiToken",
    "Asset",
    "AtRiskJob",
    "Balance",
    "Batch",
    "BatchLine",
    "Blob",
    "CustomEngine",
    "DriverLease",
    "EngineLimit",
    "Episode",
    "Event",
    "Generation",
    "Invitation",
    "Job",
    "JobState",
    "LabelPolicy",
    "LedgerEntry",
    "Limited",
    "Membership",
    "Outcome",
    "Preset",
    "Price",
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
    "SiteSwitch",
    "StoredCopy",
    "Submission",
    "UncertainJob",
    "UnlabelledDownload",
    "Use",
    "User",
]
