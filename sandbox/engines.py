"""What each ``req_key`` accepts, as data, and the check of a request body against it.

A new engine is one entry of ENGINES.

Source: docs 85621/1817045. The pages do not say how out-of-range values are answered; see README.md
for what is chosen here.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from sandbox.wire import ServiceRefusal

URL_SCHEMES = ("http://", "https://")


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its JSON type, its inclusive range (``open_low`` / ``open_high`` exclude an
    end) and what absence means.
    """

    name: str
    kind: type[int | float | bool]
    default: int | float | bool | None
    low: float = float("-inf")
    high: float = float("inf")
    open_low: bool = False
    open_high: bool = False

    def read(self, body: dict[str, Any]) -> int | float | bool | None:
        """Return the value in ``body`` or the default.

        Raises ServiceRefusal 50204 (type) or 50200 (range).
        """
        value = body.get(self.name)
        if value is None:
            return self.default
        if not self._typed(value):
            raise ServiceRefusal(50204, f"{self.name} must be {self.kind.__name__}")
        if self.kind is not bool and not self._within(value):
            raise ServiceRefusal(50200, f"{self.name} is out of range")
        return float(value) if self.kind is float else value

    def _typed(self, value: object) -> bool:
        if self.kind is float:
            return isinstance(value, (int, float)) and not isinstance(value, bool)
        return type(value) is self.kind

    def _within(self, value: float) -> bool:
        above = self.low < value if self.open_low else self.low <= value
        below = value < self.high if self.open_high else value <= self.high
        return above and below


@dataclass(frozen=True, slots=True)
class Engine:
    """One ``req_key``: prompt limit (code points), reference and output counts, area range (pixels),
    its parameters, and whether it is asked by CVProcess, whose answer is the result.

    ``usual`` is the size in pixels of what names none and has no ``size`` either; ``ratios`` are the
    narrowest and the widest of what has no parameters for them.
    """

    req_key: str
    prompt_limit: int
    max_references: int
    max_outputs: int
    area: tuple[int, int]
    parameters: tuple[Parameter, ...]
    synchronous: bool = False
    usual: tuple[int, int] = (0, 0)
    ratios: tuple[Fraction, Fraction] = (Fraction(1, 16), Fraction(16))


@dataclass(frozen=True, slots=True)
class Asked:
    """A valid request.

    ``width`` and ``height`` are both None when the engine is to choose the ratio for
    ``settings['size']``.
    """

    engine: Engine
    prompt: str
    references: tuple[str, ...]
    width: int | None
    height: int | None
    settings: dict[str, int | float | bool | None]

    @property
    def strength(self) -> float:
        """The pull of the text, from 0 to 1, whatever the engine counts it in."""
        found = [each for each in self.engine.parameters if each.name == "scale"]
        return float(self.settings["scale"] or 0) / found[0].high if found else 0.5

    @property
    def seed(self) -> int | None:
        """The seed asked for; None where the model is to draw one."""
        seed = self.settings.get("seed")
        return None if seed is None or seed < 0 else int(seed)

    @property
    def most_outputs(self) -> int:
        """How many pictures the engine may give at most for this request."""
        single = self.settings.get("force_single")
        return 1 if single else self.engine.max_outputs - len(self.references)


_AREA = (1048576, 16777216)
# Of the 4.x pages; their strengths and lowest ratios differ.
_IMAGE_4 = (
    Parameter("size", int, 4194304, *_AREA),
    Parameter("width", int, None, 1, 16384),
    Parameter("height", int, None, 1, 16384),
    Parameter("force_single", bool, False),
    Parameter("max_ratio", float, 3.0, 1 / 16, 16, open_low=True),
)
_SMALL = (256 * 256, 768 * 768)
ENGINES: dict[str, Engine] = {
    engine.req_key: engine
    for engine in (
        Engine(
            req_key="jimeng_t2i_v40",
            prompt_limit=800,
            max_references=10,
            max_outputs=15,
            area=_AREA,
            parameters=(
                *_IMAGE_4,
                Parameter("scale", float, 0.5, 0, 1),
                Parameter("min_ratio", float, 1 / 3, 1 / 16, 16, open_high=True),
            ),
        ),
        Engine(
            req_key="jimeng_seedream46_cvtob",
            prompt_limit=800,
            max_references=14,
            max_outputs=15,
            area=_AREA,
            parameters=(
                *_IMAGE_4,
                Parameter("scale", int, 50, 1, 100),
                Parameter("min_ratio", float, 1 / 3, 1 / 16, 16, open_low=True, open_high=True),
            ),
        ),
        Engine(
            req_key="jimeng_t2i_v31",
            prompt_limit=800,
            max_references=0,
            max_outputs=1,
            area=(512 * 512, 2048 * 2048),
            parameters=(
                Parameter("width", int, None, 1, 16384),
                Parameter("height", int, None, 1, 16384),
                Parameter("use_pre_llm", bool, True),
                Parameter("seed", int, -1, -1, 2**63 - 1),
            ),
            usual=(1328, 1328),
            ratios=(Fraction(1, 3), Fraction(3)),
        ),
        Engine(
            req_key="general_v2.0",
            prompt_limit=800,
            max_references=0,
            max_outputs=1,
            area=_SMALL,
            parameters=(
                Parameter("width", int, 512, 256, 768),
                Parameter("height", int, 512, 256, 768),
                Parameter("seed", int, -1, -1, 2**63 - 1),
                Parameter("return_url", bool, False),
            ),
            synchronous=True,
        ),
    )
}


def find_engine(body: dict[str, Any], *, synchronous: bool = False) -> Engine:
    """Return the engine that ``body`` names, which must be asked in this way.

    Raises ServiceRefusal 50201 (no req_key) or 50204 (unknown, or not a string).
    """
    req_key = body.get("req_key")
    if req_key is None or req_key == "":
        raise ServiceRefusal(50201, "req_key")
    if not isinstance(req_key, str) or req_key not in ENGINES:
        raise ServiceRefusal(50204, "req_key is unknown or not opened")
    if ENGINES[req_key].synchronous != synchronous:
        raise ServiceRefusal(50204, "req_key is unknown or not opened")
    return ENGINES[req_key]


def read_request(engine: Engine, body: dict[str, Any]) -> Asked:
    """Check a submit body against ``engine``.

    Explicit null means absent; unknown fields are ignored. Raises ServiceRefusal.
    """
    settings = {parameter.name: parameter.read(body) for parameter in engine.parameters}
    width, height = settings.pop("width", None), settings.pop("height", None)
    asked = Asked(
        engine=engine,
        prompt=_read_prompt(engine, body.get("prompt")),
        references=_read_references(engine, body.get("image_urls")),
        width=None if width is None else int(width),
        height=None if height is None else int(height),
        settings=settings,
    )
    for check in _CROSS_CHECKS:
        check(asked)
    return asked


def _read_prompt(engine: Engine, prompt: object) -> str:
    if prompt is None:
        raise ServiceRefusal(50201, "prompt")
    if not isinstance(prompt, str):
        raise ServiceRefusal(50204, "prompt must be a string")
    text = prompt.replace("\r\n", "\n")
    if not text.strip():
        raise ServiceRefusal(50201, "prompt")
    if len(text) > engine.prompt_limit:
        raise ServiceRefusal(50200, f"prompt has more than {engine.prompt_limit} characters")
    return text


def _read_references(engine: Engine, urls: object) -> tuple[str, ...]:
    if urls is None:
        return ()
    if not isinstance(urls, list) or not all(isinstance(url, str) for url in urls):
        raise ServiceRefusal(50204, "image_urls must be a list of strings")
    if len(urls) > engine.max_references:
        raise ServiceRefusal(50200, f"image_urls has more than {engine.max_references} entries")
    if not all(url.lower().startswith(URL_SCHEMES) for url in urls):
        raise ServiceRefusal(50200, "image_urls must be http or https addresses")
    return tuple(urls)


def _check_pair(asked: Asked) -> None:
    if (asked.width is None) != (asked.height is None):
        raise ServiceRefusal(50200, "width and height work only together")


def _check_area(asked: Asked) -> None:
    low, high = asked.engine.area
    if asked.width and asked.height and not low <= asked.width * asked.height <= high:
        raise ServiceRefusal(50200, f"width x height must be from {low} to {high}")


def _ratio_bounds(asked: Asked) -> tuple[float | Fraction, float | Fraction]:
    if "min_ratio" not in asked.settings:
        return asked.engine.ratios
    low, high = asked.settings["min_ratio"], asked.settings["max_ratio"]
    return float(low or 0), float(high or 0)


def _check_ratio(asked: Asked) -> None:
    low, high = _ratio_bounds(asked)
    if low > high:
        raise ServiceRefusal(50200, "min_ratio is above max_ratio")
    if asked.width and asked.height and not low <= Fraction(asked.width, asked.height) <= high:
        raise ServiceRefusal(50200, "width / height is outside min_ratio and max_ratio")


_CROSS_CHECKS: tuple[Callable[[Asked], None], ...] = (_check_pair, _check_area, _check_ratio)
