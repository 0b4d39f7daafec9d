"""What the tests of the comparison say again and again."""

from __future__ import annotations

from generations.models import Asset
from tests import world

DONE = world.JobState.SUCCEEDED


def made(team: world.Team, prompt: str = "一只猫", **settings: object) -> Asset:
    """The one picture of a run of its own."""
    run = world.generation(team.project, team.editor, prompt=prompt, **settings)
    return run.assets.get()
