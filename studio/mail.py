"""Where mail goes: one address in the environment, `smtp+tls://user:password@host:587`."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import unquote, urlsplit

from studio.env import EnvironmentProblem

SMTP = "django.core.mail.backends.smtp.EmailBackend"
CONSOLE = "django.core.mail.backends.console.EmailBackend"
PORTS = {"smtp": 25, "smtp+tls": 587, "smtps": 465}


@dataclass(frozen=True, slots=True)
class MailServer:
    """What Django's EMAIL_… settings want to know; without a server, mail is written to the log."""

    backend: str = CONSOLE
    host: str = ""
    port: int = 0
    user: str = ""
    password: str = ""
    starttls: bool = False
    tls: bool = False


def webhook(url: str) -> str:
    """ALERT_WEBHOOK_URL: https, or http to this machine; its address is never said, it may be secret."""
    if not url:
        return ""
    parts = urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise EnvironmentProblem("ALERT_WEBHOOK_URL must be https://…, or http:// on this machine")
    return url


def server(url: str) -> MailServer:
    """Read EMAIL_URL. What is wrong with it is said without saying what it holds."""
    if not url:
        return MailServer()
    parts = urlsplit(url)
    try:
        port = parts.port or PORTS[parts.scheme]
    except (KeyError, ValueError):
        raise EnvironmentProblem(
            "EMAIL_URL must be smtp://, smtp+tls:// or smtps://, then user:password@host:port"
        ) from None
    if not parts.hostname:
        raise EnvironmentProblem("EMAIL_URL names no host")
    return MailServer(
        backend=SMTP,
        host=parts.hostname,
        port=port,
        user=unquote(parts.username or ""),
        password=unquote(parts.password or ""),
        starttls=parts.scheme == "smtp+tls",
        tls=parts.scheme == "smtps",
    )
