"""What the providers ask, as published: the figures that a new installation begins with.

In mills (1/1000) of CNY, for each picture or each second. Source: wire-protocol.md section 4, which names
the transcriptions and where they differ. Jimeng's 3.1 has no published figure there, so it has no price.
"""

from __future__ import annotations

from dataclasses import dataclass

from generations.providers.base import N_


@dataclass(frozen=True, slots=True)
class ListPrice:
    """Mills for each picture or second; `up_to` pixels of one picture, 0 for any size."""

    mills: int
    up_to: int = 0
    note: str = ""


_INFERRED = N_("Both figures are published; which belongs to which model is inferred.")
_OTHERS = N_("Another list has “about” 0.6, 0.8 and 1 a second for 720P, 1080P and Pro.")
LIST: dict[str, tuple[ListPrice, ...]] = {
    "jimeng-image-4.0": (ListPrice(200, note=_INFERRED),),
    "jimeng-image-4.6": (ListPrice(220, note=_INFERRED),),
    "seedream-4.0": (ListPrice(200),),
    "seedream-4.5": (ListPrice(250),),
    "seedream-5.0-lite": (ListPrice(220),),
    "seedream-5.0-pro": (ListPrice(300, up_to=2_360_000), ListPrice(600)),
    **dict.fromkeys(
        (
            "jimeng-video-3.0",
            "jimeng-video-3.0-first",
            "jimeng-video-3.0-first-last",
            "jimeng-video-3.0-camera",
        ),
        (ListPrice(280, note=_OTHERS),),
    ),
    **dict.fromkeys(
        (
            "jimeng-video-3.0-1080p",
            "jimeng-video-3.0-first-1080p",
            "jimeng-video-3.0-first-last-1080p",
        ),
        (ListPrice(630, note=_OTHERS),),
    ),
    "jimeng-video-3.0-pro": (ListPrice(1000, note=_OTHERS),),
}
