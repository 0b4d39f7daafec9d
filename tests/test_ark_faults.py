"""Every fault of the sandbox's Ark through a real worker: what the job becomes, and what it cost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest

from tests.running import Site, wait_until
from tests.test_ark_set import SET, ask, read, start

__all__ = ["start"]
pytestmark = pytest.mark.timeout(300)
ACTIVE = ("queued", "submitting", "running", "collecting")
PATIENCE = {"ENGINE_PATIENCE": "0.05"}
FOUR = "sandbox:images=4"
# Fault, words, whether as a set; then: state, reason, pictures, times it was accepted.
FAULTS: list[tuple[str, str, bool, str, str, int, int]] = [
    ("drop_before", "", False, "uncertain", "ambiguous", 0, 0),
    ("drop_after", "", False, "uncertain", "ambiguous", 0, 1),
    ("429", "", False, "succeeded", "", 1, 1),
    ("500", "", False, "uncertain", "ambiguous", 0, 0),
    ("502html", "", False, "uncertain", "ambiguous", 0, 0),
    ("late_500", "", False, "uncertain", "ambiguous", 0, 1),
    ("delay", "", False, "succeeded", "", 1, 1),
    ("truncated", "", False, "uncertain", "ambiguous", 0, 1),
    ("text", "", False, "succeeded", "", 1, 1),
    ("as_200", "输出审核测试", False, "failed", "moderated_output", 0, 1),
    ("as_200", "内部错误测试", False, "uncertain", "ambiguous", 0, 1),
    ("flat", "敏感词测试", False, "failed", "moderated_prompt", 0, 0),
    ("text", FOUR, True, "succeeded", "", 4, 1),
    ("truncated", FOUR, True, "uncertain", "ambiguous", 2, 1),
    ("drop_after", FOUR, True, "uncertain", "ambiguous", 0, 1),
    ("late_500", f"{FOUR} sandbox:slow=2", True, "succeeded", "", 4, 1),
    ("late_500", "sandbox:images=3", True, "uncertain", "ambiguous", 3, 1),
    ("", f"{FOUR} sandbox:broken=2", True, "succeeded", "engine_fault", 2, 1),
    ("", f"{FOUR} sandbox:late=AccessDenied", True, "failed", "not_allowed", 0, 1),
    ("", f"{FOUR} sandbox:late=ServerOverloaded", True, "uncertain", "ambiguous", 0, 1),
]


def newest(site: Site) -> tuple[object, ...]:
    """State and reason of the newest job, and how many pictures it has."""
    count = "(SELECT count(*) FROM generations_asset WHERE job_id = job.id)"
    query = f"SELECT state, reason, {count} FROM generations_job job ORDER BY id DESC LIMIT 1"
    return read(site, query)[0]


def test_every_fault_ends_as_it_should_and_nothing_is_sent_twice(
    start: Callable[..., Site],
) -> None:
    site = start(**PATIENCE)
    site.start_worker()
    site.shell("from generations.models import *\nAllowance.objects.update(limit=1000)\nanswer = 1")
    for fault, words, as_set, state, reason, pictures, accepted in FAULTS:
        before = len(site.sandbox.ledger())
        site.sandbox.set_faults(next={fault: 1} if fault else {})
        ask(site, f"山水 {words}", SET if as_set else {"size": "1024x1024"})
        wait_until(lambda: newest(site)[0] not in ACTIVE, timeout_s=60)
        if pictures:
            wait_until(lambda wanted=pictures: newest(site)[2] == wanted, timeout_s=30)
        case = (fault, words)
        assert newest(site) == (state, reason, pictures), case
        assert len(site.sandbox.ledger()) - before == accepted, case
    requests = Counter(line["client_request_id"] for line in site.sandbox.ledger())
    assert set(requests.values()) == {1}
    held = "SELECT sum(max_outputs) FROM generations_job WHERE state = 'uncertain'"
    assert {row[0] for row in read(site, "SELECT reserved FROM generations_balance")} == {
        read(site, held)[0][0]
    }
