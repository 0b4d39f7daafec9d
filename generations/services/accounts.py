"""Credentials in the environment, and the ProviderAccount rows that stand for them."""

from __future__ import annotations

from django.conf import settings

from generations.models import ProviderAccount
from generations.providers import catalog
from generations.providers.base import Credentials

JIMENG = "jimeng"


def _live() -> Credentials:
    return Credentials(
        settings.VOLC_ACCESS_KEY, settings.VOLC_SECRET_KEY, settings.VOLC_SESSION_TOKEN
    )


def _sandbox() -> Credentials:
    return Credentials(settings.SANDBOX_ACCESS_KEY, settings.SANDBOX_SECRET_KEY)


def ensure_accounts() -> ProviderAccount:
    """Make or update the row for the credentials in force; return it.

    The sandbox's row follows SANDBOX_PORT, so that its running jobs survive a change of port.
    """
    if settings.LIVE:
        return ProviderAccount.objects.get_or_create(
            provider=JIMENG,
            base_url=settings.VOLC_BASE_URL,
            key_fingerprint=_live().fingerprint,
            defaults={"label": "Volcengine"},
        )[0]
    return ProviderAccount.objects.update_or_create(
        provider=JIMENG,
        key_fingerprint=_sandbox().fingerprint,
        is_sandbox=True,
        defaults={"base_url": settings.SANDBOX_URL},
        create_defaults={
            "base_url": settings.SANDBOX_URL,
            "label": "Sandbox",
            "max_concurrent": 8,
            "rate_per_s": 20.0,
        },
    )[0]


def credentials_for(account: ProviderAccount) -> Credentials | None:
    """The key pair an account was made for, or None when the environment no longer holds it."""
    candidates = [_sandbox()] if account.is_sandbox else [_live()] if settings.LIVE else []
    matching = (each for each in candidates if each.fingerprint == account.key_fingerprint)
    return next(matching, None)


def account_for(engine: catalog.Engine) -> ProviderAccount | None:
    """Where a new job of this engine goes: the account of the credentials in force."""
    rows = ProviderAccount.objects.filter(
        provider=engine.provider, enabled=True, is_sandbox=not settings.LIVE
    ).order_by("-id")
    return next((row for row in rows if credentials_for(row)), None)
