"""XMP that others wrote, read without being harmed by it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from defusedxml import ElementTree

MOST_NAMES, NAMESPACE_MAX = 5_000, 300
_NAMESPACES = re.compile(r"""xmlns[^=<>]*=\s*(?:"([^"]*)"|'([^']*)')""")


def elements(packet: bytes, most: int) -> Iterator[Element]:
    """Every element of an untrusted packet of at most `most` bytes; none of one that is no XMP, or a bomb.

    The parser keeps each name with its namespace in front, so what it needs is names times namespace: both
    are bounded, on the text that it is given (as a text, so that no declared encoding hides anything).
    """
    plain = packet.strip(b"\0 \n\r\t")
    if len(plain) > most or plain.count(b"<") > MOST_NAMES or plain.count(b"=") > MOST_NAMES:
        return
    try:
        text = plain.decode("utf-8")
        if any(
            len(each[1] or each[2] or "") > NAMESPACE_MAX for each in _NAMESPACES.finditer(text)
        ):
            return
        root = ElementTree.fromstring(text, forbid_dtd=True)
    except Exception:  # noqa: BLE001 - parsers raise nearly anything on hostile bytes
        return
    yield from root.iter()


def texts(packet: bytes, tag: str, most: int) -> Iterator[str]:
    """The texts of a property, written as an element or as an attribute."""
    for element in elements(packet, most):
        if element.tag == tag and element.text:
            yield element.text
        if tag in element.attrib:
            yield element.attrib[tag]
