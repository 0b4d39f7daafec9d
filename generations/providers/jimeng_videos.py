"""The video models of the visual API (即梦 3.0). Figures: wire-protocol.md 2.6.

`jimeng_t2v_v30_pro` is in no official page: it is what older samples call `jimeng_ti2v_v30_pro`, which
makes both kinds. Pro makes the 1080P class only; a Pro at 720P does not exist.
"""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction

from generations.providers.base import N_
from generations.providers.engine import Engine, FrameRule, ReferenceRule
from generations.providers.jimeng_images import NO_REFERENCES, ONE_EACH, SEED
from generations.providers.parameters import Choice, ChoiceParam

_FRAMES = ChoiceParam(
    name="frames",
    label=N_("Length"),
    help=N_("24 frames a second; charged by the second."),
    # 24 a second, and the first one.
    choices=(Choice("121", N_("5 s")), Choice("241", N_("10 s"))),
    default="121",
    whole=True,
)
_RATIOS = ("16:9", "4:3", "1:1", "3:4", "9:16", "21:9")
_SHAPES = tuple(Choice(each, each) for each in _RATIOS)
_SHAPE = ChoiceParam(
    name="aspect_ratio",
    label=N_("Shape"),
    help=N_("Width to height of the video."),
    choices=_SHAPES,
    default="16:9",
)
_SHAPE_OR_FRAME = replace(
    _SHAPE,
    help=N_("With a first frame the video takes its shape."),
    choices=(Choice("auto", N_("Automatic")), *_SHAPES),
    default="auto",
    silent="auto",
    alone=True,
)
_SEED = replace(
    SEED,
    help=N_(
        "The same seed gives the same video again. Left empty, the studio draws one and keeps it; of "
        "several videos in a run, each takes the next number."
    ),
)
_TEMPLATE = ChoiceParam(
    name="template_id",
    label=N_("Camera move"),
    help=N_("The way the camera takes through the picture."),
    choices=(
        Choice("hitchcock_dolly_in", N_("Hitchcock zoom, closer")),
        Choice("hitchcock_dolly_out", N_("Hitchcock zoom, away")),
        Choice("robo_arm", N_("Robot arm")),
        Choice("dynamic_orbit", N_("Dynamic orbit")),
        Choice("central_orbit", N_("Orbit around the middle")),
        Choice("crane_push", N_("Crane, closer")),
        Choice("quick_pull_back", N_("Quick pull back")),
        Choice("counterclockwise_swivel", N_("Swivel to the left")),
        Choice("clockwise_swivel", N_("Swivel to the right")),
        Choice("handheld", N_("Handheld")),
        Choice("rapid_push_pull", N_("Rapid push and pull")),
    ),
    default="central_orbit",
)
_STRENGTH = ChoiceParam(
    name="camera_strength",
    label=N_("Strength of the move"),
    help=N_("How far the camera goes."),
    choices=(
        Choice("weak", N_("Weak")),
        Choice("medium", N_("Medium")),
        Choice("strong", N_("Strong")),
    ),
    default="medium",
)
# They travel as base64: a signed address would have to live as long as the queue is.
_ONE_FRAME = ReferenceRule(
    minimum=1,
    maximum=1,
    formats=("jpeg", "png"),
    max_bytes=4_700_000,
    max_side=4096,
    min_side=320,
    min_ratio=Fraction(1, 3),
    max_ratio=Fraction(3),
    transport="base64",
)
_TWO_FRAMES = replace(_ONE_FRAME, minimum=2, maximum=2, one_shape=True)
_FIRST = FrameRule((N_("First frame"),), _RATIOS)
_FIRST_AND_LAST = FrameRule((N_("First frame"), N_("Last frame")), _RATIOS)
_PRO = "jimeng-video-3.0-pro"


VIDEO_TEXT = Engine(
    slug="jimeng-video-3.0",
    revision=1,
    label=N_("Jimeng Video 3.0"),
    good_for=N_("Text to video at 720P: quick drafts of a shot"),
    kind="video",
    provider="jimeng",
    req_key="jimeng_t2v_v30",
    prompt_max=800,
    prompt_advised=400,
    params=(_SHAPE, _FRAMES, _SEED),
    rules=(),
    references=NO_REFERENCES,
    outputs=ONE_EACH,
    price_unit="second",
    typical_latency_s=90.0,
    deadline_s=12 * 3600.0,
    result_lives_s=3600.0,
    finals=("jimeng-video-3.0-1080p", _PRO),
    labels=("implicit",),
)
VIDEO_TEXT_1080 = replace(
    VIDEO_TEXT,
    slug="jimeng-video-3.0-1080p",
    label=N_("Jimeng Video 3.0, 1080P"),
    good_for=N_("Text to video at 1080P: the final of a draft that pleased"),
    req_key="jimeng_t2v_v30_1080p",
    typical_latency_s=150.0,
    finals=(),
)
VIDEO_FIRST = replace(
    VIDEO_TEXT,
    slug="jimeng-video-3.0-first",
    label=N_("Jimeng Video 3.0, first frame"),
    good_for=N_("Brings one picture to life, at 720P"),
    req_key="jimeng_i2v_first_v30",
    params=(_FRAMES, _SEED),
    references=_ONE_FRAME,
    frames=_FIRST,
    finals=("jimeng-video-3.0-first-1080p", _PRO),
)
VIDEO_FIRST_1080 = replace(
    VIDEO_FIRST,
    slug="jimeng-video-3.0-first-1080p",
    label=N_("Jimeng Video 3.0, first frame, 1080P"),
    good_for=N_("Brings one picture to life, at 1080P"),
    req_key="jimeng_i2v_first_v30_1080",
    typical_latency_s=150.0,
    finals=(),
)
VIDEO_TAIL = replace(
    VIDEO_FIRST,
    slug="jimeng-video-3.0-first-last",
    label=N_("Jimeng Video 3.0, first and last frame"),
    good_for=N_("Moves from one picture to another, at 720P"),
    req_key="jimeng_i2v_first_tail_v30",
    references=_TWO_FRAMES,
    frames=_FIRST_AND_LAST,
    finals=("jimeng-video-3.0-first-last-1080p",),
)
VIDEO_TAIL_1080 = replace(
    VIDEO_TAIL,
    slug="jimeng-video-3.0-first-last-1080p",
    label=N_("Jimeng Video 3.0, first and last frame, 1080P"),
    good_for=N_("Moves from one picture to another, at 1080P"),
    req_key="jimeng_i2v_first_tail_v30_1080",
    typical_latency_s=150.0,
    finals=(),
)
VIDEO_CAMERA = replace(
    VIDEO_FIRST,
    slug="jimeng-video-3.0-camera",
    label=N_("Jimeng Video 3.0, camera move"),
    good_for=N_("Moves a camera through one picture, at 720P"),
    req_key="jimeng_i2v_recamera_v30",
    params=(_TEMPLATE, _STRENGTH, _FRAMES, _SEED),
    finals=(),
)
VIDEO_PRO = replace(
    VIDEO_TEXT,
    slug=_PRO,
    label=N_("Jimeng Video 3.0 Pro"),
    good_for=N_("The best there is, at 1080P, from text or from a first frame; several shots"),
    req_key="jimeng_ti2v_v30_pro",
    params=(_SHAPE_OR_FRAME, _FRAMES, _SEED),
    references=replace(_ONE_FRAME, minimum=0),
    frames=_FIRST,
    typical_latency_s=200.0,
    finals=(),
)
VIDEOS = (
    VIDEO_TEXT,
    VIDEO_FIRST,
    VIDEO_TAIL,
    VIDEO_CAMERA,
    VIDEO_TEXT_1080,
    VIDEO_FIRST_1080,
    VIDEO_TAIL_1080,
    VIDEO_PRO,
)
