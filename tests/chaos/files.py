"""The part of the verdict about bytes: what rows say is there is there, whole, and nothing else is."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from tests.chaos.checker import Books
from tests.chaos.rows import Row, listed

OWNERS = ("asset", "reference", "rendition")


def stored(media: Path) -> set[str]:
    return {path.name for path in media.glob("??/*")}


def bytes_and_rows(books: Books, media: Path) -> Iterator[str]:
    """No row without its bytes, whole and unchanged; no bytes without a row that uses them."""
    blobs = {row["sha256"]: row for row in books.rows.ask("SELECT * FROM generations_blob")}
    uses: Counter[str] = Counter()
    for owner in OWNERS:
        rows = books.rows.ask(f"SELECT blob_id FROM generations_{owner}")
        uses.update(row["blob_id"] for row in rows)
    for name, row in blobs.items():
        yield from _whole(row, media / name[:2] / name)
        if row["uses"] != uses[name]:
            yield f"blob {name[:12]} counts {row['uses']} uses and has {uses[name]}"
        if not uses[name]:
            yield f"blob {name[:12]} is used by nothing"
    for name in stored(media) - set(blobs):
        yield f"bytes {name[:12]} have no row"


def _whole(row: Row, path: Path) -> Iterator[str]:
    name = row["sha256"]
    if not path.exists():
        yield f"blob {name[:12]} has no bytes"
    elif hashlib.sha256(path.read_bytes()).hexdigest() != name:
        yield f"blob {name[:12]} holds other bytes"
    elif path.stat().st_size != row["size"]:
        yield f"blob {name[:12]} has another size"


def pictures(books: Books) -> Iterator[str]:
    """A job that succeeded has pictures, each with all its renditions; another that failed has none."""
    found = books.rows.ask(
        "SELECT a.id, a.job_id, a.kind || a.width AS sort, COUNT(r.id) AS n FROM generations_asset a "
        "LEFT JOIN generations_rendition r ON r.asset_id = a.id GROUP BY a.id, a.job_id, sort"
    )
    most: Counter[str] = Counter()
    for row in found:
        most[row["sort"]] = max(most[row["sort"]], row["n"])
    for row in found:
        if row["n"] != most[row["sort"]]:
            yield f"asset {row['id']} has {row['n']} of {most[row['sort']]} renditions"
    have = {row["job_id"] for row in found}
    for job in books.jobs.values():
        if job["state"] == "succeeded" and job["id"] not in have:
            yield f"job {job['id']} succeeded without a picture"
        ended = job["state"] in ("failed", "cancelled", "expired") and job["round"] == 1
        if ended and job["id"] in have:
            yield f"job {job['id']} is {job['state']} and has a picture"


def outputs_of(row: Row) -> int:
    return len(listed(row["output_urls"]))
