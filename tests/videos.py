"""Videos with real bytes, and the rows of runs that made them."""

from __future__ import annotations

from functools import cache
from io import BytesIO

import av
from PIL import Image, ImageOps

from generations.models import Asset, Generation, Job, JobState, Project, User
from generations.providers import catalog
from generations.services import recipes
from tests import world

RATE = 24
TEXT, FIRST = "jimeng-video-3.0", "jimeng-video-3.0-first"


def gray(frame: int) -> int:
    """How bright a frame of a clip is, so that a test can tell which one is shown."""
    return 16 + 12 * frame % 220


@cache
def clip(frames: int = 49, size: tuple[int, int] = (320, 180), still: bytes = b"") -> bytes:
    """An mp4 of so many frames, 24 a second: each of one gray, or a slow way into a still picture."""
    out = BytesIO()
    with av.open(out, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=RATE)
        stream.width, stream.height = size
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "10", "g": "12", "preset": "ultrafast"}
        for number in range(frames):
            shown = into(still, size, number / frames) if still else picture(gray(number), size)
            frame = av.VideoFrame.from_image(shown)  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return out.getvalue()


def run(
    project: Project,
    user: User,
    *frames: int,
    engine: str = TEXT,
    prompt: str = "海浪拍打礁石，镜头缓缓推近",
    size: tuple[int, int] = (320, 180),
    still: bytes = b"",
    **settings: object,
) -> Generation:
    """A run of a video model: a video of each of these lengths, in frames, with poster and strip."""
    found = catalog.get_engine(engine)
    # What it starts from is left out: its references are rows that a test makes where it needs them.
    recipe = {
        "schema": recipes.RECIPE_SCHEMA,
        "engine": engine,
        "revision": found.revision,
        "prompt": prompt,
        "settings": catalog.with_seed(found, catalog.clean_settings(found, settings)),
        "references": [],
    }
    made = Generation.objects.create(
        project=project,
        user=user,
        recipe=recipe,
        recipe_sha256=catalog.recipe_sha256(recipe),
        engine=engine,
        kind="video",
        prompt=prompt,
        count=len(frames),
        state=Generation.State.SUCCEEDED,
    )
    for position, length in enumerate(frames):
        asset(job(made, position), length, size, still)
    return made


def job(made: Generation, position: int) -> Job:
    return Job.objects.create(
        generation=made,
        account=world.account(),
        user=made.user,
        position=position,
        state=JobState.SUCCEEDED,
        remote_id=str(8_000_000_000_000_000_000 + made.pk * 100 + position),
    )


def asset(
    job: Job, frames: int = 49, size: tuple[int, int] = (320, 180), still: bytes = b""
) -> Asset:
    """A video of a job, with what stands for it on pages."""
    made = Asset.objects.create(
        project=job.generation.project,
        generation=job.generation,
        job=job,
        position=0,
        blob=world.blob(clip(frames, size, still), "video/mp4"),
        kind="video",
        format="mp4",
        width=size[0],
        height=size[1],
        duration_ms=round(1000 * frames / RATE),
    )
    tenths = [
        into(still, size, place / 10) if still else picture(gray((frames - 1) * place // 9), size)
        for place in range(10)
    ]
    world.rendered(made, "320", tenths[0])
    strip = Image.new("RGB", (10 * size[0], size[1]))
    for place, tenth in enumerate(tenths):
        strip.paste(tenth, (place * size[0], 0))
    world.rendered(made, "strip", strip)
    return made


def picture(shade: int, size: tuple[int, int]) -> Image.Image:
    return Image.new("RGB", size, (shade, shade, shade))


def into(still: bytes, size: tuple[int, int], part: float) -> Image.Image:
    """What a camera shows of a picture that it comes closer to; `part` of the way, 0 to 1."""
    with Image.open(BytesIO(still)) as image:
        whole = ImageOps.fit(image.convert("RGB"), size)
    across, down = (round(side * part / 8) for side in size)
    return whole.resize(size, box=(across, down, size[0] - across, size[1] - down))
