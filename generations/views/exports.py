"""Pictures to take away: one as the file itself, a selection or a whole run as a streamed ZIP.

What lacks a label that its project asks for goes out only when a reason is posted, which is written down.
"""

from __future__ import annotations

from urllib.parse import parse_qs
from uuid import UUID

from django.contrib.auth.decorators import login_required
from django.db.models import QuerySet
from django.http import (
    Http404,
    HttpRequest,
    HttpResponse,
    HttpResponseBase,
)
from django.shortcuts import get_object_or_404, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_http_methods

from generations.models import Asset, Generation, UnlabelledDownload
from generations.models.labels import REASON_MAX
from generations.sending import REVALIDATE, Body, send_body, stored, stream
from generations.services.gallery import export
from generations.services.projects import unlabelled
from generations.views.access import person
from generations.views.files import TYPES, disposition

TEMPLATE_MAX = 200
Way = UnlabelledDownload.Way
# POST is how a reason comes.
reasoned = require_http_methods(["GET", "HEAD", "POST"])


@reasoned
@login_required
def one(request: HttpRequest, asset: UUID) -> HttpResponseBase:
    """One picture as a file."""
    return _send_one(request, get_object_or_404(_rows(request), public_id=asset))


def _asks(request: HttpRequest, assets: list[Asset], way: str) -> HttpResponse | None:
    """The page that asks for a reason; None where every file may go, its register written."""
    found, problem = unlabelled.lacking(assets=assets), ""
    if not found:
        return None
    if request.method == "POST":
        try:
            reason = request.POST.get("reason", "")
            unlabelled.register(user=person(request), found=found, reason=reason, way=way)
        except unlabelled.ReasonProblem as refused:
            problem = _(refused.message) % refused.params
        else:
            return None
    context = {"found": found, "assets": assets, "problem": problem, "most": REASON_MAX}
    context |= {
        "missing": sorted({unlabelled.named(each) for row in found for each in row.missing})
    }
    status = 422 if problem else 403
    return render(request, "generations/unlabelled_ask.html", context, status=status)


@reasoned
@login_required
def selection(request: HttpRequest) -> HttpResponseBase:
    """The pictures that `?asset=` names, in this order, or the one it names; 404 unless the person may see each."""
    query = _query(request)
    if query is None or len(query.get("asset", ())) > export.MOST:
        message = _("Download at most %(max)s pictures at once.") % {"max": export.MOST}
        return _refused(request, message)
    wanted = query.get("asset")
    if not wanted:
        return _refused(request, _("Choose the pictures to download first."))
    ids = [_uuid(text) for text in wanted]
    found = {row.public_id: row for row in _rows(request).filter(public_id__in=ids)}
    if len(found) < len(set(ids)):
        raise Http404
    assets = [found[each] for each in dict.fromkeys(ids)]
    return _send_one(request, assets[0]) if len(assets) == 1 else _send(request, assets)


def _query(request: HttpRequest) -> dict[str, list[str]] | None:
    """The query, read by hand: `request.GET` refuses more fields than a form of ours may have."""
    try:
        return parse_qs(request.META.get("QUERY_STRING", ""), max_num_fields=export.MOST + 10)
    except ValueError:
        return None


@reasoned
@login_required
def run(request: HttpRequest, generation: UUID) -> HttpResponseBase:
    """Every picture of a run, but what is in the trash."""
    rows = Generation.objects.visible_to(request.user)
    made = get_object_or_404(rows, public_id=generation)
    found = _rows(request).filter(generation=made, trashed_at=None)
    assets = list(found.order_by("job__position", "position")[: export.MOST])
    if not assets:
        return _refused(request, _("This run has no pictures to download."))
    return _send(request, assets)


def _rows(request: HttpRequest) -> QuerySet[Asset]:
    related = ("blob", "project", "generation__user", "job")
    rows = Asset.objects.visible_to(request.user).select_related(*related)
    return rows.prefetch_related("job__submissions")


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError:
        raise Http404 from None


def _refused(request: HttpRequest, message: str) -> HttpResponse:
    context = {"message": message}
    return render(request, "generations/export_refused.html", context, status=422)


def _template(request: HttpRequest) -> str:
    names = (_query(request) or {}).get("names", [""])
    return names[0][:TEMPLATE_MAX] or export.TEMPLATE


def _send_one(request: HttpRequest, asset: Asset) -> HttpResponseBase:
    """The picture with its recipe in it, numbered by its place in its run."""
    if refused := _asks(request, [asset], Way.PAGE):
        return refused
    file = export.single(asset, stored(asset.blob), _template(request))
    body = Body(file.size, file.etag, TYPES[asset.format], file.read)
    response = send_body(request, body, REVALIDATE)
    response.headers["Content-Disposition"] = disposition(file.entry["name"])
    return response


def _send(request: HttpRequest, assets: list[Asset]) -> HttpResponseBase:
    if refused := _asks(request, assets, Way.ARCHIVE):
        return refused
    archive = export.archive(assets, _template(request))
    size = len(archive)
    response = stream(request, iter(archive), "application/zip")
    name = export.safe(f"diptych-{assets[0].project.name}")
    response.headers["Content-Length"] = str(size)
    response.headers["Content-Disposition"] = disposition(f"{name}.zip")
    response.headers["Cache-Control"] = REVALIDATE
    return response
