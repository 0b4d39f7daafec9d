"""What a query of the visual API asks the result to be: `req_json`, a JSON text inside the JSON body.

Facts: wire-protocol.md 2.5 (pictures: addresses, `logo_info`, `aigc_meta`), 2.6 (videos: `aigc_meta` alone).
The labels are put on when the result is asked for, so every query of a run says the same ones.
"""

from __future__ import annotations

import json

from generations.providers.engine import Engine
from generations.providers.labels import CORNERS, LANGUAGES, Implicit, Labels, Visible

# Without it the answer holds the pictures themselves, as base64.
RETURN_URL = '{"return_url":true}'


def what_to_return(engine: Engine, labels: Labels) -> dict[str, str]:
    """The field of the query's body; none where there is nothing to ask, as of a video without a label."""
    wanted: dict[str, object] = {}
    if engine.kind == "image":  # of a video, the answer is an address always
        wanted["return_url"] = True
    if labels.visible and "visible" in engine.labels:
        wanted["logo_info"] = _logo(labels.visible)
    if labels.implicit and "implicit" in engine.labels:
        wanted["aigc_meta"] = _meta(labels.implicit)
    text = json.dumps(wanted, ensure_ascii=False, separators=(",", ":"))
    return {"req_json": text} if wanted else {}


def _logo(mark: Visible) -> dict[str, object]:
    """Everything but the text always: a provider's changed default must not move a mark."""
    logo: dict[str, object] = {
        "add_logo": True,
        "position": CORNERS.index(mark.corner),
        "language": LANGUAGES.index(mark.language),
        "opacity": mark.opacity,
    }
    return logo | ({"logo_text_content": mark.text} if mark.text else {})


def _meta(mark: Implicit) -> dict[str, str]:
    named = {
        "content_producer": mark.producer,
        "producer_id": mark.producer_id,
        "content_propagator": mark.propagator,
        "propagate_id": mark.propagator_id,
    }
    return {name: text for name, text in named.items() if text}
