"""The implicit AIGC label of an untrusted file, read and never written.

A picture or a video carries it as XMP: property AIGC of the namespace of TC260, a JSON object with the
fields of GB 45438. A video may have it as an entry of its metadata instead. Whatever a file holds, looking
costs little: a few packets of bounded size are parsed, by a parser that knows no entities.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import BinaryIO

from generations.providers.texts import clean_text
from generations.services import packets, xmp
from generations.services.labels import boxes

NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
FIELDS = (
    "Label",
    "ContentProducer",
    "ProduceID",
    "ReservedCode1",
    "ContentPropagator",
    "PropagateID",
    "ReservedCode2",
)
TEXT_MAX = 256
MOST_PACKETS, MOST_PACKET, MOST_JSON = 8, 256 * 1024, 16 * 1024
_TAG = f"{{{NAMESPACE}}}AIGC"


def read(path: Path) -> dict[str, str]:
    """The label's known fields, "Label" among them; {} for a file that has none, or nothing readable."""
    size = path.stat().st_size
    with path.open("rb") as file:
        for text in islice(_texts(file, size), MOST_PACKETS):
            if found := _label(text):
                return found
    return {}


def _texts(file: BinaryIO, size: int) -> Iterator[str]:
    """Texts that may be a label, in the file's order; a broken container ends them."""
    try:
        for packet in islice(xmp.packets_in(file, size), MOST_PACKETS):
            yield from packets.texts(packet, _TAG, MOST_PACKET)
        for packet in islice(boxes.packets(file, size), MOST_PACKETS):
            yield from packets.texts(packet, _TAG, MOST_PACKET)
        yield from boxes.entries(file, size, b"AIGC")
    except (xmp.CannotInsert, boxes.Broken):
        return


def _label(text: str) -> dict[str, str]:
    """The fields of a label's JSON; {} for anything that is none."""
    if len(text) > MOST_JSON:
        return {}
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    inner = told.get("AIGC", told) if isinstance(told, dict) else None
    if not isinstance(inner, dict):
        return {}
    found = {name: _plain(inner[name]) for name in FIELDS if name in inner}
    return found if found.get("Label") else {}


def _plain(value: object) -> str:
    plain = isinstance(value, str | int) and not isinstance(value, bool)
    return clean_text(str(value), TEXT_MAX) if plain else ""
