"""Reading the implicit label: as every writer puts it, and whatever else a file may hold."""

from __future__ import annotations

import json
import struct
import tracemalloc
from io import BytesIO
from pathlib import Path
from typing import Any

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from PIL.PngImagePlugin import PngInfo

from generations.services import labels, xmp
from generations.services.labels import boxes
from sandbox.labels import packet as sandbox_packet
from tests.clips import mp4

META = {"content_producer": "Acme 影像", "producer_id": "91310000", "content_propagator": ""}
META |= {"propagate_id": ""}
MARK = {"Label": "1", "ContentProducer": "Acme 影像", "ProduceID": "91310000"}
HEAD = (
    '<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-'
    'syntax-ns#"><rdf:Description rdf:about="" xmlns:a="http://www.tc260.org.cn/ns/AIGC/1.0/"'
)
TAIL = "</rdf:Description></rdf:RDF></x:xmpmeta>"


def packet(inside: str) -> bytes:
    return f"{HEAD}><a:AIGC>{inside}</a:AIGC>{TAIL}".encode()


def picture(kind: str, found: bytes) -> bytes:
    out = BytesIO()
    more: dict[str, Any] = {"xmp": found}
    if kind == "PNG":
        info = PngInfo()
        info.add_itxt("XML:com.adobe.xmp", found.decode("utf-8", "replace"))
        more = {"pnginfo": info}
    Image.new("RGB", (9, 7)).save(out, kind, **more)
    return out.getvalue()


def box(kind: bytes, inside: bytes) -> bytes:
    return struct.pack(">I4s", len(inside) + 8, kind) + inside


def film(*more: bytes) -> bytes:
    return box(b"ftyp", b"isom\0\0\2\0isom") + b"".join(more)


def uuid(found: bytes) -> bytes:
    return box(b"uuid", boxes.XMP_UUID + found)


@pytest.fixture
def read(tmp_path: Path) -> Any:
    path = tmp_path / "file"

    def of(data: bytes) -> dict[str, str]:
        path.write_bytes(data)
        return labels.read(path)

    return of


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_every_picture_and_every_way_to_write_it(kind: str, read: Any) -> None:
    text = json.dumps(MARK)
    as_attribute = HEAD + " a:AIGC='" + text.replace("'", "&apos;") + "'>" + TAIL
    nested = packet(json.dumps({"AIGC": MARK}))
    for found in (packet(text), as_attribute.encode(), nested):
        assert read(picture(kind, found)) == MARK
    assert read(picture(kind, sandbox_packet(META)))["ProduceID"] == "91310000"
    assert read(picture(kind, packet(""))) == {}


def test_a_video_by_packet_or_by_entry(read: Any) -> None:
    plain = mp4(frames=4)
    assert read(plain) == {}
    assert read(plain + uuid(packet(json.dumps(MARK)))) == MARK
    out = BytesIO()
    written = {"movflags": "use_metadata_tags"}
    with av.open(out, "w", format="mp4", options=written) as made:
        made.metadata["AIGC"] = json.dumps(MARK)
        stream = made.add_stream("libx264", rate=24)
        stream.width, stream.height, stream.pix_fmt = 64, 64, "yuv420p"
        frame: Any = av.VideoFrame.from_image(Image.new("RGB", (64, 64)))  # type: ignore[no-untyped-call]
        made.mux(stream.encode(frame))
        made.mux(stream.encode())
    assert read(out.getvalue()) == MARK


def test_what_we_add_on_the_way_out_does_not_hide_it(read: Any) -> None:
    for kind in ("PNG", "JPEG", "WEBP"):
        data = picture(kind, packet(json.dumps(MARK)))
        parts = xmp.plan(BytesIO(data), len(data), '{"prompt": "雨夜"}')
        out = b"".join(p if isinstance(p, bytes) else data[p.start : p.end] for p in parts)
        assert read(out) == MARK
        assert b"diptych:recipe" in out


@pytest.mark.parametrize(
    "inside",
    [
        "",
        "1",
        "[]",
        '"AIGC"',
        "{",
        '{"Label": ""}',
        '{"Label": null}',
        '{"Label": true}',
        '{"Label": {"a": 1}}',
        '{"AIGC": []}',
        '{"ContentProducer": "Acme"}',
        "[" * 9000,
        '{"Label": "1", "x": "' + "a" * 20_000 + '"}',
        '{"Label": ' + "9" * 5000 + "}",
    ],
)
def test_what_is_no_label(inside: str, read: Any) -> None:
    assert read(picture("PNG", packet(inside))) == {}


def test_a_label_s_words_are_shown_as_one_short_line(read: Any) -> None:
    told = {"Label": 1, "ContentProducer": "a\n\u202eb" + "c" * 999, "more": "x", "ProduceID": [1]}
    found = read(picture("PNG", packet(json.dumps(told).replace("<", "&lt;"))))
    assert found == {"Label": "1", "ContentProducer": "a b" + "c" * 253, "ProduceID": ""}


BOMB = (
    '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">'
    + "".join(f'<!ENTITY b{n} "{f"&b{n - 1 if n else str()};" * 10}">' for n in range(9))
    + "]>"
    + HEAD
    + "><a:AIGC>&b8;</a:AIGC>"
    + TAIL
).encode()
DEEP = f"{HEAD}>{'<a:b>' * 15_000}{'</a:b>' * 15_000}{TAIL}".encode()
WIDE = f"{HEAD}>{'<a:b/>' * 40_000}{TAIL}".encode()
# The parser keeps every name with its namespace in front: here 4,000 names of 120,000 characters.
SPACE = (f'<x xmlns="{"A" * 120_000}">{"".join(f"<a{n}/>" for n in range(4_000))}</x>').encode()
OUTSIDE = f'<!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]>{HEAD}><a:AIGC>&b;</a:AIGC>{TAIL}'


@pytest.mark.parametrize(
    "data",
    [
        picture("PNG", BOMB),
        picture("JPEG", BOMB),
        film(uuid(BOMB)),
        picture("PNG", OUTSIDE.encode()),
        film(uuid(DEEP)),
        film(uuid(WIDE)),
        film(*(uuid(WIDE) for _each in range(40))),
        film(uuid(b"<" * 9_000_000)),
        film(uuid(SPACE)),
        picture("PNG", SPACE),
        film(uuid(SPACE.decode().encode("utf-16"))),
        film(*[box(b"free", b"")] * 20_000),
        film(box(b"moov", box(b"meta", b"\0" * 4 + box(b"keys", b"") + box(b"ilst", b"")))),
        film(struct.pack(">I4sQ", 1, b"moov", 2**63)),
        film(struct.pack(">I4s", 5, b"moov")),
        b"\xff\xd8"
        + (b"\xff\xe1" + struct.pack(">H", 60_000) + xmp.JPEG_KEY + b" " * 59_969) * 300,
    ],
    ids=lambda data: str(len(data)),
)
def test_hostile_files_cost_next_to_nothing(data: bytes, tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(data)
    tracemalloc.start()
    try:
        assert labels.read(path) == {}
        assert tracemalloc.get_traced_memory()[1] < 20_000_000
    finally:
        tracemalloc.stop()


def test_without_the_bounds_it_would_be_noticed(read: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The negative control: a label behind the bounds is found once they are gone."""
    far = film(*[box(b"free", b"")] * 10_001, uuid(packet(json.dumps(MARK))))
    large = film(uuid(packet(" " * 300_000 + json.dumps(MARK))))
    assert (read(far), read(large)) == ({}, {})
    monkeypatch.setattr(boxes, "MOST_BOXES", 10**9)
    monkeypatch.setattr(boxes, "MOST_BYTES", 10**9)
    for name in ("MOST_PACKET", "MOST_JSON"):
        monkeypatch.setattr(f"generations.services.labels.reading.{name}", 10**9)
    assert (read(far), read(large)) == (MARK, MARK)


GOOD = [picture(kind, packet(json.dumps(MARK))) for kind in ("PNG", "JPEG", "WEBP")]
GOOD += [film(uuid(packet(json.dumps(MARK))), box(b"moov", box(b"udta", box(b"meta", b"\0" * 20))))]


@settings(max_examples=300, deadline=None)
@given(
    whole=st.sampled_from(GOOD),
    at=st.integers(0, 5000),
    bits=st.binary(max_size=8),
    cut=st.booleans(),
)
def test_no_bytes_raise(
    whole: bytes, at: int, bits: bytes, cut: bool, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Damaged anywhere: it is read, or it is none."""
    at %= len(whole)
    path = tmp_path_factory.getbasetemp() / "damaged"
    path.write_bytes(whole[:at] + bits + (b"" if cut else whole[at + len(bits) :]))
    found = labels.read(path)
    assert found == {} or found["Label"]


@settings(max_examples=60, deadline=None)
@given(data=st.binary(max_size=400))
def test_no_file_raises(data: bytes, tmp_path_factory: pytest.TempPathFactory) -> None:
    path = tmp_path_factory.getbasetemp() / "any"
    for begins in (b"", b"\x89PNG\r\n\x1a\n", b"\xff\xd8\xff", b"RIFF", film()):
        path.write_bytes(begins + data)
        assert labels.read(path) == {}
