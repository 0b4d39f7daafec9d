"""How tests hand in uploads: to the process apart alone, or all the way onto a shelf."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from generations import imaging
from generations.models import Reference
from generations.services.library import references
from tests import world

TakeIn = Callable[[bytes], tuple[imaging.Prepared, Path]]
Add = Callable[..., Reference]


@pytest.fixture
def take_in(tmp_path: Path) -> TakeIn:
    """Have an upload read: what became of it, and the master."""

    def prepare(data: bytes) -> tuple[imaging.Prepared, Path]:
        source, folder = tmp_path / "upload", tmp_path / "made"
        source.write_bytes(data)
        folder.mkdir(exist_ok=True)
        return imaging.prepare(source, folder), folder / imaging.MASTER

    return prepare


@pytest.fixture
def add(team: world.Team, tmp_path: Path) -> Add:
    """Take a picture in: on the team's shelf, or on its owner's own."""

    def ingest(data: bytes, name: str = "a.png", *, own: bool = False) -> Reference:
        source = tmp_path / "upload"
        source.write_bytes(data)
        project = None if own else team.project
        return references.ingest(source=source, name=name, user=team.owner, project=project)

    return ingest
