"""Pictures: the one door to Pillow. Decides what a file is by decoding it, and makes what is kept.

    decode      what a file is: the allow-list, the caps, and why something is refused
    renditions  small WebP copies and placeholders
    master      an upload made upright, sRGB and bare of metadata
    webp        WebP without Pillow's four copies
    frames      what is shown of a video, out of pixels that video.py has decoded
    fit         a master made to an engine's limits
    limits      what a process that decodes uploads may use
    child       the program that runs under them; `apart` starts it and reads its answer

Whatever is handed in is untrusted. Bytes are capped by whoever fetched them; pixels are capped here,
before anything is decoded. Uploads are decoded in a process apart only.
"""

from __future__ import annotations

from generations.imaging.apart import fit, prepare
from generations.imaging.decode import FORMATS, MAX_PIXELS, NotAPicture, Picture
from generations.imaging.fit import FITTED, Wanted
from generations.imaging.frames import shown
from generations.imaging.master import MASTER
from generations.imaging.renditions import (
    PLACEHOLDER_PX,
    RENDITION_TYPE,
    RENDITION_WIDTHS,
    Made,
    Prepared,
    verify,
)

__all__ = [
    "FITTED",
    "FORMATS",
    "MASTER",
    "MAX_PIXELS",
    "PLACEHOLDER_PX",
    "RENDITION_TYPE",
    "RENDITION_WIDTHS",
    "Made",
    "NotAPicture",
    "Picture",
    "Prepared",
    "Wanted",
    "fit",
    "prepare",
    "shown",
    "verify",
]
