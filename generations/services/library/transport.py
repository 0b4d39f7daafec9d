"""How references reach a provider that fetches them itself: signed addresses that die within the hour.

An address names one reference, one rendition and one job, and works while that job is under way. It
needs no session: whoever holds it may fetch that one file, and nothing else.
"""

from __future__ import annotations

from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.urls import reverse

from generations.models import Job, ProviderAccount, Reference, Rendition
from generations.models.runs import FINAL
from generations.providers.base import N_
from generations.providers.catalog import Engine
from generations.services.library import fitting

SALT = "generations.reference-for-provider"
LIFETIME_S = 3600
NO_ADDRESS = N_(
    "This model's provider fetches references from this site, which has no public address. "
    "An administrator sets PUBLIC_BASE_URL; until then, run without references."
)


def is_loopback(url: str) -> bool:
    """Whether `url` leads to this very machine, by a literal address or as localhost."""
    try:
        host = urlsplit(url).hostname or ""
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False


def base_url(account: ProviderAccount) -> str | None:
    """Where the account's provider can reach us, or None.

    One on this machine is given our loopback address, even behind a proxy: it needs no other.
    """
    if is_loopback(account.base_url):
        return str(settings.OWN_BASE_URL)
    public = str(settings.PUBLIC_BASE_URL)
    return public if public and not is_loopback(public) else None


def urls(job: Job, engine: Engine, account: ProviderAccount) -> list[str]:
    """Fresh addresses of the job's references, in the recipe's order. Raises LookupError."""
    named = job.generation.recipe.get("references") or []
    if not named:
        return []
    base = base_url(account)
    uses = job.generation.uses.select_related("reference__blob").order_by("position")
    references = [use.reference for use in uses]
    if base is None or [each.blob_id for each in references] != [one["sha256"] for one in named]:
        raise LookupError("references cannot be sent")
    return [f"{base}{_path(job, reference, engine)}" for reference in references]


def _path(job: Job, reference: Reference, engine: Engine) -> str:
    rendition = fitting.fitted(reference=reference, engine=engine)
    return reverse("reference-for-provider", args=[token_for(job=job, rendition=rendition)])


def token_for(*, job: Job, rendition: Rendition) -> str:
    """What stands in the address: the three it is bound to, when it was made, and the signature."""
    bound = [job.pk, rendition.reference_id, rendition.spec]
    return signing.dumps(bound, salt=SALT)


def found(token: str) -> Rendition | None:
    """The rendition a token stands for; None if it is forged, too old, or its job is over."""
    try:
        bound: Any = signing.loads(token, salt=SALT, max_age=LIFETIME_S)
        job, reference, spec = bound
    except (signing.BadSignature, ValueError, TypeError):
        return None
    rows = Rendition.objects.filter(reference=reference, spec=spec).select_related("blob")
    alive = Job.objects.filter(pk=job, generation__uses__reference=reference).exclude(
        state__in=FINAL
    )
    return rows.first() if alive.exists() else None
