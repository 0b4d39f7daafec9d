"""AIGC labels as a query asks for them (`logo_info`, `aigc_meta`), and how a result comes to carry them.

Sources: docs 85621/1817045 and 85621/2275082 (pictures: both), 85621/1777001 and 85621/1792710 (videos:
`aigc_meta` alone, with a propagator). The hidden mark is what GB 45438 has in a file's metadata: XMP,
namespace of TC260, property AIGC. Where in an mp4 the service puts it stands on no page: here in the box
that the XMP specification names.
"""

from __future__ import annotations

import functools
import json
import struct
import zlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

from PIL import Image, ImageDraw, ImageFont

from sandbox.wire import ServiceRefusal

NAMESPACE = "http://www.tc260.org.cn/ns/AIGC/1.0/"
TEXTS = ("AI生成", "AI generated")  # by language
_TEXT_MAX = 256
_NAMES = ("content_producer", "producer_id", "content_propagator", "propagate_id")
_XMP_UUID = bytes.fromhex("be7acfcb97a942e89c71999491e3afac")
# Pillow's own font knows no Chinese.
_CHINESE = (
    "/usr/share/fonts/opentype/noto/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/noto-cjk/NotoSansCJK-Regular.ttc",
    "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc",
    "/System/Library/Fonts/PingFang.ttc",
    "/System/Library/Fonts/Hiragino Sans GB.ttc",
)


@dataclass(frozen=True, slots=True)
class Logo:
    """The visible mark: ``position`` 0 to 3 is bottom right, bottom left, top left, top right."""

    position: int = 0
    opacity: float = 1.0
    text: str = TEXTS[0]


@dataclass(frozen=True, slots=True)
class Wanted:
    """What ``req_json`` of a query asks for."""

    as_urls: bool = False
    logo: Logo | None = None
    meta: Mapping[str, str] | None = None

    @property
    def kept(self) -> str:
        """The labels as they are stored with an address; "" when there are none."""
        told = {"logo": asdict(self.logo) if self.logo else None, "meta": self.meta}
        return json.dumps(told) if self.logo or self.meta else ""

    @classmethod
    def of(cls, kept: str) -> Wanted:
        """The labels that ``kept`` says."""
        told = json.loads(kept or "{}")
        logo = told.get("logo")
        return cls(logo=Logo(**logo) if logo else None, meta=told.get("meta"))


# --- What is asked ------------------------------------------------------------------------------


def read_wanted(body: dict[str, Any], *, video: bool) -> Wanted:
    """Read ``req_json``; of a video it knows nothing else than `aigc_meta`.

    Raises ServiceRefusal: 50204 of another type, 50201 missing, 50200 out of range.
    """
    options = _options(body.get("req_json"))
    meta = _meta(options.get("aigc_meta"), propagated=video)
    if video:
        return Wanted(meta=meta)
    as_urls = _given(options, "return_url", bool, default=False)
    return Wanted(as_urls, _logo(options.get("logo_info")), meta)


def _options(text: object) -> dict[str, Any]:
    if text is None or text == "":
        return {}
    if not isinstance(text, str):
        raise ServiceRefusal(50204, "req_json must be a JSON string")
    try:
        options = json.loads(text)
    except (ValueError, RecursionError):
        raise ServiceRefusal(50204, "req_json is not JSON") from None
    if not isinstance(options, dict):
        raise ServiceRefusal(50204, "req_json is not a JSON object")
    return options


def _given(options: dict[str, Any], name: str, kind: type, *, default: Any) -> Any:
    """The value under ``name`` if it is of this ``kind``; a whole number will do for a float."""
    value = options.get(name)
    if value is None:
        return default
    wanted = (int, float) if kind is float else (kind,)
    if not isinstance(value, wanted) or (isinstance(value, bool) and kind is not bool):
        raise ServiceRefusal(50204, f"{name} must be {kind.__name__}")
    return value


def _logo(info: object) -> Logo | None:
    if info is None:
        return None
    if not isinstance(info, dict):
        raise ServiceRefusal(50204, "logo_info must be an object")
    position = _given(info, "position", int, default=0)
    language = _given(info, "language", int, default=0)
    opacity = _given(info, "opacity", float, default=1.0)
    text = _given(info, "logo_text_content", str, default="")
    if position not in range(4) or language not in range(2) or not 0 <= opacity <= 1:
        raise ServiceRefusal(50200, "logo_info: position 0 to 3, language 0 or 1, opacity 0 to 1")
    if not _given(info, "add_logo", bool, default=False):
        return None
    return Logo(position, float(opacity), text[:_TEXT_MAX] or TEXTS[language])


def _meta(meta: object, *, propagated: bool) -> dict[str, str] | None:
    if meta is None:
        return None
    if not isinstance(meta, dict):
        raise ServiceRefusal(50204, "aigc_meta must be an object")
    needed = {"producer_id", *(("content_propagator",) if propagated else ())}
    return {name: _text(meta, name, needed=name in needed) for name in _NAMES}


def _text(meta: dict[str, Any], name: str, *, needed: bool) -> str:
    value = meta.get(name)
    if value in (None, ""):
        if needed:
            raise ServiceRefusal(50201, f"aigc_meta.{name}")
        return ""
    if not isinstance(value, str):
        raise ServiceRefusal(50204, f"aigc_meta.{name} must be a string")
    if len(value) > _TEXT_MAX:
        raise ServiceRefusal(50200, f"aigc_meta.{name} has more than {_TEXT_MAX} characters")
    return value


# --- The visible mark ---------------------------------------------------------------------------


@functools.cache
def _font(side: int, *, chinese: bool) -> Any:
    place = next((each for each in _CHINESE if chinese and Path(each).exists()), None)
    return ImageFont.truetype(place, side) if place else ImageFont.load_default(side)


def draw(image: Image.Image, logo: Logo) -> None:
    """Write the mark into its corner; lower right it stands above SANDBOX."""
    side = max(12, min(image.size) // 40)
    font = _font(side, chinese=not logo.text.isascii())
    left, top, right, bottom = (round(each) for each in font.getbbox(logo.text))
    width, height = min(right - left, image.width - 2 * side), bottom - top
    at_right, at_top = logo.position in (0, 3), logo.position in (2, 3)
    x = image.width - width - side if at_right else side
    y = side if at_top else image.height - height - side * (3 if at_right else 1)
    mark = Image.new("L", image.size)
    for shift, value in ((1, 90), (0, 255)):  # a shadow: legible on white, too
        place = (x - left + shift, y - top + shift)
        ImageDraw.Draw(mark).text(place, logo.text, value, font)
    strength = mark.point([round(value * logo.opacity) for value in range(256)])
    image.paste((250, 250, 250), (0, 0), strength)


# --- The hidden mark ----------------------------------------------------------------------------


def packet(meta: Mapping[str, str]) -> bytes:
    """The XMP packet of a hidden mark."""
    told = {
        "Label": "1",
        "ContentProducer": meta["content_producer"],
        "ProduceID": meta["producer_id"],
        "ReservedCode1": "",
        "ContentPropagator": meta["content_propagator"],
        "PropagateID": meta["propagate_id"],
        "ReservedCode2": "",
    }
    return (
        '<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?><x:xmpmeta xmlns:x="adobe:ns:meta/">'
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description rdf:about="" '
        f'xmlns:TC260="{NAMESPACE}"><TC260:AIGC>{escape(json.dumps(told))}</TC260:AIGC>'
        '</rdf:Description></rdf:RDF></x:xmpmeta><?xpacket end="w"?>'
    ).encode()


def tagged(data: bytes, meta: Mapping[str, str] | None) -> bytes:
    """``data``, a JPEG, a PNG or an mp4 of ours, with the hidden mark in its metadata."""
    if meta is None:
        return data
    body = packet(meta)
    if data.startswith(b"\xff\xd8"):
        # Behind the JFIF header, which wants to be first.
        at = 4 + struct.unpack(">H", data[4:6])[0] if data[2:4] == b"\xff\xe0" else 2
        body = b"http://ns.adobe.com/xap/1.0/\0" + body
        return data[:at] + b"\xff\xe1" + struct.pack(">H", len(body) + 2) + body + data[at:]
    if data.startswith(b"\x89PNG"):
        chunk = b"iTXtXML:com.adobe.xmp\0\0\0\0\0" + body
        crc = struct.pack(">I", zlib.crc32(chunk))
        return data[:33] + struct.pack(">I", len(chunk) - 4) + chunk + crc + data[33:]
    # At the end: nothing that the film's index points at moves.
    return data + struct.pack(">I", len(body) + 24) + b"uuid" + _XMP_UUID + body
