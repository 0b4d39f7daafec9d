"""Asking the sandbox's Ark, and reading what it answers strictly."""

from __future__ import annotations

import base64
import io
import json
from typing import Any

import requests
from PIL import Image

from tests.sandbox.caller import Sandbox

V40, V45 = "doubao-seedream-4-0-250828", "doubao-seedream-4-5-251128"
LITE, PRO = "doubao-seedream-5-0-260128", "doubao-seedream-5-0-pro-260628"
T2I = "doubao-seedream-3-0-t2i-250415"
AUTO = {"sequential_image_generation": "auto"}


def post(sandbox: Sandbox, key: str = "ARK-SANDBOX", **body: Any) -> requests.Response:
    given = {"model": V40, "prompt": "a corgi on the grass", **body}
    return sandbox.http.post(
        f"{sandbox.url}/api/v3/images/generations",
        data=json.dumps(given).encode(),
        headers={"Authorization": f"Bearer {key}", "X-Client-Request-Id": "mine"},
        timeout=10,
        stream=bool(given.get("stream")),
    )


def picture(size: tuple[int, int] = (200, 100), kind: str = "JPEG", bar: str = "") -> str:
    out, image = io.BytesIO(), Image.new("RGB", size, "gray")
    if bar:
        image.paste(Image.new("RGB", (size[0], size[1] // 4), bar))
    image.save(out, kind)
    return f"data:image/{kind.lower()};base64,{base64.b64encode(out.getvalue()).decode()}"


def events(answer: requests.Response) -> list[tuple[str, Any]]:
    """Event name and data of each frame, read strictly."""
    found = []
    for each in answer.content.decode().split("\n\n"):
        if not each:
            continue
        *name, data = each.split("\n")
        assert data.startswith("data: ")
        text = data.removeprefix("data: ")
        kind = name[0].removeprefix("event: ") if name else ""
        found.append((kind, text if text == "[DONE]" else json.loads(text)))
    return found


def code(answer: requests.Response) -> str:
    return str(answer.json()["error"]["code"])
