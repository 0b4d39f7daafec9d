"""What is wrong with an account, asked by one signed call that costs nothing, in one sentence.

Which call that is, and why it is harmless, stands at each provider's `check`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext as _
from django.utils.translation import gettext_noop as N_

from generations.models import ProviderAccount
from generations.providers import faults, get_provider
from generations.providers.base import Credentials, NotSent, ProviderError, Throttled
from generations.services import accounts

AT_ONCE = 8
# From here on a clock is told of: signatures are refused from some minutes on.
CLOCK_S = 30
WELL, WRONG_CLOCK = "well", "clock"
SENTENCES: dict[str, str] = {
    WELL: N_("The service answers and accepts the key."),
    "well_but_clock": N_(
        "The service answers and accepts the key. This machine's clock is %(seconds)s s %(way)s; "
        "from some minutes on every signature is refused."
    ),
    "no_key": N_("Its key is not in the environment of this process."),
    "key_refused": N_("The service does not know this key, or it was withdrawn."),
    "signature": N_(
        "The service knows the key, and the signature does not match: the secret key is wrong."
    ),
    "token": N_("The session token is wrong or has expired."),
    WRONG_CLOCK: N_("The service refuses the time of the signature, and does not tell its own."),
    "clock_by": N_(
        "The service refuses the signature: this machine's clock is %(seconds)s s %(way)s."
    ),
    "not_opened": N_("The key is right, and the service or model is not opened for its account."),
    "not_allowed": N_("The key is right, and it has no permission for this service."),
    "provider_quota": N_("The key is right, and its quota or balance is used up."),
    "throttled": N_("The service asks for a pause. Check again in a minute."),
    "not_provider": N_("What answers at %(host)s is not this provider (HTTP %(status)s)."),
    "fault": N_("The service has a fault of its own (HTTP %(status)s)."),
    "odd": N_("The service answered something that this check does not know: %(code)s."),
    "base_url": N_("The account's base URL cannot be read."),
    "silent": N_("%(host)s took the request and did not answer in time."),
    "closed": N_("%(host)s took the request and ended the connection without an answer."),
    faults.NO_NAME: N_("Unreachable: the name %(host)s does not resolve (DNS)."),
    faults.REFUSED: N_("Unreachable: %(host)s refuses the connection."),
    faults.NO_CONNECTION: N_("Unreachable: no connection to %(host)s in time (a firewall?)."),
    faults.BAD_CERTIFICATE: N_("Unreachable: the TLS certificate of %(host)s is not accepted."),
    faults.NO_TLS: N_("Unreachable: no TLS connection with %(host)s comes about."),
    "unreachable": N_("Unreachable: no connection to %(host)s comes about."),
}
SIGNATURE = frozenset({"SignatureDoesNotMatch", "100010"})
TOKEN = frozenset({"InvalidSecretToken", "100026"})


@dataclass(frozen=True, slots=True)
class Finding:
    """What one account's call came to: a key of SENTENCES, and what fills its places."""

    account: ProviderAccount
    kind: str
    params: Mapping[str, object] = field(default_factory=dict)

    @property
    def well(self) -> bool:
        return self.kind in (WELL, "well_but_clock")

    @property
    def sentence(self) -> str:
        """In the reader's language. Holds no key, and nothing the provider said but a code."""
        places = dict(self.params)
        if "way" in places:
            places["way"] = _("behind") if places["way"] == "behind" else _("ahead")
        return _(SENTENCES[self.kind]) % places


def check_accounts() -> list[Finding]:
    """Ask for every account in use, some at a time; in their order."""
    rows = ProviderAccount.objects.filter(enabled=True, is_sandbox=not settings.LIVE)
    return check(rows.order_by("pk"))


def check(rows: Iterable[ProviderAccount]) -> list[Finding]:
    asked = [(row, accounts.credentials_for(row)) for row in rows]
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return list(pool.map(_ask, *zip(*asked, strict=True))) if asked else []


def _ask(account: ProviderAccount, key: Credentials | None) -> Finding:
    """One call; asks no database: it runs in a thread."""
    if key is None:
        return Finding(account, "no_key")
    try:
        ahead_s = get_provider(account.provider).check(base_url=account.base_url, credentials=key)
    except ProviderError as error:
        return _finding(account, error)
    clock = _clock(ahead_s)
    return Finding(account, "well_but_clock" if clock else WELL, clock)


def _finding(account: ProviderAccount, error: ProviderError) -> Finding:
    told = {"status": error.http_status or "-", "code": error.code or error.reason}
    told["host"] = _host(account.base_url)
    kind = _kind(error, secure=account.base_url.startswith("https:"))
    clock = _clock(error.ahead_s) if kind == WRONG_CLOCK else {}
    return Finding(account, "clock_by", clock) if clock else Finding(account, kind, told)


def _kind(error: ProviderError, *, secure: bool) -> str:
    if error.http_status is None:
        return _unanswered(error, secure=secure)
    if error.reason in ("not_provider", "not_opened", "not_allowed", "provider_quota", "clock"):
        return error.reason
    if error.reason == "key_refused":
        kinds = {**dict.fromkeys(SIGNATURE, "signature"), **dict.fromkeys(TOKEN, "token")}
        return kinds.get(error.code, "key_refused")
    if isinstance(error, Throttled):
        return "throttled"
    return "fault" if error.http_status >= 500 else "odd"


def _unanswered(error: ProviderError, *, secure: bool) -> str:
    if isinstance(error, NotSent):
        if error.code == "base_url" or error.message in SENTENCES:
            return error.code or error.message
        # Connected, and still nothing could be sent.
        return faults.NO_TLS if secure else "unreachable"
    if error.reason == "key_refused":
        return "key_refused"  # no header can carry it
    return "silent" if error.message == faults.NO_ANSWER else "closed"


def _clock(ahead_s: float | None) -> dict[str, object]:
    """By how much this machine's clock is off; nothing where that is little, or not known."""
    if ahead_s is None or abs(ahead_s) < CLOCK_S:
        return {}
    return {"seconds": round(abs(ahead_s)), "way": "behind" if ahead_s > 0 else "ahead"}


def _host(base_url: str) -> str:
    """Without user and password, should somebody have put them there."""
    return base_url.partition("//")[2].partition("/")[0].rpartition("@")[2][:100]
