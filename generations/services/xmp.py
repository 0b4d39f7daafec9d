"""XMP packets of a PNG, JPEG or WebP: found, and our property put into one by rewriting its container.

Pixels are never touched.

A plan is a list of parts, each either new bytes or a stretch of the stored file, so that nothing has
to be held in memory. Metadata that is already there (the provider's AIGC label) is kept: our property
is added to its packet. Whatever looks odd raises CannotInsert, and the file goes out as it is.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO
from xml.sax.saxutils import escape

NAMESPACE = "https://diptych.studio/ns/1.0/"
PROPERTY = "diptych:recipe"
PNG_KEY = b"XML:com.adobe.xmp"
JPEG_KEY = b"http://ns.adobe.com/xap/1.0/\0"
MOST_CHUNKS = 50_000
MOST_PACKET = 1_000_000
_END = b"</rdf:RDF>"
_OPENING = '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>'.encode()
_PNG = b"\x89PNG\r\n\x1a\n"
_VP8X_XMP, _VP8X_ALPHA = 0x04, 0x10


class CannotInsert(ValueError):
    """The container is not one we can add to without a risk to the picture."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Bytes `start` up to, not including, `end` of the stored file."""

    start: int
    end: int


Part = bytes | Stretch


def size_of(parts: list[Part]) -> int:
    return sum(len(each) if isinstance(each, bytes) else each.end - each.start for each in parts)


def between(parts: list[Part], start: int, end: int) -> Iterator[Part]:
    """What `parts` hold from byte `start` up to, not including, `end`."""
    at = 0
    for part in parts:
        size = size_of([part])
        first, last = max(start - at, 0), min(end - at, size)
        if first < last and isinstance(part, bytes):
            yield part[first:last]
        elif first < last and isinstance(part, Stretch):
            yield Stretch(part.start + first, part.start + last)
        at += size


def plan(file: BinaryIO, size: int, text: str) -> list[Part]:
    """The parts of the file at `file` with `text` as its recipe property. Raises CannotInsert."""
    magic = _read(file, 0, min(size, 12))
    for begins, insert in ((_PNG, _png), (b"\xff\xd8\xff", _jpeg), (b"RIFF", _webp)):
        if magic.startswith(begins):
            return insert(file, size, text)
    raise CannotInsert("unknown container")


def packet(text: str, existing: bytes = b"") -> bytes:
    """An XMP packet with our property, added to the `existing` one when there is one."""
    ours = (
        f'<rdf:Description rdf:about="" xmlns:diptych="{NAMESPACE}">'
        f"<{PROPERTY}>{escape(text)}</{PROPERTY}></rdf:Description>"
    ).encode()
    if not existing:
        rdf = b'<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">' + ours + _END
        meta = b'<x:xmpmeta xmlns:x="adobe:ns:meta/">' + rdf + b"</x:xmpmeta>"
        return _OPENING + meta + b'<?xpacket end="w"?>'
    if existing.count(_END) != 1 or PROPERTY.encode() in existing:
        raise CannotInsert("metadata of another kind")
    before, _end, after = existing.partition(_END)
    return before + ours + _END + after


def packets(data: bytes) -> Iterator[bytes]:
    """Every XMP packet of an untrusted picture; of anything else, none. Raises CannotInsert on the way."""
    return packets_in(_Bytes(data), len(data))


def packets_in(file: Source, size: int) -> Iterator[bytes]:
    """The same of the file at `file`, of which only metadata is held in memory."""
    magic = _read(file, 0, min(size, 12))
    walks = ((_PNG, _png_packets), (b"\xff\xd8\xff", _jpeg_packets), (b"RIFF", _webp_packets))
    for begins, walk in walks:
        if magic.startswith(begins):
            yield from walk(file, size)


class _Bytes:
    """Bytes that are read like a file, without copying them."""

    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def seek(self, at: int, _whence: int = 0) -> int:
        self.at = at
        return at

    def read(self, count: int = -1) -> bytes:
        found = self.data[self.at : self.at + count]
        self.at += len(found)
        return found


Source = BinaryIO | _Bytes


def _read(file: Source, start: int, count: int) -> bytes:
    file.seek(start)
    found = file.read(count)
    if len(found) != count:
        raise CannotInsert("cut off")
    return found


# --- PNG ------------------------------------------------------------------------------------------


def _png_chunks(file: Source, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start of the chunk, length of its data), up to IEND."""
    at = 8
    for _count in range(MOST_CHUNKS):
        length, kind = struct.unpack(">I4s", _read(file, at, 8))
        if at + length + 12 > size:
            raise CannotInsert("cut off")
        yield kind, at, length
        if kind == b"IEND":
            return
        at += length + 12
    raise CannotInsert("too many chunks")


def _png_packet(file: Source, at: int, length: int) -> bytes | None:
    """The packet in the iTXt chunk at `at`; None when it holds something else."""
    key = PNG_KEY + b"\0"
    if length < len(key) + 4 or _read(file, at + 8, len(key)) != key:
        return None
    if length > MOST_PACKET:
        raise CannotInsert("metadata too large")
    data = _read(file, at + 8, length)
    flags, rest = data[len(PNG_KEY) + 1 : len(PNG_KEY) + 3], data[len(PNG_KEY) + 3 :]
    _language, _nul, rest = rest.partition(b"\0")
    _translated, nul, text = rest.partition(b"\0")
    if flags != b"\0\0" or not nul:
        raise CannotInsert("packed metadata")
    return text


def _png(file: Source, size: int, text: str) -> list[Part]:
    chunks = list(_png_chunks(file, size))
    if chunks[0][0] != b"IHDR" or chunks[0][2] != 13:
        raise CannotInsert("no header first")
    start = end = 33
    existing = b""
    for kind, at, length in chunks:
        found = _png_packet(file, at, length) if kind == b"iTXt" else None
        if found is not None:
            start, end, existing = at, at + length + 12, found
            break
    body = b"iTXt" + PNG_KEY + b"\0\0\0\0\0" + packet(text, existing)
    chunk = struct.pack(">I", len(body) - 4) + body + struct.pack(">I", zlib.crc32(body))
    return [Stretch(0, start), chunk, Stretch(end, size)]


def _png_packets(file: Source, size: int) -> Iterator[bytes]:
    for kind, at, length in _png_chunks(file, size):
        if kind == b"iTXt" and (found := _png_packet(file, at, length)):
            yield found


# --- JPEG -----------------------------------------------------------------------------------------


def _jpeg_segments(file: Source, size: int) -> Iterator[tuple[int, int, int]]:
    """(marker, start, end) of every segment before the picture itself."""
    at = 2
    for _count in range(MOST_CHUNKS):
        lead, marker, length = struct.unpack(">BBH", _read(file, at, 4))
        if lead != 0xFF or marker in (0x00, 0xFF) or length < 2 or at + 2 + length > size:
            raise CannotInsert("not a segment")
        if marker == 0xDA:
            return
        yield marker, at, at + 2 + length
        at += 2 + length
    raise CannotInsert("too many segments")


def _jpeg(file: Source, size: int, text: str) -> list[Part]:
    start = end = 2
    existing = b""
    for marker, at, stop in _jpeg_segments(file, size):
        data = _read(file, at + 4, stop - at - 4) if marker == 0xE1 else b""
        if data.startswith(JPEG_KEY):
            start, end, existing = at, stop, data[len(JPEG_KEY) :]
            break
        # JFIF and Exif want to be first, in this order.
        if at == end and (marker == 0xE0 or data.startswith(b"Exif\0")):
            start = end = stop
    body = JPEG_KEY + packet(text, existing)
    if len(body) + 2 > 0xFFFF:
        raise CannotInsert("too long for one segment")
    segment = b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body
    return [Stretch(0, start), segment, Stretch(end, size)]


def _jpeg_packets(file: Source, size: int) -> Iterator[bytes]:
    for marker, at, stop in _jpeg_segments(file, size):
        if marker == 0xE1 and (found := _read(file, at + 4, stop - at - 4)).startswith(JPEG_KEY):
            yield found[len(JPEG_KEY) :]


# --- WebP -----------------------------------------------------------------------------------------


def _webp_chunks(file: Source, size: int) -> Iterator[tuple[bytes, int, int]]:
    """(type, start of its data, length); the file must be exactly as long as it says."""
    riff, total, kind = struct.unpack("<4sI4s", _read(file, 0, 12))
    if (riff, kind) != (b"RIFF", b"WEBP") or total + 8 != size:
        raise CannotInsert("not as long as it says")
    at = 12
    for _count in range(MOST_CHUNKS):
        if at == size:
            return
        name, length = struct.unpack("<4sI", _read(file, at, 8))
        if at + 8 + length + length % 2 > size:
            raise CannotInsert("cut off")
        yield name, at + 8, length
        at += 8 + length + length % 2
    raise CannotInsert("too many chunks")


def _webp(file: Source, size: int, text: str) -> list[Part]:
    chunks = list(_webp_chunks(file, size))
    if not chunks:
        raise CannotInsert("empty")
    name, at, length = chunks[0]
    head, rest = _webp_head(file, name, at, length)
    found = next((each for each in chunks if each[0] == b"XMP "), None)
    stop, resume, existing = size, size, b""
    if found:
        if found[2] > MOST_PACKET:
            raise CannotInsert("metadata too large")
        stop, resume = found[1] - 8, found[1] + found[2] + found[2] % 2
        existing = _read(file, found[1], found[2])
    body = packet(text, existing)
    chunk = b"XMP " + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)
    parts: list[Part] = [head, Stretch(rest, stop), chunk, Stretch(resume, size)]
    riff = struct.pack("<4sI4s", b"RIFF", size_of(parts) + 4, b"WEBP")
    return [riff, *parts]


def _webp_head(file: Source, name: bytes, at: int, length: int) -> tuple[bytes, int]:
    """The VP8X chunk with the XMP flag set, made if there is none; and where to go on reading."""
    if name == b"VP8X" and length == 10:
        data = _read(file, at, 10)
        return b"VP8X" + struct.pack("<IB", 10, data[0] | _VP8X_XMP) + data[1:], at + 10
    if name == b"VP8 " and length >= 10:
        width, height = struct.unpack("<HH", _read(file, at + 6, 4))
        width, height, flags = width & 0x3FFF, height & 0x3FFF, _VP8X_XMP
    elif name == b"VP8L" and length >= 5:
        bits = struct.unpack("<I", _read(file, at + 1, 4))[0]
        width, height = (bits & 0x3FFF) + 1, (bits >> 14 & 0x3FFF) + 1
        flags = _VP8X_XMP | (_VP8X_ALPHA if bits >> 28 & 1 else 0)
    else:
        raise CannotInsert("no picture first")
    sides = (width - 1).to_bytes(3, "little") + (height - 1).to_bytes(3, "little")
    return b"VP8X" + struct.pack("<II", 10, flags) + sides, at - 8


def _webp_packets(file: Source, size: int) -> Iterator[bytes]:
    for name, at, length in _webp_chunks(file, size):
        if name == b"XMP ":
            if length > MOST_PACKET:
                raise CannotInsert("metadata too large")
            yield _read(file, at, length)
