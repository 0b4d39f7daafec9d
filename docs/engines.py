"""docs/engines.md from the catalogue: `python docs/engines.py` writes it; a test says when it is old."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from generations.providers import catalog  # noqa: E402
from generations.providers.engine import Engine, ReferenceRule  # noqa: E402

PAGE = ROOT / "docs" / "engines.md"
MARKS = {"visible": "a visible mark", "implicit": "a hidden one"}
HEAD = """# Models

Made from `generations/providers/catalog.py` by `make docs`. What each model takes; anything else is refused
before anything is reserved or sent, by the form, the command line and the batch alike.
"""
LEGACY = """
## Legacy

Not on offer: nothing new is begun with these and an administrator cannot clone them. Runs that were made with them are
shown, and finished. The visual API's synchronous action CVProcess belongs to them alone: every Jimeng model
above is submitted and asked after.

"""
NOTES = {
    "jimeng-video-3.0-pro": (
        "The official page knows the Pro at 1080P only: there is none at 720P. "
        "`jimeng_t2v_v30_pro`, which older samples name, stands in no official page: it is an alias of "
        "this one, and never sent.",
        "With a first frame the shape stays `auto`: the provider takes that of the frame. "
        "Without one, `auto` is the provider's own, 16:9.",
    ),
}


def page() -> str:
    on_offer = "".join(f"\n{section(engine)}" for engine in catalog.ENGINES.values())
    return HEAD + on_offer + LEGACY + "".join(map(legacy, catalog.RETIRED.values()))


def legacy(engine: Engine) -> str:
    way = "CVProcess, whose answer is the result" if engine.synchronous else "submit and query"
    return f"* {engine.label}, `{engine.slug}`: asked for as `{engine.req_key}`, by {way}.\n"


def section(engine: Engine) -> str:
    return "\n".join(_lines(engine)) + "\n"


def _lines(engine: Engine) -> Iterator[str]:
    yield f"## {engine.label}: `{engine.slug}`"
    yield ""
    yield f"{engine.good_for}. Asked for as `{engine.req_key}`."
    yield ""
    yield f"* A prompt of up to {engine.prompt_max} characters."
    yield f"* {_references(engine)}"
    yield f"* {_outputs(engine)}"
    yield f"* AIGC labels it can carry: {' and '.join(MARKS[each] for each in engine.labels)}."
    yield from (f"* {note}" for note in NOTES.get(engine.slug, ()))
    yield ""
    yield "| setting | accepts | default | what it does |"
    yield "|---|---|---|---|"
    for row in catalog.docs_table(engine):
        yield f"| `{row.name}` | {row.accepts} | {row.default} | {row.help} |"


def _references(engine: Engine) -> str:
    rule = engine.references
    if not rule.maximum:
        return "No references."
    formats = " or ".join(each.upper() for each in rule.formats)
    sides = (
        f"{rule.min_side:,} to {rule.max_side:,}"
        if rule.min_side > 1
        else f"up to {rule.max_side:,}"
    )
    sent = f"sent as {formats} of {sides} pixels a side"
    if engine.kind == "image":
        return f"Up to {rule.maximum} references, {sent}."
    most = f"{rule.max_bytes / 1_000_000:g} MB"
    return f"{_frames(rule)}, {sent}, in the call itself: as base64 of at most {most}."


def _frames(rule: ReferenceRule) -> str:
    if rule.minimum == 2:
        return "Two references, the first frame and the last (which is cropped to the shape of the first)"
    return (
        "One reference, the first frame"
        if rule.minimum
        else "No reference, or one: the first frame"
    )


def _outputs(engine: Engine) -> str:
    if engine.outputs.max_total == 1:
        return f"One {'picture' if engine.kind == 'image' else 'video'} a call."
    most = engine.outputs.max_total
    return f"One picture a call, or a set: references and pictures together are at most {most}."


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
