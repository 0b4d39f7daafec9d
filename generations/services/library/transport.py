"""How references reach a provider: as addresses that it fetches, or in the call itself.

An address is signed and dies within the hour: an account takes a few runs at once and each is done in
about a minute, so that a provider with a long queue still has many times what it needs. It needs no session:
whoever holds it may fetch that one file, and nothing else. Where there is an object store, the address leads
there, to a copy that is put there before the call and taken away when no job needs it. Elsewhere it leads to
this site, names one reference, one rendition and one job, and works while that job is under way.

Where an engine's rule says base64 (frames of videos, which wait in a line of hours) or data (the same
with its content type before it), the call holds the fitted rendition's bytes. They are read when the call
is built, by the driver, and die with the call.
"""

from __future__ import annotations

import base64
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core import signing
from django.urls import reverse

from generations.models import Job, Project, ProviderAccount, Rendition
from generations.models.runs import FINAL
from generations.providers.base import N_
from generations.providers.catalog import Engine
from generations.services import accounts, store
from generations.services.library import fitting

SALT = "generations.reference-for-provider"
LIFETIME_S = 3600
NO_ADDRESS = N_(
    "This model's provider fetches references by their address, and this site has none to give. An "
    "administrator sets up the object store (REFERENCE_STORE_BUCKET and what belongs to it), or "
    "PUBLIC_BASE_URL. Until then, run without references or with another model."
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


def stored(account: ProviderAccount) -> bool:
    """Whether the account's provider fetches from the object store: one on this machine reaches only a
    store on this machine, and nobody else reaches that.
    """
    return store.exists() and is_loopback(store.endpoint()) == is_loopback(account.base_url)


def from_here(account: ProviderAccount) -> bool:
    """Whether the account's provider fetches from this very machine's web process."""
    return not stored(account) and base_url(account) == settings.OWN_BASE_URL


def reachable(account: ProviderAccount) -> bool:
    """Whether references can be handed to the account's provider by their address."""
    return stored(account) or base_url(account) is not None


def instead(engine: Engine, many: int, project: Project) -> Engine | None:
    """A model for so many references that is sent their bytes, of the same kind if there is one."""
    found = [
        each
        for each in accounts.offered()
        if not fetched(each)
        and each.references.minimum <= many <= each.references.maximum
        and accounts.account_for(each, project)
    ]
    return next((each for each in found if each.kind == engine.kind), found[0] if found else None)


def carried(job: Job, engine: Engine, account: ProviderAccount) -> list[str]:
    """The job's references, in the recipe's order, as `Provider.build` takes them: fresh addresses, or
    base64 or data URIs. Raises LookupError, OSError where bytes are gone, and store.NotThereYet.
    """
    named = job.generation.recipe.get("references") or []
    if not named:
        return []
    uses = job.generation.uses.select_related("reference__blob").order_by("position")
    references = [use.reference for use in uses]
    if [each.blob_id for each in references] != [one["sha256"] for one in named]:
        raise LookupError("references cannot be sent")
    made = fitting.fitted_all(references=references, engine=engine)
    if not fetched(engine):
        return [_packed(each, engine.references.transport) for each in made]
    if stored(account):
        return store.addresses([each.blob for each in made], LIFETIME_S)
    base = base_url(account)
    if base is None:
        raise LookupError("references cannot be sent")
    return [f"{base}{_path(job, each)}" for each in made]


def fetched(engine: Engine) -> bool:
    """Whether the provider fetches what it is given, and so must be able to reach us."""
    return engine.references.transport == "url"


def _packed(rendition: Rendition, transport: str) -> str:
    path = settings.MEDIA_ROOT / rendition.blob.name
    text = base64.b64encode(path.read_bytes()).decode("ascii")
    kind = rendition.blob.content_type.lower()
    return f"data:{kind};base64,{text}" if transport == "data" else text


def _path(job: Job, rendition: Rendition) -> str:
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
