"""The object storage that providers fetch references from: S3, or what speaks its protocol."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from studio import env

BACKEND = "studio.s3.PrivateS3"
ADDRESSING = ("virtual", "path")


@dataclass(frozen=True, slots=True)
class ReferenceStore:
    """What the environment says of it; nothing is used of one that is only half told (`missing`)."""

    endpoint: str = ""
    bucket: str = ""
    prefix: str = ""
    missing: tuple[str, ...] = ()
    options: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def place(self) -> str:
        """Which store this is: copies in another one are not looked for here."""
        return hashlib.sha256(f"{self.endpoint}/{self.bucket}/{self.prefix}".encode()).hexdigest()[
            :16
        ]

    @property
    def storages(self) -> dict[str, dict[str, Any]]:
        """Its entry in Django's STORAGES, or none."""
        return {"references": {"BACKEND": BACKEND, "OPTIONS": self.options}} if self.options else {}


def reference_store() -> ReferenceStore:
    """Read REFERENCE_STORE_…. What is wrong with one is said without saying what it holds."""
    told = {
        "REFERENCE_STORE_BUCKET": env.text("REFERENCE_STORE_BUCKET"),
        "REFERENCE_STORE_ENDPOINT": env.text("REFERENCE_STORE_ENDPOINT").rstrip("/"),
        "REFERENCE_STORE_REGION": env.text("REFERENCE_STORE_REGION"),
        "REFERENCE_STORE_ACCESS_KEY": env.text("REFERENCE_STORE_ACCESS_KEY"),
        "REFERENCE_STORE_SECRET_KEY": env.text("REFERENCE_STORE_SECRET_KEY"),
    }
    missing = tuple(name for name, value in told.items() if not value)
    if missing:
        return ReferenceStore(missing=missing if len(missing) < len(told) else ())
    bucket, endpoint, region, access_key, secret_key = told.values()
    prefix = env.text("REFERENCE_STORE_PREFIX", "references").strip("/")
    options = {
        "bucket_name": bucket,
        "endpoint_url": _address(endpoint),
        "region_name": region,
        "access_key": access_key,
        "secret_key": secret_key,
        "location": prefix,
        "addressing_style": _addressing(env.text("REFERENCE_STORE_ADDRESSING", "virtual")),
    }
    return ReferenceStore(endpoint, bucket, prefix, (), options)


def _address(url: str) -> str:
    parts = urlsplit(url)
    here = parts.hostname in ("127.0.0.1", "localhost", "::1")
    if not parts.hostname or not (parts.scheme == "https" or (parts.scheme == "http" and here)):
        raise env.EnvironmentProblem(
            "REFERENCE_STORE_ENDPOINT must be https://…, or http:// on this machine"
        )
    return url


def _addressing(style: str) -> str:
    if style not in ADDRESSING:
        raise env.EnvironmentProblem(
            f"REFERENCE_STORE_ADDRESSING must be {' or '.join(ADDRESSING)}"
        )
    return style
