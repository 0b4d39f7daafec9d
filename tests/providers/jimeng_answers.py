"""Asking the Jimeng provider, and the documented shapes of its answers."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from generations.providers import catalog
from generations.providers.base import (
    Accepted,
    Credentials,
    Finished,
    Progress,
)
from generations.providers.jimeng import Jimeng

PROVIDER = Jimeng()
ENGINE = catalog.get_engine("jimeng-image-4.0")
KEYS = Credentials("AKEXAMPLE", "SKEXAMPLE")
BASE = "https://visual.volcengineapi.com"
# Beyond 2^53: a float would end in ...408.
TASK = "7392616336519610409"
Answering = Callable[..., list[dict[str, Any]]]


def build(**settings: object) -> dict[str, Any]:
    cleaned = catalog.clean_settings(ENGINE, settings)
    return json.loads(PROVIDER.build(ENGINE, "一只柯基", cleaned).body)


def submit() -> Accepted | Finished:
    call = PROVIDER.build(ENGINE, "一只柯基", catalog.defaults(ENGINE))
    return PROVIDER.submit(
        call,
        base_url=BASE,
        credentials=KEYS,
        client_request_id="0b5fbb1e-0000-4000-8000-000000000000",
    )


def poll(remote_id: str = TASK) -> Progress:
    return PROVIDER.poll(ENGINE, remote_id, base_url=BASE, credentials=KEYS)


def cancel() -> bool:
    return PROVIDER.cancel(ENGINE, TASK, base_url=BASE, credentials=KEYS)


def service(code: object, data: object = None, **more: object) -> dict[str, object]:
    return {
        "code": code,
        "data": data,
        "message": "Success" if code == 10000 else "no",
        "request_id": "20260121",
        "status": code,
        "time_elapsed": "104.852309ms",
    } | more


def gateway(code: str, number: int | None = None) -> dict[str, object]:
    error: dict[str, object] = {"Code": code, "Message": "The request was refused."}
    if number is not None:
        error["CodeN"] = number
    return {
        "ResponseMetadata": {
            "RequestId": "20260121",
            "Action": "CVSync2AsyncSubmitTask",
            "Version": "2022-08-31",
            "Service": "cv",
            "Region": "cn-north-1",
            "Error": error,
        }
    }
