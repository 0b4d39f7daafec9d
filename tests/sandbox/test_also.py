"""Ids that are served only when told: everything else is unknown, as at the provider."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sandbox.also import serve_also
from sandbox.options import parse_options
from tests.sandbox.ark_caller import code, post
from tests.sandbox.caller import SUBMIT, Sandbox

ENDPOINT, KEY, VIDEO = "ep-20261101000000-abcde", "jimeng_t2i_v50", "jimeng_t2v_v40"
ALSO = (
    f"{ENDPOINT}=doubao-seedream-4-5-251128,{KEY}=jimeng_t2i_v40,{VIDEO}=jimeng_t2v_v30",
    "--latency=0.2",
    "--fast-media",
)


def submit(sandbox: Sandbox, key: str) -> int:
    return sandbox.call(SUBMIT, {"req_key": key, "prompt": "a corgi"}).json()["code"]


def test_only_the_ids_it_was_told_are_served(
    start: Callable[..., Sandbox], sandbox: Sandbox
) -> None:
    told = start("--also", *ALSO)
    assert [submit(told, key) for key in (KEY, VIDEO)] == [10000, 10000]
    assert [submit(sandbox, key) for key in (KEY, VIDEO)] == [50204, 50204]
    assert submit(told, "jimeng_t2i_v51") == 50204
    made = post(told, model=ENDPOINT)
    assert made.ok, made.text
    # Served as 4.5 is: what that one refuses, it refuses.
    assert code(post(told, model=ENDPOINT, size="1024x1024")) == "InvalidParameter"
    unknown = post(sandbox, model=ENDPOINT)
    assert (unknown.status_code, code(unknown)) == (404, "InvalidEndpointOrModel.NotFound")


@pytest.mark.parametrize("pairs", ["new", "new=", "=jimeng_t2i_v40", "a=b", "jimeng_t2i_v40=x"])
def test_a_wrong_list_is_refused_at_the_start(pairs: str) -> None:
    with pytest.raises((SystemExit, ValueError)):
        serve_also(parse_options(["--also", pairs]).also)
