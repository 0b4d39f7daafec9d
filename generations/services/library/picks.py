"""What the compose panel holds of references: tokens in order, each a reference or a result to adopt."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from generations.models import Asset, Generation, Project, Reference, ReferenceRole, User
from generations.services.library import references
from generations.services.library.references import Chosen

ADOPT = "a."
MOST = 40  # tokens looked at; the engine's own limit is said by compose


@dataclass(frozen=True, slots=True)
class Pick:
    """One chosen picture. `token` is what a form posts: a reference's id, or `a.` and an asset's."""

    token: str
    role: str
    source: Reference | Asset

    @property
    def name(self) -> str:
        if isinstance(self.source, Reference):
            return self.source.name
        return self.source.generation.prompt[:40] if self.source.generation else ""


@dataclass(frozen=True, slots=True)
class Picked:
    """What was found, in the order asked for, and how many were not."""

    picks: list[Pick]
    missing: int


def find(*, tokens: Iterable[str], roles: Mapping[str, str], user: User) -> Picked:
    """Look tokens up among what the person may use; each counts once. Two queries."""
    wanted = list(dict.fromkeys(tokens))[:MOST]
    rows = Reference.objects.visible_to(user).filter(hidden_at=None, public_id__in=_ids(wanted, ""))
    assets = Asset.objects.visible_to(user).filter(
        public_id__in=_ids(wanted, ADOPT), kind="image", trashed_at=None
    )
    found: dict[str, Reference | Asset] = {str(each.public_id): each for each in rows}
    found |= {f"{ADOPT}{each.public_id}": each for each in assets.select_related("generation")}
    picks = [
        Pick(token, _role(roles.get(token, "")), found[token]) for token in wanted if token in found
    ]
    return Picked(picks, len(wanted) - len(picks))


def _ids(tokens: list[str], prefix: str) -> list[UUID]:
    found = []
    for token in tokens:
        is_asset = token.startswith(ADOPT)
        try:
            if is_asset == bool(prefix):
                found.append(UUID(token.removeprefix(prefix)))
        except ValueError:
            continue
    return found


def _role(text: str) -> str:
    return text if text in ReferenceRole.values else ReferenceRole.ANY


def moved(picks: list[Pick], order: str) -> list[Pick]:
    """The picks with one a place forward (`-1.<token>`) or back (`1.<token>`), where there is one."""
    step, _dot, token = order.partition(".")
    at = next((n for n, each in enumerate(picks) if each.token == token), None)
    if at is None or step not in ("-1", "1") or not 0 <= at + int(step) < len(picks):
        return picks
    rest = picks[:at] + picks[at + 1 :]
    return [*rest[: at + int(step)], picks[at], *rest[at + int(step) :]]


def of_generation(*, generation: Generation, user: User) -> list[Pick]:
    """What a run was made from, to begin another with."""
    return [
        Pick(str(each.reference.public_id), each.role, each.reference)
        for each in references.chosen_of(generation=generation, user=user)
    ]


def chosen(*, picks: Iterable[Pick], user: User, project: Project) -> list[Chosen]:
    """The picks as references; results are adopted now. Raises ReferenceProblem."""
    return [
        Chosen(
            each.source
            if isinstance(each.source, Reference)
            else references.adopt(asset=each.source, user=user, project=project),
            each.role,
        )
        for each in picks
    ]
