"""Every engine of the catalogue against the sandbox: what the form takes, the provider takes."""

from __future__ import annotations

import base64
import io
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest
from PIL import Image

from generations import video
from generations.providers import catalog, get_provider, http
from generations.providers.base import Accepted, Credentials, Finished
from generations.providers.engine import Engine
from generations.providers.parameters import (
    BoolParam,
    ChoiceParam,
    NumberParam,
    SeedParam,
    canonical,
)
from generations.providers.sizes import SizeParam
from tests.clips import decoded
from tests.pictures import encoded
from tests.processes import Sandbox, wait_until

# Of each provider, its key at the sandbox and where it lives there.
KEYS = {
    "jimeng": (Credentials("AKSANDBOX", "SKSANDBOX"), ""),
    "ark": (Credentials("ARK-SANDBOX"), "/api/v3"),
}
ENGINES = list(catalog.ENGINES.values())
# What lets the two ratios stand at an end: the other must not cross it, nor the size fall outside.
ROOM: dict[tuple[str, Decimal], dict[str, object]] = {
    ("min_ratio", Decimal("15.9999")): {"max_ratio": "15.9999", "size": "auto-2k"},
    ("max_ratio", Decimal("0.0626")): {"min_ratio": "0.0626", "size": "auto-2k"},
}
EVERY = pytest.mark.parametrize("engine", ENGINES, ids=lambda engine: engine.slug)


def extremes(engine: Engine) -> Iterator[dict[str, object]]:
    """One setting at a time at each end of its range, or at each of its choices."""
    for param in engine.params:
        if isinstance(param, NumberParam):
            counts = param.name == engine.outputs.limited_by
            room = {"single": False} if counts else {}
            for value in (param.minimum, param.maximum):
                yield {param.name: canonical(value), **room, **ROOM.get((param.name, value), {})}
        elif isinstance(param, BoolParam):
            yield from ({param.name: value} for value in (True, False))
        elif isinstance(param, SeedParam):
            yield from ({param.name: value} for value in ("", -1, 0, param.maximum))
        elif isinstance(param, ChoiceParam):
            yield from ({param.name: each.value} for each in param.choices)
        else:
            values = [
                *(each.value for each in param.presets),
                *(each.value for each in param.autos),
            ]
            yield from ({"size": value} for value in values)


def outside(engine: Engine) -> Iterator[dict[str, object]]:
    """Each setting one step beyond each end, and sizes a pixel beyond."""
    for param in engine.params:
        if isinstance(param, NumberParam):
            yield {param.name: canonical(param.minimum - param.step)}
            yield {param.name: canonical(param.maximum + param.step)}
        elif isinstance(param, SeedParam):
            yield from ({param.name: value} for value in (-2, param.maximum + 1, "0.5", "x"))
        elif isinstance(param, ChoiceParam):
            yield from ({param.name: value} for value in ("x", "-1", f"{param.default} x"))
            if param.whole:
                values = sorted(int(each.value) for each in param.choices)
                yield from ({param.name: value} for value in (values[0] - 1, values[-1] + 1))
        elif isinstance(param, SizeParam):
            side = int(Decimal(param.max_area).sqrt())
            yield {"size": f"{side + 1}x{side + 1}"}
            side = int(Decimal(param.min_area).sqrt())
            yield {"size": f"{side - 1}x{side}"}
        else:
            yield {param.name: "something else"}


def carried(engine: Engine, count: int) -> list[str]:
    """So many pictures as the engine's rule has them travel."""
    if not count:
        return []
    transport = engine.references.transport
    assert transport in ("base64", "data")
    picture = encoded(Image.linear_gradient("L").resize((640, 480)).convert("RGB"), "JPEG")
    text = base64.b64encode(picture).decode()
    return [f"data:image/jpeg;base64,{text}" if transport == "data" else text] * count


def submit(
    engine: Engine, sandbox: Sandbox, raw: dict[str, object], count: int | None = None
) -> Accepted | Finished:
    provider, (key, path) = get_provider(engine.provider), KEYS[engine.provider]
    settings = catalog.with_seed(engine, catalog.clean_settings(engine, raw))
    given = carried(engine, engine.references.minimum if count is None else count)
    call = provider.build(engine, "一只柯基", settings, references=given)
    answer = provider.submit(
        call, base_url=f"{sandbox.url}{path}", credentials=key, client_request_id="every-engine"
    )
    assert isinstance(answer, Finished if engine.synchronous else Accepted)
    return answer


def result(engine: Engine, sandbox: Sandbox, answer: Accepted | Finished) -> str:
    """The address of the first file: in the answer itself, or asked for until it is there."""
    if isinstance(answer, Finished):
        return answer.parts[0].url
    provider, (key, path) = get_provider(engine.provider), KEYS[engine.provider]
    where = {"base_url": f"{sandbox.url}{path}", "credentials": key}
    urls = wait_until(lambda: provider.poll(engine, answer.remote_id, **where).urls)
    return str(urls[0])


def made(engine: Engine, sandbox: Sandbox, raw: dict[str, object]) -> bytes:
    """The first file that comes of these settings."""
    return fetched(result(engine, sandbox, submit(engine, sandbox, raw)))


def fetched(url: str) -> bytes:
    file = io.BytesIO()
    http.download(
        url,
        sink=file.write,
        allow_loopback=True,
        allowed_hosts=(),
        max_bytes=50_000_000,
        deadline_s=20,
    )
    return file.getvalue()


@pytest.mark.parametrize(
    "engine", [each for each in ENGINES if each.kind == "image"], ids=lambda engine: engine.slug
)
def test_its_defaults_become_a_picture_of_the_size_that_was_asked_for(
    engine: Engine, sandbox: Sandbox
) -> None:
    with Image.open(io.BytesIO(made(engine, sandbox, {}))) as picture:
        picture.load()
        assert picture.size == catalog.aspect(engine, catalog.defaults(engine))


VIDEOS = [each for each in ENGINES if each.kind == "video"]


@pytest.mark.parametrize("engine", VIDEOS, ids=lambda engine: engine.slug)
@pytest.mark.parametrize("frames", [121, 241])
def test_every_length_of_video_arrives_whole(
    engine: Engine, frames: int, sandbox: Sandbox, tmp_path: Path
) -> None:
    path = tmp_path / "video"
    path.write_bytes(made(engine, sandbox, {"frames": frames}))
    found = video.probe(path)
    assert (found.frames, found.fps) == (frames, 24)
    assert round(found.seconds) == (frames - 1) // 24
    across, down = catalog.aspect(engine, catalog.defaults(engine)) or _shape(engine)
    assert abs(found.width / found.height / (across / down) - 1) < 0.02


def _shape(engine: Engine) -> tuple[int, int]:
    return (4, 3) if engine.references.minimum else (16, 9)


def test_the_pro_takes_its_shape_from_a_first_frame(sandbox: Sandbox) -> None:
    pro = catalog.get_engine("jimeng-video-3.0-pro")
    found = result(pro, sandbox, submit(pro, sandbox, {}, count=1))
    image = decoded(fetched(found))[0]
    assert image.size == (1664, 1248)


@pytest.mark.parametrize("engine", [each for each in ENGINES if each.seed], ids=lambda e: e.slug)
def test_the_same_seed_gives_the_same_picture_and_another_another(
    engine: Engine, sandbox: Sandbox
) -> None:
    # A video costs half a second to make, so of those one is drawn, not two.
    drawn = ("",) if engine.kind == "video" else ("", "")
    pictures = [made(engine, sandbox, {"seed": seed}) for seed in (7, 7, 8, *drawn)]
    assert pictures[0] == pictures[1]
    assert len(set(pictures)) == len(pictures) - 1


@EVERY
def test_every_end_of_every_range_is_accepted(engine: Engine, sandbox: Sandbox) -> None:
    tried = list(extremes(engine))
    assert len(tried) > 2 * len(engine.params)
    for raw in tried:
        answer = submit(engine, sandbox, raw)
        assert answer.parts if isinstance(answer, Finished) else answer.remote_id, raw


@pytest.mark.parametrize(
    "engine", [e for e in ENGINES if e.references.transport == "data"], ids=lambda e: e.slug
)
def test_as_many_references_as_it_says_are_taken_in_the_call_itself(
    engine: Engine, sandbox: Sandbox
) -> None:
    raw = {"single": False} if engine.outputs.can_force_single else {}
    answer = submit(engine, sandbox, raw, engine.references.maximum)
    assert isinstance(answer, Finished)
    assert answer.parts


@EVERY
def test_a_step_beyond_is_refused_before_anything_is_sent(engine: Engine) -> None:
    tried = list(outside(engine))
    assert len(tried) >= len(engine.params)
    for raw in tried:
        with pytest.raises(catalog.SettingsError):
            catalog.clean_settings(engine, raw)
