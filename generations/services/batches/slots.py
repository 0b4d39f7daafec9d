"""`{name}` places of a text: which there are, and the text with their values put in."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SLOT = re.compile(r"\{([^{}\n]{1,60})\}")


def names(template: str) -> list[str]:
    """The slots of a text, each once, in their order."""
    return list(dict.fromkeys(found.strip() for found in _SLOT.findall(template)))


def fill(template: str, values: Mapping[str, str]) -> str:
    """The text with its slots filled. What a value itself holds in braces stays as it is."""
    return _SLOT.sub(lambda found: values[found[1].strip()], template)
