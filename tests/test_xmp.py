"""XMP containers under any text and any damage: the packet comes back, the pixels stay, reading ends."""

from __future__ import annotations

import struct
import zlib
from contextlib import suppress
from functools import cache
from io import BytesIO
from xml.sax.saxutils import escape

import pytest
from defusedxml import ElementTree
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generations.services import xmp
from generations.services.gallery import carried

KINDS = ("PNG", "JPEG", "WEBP")
TAG = f"{{{xmp.NAMESPACE}}}recipe"
# What XML 1.0 can hold at all, but the carriage return, which a parser reads as a line feed.
xml_text = st.text(
    st.characters(codec="utf-8", exclude_categories=["Cs", "Cc"], exclude_characters="\ufffe\uffff")
    | st.sampled_from("\t\n<>&'\"😀雨")
)
KIND = pytest.mark.parametrize("kind", KINDS)


@cache
def drawn(kind: str) -> bytes:
    out = BytesIO()
    Image.linear_gradient("L").resize((31, 17)).convert("RGB").save(out, kind)
    return out.getvalue()


def put(data: bytes, text: str) -> bytes:
    parts = xmp.plan(BytesIO(data), len(data), text)
    return b"".join(p if isinstance(p, bytes) else data[p.start : p.end] for p in parts)


def texts(data: bytes) -> list[str]:
    """Our property in each packet, as an XML parser of nobody's reads it."""
    return [
        element.text or ""
        for packet in xmp.packets(data)
        for element in ElementTree.fromstring(packet).iter(TAG)
    ]


def pixels(data: bytes) -> tuple[str, tuple[int, int], bytes]:
    with Image.open(BytesIO(data)) as image:
        return image.mode, image.size, image.tobytes()


def found_by_pillow(data: bytes) -> bytes:
    with Image.open(BytesIO(data)) as image:
        found = image.info.get("xmp") or image.info["XML:com.adobe.xmp"]
    return found if isinstance(found, bytes) else str(found).encode()


class Counted(BytesIO):
    """Bytes that know how often and how much of them was read."""

    reads = taken = 0

    def read(self, count: int | None = -1, /) -> bytes:
        found = super().read(count)
        self.reads += 1
        self.taken += len(found)
        return found


@KIND
@given(text=xml_text)
@example(text="]]>")
@example(text="</rdf:RDF></x:xmpmeta><?xpacket end='w'?>")
@example(text="\"&amp;<!-- 👩‍👩‍👧 \u202e ]]> '")
@example(text="雨" * 20_000)
def test_any_text_comes_back_and_the_pixels_stay(kind: str, text: str) -> None:
    before = drawn(kind)
    after = put(before, text)
    assert texts(after) == [text]
    assert pixels(after) == pixels(before)
    assert list(xmp.packets(after)) == [found_by_pillow(after)]
    with pytest.raises(xmp.CannotInsert):
        put(after, text)  # one recipe, never two


@KIND
@given(text=xml_text, more=xml_text)
def test_a_packet_of_somebody_else_keeps_what_it_says(kind: str, text: str, more: str) -> None:
    theirs = xmp.packet("").replace(xmp.PROPERTY.encode(), b"diptych:other")
    theirs = theirs.replace(b"></diptych:other>", f">{escape(more)}</diptych:other>".encode())
    out = BytesIO()
    with Image.open(BytesIO(drawn(kind))) as image:
        image.save(out, kind, **saved_with(kind, theirs))
    after = put(out.getvalue(), text)
    (packet,) = xmp.packets(after)
    root = ElementTree.fromstring(packet)
    assert [each.text or "" for each in root.iter(TAG)] == [text]
    assert [each.text or "" for each in root.iter(f"{{{xmp.NAMESPACE}}}other")] == [more]
    assert pixels(after) == pixels(out.getvalue())


def saved_with(kind: str, packet: bytes) -> dict[str, object]:
    if kind != "PNG":
        return {"xmp": packet}
    info = PngInfo()
    info.add_itxt(xmp.PNG_KEY.decode(), packet.decode())
    return {"pnginfo": info}


def test_a_jpeg_takes_what_one_segment_holds_and_not_a_byte_more() -> None:
    room = 0xFFFF - 2 - len(xmp.JPEG_KEY) - len(xmp.packet(""))
    before = drawn("JPEG")
    after = put(before, "a" * room)
    assert texts(after) == ["a" * room]
    assert pixels(after) == pixels(before)
    with pytest.raises(xmp.CannotInsert, match="too long"):
        put(before, "a" * (room + 1))
    for kind in ("PNG", "WEBP"):
        assert texts(put(drawn(kind), "a" * 200_000)) == ["a" * 200_000]


@pytest.mark.parametrize("kind", ["PNG", "WEBP"])
def test_a_packet_too_large_to_add_to_gets_no_second_one_beside_it(kind: str) -> None:
    theirs = xmp.packet("a" * xmp.MOST_PACKET)
    out = BytesIO()
    with Image.open(BytesIO(drawn(kind))) as image:
        image.save(out, kind, **saved_with(kind, theirs))
    with pytest.raises(xmp.CannotInsert, match="too large"):
        put(out.getvalue(), "{}")


@KIND
@given(
    part=st.floats(0, 1),
    cut=st.booleans(),
    noise=st.binary(max_size=12),
    labelled=st.booleans(),
)
def test_damage_raises_the_named_error_or_nothing_and_pixels_that_open_stay(
    kind: str, part: float, cut: bool, noise: bytes, labelled: bool
) -> None:
    whole = put(drawn(kind), '{"recipe": {"prompt": "x"}}') if labelled else drawn(kind)
    at = int(part * len(whole))
    damaged = whole[:at] + noise + (b"" if cut else whole[at + len(noise) :])
    carried.read(damaged)
    with suppress(xmp.CannotInsert):
        list(xmp.packets(damaged))
    try:
        after = put(damaged, "{}")
    except xmp.CannotInsert:
        return
    try:
        before = pixels(damaged)
    except Exception:  # Pillow on a damaged file: whatever it raises, it opened none
        return
    assert pixels(after) == before


@given(st.sampled_from([b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", b""]), st.binary())
def test_any_bytes_after_a_beginning_raise_the_named_error_or_nothing(
    begins: bytes, rest: bytes
) -> None:
    data = begins + rest
    for act in (lambda: put(data, "{}"), lambda: list(xmp.packets(data))):
        with suppress(xmp.CannotInsert):
            act()
    carried.read(data)


@KIND
def test_every_cut_of_a_file_raises_the_named_error_or_nothing(kind: str) -> None:
    whole = put(drawn(kind), '{"recipe": {"prompt": "x"}}')
    for length in range(len(whole)):
        recipes = carried.read(whole[:length])
        assert [each.prompt for each in recipes] in ([], ["x"])
        with suppress(xmp.CannotInsert):
            put(drawn(kind)[:length], "{}")


def many(kind: str, count: int) -> bytes:
    """A file of nothing but small chunks, as many as make a walk over it long."""
    if kind == "PNG":
        small = struct.pack(">I4sI", 0, b"tEXt", zlib.crc32(b"tEXt"))
        return b"\x89PNG\r\n\x1a\n" + small * count
    if kind == "JPEG":
        return b"\xff\xd8" + b"\xff\xe2\x00\x02" * count
    chunks = b"EXIF\0\0\0\0" * count
    return struct.pack("<4sI4s", b"RIFF", len(chunks) + 4, b"WEBP") + chunks


@KIND
def test_a_file_of_endless_chunks_is_given_up(kind: str) -> None:
    data = many(kind, xmp.MOST_CHUNKS + 1)
    file = Counted(data)
    with pytest.raises(xmp.CannotInsert, match="too many"):
        xmp.plan(file, len(data), "{}")
    assert file.reads <= xmp.MOST_CHUNKS + 2
    with pytest.raises(xmp.CannotInsert, match="too many"):
        list(xmp.packets(data))


@KIND
def test_of_a_large_picture_only_the_headers_are_read(kind: str) -> None:
    """A plan holds no pixels: 8 MB of them cost as much as none."""
    body = b"\0" * (8 * 1024 * 1024)
    if kind == "PNG":
        whole = drawn("PNG")
        chunk = b"IDAT" + body
        data = whole[:33] + struct.pack(">I", len(body)) + chunk + b"\0\0\0\0" + whole[33:]
    elif kind == "JPEG":
        data = drawn("JPEG") + body
    else:
        chunks = drawn("WEBP")[12:] + b"ICCP" + struct.pack("<I", len(body)) + body
        data = struct.pack("<4sI4s", b"RIFF", len(chunks) + 4, b"WEBP") + chunks
    file = Counted(data)
    parts = xmp.plan(file, len(data), "{}")
    assert file.taken < 4096
    assert sum(len(part) for part in parts if isinstance(part, bytes)) < 4096


@KIND
def test_a_length_that_lies_is_not_believed(kind: str) -> None:
    """Four gigabytes announced, nothing there."""
    lie = {
        "PNG": b"\x89PNG\r\n\x1a\n\xff\xff\xff\xffiTXt",
        "JPEG": b"\xff\xd8\xff\xe1\xff\xff",
        "WEBP": b"RIFF\x0c\0\0\0WEBPXMP \xff\xff\xff\xff",
    }[kind]
    file = Counted(lie)
    with pytest.raises(xmp.CannotInsert):
        xmp.plan(file, len(lie), "{}")
    assert file.taken <= 2 * len(lie)
    with pytest.raises(xmp.CannotInsert):
        list(xmp.packets(lie))


@given(
    sizes=st.lists(st.integers(0, 9), max_size=6), start=st.integers(0, 60), end=st.integers(0, 60)
)
def test_a_part_of_a_plan_is_that_part_of_the_file(sizes: list[int], start: int, end: int) -> None:
    stored = bytes(range(100))
    parts: list[xmp.Part] = [
        b"new bytes"[:size] if n % 2 else xmp.Stretch(n, n + size) for n, size in enumerate(sizes)
    ]

    def joined(some: list[xmp.Part]) -> bytes:
        return b"".join(p if isinstance(p, bytes) else stored[p.start : p.end] for p in some)

    assert joined(list(xmp.between(parts, start, end))) == joined(parts)[start:end]
