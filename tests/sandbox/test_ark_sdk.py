"""The official SDK (PyPI ``volcengine-ark-runtime``), unchanged, against the sandbox."""

from __future__ import annotations

import base64
import io
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from PIL import Image

from tests.sandbox.caller import Sandbox

ark = pytest.importorskip("volcenginesdkarkruntime")
errors = pytest.importorskip("volcenginesdkarkruntime._exceptions")
images = pytest.importorskip("volcenginesdkarkruntime.types.images")
ONE_FAILS = "sandbox:failed=1"
MODEL = "doubao-seedream-4-0-250828"


def client_of(sandbox: Sandbox, **more: Any) -> Any:
    options = {"api_key": "ARK-SANDBOX", "max_retries": 0, **more}
    return ark.Ark(base_url=f"{sandbox.url}/api/v3", **options)


@pytest.fixture
def client(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1,localhost")
    found = client_of(sandbox)
    yield found
    found.close()


def a_set(client: Any, prompt: str, most: int = 4, **more: Any) -> Any:
    options = images.SequentialImageGenerationOptions(max_images=most)
    return client.images.generate(
        model=MODEL,
        prompt=prompt,
        sequential_image_generation="auto",
        sequential_image_generation_options=options,
        **more,
    )


def test_generate(client: Any) -> None:
    found = client.images.generate(model=MODEL, prompt="一只猫", size="2K", watermark=False)
    assert found.created > 1_700_000_000
    assert found.error is None
    assert (found.usage.generated_images, found.usage.output_tokens) == (1, 16384)
    assert found.data[0].size == "2048x2048"
    with Image.open(io.BytesIO(requests.get(found.data[0].url, timeout=10).content)) as image:
        assert image.size == (2048, 2048)


def test_a_set(client: Any) -> None:
    found = a_set(client, "五张图")
    assert len(found.data) == found.usage.generated_images == 4


def test_partial_failure(client: Any) -> None:
    found = a_set(client, "三张图 sandbox:failed=1")
    assert [item.url is None for item in found.data] == [False, True, False]
    assert found.data[1].error["code"] == "OutputImageSensitiveContentDetected"
    assert found.usage.generated_images == 2


def test_stream(client: Any) -> None:
    told = list(a_set(client, "三张图", stream=True))
    kinds = [event.type.rpartition(".")[2] for event in told]
    assert kinds == [*["partial_succeeded"] * 3, "completed"]
    assert [event.image_index for event in told[:3]] == [0, 1, 2]
    assert told[-1].usage["generated_images"] == 3


def test_partial_failure_in_a_stream(client: Any) -> None:
    """The SDK gives up at a picture that failed (wire-protocol.md section 3); our client does not."""
    told: list[int] = []
    with pytest.raises(errors.ArkAPIError):
        told.extend(each.image_index for each in a_set(client, f"三张图 {ONE_FAILS}", stream=True))
    assert told == [0]


def test_data_uri(client: Any) -> None:
    out = io.BytesIO()
    Image.new("RGB", (64, 64), "teal").save(out, "PNG")
    image = f"data:image/png;base64,{base64.b64encode(out.getvalue()).decode()}"
    found = client.images.generate(model=MODEL, prompt="一只猫", image=[image, image])
    assert found.usage.generated_images == 1


def test_errors(client: Any, sandbox: Sandbox) -> None:
    with pytest.raises(errors.ArkAuthenticationError) as caught:
        client_of(sandbox, api_key="ARK-OTHER").images.generate(model=MODEL, prompt="一只猫")
    assert (caught.value.status_code, caught.value.code) == (401, "AuthenticationError")
    with pytest.raises(errors.ArkNotFoundError) as caught:
        client.images.generate(model="doubbao-seedream", prompt="一只猫")
    assert caught.value.code == "InvalidEndpointOrModel.NotFound"
    with pytest.raises(errors.ArkBadRequestError) as caught:
        client.images.generate(model="doubao-seedream-4-5-251128", prompt="猫", size="1024x1024")
    assert (caught.value.param, "3686400" in str(caught.value)) == ("size", True)


def test_flat_errors_are_read_too(client: Any, sandbox: Sandbox) -> None:
    sandbox.change(next={"flat": 1})
    with pytest.raises(errors.ArkBadRequestError) as caught:
        client.images.generate(model=MODEL, prompt="一只猫", size="9x9")
    assert caught.value.code == "InvalidParameter"


@pytest.mark.parametrize(("code", "asked"), [("QuotaExceeded", 1), ("ServerOverloaded", 2)])
def test_it_is_told_whether_to_send_again(sandbox: Sandbox, code: str, asked: int) -> None:
    client = client_of(sandbox, max_retries=1)
    before = sandbox.state()["answers"].get(f"ark:{code}", 0)
    with pytest.raises(errors.ArkRateLimitError) as caught:
        client.images.generate(model=MODEL, prompt=f"一只猫 sandbox:{code}")
    assert caught.value.response.headers["x-should-retry"] == ("false" if asked == 1 else "true")
    assert sandbox.state()["answers"][f"ark:{code}"] - before == asked


def test_a_lost_answer_is_paid_for_again_by_the_sdk(sandbox: Sandbox) -> None:
    """Why the studio does not use it: it sends a paid POST once more by itself."""
    began, client = time.time(), client_of(sandbox, max_retries=1)
    accepted = sandbox.state()["accepted"]
    sandbox.change(next={"drop_after": 1})
    found = client.images.generate(model=MODEL, prompt="一只猫")
    assert found.created >= int(began)
    assert sandbox.state()["accepted"] - accepted == 2
