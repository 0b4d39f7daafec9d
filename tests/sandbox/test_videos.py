"""What a video submission may contain: every parameter at its bounds and just outside, over the wire too."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.videos import SIZES_720, SIZES_1080, STRENGTHS, TEMPLATES, VIDEOS, read_video
from sandbox.wire import ServiceRefusal

TEXT, TEXT_1080 = "jimeng_t2v_v30", "jimeng_t2v_v30_1080p"
FIRST, TAIL, CAMERA = (
    "jimeng_i2v_first_v30",
    "jimeng_i2v_first_tail_v30",
    "jimeng_i2v_recamera_v30",
)
PRO, ALIAS = "jimeng_ti2v_v30_pro", "jimeng_t2v_v30_pro"
URL = "https://example.org/a.jpeg"


GIVEN = {"image_urls": [URL]}
MOVED = {**GIVEN, "template_id": "robo_arm", "camera_strength": "weak"}


def asked(req_key: str, **body: Any) -> Any:
    return read_video(VIDEOS[req_key], {"prompt": "a corgi", **body})


ACCEPTED: list[tuple[str, dict[str, Any]]] = [
    *((key, {}) for key in (TEXT, TEXT_1080, PRO, ALIAS)),
    (TEXT, {"prompt": "柯" * 800}),
    (TEXT, {"prompt": "🐕" * 800}),
    *((TEXT, {"frames": frames}) for frames in (121, 241, None)),
    *((TEXT, {"seed": seed}) for seed in (-1, 0, 2**31 - 1, None)),
    *((TEXT, {"aspect_ratio": ratio}) for ratio in (*SIZES_720, None)),
    *((PRO, {"aspect_ratio": ratio}) for ratio in SIZES_1080),
    (TEXT, {"image_urls": [], "template_id": "x"}),  # unknown here
    (FIRST, GIVEN),
    (FIRST, {"binary_data_base64": ["AAAA"]}),
    (FIRST, {"binary_data_base64": ["AAAA"], "image_urls": []}),
    (FIRST, {**GIVEN, "aspect_ratio": "no such"}),  # ignored beside a frame
    (TAIL, {"image_urls": [URL, URL]}),
    (PRO, GIVEN),
    (PRO, {**GIVEN, "prompt": ""}),
    (PRO, {**GIVEN, "prompt": None}),
    *((CAMERA, {**MOVED, "template_id": template}) for template in TEMPLATES),
    *((CAMERA, {**MOVED, "camera_strength": strength}) for strength in STRENGTHS),
]
REFUSED: list[tuple[str, dict[str, Any], int]] = [
    (TEXT, {"prompt": None}, 50201),
    (TEXT, {"prompt": " \n"}, 50201),
    (TEXT, {"prompt": 5}, 50204),
    (TEXT, {"prompt": "柯" * 801}, 50200),
    *((TEXT, {"frames": frames}, 50200) for frames in (120, 122, 240, 242, 0, -1)),
    *((TEXT, {"frames": frames}, 50204) for frames in ("121", 121.0, True, [121])),
    (TEXT, {"seed": -2}, 50200),
    (TEXT, {"seed": 2**63}, 50200),
    *((TEXT, {"seed": seed}, 50204) for seed in ("1", 1.5, True)),
    *((TEXT, {"aspect_ratio": ratio}, 50200) for ratio in ("2:1", "16：9", "auto", "9:21")),
    (TEXT, {"aspect_ratio": 1.5}, 50204),
    (PRO, {"prompt": ""}, 50201),
    (PRO, {"aspect_ratio": "2:1"}, 50200),
    (PRO, {"image_urls": [URL] * 2}, 50200),
    (PRO, {"image_urls": [URL], "binary_data_base64": ["AAAA"]}, 50200),
    (FIRST, {}, 50201),
    (FIRST, {"image_urls": [], "binary_data_base64": []}, 50201),
    (FIRST, {"image_urls": [URL], "binary_data_base64": ["AAAA"]}, 50200),
    (FIRST, {"image_urls": [URL] * 2}, 50200),
    (FIRST, {"image_urls": URL}, 50204),
    (FIRST, {"image_urls": [5]}, 50204),
    (FIRST, {"image_urls": ["data:image/png;base64,AA"]}, 50200),
    (FIRST, {"binary_data_base64": "AAAA"}, 50204),
    (FIRST, {"binary_data_base64": [None]}, 50204),
    (FIRST, {"binary_data_base64": ["data:image/png;base64,AAAA"]}, 50207),
    (FIRST, {"binary_data_base64": ["DATA:image/png;base64,AAAA"]}, 50207),
    (FIRST, {**GIVEN, "prompt": ""}, 50201),
    (TAIL, {"image_urls": [URL]}, 50200),
    (TAIL, {"image_urls": [URL] * 3}, 50200),
    (CAMERA, {**MOVED, "template_id": None}, 50201),
    (CAMERA, {**MOVED, "template_id": "dolly"}, 50200),
    (CAMERA, {**MOVED, "template_id": 3}, 50204),
    (CAMERA, {**MOVED, "camera_strength": None}, 50201),
    (CAMERA, {**MOVED, "camera_strength": "WEAK"}, 50200),
]


@pytest.mark.parametrize(("req_key", "body"), ACCEPTED, ids=range(len(ACCEPTED)))
def test_accepted(req_key: str, body: dict[str, Any]) -> None:
    assert asked(req_key, **body).engine is VIDEOS[req_key]


@pytest.mark.parametrize(("req_key", "body", "code"), REFUSED, ids=range(len(REFUSED)))
def test_refused(req_key: str, body: dict[str, Any], code: int) -> None:
    with pytest.raises(ServiceRefusal) as caught:
        asked(req_key, **body)
    assert caught.value.code == code


def test_the_documented_defaults() -> None:
    found = asked(TEXT)
    assert (found.frames, found.seed, found.ratio, found.given) == (121, None, "16:9", ())
    assert VIDEOS[ALIAS] is VIDEOS[PRO]
    assert len(VIDEOS) == 9


@pytest.mark.parametrize("sizes", [SIZES_720, SIZES_1080])
def test_sizes_are_made_of_whole_blocks_and_near_their_ratio(
    sizes: dict[str, tuple[int, int]],
) -> None:
    for ratio, (width, height) in sizes.items():
        across, down = map(int, ratio.split(":"))
        assert (width % 16, height % 16) == (0, 0)
        assert abs(width / height / (across / down) - 1) < 0.02
