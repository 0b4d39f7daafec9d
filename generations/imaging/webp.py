"""WebP decoded straight into one buffer.

Pillow decodes every WebP as an animation, which takes four copies of the picture: 950 MB for 60
megapixels. The library that Pillow has loaded for it can do with one. Where that library cannot be
found, Pillow's way is taken.
"""

from __future__ import annotations

import ctypes
import re
from functools import cache
from pathlib import Path
from typing import Any

from PIL import Image

_DECODERS = {"RGB": "WebPDecodeRGBInto", "RGBA": "WebPDecodeRGBAInto"}
_ARGUMENTS = (ctypes.c_char_p, ctypes.c_size_t, ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
_LIBRARY = re.compile(r"(/\S*/libwebp(?:-[0-9a-f]+)?\.so[.0-9]*)$", re.MULTILINE)


def loaded(image: Image.Image, source: Path) -> Image.Image:
    """The still WebP at `source`, of which `image` is the opened header, with all its pixels."""
    made = _decoded(image, source.read_bytes()) if image.mode in _DECODERS else None
    if made is None:
        image.load()
        return image
    made.info = image.info
    return made


def _decoded(image: Image.Image, data: bytes) -> Image.Image | None:
    library = _library()
    if library is None:
        return None
    decode = getattr(library, _DECODERS[image.mode])
    decode.restype, decode.argtypes = ctypes.c_void_p, _ARGUMENTS
    stride = image.width * len(image.mode)
    pixels = bytearray(stride * image.height)
    place = ctypes.addressof((ctypes.c_char * len(pixels)).from_buffer(pixels))
    if not decode(data, len(data), place, len(pixels), stride):
        return None  # broken, or an animation of one picture: Pillow knows which
    return Image.frombytes(image.mode, image.size, pixels)


@cache
def _library() -> Any:
    """libwebp as this process has it loaded, or None."""
    maps = Path("/proc/self/maps")
    found = _LIBRARY.search(maps.read_text()) if maps.exists() else None
    return ctypes.CDLL(found[1]) if found else None
