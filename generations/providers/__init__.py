"""The wire: plain Python, liftable. Adding a vendor is copying one file and one entry below."""

from __future__ import annotations

from generations.providers.ark import Ark
from generations.providers.base import Provider
from generations.providers.jimeng import Jimeng

PROVIDERS: dict[str, Provider] = {provider.slug: provider for provider in (Jimeng(), Ark())}


def get_provider(slug: str) -> Provider:
    """The provider called `slug`; KeyError if there is none."""
    return PROVIDERS[slug]
