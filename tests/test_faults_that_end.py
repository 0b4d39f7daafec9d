"""Each fault of the sandbox alone, at every chance it has, over ten jobs: those that end by themselves."""

from __future__ import annotations

import pytest

from sandbox.faults import KINDS
from tests.every_fault import ENDS, WAITS, alone_at_every_chance, site
from tests.running import Site

__all__ = ["site"]
pytestmark = [pytest.mark.timeout(300), pytest.mark.site]


def test_every_fault_is_here() -> None:
    assert {*ENDS, *WAITS} == KINDS
    assert not {*ENDS} & {*WAITS}


@pytest.mark.parametrize("fault", ENDS)
def test_alone_at_every_chance(site: Site, fault: str) -> None:
    alone_at_every_chance(site, fault)
