"""Two teams with real rows and real files, for tests that ask who may see what."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from io import BytesIO

from django.conf import settings
from PIL import Image

from generations.models import (
    Asset,
    Blob,
    Generation,
    Job,
    JobState,
    Membership,
    Preset,
    Project,
    Prompt,
    ProviderAccount,
    Reference,
    Rendition,
    Role,
    Use,
    User,
)
from generations.providers import catalog
from generations.services import accounts, compose
from generations.services.library import fitting, presets, prompts

ENGINE = "jimeng-image-4.0"


def person(name: str, **more: object) -> User:
    user = User(username=name, **more)
    user.set_unusable_password()
    user.save()
    return user


def picture(color: tuple[int, int, int] = (40, 90, 160), size: tuple[int, int] = (96, 64)) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, color).save(out, "JPEG", quality=90)
    return out.getvalue()


def blob(data: bytes, content_type: str = "image/jpeg") -> Blob:
    row = Blob(
        sha256=hashlib.sha256(data).hexdigest(), size=len(data), content_type=content_type, uses=1
    )
    path = settings.MEDIA_ROOT / row.name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return Blob.objects.get_or_create(
        sha256=row.sha256,
        defaults={"size": row.size, "content_type": content_type, "uses": 1},
    )[0]


def account() -> ProviderAccount:
    return accounts.ensure_accounts()


def generation(
    project: Project,
    user: User,
    *,
    prompt: str = "一只柯基在草地上",
    states: tuple[JobState, ...] = (JobState.SUCCEEDED,),
    **settings_: object,
) -> Generation:
    """A generation whose jobs stand in `states`; each SUCCEEDED one has an asset with real bytes."""
    engine = catalog.get_engine(ENGINE)
    recipe = compose.build_recipe(engine, prompt, settings_)
    made = Generation.objects.create(
        project=project,
        user=user,
        recipe=recipe,
        recipe_sha256=catalog.recipe_sha256(recipe),
        engine=engine.slug,
        kind="image",
        prompt=prompt,
        count=len(states),
        state=Generation.State.SUCCEEDED,
    )
    for position, state in enumerate(states):
        _job(made, position, state)
    return made


def _job(made: Generation, position: int, state: JobState) -> Job:
    needs_id = state in (JobState.RUNNING, JobState.COLLECTING, JobState.SUCCEEDED)
    job = Job.objects.create(
        generation=made,
        account=account(),
        user=made.user,
        position=position,
        state=state,
        remote_id=str(7_000_000_000_000_000_000 + made.pk * 100 + position) if needs_id else "",
    )
    if state == JobState.SUCCEEDED:
        asset(job, position)
    return job


def asset(job: Job, position: int = 0, data: bytes | None = None) -> Asset:
    data = data or picture((40 + 20 * position, 90, 160))
    with Image.open(BytesIO(data)) as image:
        width, height = image.size
    return Asset.objects.create(
        project=job.generation.project,
        generation=job.generation,
        job=job,
        position=0,
        blob=blob(data),
        kind="image",
        format="jpeg",
        width=width,
        height=height,
    )


def rendered(source: Asset, spec: str, image: Image.Image | None = None) -> Rendition:
    """A WebP that stands for an asset, under this spec."""
    out = BytesIO()
    image = image or Image.new("RGB", (320, 180), (90, 90, 90))
    image.save(out, "WEBP", quality=80)
    return Rendition.objects.get_or_create(
        asset=source,
        spec=spec,
        defaults={
            "blob": blob(out.getvalue(), "image/webp"),
            "width": image.width,
            "height": image.height,
        },
    )[0]


def shelved(user: User, project: Project | None, data: bytes | None = None) -> Reference:
    """A picture on the project's shelf, or on the person's own, made without decoding anything."""
    data = data or picture((200, 120, 40))
    with Image.open(BytesIO(data)) as image:
        width, height = image.size
    fields = {"name": "a.jpg", "format": "jpeg", "width": width, "height": height}
    shelf = {"project": project} if project else {"project": None, "user": user}
    found = {"user": user, **fields}
    return Reference.objects.get_or_create(blob=blob(data), **shelf, defaults=found)[0]


def reference(team: Team, *, own: bool = False, data: bytes | None = None) -> Reference:
    """A reference on the team's shelf, or on its owner's own."""
    return shelved(team.owner, None if own else team.project, data)


def prompt(
    team: Team, text: str = "a {colour:red|blue} cat", *, own: bool = False, title: str = "Cat"
) -> Prompt:
    """A prompt on the team's shelf, or on its owner's own."""
    wording = prompts.Wording(title, text, ["cats"])
    project = None if own else team.project
    return prompts.create(user=team.owner, project=project, wording=wording)


def preset(team: Team, name: str = "Wide", *, own: bool = False, **settings_: object) -> Preset:
    """A preset of the team, or its owner's own."""
    project = None if own else team.project
    return presets.save(
        user=team.owner, project=project, name=name, engine=ENGINE, settings=settings_, count=2
    )


def rendition(source: Reference) -> Rendition:
    """What the engine is sent of a reference: its own bytes."""
    return fitting.fitted(reference=source, engine=catalog.get_engine(ENGINE))


def job_using(team: Team, *used: Reference) -> Job:
    """The team's queued job, as if its run used these."""
    job = team.jobs[JobState.QUEUED]
    recipe = job.generation.recipe
    recipe["references"] = [{"sha256": each.blob_id, "role": ""} for each in used]
    Generation.objects.filter(pk=job.generation_id).update(recipe=recipe)
    for position, each in enumerate(used):
        Use.objects.create(generation=job.generation, reference=each, position=position)
    return Job.objects.select_related("generation", "account").get(pk=job.pk)


@dataclass(frozen=True, slots=True)
class Team:
    """A project with one person of each role, and one generation with every kind of job."""

    project: Project
    owner: User
    editor: User
    viewer: User
    generation: Generation
    asset: Asset
    jobs: dict[str, Job]  # by the state each began in


def team(name: str) -> Team:
    project = Project.objects.create(name=name, slug=name)
    people = {role: person(f"{name}-{role}") for role in Role.values}
    for role, user in people.items():
        Membership.objects.create(project=project, user=user, role=role)
    states = (JobState.SUCCEEDED, JobState.FAILED, JobState.UNCERTAIN, JobState.QUEUED)
    made = generation(project, people[Role.EDITOR], states=states)
    return Team(
        project=project,
        owner=people[Role.OWNER],
        editor=people[Role.EDITOR],
        viewer=people[Role.VIEWER],
        generation=made,
        asset=Asset.objects.get(generation=made),
        jobs={job.state: job for job in made.jobs.all()},
    )
