"""Why a picture cannot be taken in, in words for the person who brought it."""

from __future__ import annotations

from collections.abc import Mapping

from generations import imaging
from generations.providers.base import N_


class ReferenceProblem(Exception):
    """A picture that cannot be used: an untranslated msgid, and what fills its places."""

    def __init__(self, message: str, params: Mapping[str, object] | None = None) -> None:
        super().__init__(message)
        self.message = message
        self.params = params or {}


_SENTENCES = {
    "kind": N_("“%(name)s” is no picture we can read. JPEG, PNG, WebP, HEIC and AVIF are."),
    "damaged": N_("“%(name)s” is damaged or not complete. Save it again, or take another copy."),
    "animated": N_("“%(name)s” is animated. Save the one picture you mean, and add that."),
    "pixels": N_(
        "“%(name)s” has more than %(max)s million pixels. Scale it down, then add it again."
    ),
    "heavy": N_(
        "“%(name)s” takes too much time or memory to read. Save it as a plain JPEG, then add it again."
    ),
}


def refused(name: str, reason: str) -> ReferenceProblem:
    """The problem for a `reason` of imaging.NotAPicture."""
    params: dict[str, object] = {"name": name[:60]}
    if reason == "pixels":
        params["max"] = imaging.MAX_PIXELS // 1_000_000
    return ReferenceProblem(_SENTENCES.get(reason, _SENTENCES["damaged"]), params)
