"""What each Seedream model on Ark accepts, as data, and the check of a request body against it.

Source: docs 82379/1541523. Explicit null means absent; names that no model knows are ignored, those of
another model are refused. See README.md for what is chosen where the pages are silent.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from fractions import Fraction
from typing import Any

from sandbox.ark_wire import ArkRefusal

MOST = 15
_SIZE = re.compile(r"(\d{1,5})x(\d{1,5})")
_RATIOS = Fraction(1, 16), Fraction(16)
_LARGE = (3_686_400, 16_777_216)
_K = 1024


@dataclass(frozen=True, slots=True)
class Model:
    """One model: its size words with their areas, pixels of an explicit size, references, and which
    parameters of the others it has.
    """

    name: str
    words: dict[str, int]
    area: tuple[int, int]
    references: int
    knows: frozenset[str]
    modes: tuple[str, ...] = ("standard",)
    usual: str = "2048x2048"


_SETS = frozenset({"sequential_image_generation", "sequential_image_generation_options", "stream"})
_WRITES = frozenset({"optimize_prompt_options"})
_FORMATS = frozenset({"output_format"})
_SEEDS = frozenset({"seed", "guidance_scale"})
_ALL = _SETS | _WRITES | _FORMATS | _SEEDS
_BOTH = ("standard", "fast")
MODELS: dict[str, Model] = {
    each.name: each
    for each in (
        Model(
            "doubao-seedream-3-0-t2i-250415",
            {},
            (512 * 512, 2048 * 2048),
            0,
            _SEEDS,
            usual="1024x1024",
        ),
        Model(
            "doubao-seedream-4-0-250828",
            {"1k": _K**2, "2k": (2 * _K) ** 2, "4k": (4 * _K) ** 2},
            (921_600, 16_777_216),
            14,
            _SETS | _WRITES,
            _BOTH,
        ),
        Model(
            "doubao-seedream-4-5-251128",
            {"2k": (2 * _K) ** 2, "4k": (4 * _K) ** 2},
            _LARGE,
            14,
            _SETS | _WRITES,
        ),
        Model(
            "doubao-seedream-5-0-260128",
            {"2k": (2 * _K) ** 2, "3k": (3 * _K) ** 2, "4k": (4 * _K) ** 2},
            _LARGE,
            14,
            _SETS | _WRITES | _FORMATS,
        ),
        Model(
            "doubao-seedream-5-0-pro-260628",
            {"1k": _K**2, "1.5k": 1536**2, "2k": (2 * _K) ** 2},
            (921_600, 4_624_220),
            10,
            _WRITES | _FORMATS,
            _BOTH,
        ),
    )
}


@dataclass(frozen=True, slots=True)
class Asked:
    """A valid request. ``size`` is None when the model picks the shape of ``area`` pixels; ``most`` is
    how many pictures may come.
    """

    model: Model
    prompt: str
    images: tuple[str, ...]
    size: tuple[int, int] | None
    area: int
    most: int
    stream: bool
    as_base64: bool
    picture_format: str
    seed: int | None = field(default=None)
    watermark: bool = True


def read(body: dict[str, Any]) -> Asked:
    """Check a request body. Raises ArkRefusal."""
    given = {name: value for name, value in body.items() if value is not None}
    model = _model(given)
    foreign = sorted((_ALL - model.knows) & given.keys())
    for name in foreign:
        if given[name] not in (False, "disabled"):
            raise _bad(name, "the model does not support it")
    prompt = given.get("prompt")
    if prompt is None or prompt == "":
        raise ArkRefusal("MissingParameter", "prompt", "prompt")
    if not isinstance(prompt, str):
        raise _bad("prompt", "it must be a string")
    images = _images(given.get("image"), model)
    size, area = _size(given.get("size", model.usual), model)
    _mode(given, model)
    seed = _number(given, "seed", -1, 2_147_483_647)
    _number(given, "guidance_scale", 1, 10)
    return Asked(
        model,
        prompt,
        images,
        size,
        area,
        _most(given, len(images)),
        _flag(given, "stream", default=False),
        _word(given, "response_format", ("url", "b64_json")) == "b64_json",
        _word(given, "output_format", ("jpeg", "png")),
        None if seed is None or seed < 0 else int(seed),
        _flag(given, "watermark", default=True),
    )


def _bad(param: str, why: str) -> ArkRefusal:
    return ArkRefusal("InvalidParameter", f"the parameter `{param}` is not valid: {why}", param)


def _model(given: dict[str, Any]) -> Model:
    name = given.get("model")
    if name is None or name == "":
        raise ArkRefusal("MissingParameter", "model", "model")
    if not isinstance(name, str) or name not in MODELS:
        raise ArkRefusal("InvalidEndpointOrModel.NotFound", str(name)[:80], "model")
    return MODELS[name]


def _images(given: object, model: Model) -> tuple[str, ...]:
    found = [given] if isinstance(given, str) else given
    if found is None:
        return ()
    if not isinstance(found, list) or not all(isinstance(each, str) for each in found):
        raise _bad("image", "it must be a string or a list of strings")
    if len(found) > model.references:
        raise _bad("image", f"at most {model.references} images")
    return tuple(found)


def _size(given: object, model: Model) -> tuple[tuple[int, int] | None, int]:
    """Return width and height, or None and the area in which the model picks them."""
    text = given.strip().lower() if isinstance(given, str) else ""
    if text in model.words:
        return None, model.words[text]
    found = _SIZE.fullmatch(text)
    if found is None:
        words = ", ".join(f"'{word}'" for word in model.words)
        raise _bad("size", f"it must be {words} or WIDTHxHEIGHT")
    width, height = int(found[1]), int(found[2])
    low, high = model.area
    if width * height < low:
        raise _bad("size", f"image size must be at least {low} pixels")
    if width * height > high:
        raise _bad("size", f"image size must be at most {high} pixels")
    if not _RATIOS[0] <= Fraction(width, height) <= _RATIOS[1]:
        raise _bad("size", "width / height must be from 1/16 to 16")
    return (width, height), width * height


def _flag(given: dict[str, Any], name: str, *, default: bool) -> bool:
    value = given.get(name, default)
    if not isinstance(value, bool):
        raise _bad(name, "it must be a boolean")
    return value


def _word(given: dict[str, Any], name: str, words: tuple[str, ...]) -> str:
    value = given.get(name, words[0])
    if value not in words:
        raise _bad(name, f"it must be one of {', '.join(words)}")
    return str(value)


def _number(given: dict[str, Any], name: str, low: float, high: float) -> float | None:
    value = given.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise _bad(name, f"it must be a number from {low} to {high}")
    return value


def _options(given: dict[str, Any], name: str) -> dict[str, Any]:
    value = given.get(name, {})
    if not isinstance(value, dict):
        raise _bad(name, "it must be an object")
    return {key: each for key, each in value.items() if each is not None}


def _mode(given: dict[str, Any], model: Model) -> None:
    options = _options(given, "optimize_prompt_options")
    if options.get("mode", "standard") not in model.modes:
        raise _bad("optimize_prompt_options.mode", f"it must be one of {', '.join(model.modes)}")


def _most(given: dict[str, Any], inputs: int) -> int:
    """Return how many pictures may come of it: inputs and outputs together are at most 15."""
    if _word(given, "sequential_image_generation", ("disabled", "auto")) == "disabled":
        return 1
    options = _options(given, "sequential_image_generation_options")
    most = options.get("max_images")
    name = "sequential_image_generation_options.max_images"
    if most is None:
        return MOST - inputs
    if type(most) is not int or not 1 <= most <= MOST:
        raise _bad(name, f"it must be an integer from 1 to {MOST}")
    if most + inputs > MOST:
        raise _bad(name, f"images in and out are at most {MOST}")
    return most
