"""What each video ``req_key`` accepts, as data, and the check of a request body against it.

Sources: docs 85621/1777001 (3.0 Pro), 85621/1792710 (720P), 85621/1792711 (1080P). One video a task, and
no other reference than frames. ``jimeng_t2v_v30_pro`` is in none of them: it is what older samples call
the Pro, and here the same engine under another name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sandbox.engines import URL_SCHEMES
from sandbox.wire import ServiceRefusal

FPS = 24
PROMPT_LIMIT = 800
FRAME_COUNTS = (121, 241)
TEMPLATES = (
    "hitchcock_dolly_in",
    "hitchcock_dolly_out",
    "robo_arm",
    "dynamic_orbit",
    "central_orbit",
    "crane_push",
    "quick_pull_back",
    "counterclockwise_swivel",
    "clockwise_swivel",
    "handheld",
    "rapid_push_pull",
)
STRENGTHS = ("weak", "medium", "strong")
Sizes = Mapping[str, tuple[int, int]]
# Those of the Pro page; the 1080P page names none, so they are taken for the whole class.
SIZES_1080: Sizes = {
    "21:9": (2176, 928),
    "16:9": (1920, 1088),
    "4:3": (1664, 1248),
    "1:1": (1440, 1440),
    "3:4": (1248, 1664),
    "9:16": (1088, 1920),
}
# The 720P page names none either: about 0.9 megapixels in steps of 16, as the Pro's are.
SIZES_720: Sizes = {
    "21:9": (1504, 640),
    "16:9": (1248, 704),
    "4:3": (1120, 832),
    "1:1": (960, 960),
    "3:4": (832, 1120),
    "9:16": (704, 1248),
}
_SEED_MAX = 2**63 - 1


@dataclass(frozen=True, slots=True)
class VideoEngine:
    """One ``req_key``: its output sizes by ratio, how many frames it must and may be given, whether it
    makes videos of text alone, and whether it moves a camera by template.
    """

    req_key: str
    sizes: Sizes
    least_frames: int = 0
    most_frames: int = 0
    camera: bool = False

    @property
    def of_text(self) -> bool:
        return self.least_frames == 0


@dataclass(frozen=True, slots=True)
class AskedVideo:
    """A valid request. ``given`` are the frames as they came: addresses, or base64 where ``packed``."""

    engine: VideoEngine
    prompt: str
    frames: int
    seed: int | None
    ratio: str
    given: tuple[str, ...] = ()
    packed: bool = False
    template: str = ""
    strength: str = ""


_PRO = VideoEngine("jimeng_ti2v_v30_pro", SIZES_1080, most_frames=1)
VIDEOS: dict[str, VideoEngine] = {
    engine.req_key: engine
    for engine in (
        VideoEngine("jimeng_t2v_v30", SIZES_720),
        VideoEngine("jimeng_t2v_v30_1080p", SIZES_1080),
        VideoEngine("jimeng_i2v_first_v30", SIZES_720, 1, 1),
        VideoEngine("jimeng_i2v_first_v30_1080", SIZES_1080, 1, 1),
        VideoEngine("jimeng_i2v_first_tail_v30", SIZES_720, 2, 2),
        VideoEngine("jimeng_i2v_first_tail_v30_1080", SIZES_1080, 2, 2),
        VideoEngine("jimeng_i2v_recamera_v30", SIZES_720, 1, 1, camera=True),
        _PRO,
    )
}
VIDEOS["jimeng_t2v_v30_pro"] = _PRO


def find_video(body: dict[str, Any]) -> VideoEngine | None:
    """Return the video engine that ``body`` names; None when it names something else."""
    req_key = body.get("req_key")
    return VIDEOS.get(req_key) if isinstance(req_key, str) else None


def read_video(engine: VideoEngine, body: dict[str, Any]) -> AskedVideo:
    """Check a submit body against ``engine``.

    Explicit null means absent; unknown fields are ignored, as ``aspect_ratio`` is beside a frame.
    Raises ServiceRefusal: 50201 missing, 50204 of another type, 50200 out of range, 50207 base64
    that says what it is.
    """
    given, packed = _read_frames(engine, body)
    return AskedVideo(
        engine=engine,
        prompt=_read_prompt(body.get("prompt"), needed=not (engine.of_text and given)),
        frames=_read_count(body.get("frames")),
        seed=_read_seed(body.get("seed")),
        ratio=_word(body, "aspect_ratio", tuple(SIZES_720), "16:9") if engine.of_text else "",
        given=given,
        packed=packed,
        template=_word(body, "template_id", TEMPLATES) if engine.camera else "",
        strength=_word(body, "camera_strength", STRENGTHS) if engine.camera else "",
    )


def _read_prompt(prompt: object, *, needed: bool) -> str:
    if prompt is not None and not isinstance(prompt, str):
        raise ServiceRefusal(50204, "prompt must be a string")
    text = (prompt or "").replace("\r\n", "\n")
    if needed and not text.strip():
        raise ServiceRefusal(50201, "prompt")
    if len(text) > PROMPT_LIMIT:
        raise ServiceRefusal(50200, f"prompt has more than {PROMPT_LIMIT} characters")
    return text


def _read_count(frames: object) -> int:
    if frames is None:
        return FRAME_COUNTS[0]
    if type(frames) is not int:
        raise ServiceRefusal(50204, "frames must be int")
    if frames not in FRAME_COUNTS:
        raise ServiceRefusal(50200, "frames must be 121 or 241")
    return frames


def _read_seed(seed: object) -> int | None:
    if seed is None:
        return None
    if type(seed) is not int:
        raise ServiceRefusal(50204, "seed must be int")
    if not -1 <= seed <= _SEED_MAX:
        raise ServiceRefusal(50200, "seed is out of range")
    return None if seed == -1 else seed


def _word(body: dict[str, Any], name: str, known: tuple[str, ...], usual: str = "") -> str:
    """One of the ``known`` words; without a ``usual`` one it must be given."""
    value = body.get(name)
    if value is None and usual:
        return usual
    if value is None or value == "":
        raise ServiceRefusal(50201, name)
    if not isinstance(value, str):
        raise ServiceRefusal(50204, f"{name} must be a string")
    if value not in known:
        raise ServiceRefusal(50200, f"{name} must be one of {', '.join(known)}")
    return value


def _read_frames(engine: VideoEngine, body: dict[str, Any]) -> tuple[tuple[str, ...], bool]:
    """The frames as they came, and whether they came as base64."""
    if not engine.most_frames:
        return (), False
    urls, packed = _strings(body, "image_urls"), _strings(body, "binary_data_base64")
    if urls and packed:
        raise ServiceRefusal(50200, "give either image_urls or binary_data_base64")
    given, name = (packed, "binary_data_base64") if packed else (urls, "image_urls")
    if not given and engine.least_frames:
        raise ServiceRefusal(50201, "image_urls or binary_data_base64")
    if given and not engine.least_frames <= len(given) <= engine.most_frames:
        raise ServiceRefusal(50200, f"{name} must have {engine.most_frames} entries")
    if not packed and not all(url.lower().startswith(URL_SCHEMES) for url in given):
        raise ServiceRefusal(50200, "image_urls must be http or https addresses")
    if packed and any(text[:5].lower() == "data:" for text in given):
        raise ServiceRefusal(50207, "binary_data_base64 must not begin with data:")
    return given, bool(packed)


def _strings(body: dict[str, Any], name: str) -> tuple[str, ...]:
    value = body.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise ServiceRefusal(50204, f"{name} must be a list of strings")
    return tuple(value)


def video_data(status: str, url: str | None = None) -> dict[str, Any]:
    """Return the ``data`` of an answer about a video."""
    return {"status": status, "video_url": url}
