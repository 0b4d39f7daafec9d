"""Credentials in the environment, and the ProviderAccount rows that stand for them."""

from __future__ import annotations

from collections.abc import Iterable

from django.conf import settings
from django.db import transaction
from django.db.models import Count, Q
from django.utils import timezone

from generations.models import Job, Project, ProviderAccount
from generations.models.runs import ACTIVE
from generations.providers import catalog
from generations.providers.base import N_, Credentials
from generations.services import engines

JIMENG, ARK = "jimeng", "ark"
# What an account is called: at the real service, and in the sandbox.
LABELS = {JIMENG: ("Volcengine", "Sandbox"), ARK: ("Volcengine Ark", "Sandbox Ark")}
# After so many days a key should be replaced.
OLD_KEY_DAYS = 180


class KeyProblem(Exception):
    """A key that an account cannot be given; `message` is an untranslated msgid."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.message = message


def _keys(provider: str, *, sandbox: bool) -> list[Credentials]:
    if provider == ARK:
        found = settings.SANDBOX_ARK_KEYS if sandbox else settings.ARK_KEYS
    else:
        found = settings.SANDBOX_KEYS if sandbox else settings.VOLC_KEYS
    return [Credentials(*each) for each in found]


def ensure_accounts() -> ProviderAccount:
    """Make or update a row for each key in force; return that of the first.

    The sandbox's rows follow SANDBOX_PORT, so that their running jobs survive a change of port.
    """
    rows = [
        _ensure(provider, key, n)
        for provider in LABELS
        for n, key in enumerate(_keys(provider, sandbox=not settings.LIVE), 1)
    ]
    return rows[0]


def _ensure(provider: str, key: Credentials, number: int) -> ProviderAccount:
    label = LABELS[provider][0 if settings.LIVE else 1]
    label = label if number == 1 else f"{label} {number}"
    ark = provider == ARK
    if settings.LIVE:
        return ProviderAccount.objects.get_or_create(
            provider=provider,
            base_url=settings.ARK_BASE_URL if ark else settings.VOLC_BASE_URL,
            key_fingerprint=key.fingerprint,
            defaults={"label": label},
        )[0]
    base_url = settings.SANDBOX_ARK_URL if ark else settings.SANDBOX_URL
    return ProviderAccount.objects.update_or_create(
        provider=provider,
        key_fingerprint=key.fingerprint,
        is_sandbox=True,
        defaults={"base_url": base_url},
        create_defaults={
            "base_url": base_url,
            "label": label,
            "max_concurrent": 8,
            "rate_per_s": 20.0,
        },
    )[0]


def credentials_for(account: ProviderAccount) -> Credentials | None:
    """The key pair an account was made for, or None when the environment no longer holds it."""
    candidates = _keys(account.provider, sandbox=account.is_sandbox)
    matching = (each for each in candidates if each.fingerprint == account.key_fingerprint)
    return next(matching, None)


def offered(project: Project | None = None) -> list[catalog.Engine]:
    """The engines of providers that there is a key for, in the catalogue's order: all on offer, or those
    that a project may use.
    """
    return [
        engine
        for engine in engines.permitted(project).values()
        if _keys(engine.provider, sandbox=not settings.LIVE)
    ]


def account_for(engine: catalog.Engine, project: Project | None = None) -> ProviderAccount | None:
    """Where a new job of this engine goes: of the accounts in use that may work for the project, the
    one with the most room.
    """
    rows = ProviderAccount.objects.filter(
        provider=engine.provider, enabled=True, is_sandbox=not settings.LIVE
    )
    if project is not None:
        rows = rows.filter(Q(projects=None) | Q(projects=project))
    found = [row for row in rows.distinct().order_by("-id") if credentials_for(row)]
    if len(found) < 2:
        return found[0] if found else None
    load, now = _load(found), timezone.now()

    def key(row: ProviderAccount) -> tuple[bool, bool, float, int]:
        stopped = row.paused_at is not None or row.unreachable_since is not None
        return stopped, row.cools(now), load.get(row.pk, 0) / row.at_once, row.pk

    return min(found, key=key)


def _load(rows: Iterable[ProviderAccount]) -> dict[int, int]:
    """How many jobs each account has before it."""
    jobs = Job.objects.filter(account__in=rows, state__in=ACTIVE).order_by()
    return dict(jobs.values_list("account_id").annotate(n=Count("pk")))


def siblings(account: ProviderAccount) -> list[int]:
    """The other accounts of the same provider."""
    others = ProviderAccount.objects.filter(
        provider=account.provider, is_sandbox=account.is_sandbox
    )
    return list(others.exclude(pk=account.pk).values_list("pk", flat=True))


# --- Keys ---------------------------------------------------------------------------------------


def other_keys(account: ProviderAccount) -> list[str]:
    """The fingerprints of the keys in the environment that this account could be given."""
    keys = _keys(account.provider, sandbox=account.is_sandbox)
    found = [key.fingerprint for key in keys]
    return [each for each in found if each != account.key_fingerprint]


def replace_key(*, account: ProviderAccount, fingerprint: str) -> None:
    """Have the account use another key pair of the same owner from now on.

    Jobs in flight are asked after under the new one. The row that the start made for the new key
    goes, unless jobs were sent under it already.
    """
    if fingerprint not in other_keys(account):
        raise KeyProblem(N_("This key is not in the environment."))
    with transaction.atomic():
        same = {"provider": account.provider, "base_url": account.base_url}
        other = ProviderAccount.objects.filter(**same, key_fingerprint=fingerprint).first()
        if other and other.jobs.exists():
            raise KeyProblem(
                N_("Another account has sent jobs with this key. Pause one of the two instead.")
            )
        if other:
            other.delete()
        ProviderAccount.objects.filter(pk=account.pk).update(
            key_fingerprint=fingerprint, key_since=timezone.now()
        )
