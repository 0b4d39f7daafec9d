"""How input pictures take part in a painted one: their colours tint it, and they hang in it as prints.

A person sees at once which pictures were sent, and in which order.
"""

from __future__ import annotations

import io

from PIL import Image, ImageDraw, ImageFilter

from sandbox.brush import BICUBIC
from sandbox.colour import Size

_TINT, _TINT_LESS = 0.62, 0.34
_FIELD = 48
_PRINT_SHARE = 0.2
_ROW_SHARE = 0.72
_PAPER = (247, 245, 240)


def opened(references: tuple[bytes, ...]) -> list[Image.Image]:
    """Return the small pictures that ``references`` hold."""
    return [Image.open(io.BytesIO(data)).convert("RGB") for data in references]


def tinted(image: Image.Image, inputs: list[Image.Image], scale: float) -> Image.Image:
    """Return ``image`` under the colours of ``inputs``, side by side and blurred; the stronger the
    prompt (``scale``), the fainter.
    """
    if not inputs:
        return image
    field = Image.new("RGB", (_FIELD * len(inputs), _FIELD))
    for at, each in enumerate(inputs):
        field.paste(each.resize((_FIELD, _FIELD), BICUBIC), (at * _FIELD, 0))
    field = field.filter(ImageFilter.GaussianBlur(_FIELD / 6)).resize(image.size, BICUBIC)
    return Image.blend(image, field, _TINT - _TINT_LESS * scale)


def hang(image: Image.Image, inputs: list[Image.Image]) -> None:
    """Paste ``inputs`` as prints along the lower edge of ``image``, left to right."""
    if not inputs:
        return
    step = int(image.width * _ROW_SHARE / max(3, len(inputs)))
    side = max(8, min(int(min(image.size) * _PRINT_SHARE), int(step * 0.8)))
    left, edge = side // 5, max(1, side // 24)
    for each in inputs:
        size = _within(each.size, side)
        corner = (left, image.height - side // 5 - size[1])
        frame = (corner[0] - edge, corner[1] - edge, corner[0] + size[0] + edge - 1)
        draw = ImageDraw.Draw(image)
        draw.rectangle((*frame, corner[1] + size[1] + edge - 1), fill=_PAPER)
        image.paste(each.resize(size, BICUBIC), corner)
        left += size[0] + side // 5


def _within(size: Size, side: int) -> Size:
    """Return ``size`` scaled so that its longer side is ``side``."""
    longest = max(size)
    return max(1, round(size[0] * side / longest)), max(1, round(size[1] * side / longest))
