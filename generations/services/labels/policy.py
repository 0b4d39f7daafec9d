"""The policy of a project: what a run keeps of it, and what a file lacks of it."""

from __future__ import annotations

from typing import Any

from generations.models import Asset, LabelPolicy, Project
from generations.providers.base import N_
from generations.providers.engine import Engine
from generations.providers.labels import Label
from generations.services.labels.shown import asks_visible, look


class PolicyProblem(Exception):
    """A run that cannot carry what the policy asks for; `message` is an untranslated msgid."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


NO_PROPAGATOR = N_(
    "The hidden mark of a video must name a propagator. An owner can add one in the project's settings."
)


def policy_of(project: Project) -> LabelPolicy | None:
    """The policy in force; None where nothing is asked for."""
    return LabelPolicy.objects.filter(project=project).first()


def to_edit(project: Project) -> LabelPolicy:
    """The project's row, made if it has none."""
    return LabelPolicy.objects.get_or_create(project=project)[0]


def frozen(*, project: Project, engine: Engine) -> dict[str, Any]:
    """What a run of this engine is to carry, as plain values: of the policy in force, the labels that the
    engine has. Raises PolicyProblem.
    """
    policy = policy_of(project)
    kept: dict[str, Any] = {}
    if policy is None:
        return kept
    if policy.corner and "visible" in engine.labels:
        kept["visible"] = {
            "corner": policy.corner,
            "language": policy.language,
            "opacity": f"{policy.opacity.normalize():f}",
            "text": policy.text,
        }
    if policy.implicit and "implicit" in engine.labels:
        if engine.kind == "video" and not policy.propagator:
            raise PolicyProblem(NO_PROPAGATOR)
        names = ("producer", "producer_id", "propagator", "propagator_id")
        kept["implicit"] = {name: getattr(policy, name) for name in names}
    return kept


def missing(asset: Asset, policy: LabelPolicy | None) -> tuple[Label, ...]:
    """The labels that the policy asks for and this file is not known to carry."""
    found: list[Label] = []
    if policy is not None and policy.corner and not asks_visible(asset):
        found.append("visible")
    if policy is not None and policy.implicit and not look(asset):
        found.append("implicit")
    return tuple(found)
