"""Server-sent events, read piece by piece: lines to frames, whatever the pieces are cut like.

As tolerant as wire-protocol.md section 3 asks: CR, LF and CRLF, comments, several `data:` lines, no
`event:` line, characters cut in two, a last frame without its blank line. Nothing in here raises.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_LINE_END = re.compile(rb"\r\n|\n|\r")
_BOM = b"\xef\xbb\xbf"


class Frames:
    """Takes bytes as they arrive; gives the data of each frame once it is complete."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._looked_at = 0
        self._after_cr = False
        self._data: list[str] = []

    def feed(self, piece: bytes) -> Iterator[str]:
        self._buffer += piece
        while (line := self._line()) is not None:
            yield from self._taken(line)

    def close(self) -> Iterator[str]:
        """What stood in the last frame, which nothing has ended."""
        yield from self._taken(bytes(self._buffer))
        self._buffer.clear()
        self._looked_at = 0
        yield from self._taken(b"")

    def _line(self) -> bytes | None:
        if self._after_cr and self._buffer:
            # The second half of a CRLF that was cut in two ends no other line.
            if self._buffer[:1] == b"\n":
                del self._buffer[:1]
            self._after_cr = False
        found = _LINE_END.search(self._buffer, self._looked_at)
        if found is None:
            self._looked_at = len(self._buffer)
            return None
        start, end = found.span()
        self._after_cr = found[0] == b"\r" and end == len(self._buffer)
        line = bytes(self._buffer[:start])
        del found, self._buffer[:end]
        self._looked_at = 0
        return line

    def _taken(self, line: bytes) -> Iterator[str]:
        if not line:
            if self._data:
                yield "\n".join(self._data)
            self._data = []
            return
        name, _colon, value = line.removeprefix(_BOM).partition(b":")
        if name == b"data":
            self._data.append(value.removeprefix(b" ").decode("utf-8", "replace"))
