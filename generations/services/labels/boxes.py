"""Metadata of an untrusted MP4 (ISO/IEC 14496-12): its XMP packet, and the entries of its metadata list.

Only headers are read, and what is asked for, up to a size; nothing is decoded.
"""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import BinaryIO

# The box in which Adobe's specification (XMP part 3, MPEG-4) puts a packet.
XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
MOST_BOXES = 10_000
MOST_BYTES = 256 * 1024
Box = tuple[bytes, int, int]  # its type, where its contents begin and end


class Broken(ValueError):
    """The boxes do not fit into one another."""


def packets(file: BinaryIO, size: int) -> Iterator[bytes]:
    """Every XMP packet of an MP4, but those that are larger than any label; of anything else, none."""
    for kind, start, end in _top(file, size):
        if (
            kind == b"uuid"
            and 16 < end - start <= MOST_BYTES
            and _read(file, start, 16) == XMP_UUID
        ):
            yield _read(file, start + 16, end - start - 16)


def entries(file: BinaryIO, size: int, name: bytes) -> Iterator[str]:
    """The texts under `name` in the metadata list of the whole film, as some writers keep theirs."""
    for _kind, start, end in islice(_named(_top(file, size), b"moov"), 1):  # a film has one
        film = [*_boxes(file, start, end)]
        held = [*film, *(box for _k, a, b in _named(film, b"udta") for box in _boxes(file, a, b))]
        for kind, first, last in held:
            if kind == b"meta":
                yield from _listed(file, first, last, name)


def _listed(file: BinaryIO, start: int, end: int, name: bytes) -> Iterator[str]:
    """Of one `meta` box: `keys` names what `ilst` holds, by number from 1."""
    # As a full box it begins with four bytes of flags; QuickTime's does not.
    begins = start if _read(file, start, 8)[4:] == b"hdlr" else start + 4
    inside = {kind: (first, last) for kind, first, last in _boxes(file, begins, end)}
    if b"keys" not in inside or b"ilst" not in inside:
        return
    first, last = inside[b"keys"]
    named = [_read(file, a, min(b - a, 64)) for _k, a, b in _boxes(file, first + 8, last)]
    for number, a, b in _boxes(file, *inside[b"ilst"]):
        at = int.from_bytes(number)
        if 0 < at <= len(named) and named[at - 1] == name:
            for kind, text, stop in _boxes(file, a, b):
                if kind == b"data" and 8 < stop - text <= MOST_BYTES:
                    yield _read(file, text + 8, stop - text - 8).decode("utf-8", "replace")


def _named(boxes: Iterable[Box], kind: bytes) -> Iterator[Box]:
    return (box for box in boxes if box[0] == kind)


def _top(file: BinaryIO, size: int) -> Iterator[Box]:
    if size >= 12 and _read(file, 4, 4) == b"ftyp":
        yield from _boxes(file, 0, size)


def _boxes(file: BinaryIO, at: int, end: int) -> Iterator[Box]:
    """The boxes that stand one after another from `at` to `end`. Raises Broken."""
    for _count in range(MOST_BOXES):
        if at + 8 > end:
            return
        length, kind = struct.unpack(">I4s", _read(file, at, 8))
        head = 8
        if length == 1:
            length, head = struct.unpack(">Q", _read(file, at + 8, 8))[0], 16
        stop = end if length == 0 else at + length
        if stop < at + head or stop > end:
            raise Broken("a box larger than its place")
        yield kind, at + head, stop
        at = stop
    raise Broken("too many boxes")


def _read(file: BinaryIO, start: int, count: int) -> bytes:
    file.seek(start)
    found = file.read(count)
    if len(found) != count:
        raise Broken("cut off")
    return found
