"""Who works in the studio while it is being broken: people, projects, and what each may use."""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.running import Site

PEOPLE = ("ada", "bo", "chen", "dora")
PROJECTS = ("north", "south", "west")
_MAKE = """
from generations.models import *
people = [User.objects.create_user(name, password={password!r}) for name in {people!r}]
answer = []
for at, slug in enumerate({projects!r}):
    project = Project.objects.create(name=slug, slug=slug)
    for person in people:
        Membership.objects.create(project=project, user=person, role=Role.EDITOR)
    answer.append(str(project.public_id))
    # One of them is short of pictures, so that refusals are part of the story.
    limit = {jobs} // 6 if at == 0 else 10 * {jobs}
    Allowance.objects.create(scope="project", project=project, limit=limit)
Allowance.objects.filter(project=None).update(limit=100 * {jobs})
Allowance.objects.create(scope="site", period="month", limit=1000 * {jobs})
ProviderAccount.objects.update(max_concurrent={room}, rate_per_s=100)
"""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything the command line decides."""

    kills: int = 12
    jobs: int = 120
    seed: int = 1
    every_s: float = 4.0
    database: str = ""
    production: bool = False
    unsafe_requeue: bool = False
    keep: bool = False
    fault_rate: float = 0.2
    latency_s: float = 2.0
    rest_s: float = 240.0

    def environment(self) -> dict[str, str]:
        """Short waits, so that what a crash leaves behind is found within seconds."""
        if self.production:
            return {}
        more = {"DIPTYCH_UNSAFE_REQUEUE": "1"} if self.unsafe_requeue else {}
        return {
            "ENGINE_LEASE": "3",
            "ENGINE_RENEW": "1",
            "ENGINE_ENSURE": "0.5",
            "ENGINE_PATIENCE": "0.02",
            "ENGINE_DOWNLOAD": "3",
            **more,
        }


@dataclass(slots=True)
class Stage:
    """The projects' public ids, as the people's browsers know them."""

    projects: list[str] = field(default_factory=list)


def furnish(site: Site, settings: Settings) -> Stage:
    """People, projects, allowances, and an account with room for what will be in flight."""
    site.begin()
    code = _MAKE.format(
        password=site.password, people=PEOPLE, projects=PROJECTS, jobs=settings.jobs, room=40
    )
    return Stage(site.shell(code))
