"""Rows as programs read them. Addresses are whole, so that a script can follow them as they are."""

from __future__ import annotations

from dataclasses import asdict

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils.translation import gettext as _

from generations.api import schemas
from generations.models import Asset, Generation, Job, JobState, Project, Reference
from generations.models.runs import ACTIVE
from generations.providers.base import N_
from generations.services import accounts, labels
from generations.services.projects import barred
from generations.templatetags import sentences

UNCERTAIN = N_(
    "It was sent, but no clear answer came back. It may have been charged, so it was not sent again."
)


def address(request: HttpRequest, name: str, *arguments: object) -> str:
    """A whole address: under the configured one, else where the call came in."""
    path = reverse(name, args=arguments)
    base: str = settings.PUBLIC_BASE_URL
    return f"{base}{path}" if base else request.build_absolute_uri(path)


def project(row: Project, role: str, *, token_runs: bool) -> schemas.Project:
    return schemas.Project(
        id=row.public_id,
        name=row.name,
        role=role,
        may_run=token_runs and barred(project=row, role=role) is None,
        archived=row.archived_at is not None,
        engines=[each.slug for each in accounts.offered(row)],
    )


def sentence(job: Job) -> str:
    """Where a job is, or why it ended without a picture: the card's words."""
    if job.state in ACTIVE:
        return sentences.under_way(job)
    if job.state in (JobState.FAILED, JobState.EXPIRED):
        return sentences.ended(job)
    return _(UNCERTAIN) if job.state == JobState.UNCERTAIN else str(JobState(job.state).label)


def asset(request: HttpRequest, row: Asset) -> schemas.Asset:
    return schemas.Asset(
        id=row.public_id,
        generation=row.generation.public_id if row.generation else None,
        job=row.job.public_id if row.job else None,
        position=row.position,
        kind="video" if row.kind == "video" else "image",
        format=row.format,
        width=row.width,
        height=row.height,
        rating=row.rating,
        favourite=row.favourite,
        trashed=row.trashed_at is not None,
        labels=schemas.Labels(**asdict(labels.told(row))),
        created_at=row.created_at,
        url=address(request, "api-asset", row.public_id),
        file=address(request, "api-file", row.public_id),
    )


def job(request: HttpRequest, row: Job, run: Generation) -> schemas.Job:
    """A job with its files, but what is in the trash."""
    kept = [each for each in row.assets.all() if each.trashed_at is None]
    for each in kept:
        each.generation, each.job = run, row  # known: nothing is asked again for each file
    return schemas.Job(
        id=row.public_id,
        position=row.position,
        state=row.state,
        active=row.is_active,
        reason=row.reason,
        sentence=sentence(row),
        assets=[asset(request, each) for each in sorted(kept, key=lambda each: each.position)],
    )


def generation(request: HttpRequest, row: Generation) -> schemas.Generation:
    """A generation of `gallery.card_queryset()`: whatever it takes is prefetched."""
    jobs = sorted(row.jobs.all(), key=lambda each: each.position)
    uses = sorted(row.uses.all(), key=lambda each: each.position)
    return schemas.Generation(
        id=row.public_id,
        project=row.project.public_id,
        state=row.state,
        active=row.state == Generation.State.ACTIVE,
        engine=row.engine,
        kind="video" if row.kind == "video" else "image",
        prompt=row.prompt,
        settings=row.recipe["settings"],
        count=row.count,
        references=[
            schemas.Used(id=each.reference.public_id, role=each.role or "") for each in uses
        ],
        jobs=[job(request, each, row) for each in jobs],
        created_at=row.created_at,
        finished_at=row.finished_at,
        url=address(request, "api-generation", row.public_id),
    )


def reference(row: Reference) -> schemas.Reference:
    return schemas.Reference(
        id=row.public_id, name=row.name, format=row.format, width=row.width, height=row.height
    )
