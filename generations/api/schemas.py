"""What goes in and out of the API, as types. The schema that is published is made of these."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field, PlainValidator, WithJsonSchema

from generations.models import Generation as Run
from generations.models import JobState

RunState = Run.State
REFERENCES_MOST = 40
SETTINGS_MOST = 100
# The form token is kept beside the person's number in 64 characters.
KEY_MAX = 40
SCALAR: dict[str, Any] = {"type": ["string", "number", "boolean", "null"]}


def scalar(value: object) -> object:
    """A setting is one value; which ones are good is the catalogue's matter."""
    if value is None or isinstance(value, str | int | float):
        return value
    raise ValueError("a text, a number, true or false")


Setting = Annotated[Any, PlainValidator(scalar), WithJsonSchema(SCALAR)]
# Text, not a UUID: what is none is nothing that anybody has, so 404 like any other.
Id = Annotated[str, Field(json_schema_extra={"format": "uuid"})]


class Given(BaseModel):
    """What a program sends: exactly these fields, in exactly these types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class NewGeneration(Given):
    prompt: str
    engine: str
    settings: dict[str, Setting] = Field(default_factory=dict, max_length=SETTINGS_MOST)
    count: int = 1
    references: list[Id] = Field(default_factory=list, max_length=REFERENCES_MOST)


class Problem(BaseModel):
    field: str
    key: str
    message: str
    params: dict[str, Any]


class Problems(BaseModel):
    problems: list[Problem]


class References(BaseModel):
    minimum: int
    maximum: int
    formats: list[str]
    max_bytes: int
    min_side: int
    max_side: int


class Outputs(BaseModel):
    max_total: int
    can_force_single: bool


class Engine(BaseModel):
    slug: str
    label: str
    good_for: str
    kind: Literal["image", "video"]
    revision: int
    prompt_max: int
    typical_latency_s: float
    price_unit: str
    count_max: int
    references: References
    outputs: Outputs
    settings: dict[str, Any]


class Engines(BaseModel):
    engines: list[Engine]


class Project(BaseModel):
    id: UUID
    name: str
    role: str
    may_run: bool
    archived: bool
    engines: list[str]


class Projects(BaseModel):
    projects: list[Project]


class Labels(BaseModel):
    """The AIGC labels of a file: whether each was asked for, and the implicit one as the file has it."""

    badge: Literal["visible", "implicit", "both", "none", "unknown"]
    visible_asked: bool
    implicit_asked: bool
    implicit: dict[str, str] | None


class Asset(BaseModel):
    id: UUID
    generation: UUID | None
    job: UUID | None
    position: int
    kind: Literal["image", "video"]
    format: str
    width: int
    height: int
    rating: int | None
    favourite: bool
    trashed: bool
    labels: Labels
    created_at: datetime
    url: str
    file: str


class Job(BaseModel):
    id: UUID
    position: int
    state: Annotated[str, Field(json_schema_extra={"enum": list(JobState.values)})]
    active: bool
    reason: str
    sentence: str
    assets: list[Asset]


class Used(BaseModel):
    id: UUID
    role: str


class Generation(BaseModel):
    id: UUID
    project: UUID
    state: Annotated[str, Field(json_schema_extra={"enum": list(RunState.values)})]
    active: bool
    engine: str
    kind: Literal["image", "video"]
    prompt: str
    settings: dict[str, Setting]
    count: int
    references: list[Used]
    jobs: list[Job]
    created_at: datetime
    finished_at: datetime | None
    url: str


class Generations(BaseModel):
    generations: list[Generation]
    next: str | None


class Reference(BaseModel):
    id: UUID
    name: str
    format: str
    width: int
    height: int
