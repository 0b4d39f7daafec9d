"""Pictures and videos to take away, each with a telling name, pictures with XMP in them: one alone, or a
streamed ZIP of several with a manifest.

Only headers are read before the first byte goes out. The manifest comes last, because it holds the
hashes of what was sent; its length is known before, because a hash is always as long.
"""

from __future__ import annotations

import hashlib
import json
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings
from django.utils import timezone, translation
from zipstream import ZipStream  # type: ignore[import-untyped]  # it ships none

from generations.models import Asset
from generations.providers import catalog
from generations.services import engines, labels, xmp

MOST = 500
SCHEMA = 1
TEMPLATE = "{project}-{prompt}-{n}"
FIELDS = frozenset({"project", "prompt", "n", "date", "model", "person"})
CHUNK = 256 * 1024
NAME_BYTES = 120
MANIFEST = "manifest.json"
_NO_HASH = "0" * 64
_FIELD = re.compile(r"\{(\w*)\}")
# What Windows or a path cannot have in a name; control and bidi characters go by their category.
_BAD = re.compile(r'[<>:"/\\|?*\s]+')
_DEVICE = re.compile(r"(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)", re.IGNORECASE)


@dataclass(slots=True)
class File:
    """One picture on its way out; `entry` is its line in the manifest."""

    path: Path
    parts: list[xmp.Part]
    entry: dict[str, Any]

    @property
    def size(self) -> int:
        return xmp.size_of(self.parts)

    @property
    def etag(self) -> str:
        """Another one whenever a byte is: the stored bytes by their hash, ours as they are."""
        ours = [part for part in self.parts if isinstance(part, bytes)]
        return hashlib.sha256(b"\0".join([self.entry["sha256"].encode(), *ours])).hexdigest()

    def read(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes `start` up to, not including, `end`."""
        with self.path.open("rb") as file:
            for part in xmp.between(self.parts, start, end):
                yield from [part] if isinstance(part, bytes) else _stretch(file, part)

    def stream(self) -> Iterator[bytes]:
        digest = hashlib.sha256()
        for chunk in self.read(0, self.size):
            digest.update(chunk)
            yield chunk
        self.entry["exported_sha256"] = digest.hexdigest()


def _stretch(file: Any, part: xmp.Stretch) -> Iterator[bytes]:
    file.seek(part.start)
    left = part.end - part.start
    while left:
        chunk = file.read(min(CHUNK, left))
        if not chunk:
            raise OSError("the stored file is shorter than its row says")
        left -= len(chunk)
        yield chunk


def single(asset: Asset, path: Path, template: str = TEMPLATE) -> File:
    """One picture alone, numbered by its place in its run: two of a run have two names."""
    number = (asset.job.position if asset.job else 0) + asset.position + 1
    return _file(asset, path, file_name(asset, number, template))


def archive(assets: Sequence[Asset], template: str = TEMPLATE) -> ZipStream:
    """The archive of `assets`, in this order; `len()` of it is its size. Nothing is read twice."""
    found = ZipStream(sized=True)
    files, missing, taken = [], [], {MANIFEST}
    for number, asset in enumerate(assets, 1):
        path = settings.MEDIA_ROOT / asset.blob.name
        if not path.is_file():
            missing.append(str(asset.public_id))
            continue
        file = _file(asset, path, unique(file_name(asset, number, template), taken))
        files.append(file)
        found.add(file.stream(), file.entry["name"], size=file.size)
    manifest = {
        "schema": SCHEMA,
        "studio": "Diptych",
        "exported": timezone.now().isoformat(),
        "missing": missing,
    }
    empty = _manifest(manifest, files)
    found.add(_late(manifest, files), MANIFEST, size=len(empty))
    return found


def _late(manifest: dict[str, Any], files: list[File]) -> Iterator[bytes]:
    yield _manifest(manifest, files)


def _manifest(manifest: dict[str, Any], files: list[File]) -> bytes:
    rows = manifest | {"files": [file.entry for file in files]}
    return json.dumps(rows, ensure_ascii=False, indent=1).encode()


def _file(asset: Asset, path: Path, name: str) -> File:
    entry = describe(asset)
    size = path.stat().st_size
    try:
        with path.open("rb") as file:
            # ASCII only: XML knows no way to write a control character that a prompt may hold.
            parts = xmp.plan(file, size, json.dumps({"schema": SCHEMA} | entry))
    except xmp.CannotInsert:
        parts = [xmp.Stretch(0, size)]
    inserted = len(parts) > 1
    return File(path, parts, {"name": name, "exported_sha256": _NO_HASH, "xmp": inserted} | entry)


def describe(asset: Asset) -> dict[str, Any]:
    """How a result was made, as its manifest and a picture's own metadata say it."""
    made, job = asset.generation, asset.job
    with translation.override("en"):  # a manifest says the same to everybody
        engine = engines.known(made.engine) if made else None
    # The newest attempt that was accepted is the one that made the picture.
    attempts = sorted(job.submissions.all(), key=lambda each: each.pk) if job else []
    request = next((each.request_id for each in reversed(attempts) if each.request_id), "")
    recipe = engines.recipe_at(made.recipe, job.position if job else 0) if made else None
    return {
        "asset": str(asset.public_id),
        "sha256": asset.blob_id,
        "width": asset.width,
        "height": asset.height,
        "format": asset.format,
        **({"duration_ms": asset.duration_ms} if asset.duration_ms else {}),
        "rating": asset.rating,
        "model": engine.label if engine else made.engine if made else "",
        "person": made.user.shown_name if made else "",
        "created": made.created_at.isoformat() if made else None,
        "finished": job.finished_at.isoformat() if job and job.finished_at else None,
        "request_id": request,
        "recipe_sha256": catalog.recipe_sha256(recipe) if recipe else "",
        "recipe": recipe,
        "labels": _labels(asset),
    }


def _labels(asset: Asset) -> dict[str, Any]:
    """What was asked for, and the implicit label as the file itself has it (null: not looked at)."""
    told = labels.told(asset)
    return {
        "badge": told.badge.value,
        "visible_asked": told.visible_asked,
        "implicit_asked": told.implicit_asked,
        "implicit": told.implicit,
    }


def file_name(asset: Asset, number: int, template: str) -> str:
    """The picture's name by `template`: fit for every system, without its place in a path."""
    made = asset.generation
    words = {
        "project": asset.project.name,
        "prompt": made.prompt[:40] if made else "",
        "n": f"{number:03d}",
        "date": f"{timezone.localtime(asset.created_at):%Y-%m-%d}",
        "model": made.engine if made else "",
        "person": made.user.shown_name if made else "",
    }
    text = _FIELD.sub(lambda field: words.get(field[1], ""), template)
    suffix = "jpg" if asset.format == "jpeg" else asset.format
    return f"{safe(text)}.{suffix}"


def safe(text: str) -> str:
    """A name every system takes: Chinese kept, at most NAME_BYTES bytes, never empty."""
    plain = unicodedata.normalize("NFC", _BAD.sub("-", text))
    plain = "".join(char for char in plain if unicodedata.category(char)[0] != "C")
    plain = plain.encode()[:NAME_BYTES].decode(errors="ignore")
    plain = re.sub(r"-{2,}", "-", plain).strip("-. ")
    return f"_{plain}" if _DEVICE.match(plain) else plain or "picture"


def unique(name: str, taken: set[str]) -> str:
    """`name`, or with a number when it is taken; upper and lower case count as the same."""
    stem, _dot, suffix = name.rpartition(".")
    found, number = name, 1
    while found.casefold() in taken:
        number += 1
        found = f"{stem}-{number}.{suffix}"
    taken.add(found.casefold())
    return found
