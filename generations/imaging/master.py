"""An upload made into what is kept: upright, sRGB, eight bits, and bare of metadata.

Runs in the process apart only. At most two copies of the picture are held at any moment, and every
step drops what it no longer needs: that is what keeps 60 megapixels below the limit.

The master of a photo is a JPEG (quality 95, full chroma): the eye cannot tell it from the upload, whose
own losses are larger, and a 24-megapixel PNG would be 40 MB and take seconds. What came lossless and is
no larger than a 4K screen stays lossless, as a PNG; so does everything that is transparent.
"""

from __future__ import annotations

from io import BytesIO
from pathlib import Path

from PIL import Image, ImageCms

from generations.imaging import limits, webp
from generations.imaging.decode import FORMATS, Picture, opened_upload, refusals
from generations.imaging.renditions import Prepared, placeholder, smaller

MASTER = "master"
WIDTHS = (640, 320)
JPEG_QUALITY = 95
LOSSLESS_PIXELS = 3840 * 2400
_ORIENTATION_TAG = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB"))
# The mode Little CMS reads a profile's colours in.
_MODES = {"RGB": "RGB", "GRAY": "L", "CMYK": "CMYK"}
_SIXTEEN_TO_EIGHT = [(value * 255 + 32767) // 65535 for value in range(65536)]


def prepare(source: Path, folder: Path) -> Prepared:
    """Write the master of the upload at `source` into `folder`; raise NotAPicture."""
    limits.require()
    with refusals():
        image = opened_upload(source)
        lossless = _is_lossless(image, source)
        orientation, profile = _orientation(image), image.info.get("icc_profile")
        image = _loaded(image, source)
        image = _upright(_srgb(_eight_bits(image), profile), orientation)
        image.info.clear()
        name = _kept_as(image, lossless)
        save(image, folder / MASTER, name)
        picture = Picture(name.lower(), FORMATS[name], *image.size)
        small = smaller(image, WIDTHS)
        return Prepared(picture, placeholder(image, small), small)


def save(image: Image.Image, target: Path, name: str, quality: int = JPEG_QUALITY) -> None:
    """Write `image` without metadata; the same pixels give the same bytes."""
    if name == "PNG":
        small = image.width * image.height <= LOSSLESS_PIXELS
        image.save(target, "PNG", compress_level=6 if small else 1)  # 60 megapixels: 2 s, not 13
    else:
        image.save(target, "JPEG", quality=quality, subsampling=0)


def _loaded(image: Image.Image, source: Path) -> Image.Image:
    if image.format == "WEBP":
        return webp.loaded(image, source)
    image.load()
    return image


def _kept_as(image: Image.Image, lossless: bool) -> str:
    small = image.width * image.height <= LOSSLESS_PIXELS
    return "PNG" if image.mode == "RGBA" or (lossless and small) else "JPEG"


def _is_lossless(image: Image.Image, source: Path) -> bool:
    if image.format != "WEBP":
        return image.format == "PNG"
    with source.open("rb") as file:
        return b"VP8L" in file.read(64)


def _orientation(image: Image.Image) -> int:
    """EXIF's 1 to 8; whatever cannot be read counts as upright."""
    try:
        return int(image.getexif().get(_ORIENTATION_TAG, 1))
    except Exception:  # noqa: BLE001 - EXIF comes in every broken shape, and the pixels may be good
        return 1


def _upright(image: Image.Image, orientation: int) -> Image.Image:
    turn = _TURNS.get(orientation)
    return image if turn is None else image.transpose(turn)


def _eight_bits(image: Image.Image) -> Image.Image:
    """L, RGB, RGBA or CMYK with eight bits a channel; transparency of any kind becomes alpha."""
    if image.mode.startswith("I"):
        return _reduced(image)
    has_alpha = image.mode in ("LA", "PA", "La", "RGBa", "RGBA") or "transparency" in image.info
    if image.mode == "CMYK":
        return image
    if has_alpha:
        return _opaque_or_not(image if image.mode == "RGBA" else image.convert("RGBA"))
    if image.mode in ("1", "L"):
        return image.convert("L")
    return image if image.mode == "RGB" else image.convert("RGB")


def _reduced(image: Image.Image) -> Image.Image:
    """16-bit grey scaled to 8 bits: Pillow's own conversion clips everything above 255 to white."""
    key = image.info.get("transparency")
    deep = image.convert("I")
    grey = deep.point(_SIXTEEN_TO_EIGHT, "L")
    if not isinstance(key, int):
        return grey
    alpha = deep.point([0 if value == key else 255 for value in range(65536)], "L")
    return Image.merge("RGBA", (grey, grey, grey, alpha))


def _opaque_or_not(image: Image.Image) -> Image.Image:
    """Without its alpha channel if that says nothing."""
    return image.convert("RGB") if image.getchannel("A").getextrema() == (255, 255) else image


def _srgb(image: Image.Image, profile: object) -> Image.Image:
    """RGB or RGBA in sRGB, by the embedded profile where there is one that can be used."""
    if isinstance(profile, bytes) and profile:
        image = _managed(image, profile)
    return image if image.mode in ("RGB", "RGBA") else image.convert("RGB")


def _managed(image: Image.Image, profile: bytes) -> Image.Image:
    try:
        found = ImageCms.ImageCmsProfile(BytesIO(profile))
        mode = _MODES.get(str(found.profile.xcolor_space).strip(), "")
        if not mode or (image.mode == "CMYK") != (mode == "CMYK") or _says_srgb(found):
            return image
        return _converted(image, found, mode)
    except (ImageCms.PyCMSError, OSError, ValueError):
        return image  # a broken profile: the numbers themselves are the best guess


def _says_srgb(profile: ImageCms.ImageCmsProfile) -> bool:
    return "sRGB IEC61966" in (profile.profile.profile_description or "")


def _converted(image: Image.Image, profile: ImageCms.ImageCmsProfile, mode: str) -> Image.Image:
    alpha = image.getchannel("A") if image.mode == "RGBA" else None
    colours = image if image.mode == mode else image.convert(mode)
    result = ImageCms.profileToProfile(
        colours,
        profile,
        _SRGB,
        renderingIntent=ImageCms.Intent.RELATIVE_COLORIMETRIC,
        outputMode="RGB",
        inPlace=mode == "RGB",
        flags=ImageCms.Flags.BLACKPOINTCOMPENSATION,
    )
    managed = colours if result is None else result
    if alpha is not None:
        managed.putalpha(alpha)
    return managed
