"""The calls, one function each: find what is meant, ask the service the pages ask, show what came of it."""

from __future__ import annotations

from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any

from django.core.files.uploadedfile import TemporaryUploadedFile
from django.http import HttpRequest, HttpResponseBase
from ninja import File, Router, UploadedFile
from ninja.params.functions import Header, Query
from ninja.responses import Status

from generations.api import engines, schemas, scope, shown
from generations.api.admission import UPLOAD_MAX, token_of
from generations.api.problems import MISSING, TOO_LARGE, UNKNOWN_FIELD, Refusal, refusal
from generations.models import Generation, Project, Reference
from generations.models.labels import REASON_MAX
from generations.providers.base import N_
from generations.providers.catalog import FieldError
from generations.sending import REVALIDATE, send
from generations.services import compose, gallery, jobs
from generations.services.library import picks, references
from generations.services.paging import Cursor

router = Router()
PAGE = 24
READ = ["GET", "HEAD"]
UNPROCESSABLE = HTTPStatus.UNPROCESSABLE_ENTITY
NO_REFERENCE = N_("There is no reference picture %(id)s that this token may use.")
OTHER_PROJECT = N_("This key has made a run in another project. Take a new one.")
NO_CURSOR = N_("This is no place in the list: take “next” of the page before, as it is.")
ONE_FILE = N_("Send one file at a time.")
# Refusals that any call may answer with, and those of the calls that make something.
ANY: dict[int, type[schemas.Problems]] = dict.fromkeys((401, 404, 422, 429), schemas.Problems)
MADE = ANY | dict.fromkeys((400, 403, 409, 411, 413, 415), schemas.Problems)
FILE_TYPES = ("image/jpeg", "image/png", "image/webp", "video/mp4", "video/webm")
BYTES = {kind: {"schema": {"type": "string", "format": "binary"}} for kind in FILE_TYPES}
FILE_ANSWERS: dict[int, Any] = {
    200: {"description": "The provider's bytes, untouched", "content": BYTES},
    206: {"description": "The part that Range asks for", "content": BYTES},
    304: {"description": "If-None-Match names what the client has"},
    416: {"description": "Range asks for bytes behind the end"},
}

Id = schemas.Id
Key = Annotated[
    str, Header(alias="Idempotency-Key", max_length=schemas.KEY_MAX, pattern=r"^[!-~]*$")
]
After = Annotated[str, Query(max_length=100)]
Reason = Annotated[str, Query(max_length=REASON_MAX)]


@router.api_operation(
    READ,
    "/engines",
    url_name="api-engines",
    response={200: schemas.Engines, **ANY},
    operation_id="engines",
    summary=N_("List the models on offer"),
    description=N_("Each with its settings as JSON Schema, and what it takes and gives."),
)
def list_engines(request: HttpRequest) -> schemas.Engines:
    return schemas.Engines(engines=engines.engines())


@router.api_operation(
    READ,
    "/projects",
    url_name="api-projects",
    response={200: schemas.Projects, **ANY},
    operation_id="projects",
    summary=N_("List the projects within the token's reach"),
)
def list_projects(request: HttpRequest) -> schemas.Projects:
    runs = token_of(request).may_run
    rows: list[Any] = list(scope.projects(request))
    return schemas.Projects(
        projects=[shown.project(row, row.my_role, token_runs=runs) for row in rows]
    )


@router.api_operation(
    READ,
    "/projects/{project}/generations",
    url_name="api-generations",
    response={200: schemas.Generations, **ANY},
    operation_id="generations",
    summary=N_("List a project's runs, the newest first"),
    description=N_("To go on, ask again with “after” as “next” says; at the end “next” is null."),
)
def list_generations(request: HttpRequest, project: Id, after: After = "") -> schemas.Generations:
    found = scope.project(request, project)
    place = Cursor.parse(after)
    if after and place is None:
        raise refusal(UNPROCESSABLE, NO_CURSOR, "after")
    page = gallery.cards(project=found, after=place, limit=PAGE)
    return schemas.Generations(
        generations=[shown.generation(request, each) for each in page.cards],
        next=str(page.next) if page.next else None,
    )


@router.post(
    "/projects/{project}/generations",
    url_name="api-generations",
    response={200: schemas.Generation, 201: schemas.Generation, **MADE},
    operation_id="run",
    summary=N_("Run a prompt"),
    description=N_(
        "The same Idempotency-Key from the same person answers with the first run, 200 instead of 201, "
        "and makes nothing: send one whenever a call may have to be repeated."
    ),
)
def run(
    request: HttpRequest, project: Id, body: schemas.NewGeneration, idempotency_key: Key = ""
) -> Status[schemas.Generation]:
    found = scope.to_write(request, project)
    user = token_of(request).user
    before = None
    if idempotency_key:
        before = compose.asked_before(user=user, form_token=idempotency_key)
    made = before or compose.submit(
        project=found,
        user=user,
        engine=body.engine,
        prompt=body.prompt,
        settings=body.settings,
        count=body.count,
        references=_chosen(request, found, body.references),
        form_token=idempotency_key or None,
    )
    return _made(request, found, made)


def _made(request: HttpRequest, project: Project, made: Generation) -> Status[schemas.Generation]:
    """201 with the new run, 200 with the one its key has made before in the same project."""
    if made.project_id != project.pk:
        raise refusal(UNPROCESSABLE, OTHER_PROJECT, "Idempotency-Key")
    row = gallery.card_queryset().get(pk=made.pk)
    return Status(200 if made.repeated else 201, shown.generation(request, row))


def _chosen(request: HttpRequest, project: Project, ids: list[str]) -> list[compose.Chosen]:
    """References by id, among what the person may use and the token reaches, in the order given."""
    user = token_of(request).user
    plain = [each for each in ids if not each.startswith(picks.ADOPT)]
    found = picks.find(tokens=[each.lower() for each in plain], roles={}, user=user).picks
    usable = [
        each
        for each in found
        if isinstance(each.source, Reference) and scope.reaches(request, each.source)
    ]
    known = {each.token for each in usable}
    missing = [each for each in ids if each.lower() not in known]
    if missing:
        wrong = (FieldError("references", NO_REFERENCE, {"id": each}) for each in missing)
        raise Refusal(UNPROCESSABLE, *wrong)
    return picks.chosen(picks=usable, user=user, project=project)


@router.api_operation(
    READ,
    "/generations/{generation}",
    url_name="api-generation",
    response={200: schemas.Generation, **ANY},
    operation_id="generation",
    summary=N_("See how a run stands, and what it has made"),
    description=N_("Ask every few seconds while “active” is true."),
)
def one_generation(request: HttpRequest, generation: Id) -> schemas.Generation:
    return shown.generation(request, scope.generation(request, generation))


@router.post(
    "/generations/{generation}/cancel",
    url_name="api-cancel",
    response={200: schemas.Generation, **MADE},
    operation_id="cancel",
    summary=N_("Cancel what has not been made yet"),
)
def cancel(request: HttpRequest, generation: Id) -> schemas.Generation:
    found = scope.generation(request, generation)
    scope.require_writer(request, found.project)
    jobs.cancel_all(generation=found, actor=token_of(request).user)
    return shown.generation(request, scope.generation(request, generation))


@router.post(
    "/projects/{project}/references",
    url_name="api-reference",
    response={201: schemas.Reference, **MADE},
    operation_id="upload",
    summary=N_("Upload a reference picture"),
    description=N_("JPEG, PNG, WebP, HEIC or AVIF. The same picture twice is one reference."),
)
def upload(request: HttpRequest, project: Id, file: File[UploadedFile]) -> Status[Any]:
    found = scope.to_write(request, project)
    for name in {*request.POST, *request.FILES} - {"file"}:
        raise refusal(UNPROCESSABLE, UNKNOWN_FIELD, name, name=name[:80])
    if len(request.FILES.getlist("file")) > 1:
        raise refusal(UNPROCESSABLE, ONE_FILE, "file")
    if (file.size or 0) > references.MAX_BYTES:
        raise refusal(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, TOO_LARGE, "file", max=UPLOAD_MAX)
    if not isinstance(file, TemporaryUploadedFile):
        raise refusal(UNPROCESSABLE, MISSING, "file")
    made = references.ingest(
        source=Path(file.temporary_file_path()),
        name=file.name or "",
        user=token_of(request).user,
        project=found,
    )
    return Status(201, shown.reference(made))


@router.api_operation(
    READ,
    "/assets/{asset}",
    url_name="api-asset",
    response={200: schemas.Asset, **ANY},
    operation_id="asset",
    summary=N_("See one picture or video"),
)
def one_asset(request: HttpRequest, asset: Id) -> schemas.Asset:
    return shown.asset(request, scope.asset(request, asset))


@router.api_operation(
    READ,
    "/assets/{asset}/file",
    url_name="api-file",
    response=ANY | {403: schemas.Problems},
    openapi_extra={"responses": FILE_ANSWERS},
    operation_id="file",
    summary=N_("Download it"),
    description=N_(
        "The service's own bytes, untouched, whole or by Range. Where a label is missing that the project "
        "asks for, “reason” says why it is needed without; it is written down."
    ),
)
def file(request: HttpRequest, asset: Id, reason: Reason = "") -> HttpResponseBase:
    found = scope.asset(request, asset)
    scope.require_reason(request, found, reason)
    blob = found.blob
    return send(request, blob, blob.content_type, REVALIDATE)
