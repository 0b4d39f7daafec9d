"""Videos out of a prompt, a seed and the frames that were given: H.264 in an mp4, 24 frames a second.

The same input gives the same bytes. Of text alone, a picture is painted and a camera moves over it; with
a first frame it moves over that one; with two it moves from one to the other. A given frame is shown as
it is: what stands between is marked SANDBOX.
"""

from __future__ import annotations

import base64
import random
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL import Image, ImageFilter

from sandbox.brush import BILINEAR
from sandbox.camera import Camera, View, ease
from sandbox.collage import opened
from sandbox.colour import Size
from sandbox.paint import Picture, mark, unmarked
from sandbox.videos import FPS

# Fast videos change their picture twice a second: what stands still costs next to nothing to encode.
_FAST_HELD = 12
_FAST = {"preset": "ultrafast", "crf": "32", "g": "240", "threads": "1"}
_FINE = {"preset": "superfast", "crf": "23", "g": "48", "threads": "1"}
# ITU-R BT.601 in the range of television, and said so: players guess otherwise.
_BT601, _TELEVISION = 6, 1


@dataclass(frozen=True, slots=True)
class Clip:
    """One video to make: ``size`` in pixels, ``frames`` in all, ``seed`` any text; ``given`` are JPEGs of
    that size, the first frame and the last; ``fast`` makes it cheaply.
    """

    prompt: str
    size: Size
    frames: int
    seed: str
    template: str = ""
    strength: str = ""
    given: tuple[bytes, ...] = ()
    fast: bool = False


def clip_of(recipe: dict[str, object], seed: str, *, fast: bool) -> Clip:
    """Return the clip that a stored task's recipe describes."""
    given = recipe["given"]
    assert isinstance(given, list)
    return Clip(
        str(recipe["prompt"]),
        (int(str(recipe["width"])), int(str(recipe["height"]))),
        int(str(recipe["frames"])),
        seed,
        str(recipe["template"]),
        str(recipe["strength"]),
        tuple(base64.b64decode(each) for each in given),
        fast,
    )


def film(clip: Clip) -> bytes:
    """Return ``clip`` as an mp4 that can be played while it is still being fetched."""
    import av  # only the painting processes need it

    with TemporaryDirectory(prefix="sandbox-film-") as folder:
        path = Path(folder) / "clip.mp4"
        flags = {"movflags": "faststart", "fflags": "bitexact"}
        with av.open(str(path), "w", format="mp4", options=flags) as out:
            stream = out.add_stream("libx264", rate=FPS, options=_FAST if clip.fast else _FINE)
            stream.width, stream.height = clip.size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.colorspace = _BT601
            stream.codec_context.color_range = _TELEVISION
            shown, frame = None, None
            for at, image in enumerate(_images(clip)):
                if frame is None or image is not shown:
                    whole = av.VideoFrame.from_image(image)  # type: ignore[no-untyped-call] # PyAV's
                    shown, frame = image, whole.reformat(format="yuv420p")
                frame.pts, frame.time_base = at, Fraction(1, FPS)
                out.mux(stream.encode(frame))
            out.mux(stream.encode())
        return path.read_bytes()


def _images(clip: Clip) -> Iterator[Image.Image]:
    """Each frame; one that stands still is the same object again."""
    scenes = opened(clip.given) or [_painted(clip)]
    rng = random.Random(f"{clip.prompt}:{clip.seed}")
    camera, back = (Camera.of(clip.template, clip.strength, rng) for _ in range(2))
    last, held, image = clip.frames - 1, -1, scenes[0]
    for at in range(clip.frames):
        key = at if at in (0, last) or not clip.fast else at // _FAST_HELD * _FAST_HELD
        if key != held:
            held, t = key, key / last
            image = seen(scenes[0], camera.at(t))
            if len(scenes) == 2:
                image = Image.blend(image, seen(scenes[1], back.at(1 - t)), ease(t))
            if not (clip.given and (at == 0 or (at == last and len(scenes) == 2))):
                mark(image)
        yield image


def _painted(clip: Clip) -> Image.Image:
    return unmarked(Picture(clip.prompt, clip.size, 0.5, clip.seed, clip.fast))


def seen(scene: Image.Image, view: View) -> Image.Image:
    """Return what a camera sees of ``scene``; from farther away its edges fade into a blur."""
    if view.zoom < 1:
        return _from_afar(scene, view.zoom)
    wide, high = scene.width / view.zoom, scene.height / view.zoom
    left = (scene.width - wide) * (1 + max(-1.0, min(1.0, view.across))) / 2
    top = (scene.height - high) * (1 + max(-1.0, min(1.0, view.down))) / 2
    box = (left, top, min(left + wide, scene.width), min(top + high, scene.height))
    return scene.resize(scene.size, BILINEAR, box=box)


def _from_afar(scene: Image.Image, zoom: float) -> Image.Image:
    small = scene.resize((scene.width // 16, scene.height // 16), BILINEAR)
    around = small.filter(ImageFilter.GaussianBlur(3)).resize(scene.size, BILINEAR)
    size = round(scene.width * zoom), round(scene.height * zoom)
    corner = (scene.width - size[0]) // 2, (scene.height - size[1]) // 2
    around.paste(scene.resize(size, BILINEAR), corner)
    return around
